//! No such page.

use leptos::prelude::*;

use crate::components::head::Head;
use crate::components::load::Empty;
use crate::host;
use crate::text::{common as c, translator};

/// Says so, with status 404.
#[component]
pub(crate) fn NotFound() -> impl IntoView {
    host::set_status(404);
    let t = translator();
    view! {
        <Head title=t(c::NOT_FOUND_TITLE)/>
        <div class="page">
            <Empty title=t(c::NOT_FOUND_TITLE) text=t(c::NOT_FOUND_TEXT)>
                <a class="button primary" href="/">{t(c::TO_OVERVIEW)}</a>
            </Empty>
        </div>
    }
}
