//! All credentials of a provider deleted at once, after its name was typed; and what was deleted lately, to bring back.

use leptos::prelude::*;
use types::ProviderId;
use types::credential::DeletedCredentials;

use crate::api;
use crate::components::confirm::Confirm;
use crate::components::flash::Failed;
use crate::components::load::load;
use crate::components::time::Time;
use crate::components::{Refresh, failure};
use crate::text::{common as c, provider as p, translator};

/// The panel.
#[component]
pub(crate) fn ProviderReset(
    id: ProviderId,
    /// What has to be typed.
    name: String,
) -> impl IntoView {
    let t = translator();
    let refresh = Refresh::get();
    let reset = ServerAction::<api::provider::Reset>::new();
    let restore = ServerAction::<api::provider::RestoreDeleted>::new();
    let (reset_failed, restore_failed) = (failure(reset), failure(restore));
    let list = Resource::new(move || refresh.0.get(), move |_| api::provider::deleted(id));
    view! {
        <section class="panel pad" id="deleted">
            <h2>{t(p::RESET)}</h2>
            <Failed error=reset_failed notes=true/>
            <Failed error=restore_failed/>
            <p class="help">{t(p::RESET_TEXT)}</p>
            <Confirm what="reset" trigger=p::RESET title=p::RESET_TITLE text=p::RESET_TEXT subject=name>
                <ActionForm action=reset attr:class="inline-form">
                    <input type="hidden" name="id" value=id.to_string()/>
                    <input class="input" name="confirm" required aria-label=t(p::RESET_CONFIRM)
                        placeholder=t(p::RESET_CONFIRM) spellcheck="false" autocomplete="off"/>
                    <button class="button danger">{t(p::RESET)}</button>
                </ActionForm>
            </Confirm>
            {load(list, move |lines: Vec<DeletedCredentials>| (!lines.is_empty()).then(|| {
                let lines = lines.into_iter().map(|line| view! { <Line id line restore/> }).collect_view();
                view! {
                    <h3>{t(p::DELETED_LATELY)}</h3>
                    <ul class="cards">{lines}</ul>
                }
            }))}
        </section>
    }
}

#[component]
fn Line(
    id: ProviderId,
    line: DeletedCredentials,
    restore: ServerAction<api::provider::RestoreDeleted>,
) -> impl IntoView {
    let t = translator();
    let DeletedCredentials { deleted_at, restorable_until, names } = line;
    view! {
        <li class="card">
            <p><Time at=deleted_at/> " · " {names.join(", ")}</p>
            <p class="faint">{t(p::RESTORABLE_UNTIL)} " " <Time at=restorable_until/></p>
            <ActionForm action=restore>
                <input type="hidden" name="id" value=id.to_string()/>
                <input type="hidden" name="at" value=deleted_at.to_string()/>
                <button class="button small">{t(c::RESTORE)}</button>
            </ActionForm>
        </li>
    }
}
