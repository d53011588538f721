//! Every credential as one table: filtered and sorted as the address says, so that a link keeps the view and it works
//! without scripts.

use std::cmp::{Ordering, Reverse};

use leptos::prelude::*;
use leptos_router::location::Url;
use types::credential::CredentialState;
use types::pool::PoolEntry;
use types::provider::ProviderKind;

use crate::components::badge;
use crate::components::load::{Empty, shown_of};
use crate::components::time::{Time, Until};
use crate::format;
use crate::text::{Text, check as k, common as c, pool as o, translator};

/// Most lines; a filter narrows the rest.
const MOST: usize = 500;

/// What a column is called, by what it is sorted, and whether it holds numbers.
const COLUMNS: [(&str, Text, bool); 11] = [
    ("id", k::ID, true),
    ("name", c::CREDENTIAL, false),
    ("kind", k::TYPE, false),
    ("on", k::ENABLED, false),
    ("state", o::STATE, false),
    ("reset", o::RESETS, false),
    ("cost", o::TOTAL_COST, true),
    ("load", o::LOAD, true),
    ("today", o::TODAY, true),
    ("errors", k::COUNT, true),
    ("last", k::LAST_ERROR, false),
];

/// What the address asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) text: String,
    pub(crate) state: String,
    pub(crate) kind: String,
    /// `on`, `off` or nothing.
    pub(crate) on: String,
    pub(crate) sort: String,
    pub(crate) descending: bool,
}

impl Asked {
    fn fits(&self, entry: &PoolEntry) -> bool {
        let text = self.text.to_lowercase();
        let named = |name: &str| name.to_lowercase().contains(&text);
        let is = |wanted: &str, found: &str| wanted.is_empty() || wanted == found;
        (named(&entry.credential_name) || named(&entry.provider_name))
            && is(&self.state, entry.state.as_str())
            && is(&self.kind, entry.kind.as_str())
            && is(&self.on, if entry.enabled { "on" } else { "off" })
    }

    /// The lines that fit, in the order that is asked for; equals by name.
    fn apply(&self, mut entries: Vec<PoolEntry>) -> Vec<PoolEntry> {
        entries.retain(|entry| self.fits(entry));
        entries.sort_by(|a, b| {
            let order = self.compare(a, b);
            let order = if self.descending { order.reverse() } else { order };
            order.then_with(|| name(a).cmp(&name(b)))
        });
        entries
    }

    fn compare(&self, a: &PoolEntry, b: &PoolEntry) -> Ordering {
        match self.sort.as_str() {
            "id" => a.credential_id.cmp(&b.credential_id),
            "kind" => a.kind.as_str().cmp(b.kind.as_str()),
            "on" => a.enabled.cmp(&b.enabled),
            "state" => a.state.as_str().cmp(b.state.as_str()),
            // The next to come back first, those that need not last.
            "reset" => {
                Reverse(a.rate_limit_reset_at.map(Reverse)).cmp(&Reverse(b.rate_limit_reset_at.map(Reverse)))
            }
            "cost" => a.total_cost_usd.cmp(&b.total_cost_usd),
            "load" => a.current_load.cmp(&b.current_load),
            "today" => a.daily_requests.cmp(&b.daily_requests),
            "errors" => a.consecutive_errors.cmp(&b.consecutive_errors),
            "last" => a.last_error_at.cmp(&b.last_error_at),
            _ => name(a).cmp(&name(b)),
        }
    }

    /// The same view sorted by a column; the other way round if it is already. Numbers begin with the largest.
    fn href(&self, column: &str, numbers: bool) -> String {
        let descending = if self.sort == column { !self.descending } else { numbers };
        let parts = [("q", &self.text), ("state", &self.state), ("kind", &self.kind), ("on", &self.on)];
        let mut href = "/pool?view=table".to_owned();
        for (key, value) in parts.into_iter().filter(|(_, value)| !value.is_empty()) {
            href.extend(["&", key, "=", &Url::escape(value)]);
        }
        href.extend(["&sort=", column, "&dir=", if descending { "desc" } else { "asc" }]);
        href
    }
}

fn name(entry: &PoolEntry) -> (&str, &str) {
    (&entry.provider_name, &entry.credential_name)
}

/// The table with its filters.
#[component]
pub(crate) fn PoolTable(entries: Vec<PoolEntry>, asked: Asked) -> impl IntoView {
    let t = translator();
    let of = |states: Vec<String>| {
        let mut states = states;
        states.sort();
        states.dedup();
        states
    };
    let states = of(entries.iter().map(|entry| entry.state.to_string()).collect());
    let kinds = of(entries.iter().map(|entry| entry.kind.to_string()).collect());
    let words = |state: &str| {
        let known = state.parse::<CredentialState>().ok();
        known.map_or_else(|| state.to_owned(), |state| t(badge::state_words(state).1).to_owned())
    };
    let states = states.into_iter().map(|state| (state.clone(), words(&state))).collect();
    let kinds = kinds.into_iter().map(|kind| (kind.clone(), kind)).collect();
    let on = vec![("on".to_owned(), t(c::ON).to_owned()), ("off".to_owned(), t(c::OFF).to_owned())];
    let shown = asked.apply(entries);
    let count = shown.len();
    let cut = (count > MOST).then(|| shown_of(MOST, u64::try_from(count).unwrap_or(u64::MAX)));
    let heads = COLUMNS
        .iter()
        .map(|(column, text, numbers)| {
            let sorted = asked.sort == *column;
            let way = match (sorted, asked.descending) {
                (false, _) => "none",
                (true, false) => "ascending",
                (true, true) => "descending",
            };
            let mark = match way {
                "ascending" => " ↑",
                "descending" => " ↓",
                _ => "",
            };
            view! {
                <th scope="col" class:num=*numbers aria-sort=way>
                    <a href=asked.href(column, *numbers)>{t(*text)} {mark}</a>
                </th>
            }
        })
        .collect_view();
    let body = if count == 0 {
        view! { <Empty title=t(o::NONE_FITS)/> }.into_any()
    } else {
        let rows = shown.into_iter().take(MOST).map(|entry| view! { <Row entry/> }).collect_view();
        view! {
            <div class="table-scroll">
                <table class="table rows">
                    <caption class="visually-hidden">{t(o::AS_TABLE)}</caption>
                    <thead><tr>{heads}</tr></thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
        }
        .into_any()
    };
    view! {
        <section class="panel" id="accounts">
            <form method="get" action="/pool" class="filters pad">
                <input type="hidden" name="view" value="table"/>
                <input type="hidden" name="sort" value=asked.sort.clone()/>
                <input type="hidden" name="dir" value=if asked.descending { "desc" } else { "asc" }/>
                <input class="input" type="search" name="q" value=asked.text.clone() placeholder=t(c::NAME) aria-label=t(c::NAME) spellcheck="false"/>
                <Narrow name="state" label=t(o::STATE) options=states present=asked.state.clone()/>
                <Narrow name="kind" label=t(k::TYPE) options=kinds present=asked.kind.clone()/>
                <Narrow name="on" label=t(k::ENABLED) options=on present=asked.on.clone()/>
                <button class="button small">{t(c::APPLY)}</button>
                <a class="button small quiet" href="/pool?view=table">{t(c::CLEAR_FILTERS)}</a>
            </form>
            {body}
            {cut.map(|text| view! { <p class="help pad-x">{text}</p> })}
        </section>
    }
}

#[component]
fn Narrow(
    name: &'static str,
    label: &'static str,
    /// Values with their words.
    options: Vec<(String, String)>,
    present: String,
) -> impl IntoView {
    let t = translator();
    let options = options
        .into_iter()
        .map(|(value, words)| {
            let selected = value == present;
            view! { <option value=value selected=selected>{words}</option> }
        })
        .collect_view();
    view! {
        <select class="input" name=name aria-label=label>
            <option value="">{format!("{label}: {}", t(c::ALL))}</option>
            {options}
        </select>
    }
}

#[component]
fn Row(entry: PoolEntry) -> impl IntoView {
    let t = translator();
    let PoolEntry {
        credential_id: id,
        provider_id,
        provider_name,
        credential_name,
        kind,
        enabled,
        state,
        ..
    } = entry;
    let none = || view! { <span class="faint">"–"</span> }.into_any();
    let reset = entry.rate_limit_reset_at.map_or_else(none, |at| view! { <Until at/> }.into_any());
    let cost = entry.total_cost_usd.map_or_else(|| "–".to_owned(), format::usd);
    let today = entry.daily_requests.map_or_else(|| "–".to_owned(), format::count);
    let last = entry.last_error.map_or_else(none, |error| {
        let at = entry.last_error_at.map(|at| view! { <span class="faint"><Time at relative=true/></span> });
        view! { <span class="break">{error}</span> " " {at} }.into_any()
    });
    view! {
        <tr>
            <td data-label=t(k::ID) class="num"><a href=format!("/pool?view=table&history={id}")>{id.to_string()}</a></td>
            <th scope="row" data-label=t(c::CREDENTIAL)>
                <span class="two-lines">
                    <a class="truncate" href=format!("/providers/{provider_id}?edit={id}") title=format!("{provider_name} / {credential_name}")>{credential_name.clone()}</a>
                    <a class="truncate faint small" href=format!("/providers/{provider_id}") title=provider_name.clone()>{provider_name.clone()}</a>
                </span>
            </th>
            <td data-label=t(k::TYPE)>{ProviderKind::as_str(kind)}</td>
            <td data-label=t(k::ENABLED)>{badge::on_off(enabled, false)}</td>
            <td data-label=t(o::STATE) title=entry.reason.unwrap_or_default()>{badge::state(state)}</td>
            <td data-label=t(o::RESETS)>{reset}</td>
            <td data-label=t(o::TOTAL_COST) class="num">{cost}</td>
            <td data-label=t(o::LOAD) class="num">{entry.current_load.to_string()}</td>
            <td data-label=t(o::TODAY) class="num">{today}</td>
            <td data-label=t(k::COUNT) class="num">{entry.consecutive_errors.to_string()}</td>
            <td data-label=t(k::LAST_ERROR) class="wrap-cell">{last}</td>
        </tr>
    }
}

#[cfg(test)]
mod tests {
    use types::credential::Tier;
    use types::{CredentialId, ProviderId, Timestamp};

    use super::*;

    fn entry(id: i64, name: &str, load: u32, reset: Option<i64>) -> PoolEntry {
        PoolEntry {
            credential_id: CredentialId(id),
            credential_name: name.to_owned(),
            provider_id: ProviderId(1),
            provider_name: "main".to_owned(),
            kind: ProviderKind::Anthropic,
            tier: Tier::Shared,
            priority: 0,
            enabled: load != 1,
            active: true,
            state: CredentialState::Valid,
            reason: None,
            until: None,
            rate_limit_reset_at: reset.map(Timestamp),
            current_load: load,
            daily_requests: None,
            total_cost_usd: None,
            answered: 0,
            failed: 0,
            consecutive_errors: 0,
            last_error: None,
            last_error_at: None,
        }
    }

    fn ids(asked: &Asked) -> Vec<i64> {
        let all = vec![entry(1, "b", 1, Some(90)), entry(2, "A", 3, None), entry(3, "c", 1, Some(50))];
        asked.apply(all).iter().map(|entry| entry.credential_id.0).collect()
    }

    #[test]
    fn ac_07_lines_are_sorted_by_any_column_and_equals_by_name() {
        let by = |sort: &str, descending| Asked { sort: sort.to_owned(), descending, ..Asked::default() };
        assert_eq!(ids(&by("load", true)), [2, 1, 3]);
        assert_eq!(ids(&by("load", false)), [1, 3, 2]);
        assert_eq!(ids(&by("reset", false)), [3, 1, 2], "the next to come back first");
        assert_eq!(ids(&by("id", true)), [3, 2, 1]);
        assert_eq!(ids(&by("nonsense", false)), [2, 1, 3], "by name");
    }

    #[test]
    fn ac_07_a_filter_narrows_and_a_link_keeps_it() {
        let asked =
            Asked { text: "B".to_owned(), on: "off".to_owned(), sort: "load".to_owned(), ..Asked::default() };
        assert_eq!(ids(&asked), [1]);
        assert_eq!(ids(&Asked { on: "on".to_owned(), ..Asked::default() }), [2]);
        assert_eq!(ids(&Asked { state: "invalid".to_owned(), ..Asked::default() }), Vec::<i64>::new());
        assert_eq!(asked.href("load", true), "/pool?view=table&q=B&on=off&sort=load&dir=desc");
        assert_eq!(asked.href("cost", true), "/pool?view=table&q=B&on=off&sort=cost&dir=desc");
        assert_eq!(asked.href("name", false), "/pool?view=table&q=B&on=off&sort=name&dir=asc");
    }
}
