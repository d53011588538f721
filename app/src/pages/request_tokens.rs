//! The token counts of a request's page.

use leptos::prelude::*;
use types::request::TokenUsage;

use crate::format;
use crate::text::{Text, common as c, request as r, translator};

/// Token counts taken apart.
#[component]
pub(crate) fn Tokens(usage: TokenUsage, estimated: bool) -> impl IntoView {
    let t = translator();
    let TokenUsage {
        input,
        output,
        cache_read,
        cache_write,
        cache_write_1h,
        reasoning,
        audio_input,
        audio_output,
        image_input,
        image_output,
        images,
        web_searches,
    } = usage;
    let line = move |words: Text, n: u64, part: bool| {
        view! {
            <tr class:part=part><th scope="row">{t(words)}</th><td class="num">{format::count(n)}</td></tr>
        }
    };
    let part = move |words: Text, n: u64| (n > 0).then(|| line(words, n, true));
    view! {
        <section class="panel pad">
            <table class="table tight">
                <caption>{t(r::TOKENS_TAKEN_APART)}</caption>
                <tbody>
                    {line(c::TOKENS_IN, input, false)}
                    {part(r::OF_AUDIO, audio_input)}
                    {part(r::OF_IMAGES, image_input)}
                    {line(c::CACHE_READ, cache_read, false)}
                    {line(c::CACHE_WRITE, cache_write, false)}
                    {part(r::OF_WRITE_1H, cache_write_1h)}
                    {line(c::TOKENS_OUT, output, false)}
                    {part(r::REASONING, reasoning)}
                    {part(r::OF_AUDIO, audio_output)}
                    {part(r::OF_IMAGES, image_output)}
                </tbody>
                <tfoot>
                    <tr><th scope="row">{t(r::TOTAL)}</th><td class="num">{format::count(usage.total())}</td></tr>
                </tfoot>
            </table>
            {(images > 0).then(|| view! { <p class="help">{t(r::IMAGES)} " " {format::count(images)}</p> })}
            {(web_searches > 0).then(|| view! { <p class="help">{t(r::WEB_SEARCHES)} " " {format::count(web_searches)}</p> })}
            {estimated.then(|| view! { <p class="help">"~ " {t(r::ESTIMATED)}</p> })}
        </section>
    }
}
