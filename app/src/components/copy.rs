//! Text to copy: a block with a button. Without scripts the block is simply selectable.

use leptos::prelude::*;

use crate::host;
use crate::text::{common as c, translator};

/// A block of code with a copy button.
#[component]
pub(crate) fn Copy(
    /// What is shown and copied.
    #[prop(into)]
    text: String,
) -> impl IntoView {
    let t = translator();
    let copied = RwSignal::new(false);
    let shown = text.clone();
    view! {
        <div class="copy">
            <pre tabindex="0"><code>{shown}</code></pre>
            <button type="button" class="button small scripted" on:click=move |_| {
                host::copy(&text);
                copied.set(true);
            }>
                {move || if copied.get() { t(c::COPIED) } else { t(c::COPY) }}
            </button>
        </div>
    }
}
