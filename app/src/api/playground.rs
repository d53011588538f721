//! The playground without scripts, and what its requests cost.

use leptos::prelude::*;
use leptos::server_fn::codec::Json;
use types::request::RequestRow;

use crate::error::AppError;
use crate::form::playground::PlayForm;
use crate::play::Played;

/// Asks one or two models with the key that was pasted, and leads to the page that shows the answers once.
#[server]
pub(crate) async fn run(form: PlayForm) -> Result<(), AppError> {
    // What was typed is not echoed: prompts have no place in an address.
    let played = crate::host::play(&form).await?;
    let kept = crate::host::keep(crate::host::Draft::Played(played.into()))?;
    crate::host::redirect_to("/playground", &[("kept", &kept)]);
    Ok(())
}

/// The answers that are kept under that name; they are gone afterwards.
#[server(input = Json)]
pub(crate) async fn answers(kept: String) -> Result<Option<Played>, AppError> {
    Ok(crate::host::take_played(&kept).await?)
}

/// A request of the reader's, once it is in the books.
#[server(input = Json)]
pub(crate) async fn booked(id: String) -> Result<Option<RequestRow>, AppError> {
    crate::host::booked(id).await
}
