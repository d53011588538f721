//! Writes the changes of breakers down.

use std::sync::Arc;

use crate::core::Core;
use crate::events;

pub(super) async fn run(core: &Arc<Core>) -> Result<String, String> {
    let written = events::flush(core).await.map_err(|error| error.to_string())?;
    Ok(format!("{written} changes of breakers written"))
}
