//! Ports that vendors fixed for their redirects: who listens there now (OA-02).

use leptos::prelude::*;
use types::oauth::{CallbackPort, PortState};

use super::oauth::port_state;
use crate::components::badge;
use crate::text::sentence::sentence;
use crate::text::{common as c, lang, oauth as w, system as s, translator};

/// The panel.
#[component]
pub(super) fn Ports(ports: Vec<CallbackPort>) -> impl IntoView {
    let t = translator();
    let rows = ports
        .into_iter()
        .map(|one| {
            let port = one.port;
            let mood = match port.state {
                PortState::Listening => "good",
                PortState::Occupied => "warn",
                PortState::Off => "off",
            };
            view! {
                <tr>
                    <th scope="row" data-label=t(w::PORT)><code>{port.port.to_string()}</code></th>
                    <td data-label=t(w::VENDOR)>{one.vendors.join(", ")}</td>
                    <td data-label=t(c::STATUS)>
                        <badge::State mood word=t(port_state(port.state))/> " "
                        <span class="faint">{port.reason.map(|why| sentence(lang(), &why))}</span>
                    </td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <section class="panel" id="ports">
            <h2 class="panel-title">{t(s::PORTS)}</h2>
            <p class="help pad-x">{t(s::PORTS_TEXT)}</p>
            <div class="table-scroll">
                <table class="table rows">
                    <caption class="visually-hidden">{t(s::PORTS)}</caption>
                    <thead>
                        <tr><th scope="col">{t(w::PORT)}</th><th scope="col">{t(w::VENDOR)}</th><th scope="col">{t(c::STATUS)}</th></tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
        </section>
    }
}
