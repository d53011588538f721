//! Instants. Both sides render UTC text; how long ago it was is added in the browser after hydration.

use std::time::Duration;

use leptos::prelude::*;
use types::Timestamp;

use crate::text::{Lang, lang};
use crate::{format, host};

/// An instant as UTC text, with "3 min ago" once the browser knows the time.
#[component]
pub(crate) fn Time(
    /// The instant.
    at: Timestamp,
    /// Whether to say how long ago in place of the date, where it is known.
    #[prop(optional)]
    relative: bool,
) -> impl IntoView {
    let lang = lang();
    let utc = at.display_utc();
    let shown = RwSignal::new(utc.clone());
    if relative {
        Effect::new(move || {
            if let Some(now) = host::now_ms() {
                shown.set(ago(now - at.0, lang).unwrap_or_else(|| at.display_utc()));
            }
        });
    }
    view! { <time class:relative=relative datetime=at.to_string() title=format!("{utc} UTC")>{shown}</time> }
}

/// When something is over by itself: the instant, and in the browser how long that still is, counted down.
#[component]
pub(crate) fn Until(
    /// The instant.
    at: Timestamp,
) -> impl IntoView {
    let lang = lang();
    let utc = at.display_utc();
    let title = format!("{utc} UTC");
    let shown = RwSignal::new(utc);
    Effect::new(move || {
        let tell = move || {
            if let Some(now) = host::now_ms() {
                shown.set(left(at.0 - now, lang));
            }
        };
        tell();
        if let Ok(handle) = set_interval_with_handle(tell, Duration::from_secs(1)) {
            on_cleanup(move || handle.clear());
        }
    });
    view! { <time class="relative" datetime=at.to_string() title=title>{shown}</time> }
}

/// `in 4 m 05 s`; what is over is due.
fn left(ms: i64, lang: Lang) -> String {
    let seconds = u64::try_from(ms).unwrap_or_default() / 1_000;
    let text = if seconds < 60 { format!("{seconds} s") } else { format::duration(seconds * 1_000) };
    match (lang, seconds) {
        (Lang::En, 0) => "due now".to_owned(),
        (Lang::Zh, 0) => "即将".to_owned(),
        (Lang::En, _) => format!("in {text}"),
        (Lang::Zh, _) => format!("{}后", in_chinese(&text)),
    }
}

/// `4 m 05 s` as `4 分 05 秒`.
fn in_chinese(text: &str) -> String {
    let unit = |part| match part {
        "s" => "秒",
        "m" => "分",
        "h" => "小时",
        "d" => "天",
        number => number,
    };
    text.split(' ').map(unit).collect::<Vec<_>>().join(" ")
}

/// An instant that may be missing.
pub(crate) fn maybe(at: Option<Timestamp>, otherwise: &'static str) -> AnyView {
    match at {
        Some(at) => view! { <Time at relative=true/> }.into_any(),
        None => view! { <span class="faint">{otherwise}</span> }.into_any(),
    }
}

/// `3 min ago`, `in 2 h`; `None` beyond 30 days, where a date says more.
fn ago(ms: i64, lang: Lang) -> Option<String> {
    let seconds = ms.unsigned_abs() / 1_000;
    let (n, en, zh) = match seconds {
        0..60 => (seconds, "s", "秒"),
        60..3_600 => (seconds / 60, "min", "分钟"),
        3_600..86_400 => (seconds / 3_600, "h", "小时"),
        86_400..2_592_000 => (seconds / 86_400, "d", "天"),
        _ => return None,
    };
    Some(match (lang, ms >= 0) {
        (Lang::En, true) => format!("{n} {en} ago"),
        (Lang::En, false) => format!("in {n} {en}"),
        (Lang::Zh, true) => format!("{n} {zh}前"),
        (Lang::Zh, false) => format!("{n} {zh}后"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_as_people_say_them() {
        assert_eq!(ago(3_000, Lang::En).as_deref(), Some("3 s ago"));
        assert_eq!(ago(-7_200_000, Lang::Zh).as_deref(), Some("2 小时后"));
        assert_eq!(left(245_900, Lang::En), "in 4 m 05 s");
        assert_eq!(left(5_000, Lang::Zh), "5 秒后");
        assert_eq!(left(245_900, Lang::Zh), "4 分 05 秒后");
        assert_eq!(left(-1, Lang::En), "due now");
        assert_eq!(ago(40 * 86_400_000, Lang::En), None);
    }
}
