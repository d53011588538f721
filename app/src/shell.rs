//! The HTML document around the application.

use leptos::config::LeptosOptions;
use leptos::prelude::*;
use leptos_meta::MetaTags;

use crate::app::App;
use crate::host;

/// The whole document, as the server sends it. Scripts carry the nonce of this answer; there is no inline style.
pub fn shell(options: LeptosOptions) -> impl IntoView {
    let facts = host::facts();
    let json = serde_json::to_string(&facts).unwrap_or_default();
    view! {
        <!DOCTYPE html>
        <html lang=facts.lang.tag() data-theme=facts.theme.as_str() data-facts=json>
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <meta name="color-scheme" content="light dark"/>
                <meta name="robots" content="noindex"/>
                <link rel="stylesheet" href="/pkg/tollgate.css"/>
                <link rel="icon" href="/favicon.svg" type="image/svg+xml"/>
                <AutoReload options=options.clone() disable_watch=!cfg!(debug_assertions)/>
                {host::has_bundle().then(|| view! { <HydrationScripts options/> })}
                <MetaTags/>
            </head>
            <body>
                <App/>
            </body>
        </html>
    }
}
