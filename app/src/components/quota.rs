//! Limits as bars: what is used, what running requests hold, when it resets, and whether it will last.

use leptos::prelude::*;
use types::Money;
use types::limits::{LimitName, WindowMode};
use types::quota::{QuotaLine, ScopeKind};

use super::badge::State;
use super::time::Time;
use crate::format;
use crate::text::{Text, common as c, limit as l, translator};

/// Length of a bar in SVG units.
const LENGTH: u64 = 1_000;

/// A bar for each line.
#[component]
pub(crate) fn QuotaBars(
    lines: Vec<QuotaLine>,
    /// Whether to name what each limit stands on.
    #[prop(optional)]
    named: bool,
    /// Whether names lead to pages that only administrators may open.
    #[prop(optional)]
    linked: bool,
) -> impl IntoView {
    let items = lines.into_iter().map(|line| view! { <Bar line named linked/> }).collect_view();
    view! { <ul class="quotas">{items}</ul> }
}

#[component]
fn Bar(line: QuotaLine, named: bool, linked: bool) -> impl IntoView {
    let t = translator();
    let parts = parts(&line);
    let mood = mood(line.percent);
    let badge = match mood {
        "bad" => Some(view! { <State mood word=t(l::USED_UP)/> }),
        "warn" => Some(view! { <State mood word=t(l::NEARLY)/> }),
        _ => None,
    };
    let name = line.limit_name;
    let whose = named.then(|| whose(&line, linked));
    let mode = line.mode.map(|mode| view! { <span class="faint">{t(mode_words(mode))}</span> });
    let held = (!is_zero(&line.reserved)).then(|| {
        view! { <span class="faint" title=t(l::HELD)>" + " {figure(name, &line.reserved)} " " {t(l::HELD_SHORT)}</span> }
    });
    let limit = line.limit.as_deref().map_or_else(|| t(l::NO_LIMIT).to_owned(), |limit| figure(name, limit));
    let percent = line.percent.map(|percent| view! { <span class="quota-percent">{percent} " %"</span> });
    let exact = format!("{} / {}", line.used, line.limit.as_deref().unwrap_or("–"));
    let bar = parts.map(|(used, held)| {
        view! {
            <svg class=format!("meter {mood}") viewBox=format!("0 0 {LENGTH} 8") preserveAspectRatio="none" aria-hidden="true">
                <rect class="track" x="0" y="0" width=LENGTH.to_string() height="8"/>
                <rect class="meter-used" x="0" y="0" width=used.to_string() height="8"/>
                <rect class="meter-held" x=used.to_string() y="0" width=held.to_string() height="8"/>
            </svg>
        }
    });
    view! {
        <li class=format!("quota {mood}")>
            <div class="quota-head">
                <span class="quota-name">{whose} <span>{t(limit_words(name))}</span> {mode} {badge}</span>
                <span class="quota-figures" title=exact>
                    <strong>{figure(name, &line.used)}</strong> {held} <span class="faint">" / " {limit}</span> {percent}
                </span>
            </div>
            {bar}
            <Next line/>
        </li>
    }
}

/// When it resets, how fast it is used, and when that reaches the limit.
#[component]
fn Next(line: QuotaLine) -> impl IntoView {
    let t = translator();
    let resets = line.resets_at.map(|at| view! { <span>{t(l::RESETS)} " " <Time at relative=true/></span> });
    let moves = (line.resets_at.is_none() && line.mode == Some(WindowMode::Rolling))
        .then(|| view! { <span>{t(l::MOVES)}</span> });
    let burn = line.burn_per_hour_usd.filter(|burn| !is_zero(burn)).map(|burn| {
        view! { <span title=format!("${burn}")>{amount(&burn)} " " {t(l::BURN)}</span> }
    });
    let reached = line.exhausted_at.map(|at| {
        view! { <span class="quota-reached"><span aria-hidden="true">"▲ "</span>{t(l::REACHED)} " " <Time at relative=true/></span> }
    });
    let any = resets.is_some() || moves.is_some() || burn.is_some() || reached.is_some();
    any.then(|| view! { <p class="quota-next">{resets} {moves} {burn} {reached}</p> })
}

fn whose(line: &QuotaLine, linked: bool) -> AnyView {
    let t = translator();
    let id = line.scope_id;
    let href = match line.scope {
        ScopeKind::Global => Some("/settings".to_owned()),
        ScopeKind::User => Some(format!("/users/{id}")),
        ScopeKind::Key => Some(format!("/keys/{id}")),
        ScopeKind::Provider => Some(format!("/providers/{id}")),
        ScopeKind::Group => {
            Some(format!("/groups?edit={}", leptos_router::location::Url::escape(&line.scope_name)))
        }
        ScopeKind::Package | ScopeKind::Credential => None,
    };
    let kind = t(scope_words(line.scope));
    let name = if line.scope == ScopeKind::Global { String::new() } else { line.scope_name.clone() };
    let words = view! { <span class="faint">{kind}</span> " " <strong>{name}</strong> };
    match href.filter(|_| linked) {
        Some(href) => view! { <a class="quota-whose" href=href>{words}</a> }.into_any(),
        None => view! { <span class="quota-whose">{words}</span> }.into_any(),
    }
}

/// Words of what a limit stands on.
pub(crate) fn scope_words(scope: ScopeKind) -> Text {
    match scope {
        ScopeKind::Global => l::O_GLOBAL,
        ScopeKind::User => c::USER,
        ScopeKind::Key => c::KEY,
        ScopeKind::Group => l::O_GROUP,
        ScopeKind::Package => l::O_PACKAGE,
        ScopeKind::Provider => c::PROVIDER,
        ScopeKind::Credential => c::CREDENTIAL,
    }
}

/// Words of a limit.
pub(crate) fn limit_words(name: LimitName) -> Text {
    match name {
        LimitName::Rpm => l::RPM,
        LimitName::Tpm => l::TPM,
        LimitName::FiveHours => l::FIVE_HOURS,
        LimitName::Day => l::DAY,
        LimitName::Week => l::WEEK,
        LimitName::Month => l::MONTH,
        LimitName::Total => l::TOTAL,
        LimitName::Sessions => l::SESSIONS,
        LimitName::Requests => l::AT_ONCE,
    }
}

fn mode_words(mode: WindowMode) -> Text {
    match mode {
        WindowMode::Rolling => l::ROLLING,
        WindowMode::Fixed => l::FIXED,
    }
}

fn mood(percent: Option<u32>) -> &'static str {
    match percent {
        Some(100..) => "bad",
        Some(90..) => "warn",
        _ => "calm",
    }
}

fn amount(text: &str) -> String {
    text.parse::<Money>().map_or_else(|_| text.to_owned(), format::usd_short)
}

/// Money or a count, for people.
fn figure(name: LimitName, text: &str) -> String {
    if name.is_money() { amount(text) } else { text.parse().map_or_else(|_| text.to_owned(), format::count) }
}

/// Used and held as lengths of a bar; `None` without a limit. Nano-USD and counts are both whole numbers, so that
/// one reader serves.
fn parts(line: &QuotaLine) -> Option<(u64, u64)> {
    let read = |text: &str| text.parse::<Money>().map(format::nano).ok();
    let (used, held) = (read(&line.used)?, read(&line.reserved)?);
    let limit = read(line.limit.as_deref()?)?;
    let scale = |part: u64| {
        let length = u128::from(part) * u128::from(LENGTH) / u128::from(limit.max(1));
        u64::try_from(length).unwrap_or(LENGTH).min(LENGTH)
    };
    let used = scale(used);
    Some((used, scale(held).min(LENGTH - used)))
}

fn is_zero(text: &str) -> bool {
    text.parse::<Money>().is_ok_and(|amount| amount.is_zero())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(used: &str, reserved: &str, limit: Option<&str>) -> QuotaLine {
        QuotaLine {
            scope: ScopeKind::User,
            scope_id: 1,
            scope_name: "a".into(),
            limit_name: LimitName::Day,
            mode: None,
            used: used.into(),
            reserved: reserved.into(),
            limit: limit.map(Into::into),
            percent: None,
            since: None,
            resets_at: None,
            burn_per_hour_usd: None,
            exhausted_at: None,
        }
    }

    #[test]
    fn a_bar_never_grows_beyond_its_track() {
        assert_eq!(parts(&line("2.5", "1", Some("10"))), Some((250, 100)));
        assert_eq!(parts(&line("12", "3", Some("10"))), Some((1_000, 0)));
        assert_eq!(parts(&line("9", "3", Some("10"))), Some((900, 100)));
        assert_eq!(parts(&line("9", "3", None)), None);
    }

    #[test]
    fn the_state_turns_before_the_limit_is_reached() {
        assert_eq!((mood(Some(89)), mood(Some(90)), mood(Some(100))), ("calm", "warn", "bad"));
    }
}
