//! Sign-in: one field, and why it failed. A plain form to `/auth/login`: a ceremony with a cookie needs a
//! full page load anyway.

use leptos::prelude::*;
use leptos_meta::Title;

use crate::components::layout::{Logo, Preferences};
use crate::components::query;
use crate::host::Facts;
use crate::text::{common as c, login as l, problem, translator};

/// The page.
#[component]
pub(crate) fn Login() -> impl IntoView {
    let t = translator();
    let facts = use_context::<Facts>().unwrap_or_default();
    let next = query("next");
    let failed = query("problem");
    let next_field = move || next.get().unwrap_or_else(|| "/".to_owned());
    let failure = move || {
        failed.get().map(|code| {
            let text = problem::of_code(&code).map_or_else(|| code.clone(), |text| t(text).to_owned());
            view! {
                <div class="flash bad" role="alert">
                    <span aria-hidden="true">"■"</span>
                    <span>{text}</span>
                    <code>{code}</code>
                </div>
            }
        })
    };
    let expired = move || {
        (next.with(|next| next.as_deref().is_some_and(|path| path != "/")) && failed.with(Option::is_none))
            .then(|| view! { <p class="help">{t(l::EXPIRED_NOTE)}</p> })
    };
    view! {
        <Title text=t(l::TITLE)/>
        <div class="door">
            <div class="door-tools"><Preferences/></div>
            <div class="door-card">
                <div class="door-brand"><Logo/><span>{t(c::PRODUCT)}</span></div>
                <h1>{t(l::TITLE)}</h1>
                <p class="door-lead">{t(l::LEAD)}</p>
                {facts.cookie_trap.then(|| view! { <CookieTrap/> })}
                {failure}
                {expired}
                <form class="form" method="post" action="/auth/login">
                    <input type="hidden" name="next" value=next_field/>
                    <div class="field">
                        <label for="secret">{t(l::SECRET)}</label>
                        <input id="secret" class="input mono" type="password" name="secret" required autofocus
                            autocomplete="current-password" spellcheck="false" aria-describedby="secret-help"/>
                        <p class="help" id="secret-help">{t(l::SECRET_HELP)}</p>
                    </div>
                    <button class="button primary wide">{t(l::SUBMIT)}</button>
                </form>
                <details class="fold">
                    <summary>{t(l::WITH_PASSWORD)}</summary>
                    <form class="form" method="post" action="/auth/login">
                        <input type="hidden" name="next" value=next_field/>
                        <div class="field">
                            <label for="name">{t(l::USER_NAME)}</label>
                            <input id="name" class="input" name="name" required autocomplete="username"/>
                        </div>
                        <div class="field">
                            <label for="password">{t(l::PASSWORD)}</label>
                            <input id="password" class="input" type="password" name="password" required
                                autocomplete="current-password"/>
                        </div>
                        <button class="button wide">{t(l::SUBMIT)}</button>
                    </form>
                </details>
            </div>
        </div>
    }
}

/// Why signing in over plain HTTP does not last, and the two ways out.
#[component]
fn CookieTrap() -> impl IntoView {
    let t = translator();
    view! {
        <div class="trap" role="note">
            <p class="trap-title"><span aria-hidden="true">"▲ "</span>{t(l::TRAP_TITLE)}</p>
            <p>{t(l::TRAP_TEXT)}</p>
            <ul>
                <li>{t(l::TRAP_WAY_1)}</li>
                <li>{t(l::TRAP_WAY_2)}</li>
            </ul>
        </div>
    }
}
