//! How credentials did in the last 24 hours: a strip of marks for each, and the share that went well.

use leptos::prelude::*;
use types::cached::{Availability, AvailabilityRow};

use super::load::{Empty, shown_of};
use super::time::Time;
use crate::format;
use crate::text::{common as c, pool as o, translator};

/// Slots that become one mark.
const TOGETHER: usize = 3;
/// Height of a mark; the failed share is drawn from the top in tenths of it.
const HIGH: u32 = 10;
/// Most strips on a page.
const MOST: usize = 200;
/// Strips up to which those without attempts are drawn too.
const FEW: usize = 12;

/// The grid.
#[component]
pub(crate) fn AvailabilityGrid(
    availability: Availability,
    /// Whether the provider's name stands before the credential's.
    named: bool,
) -> impl IntoView {
    let t = translator();
    let Availability { slot_s, since, started_at, mut rows } = availability;
    let quiet = rows.iter().all(|row| row.slots.iter().all(|slot| *slot == (0, 0)));
    if rows.is_empty() || quiet {
        return view! { <Empty title=t(o::GRID_EMPTY)/> }.into_any();
    }
    // The troubled first: they are what the page is opened for.
    rows.sort_by_key(|row| std::cmp::Reverse(sums(&row.slots).1));
    let all = rows.len();
    if all > FEW {
        rows.retain(|row| sums(&row.slots) != (0, 0));
    }
    let total = rows.len();
    let idle = (all > total).then(|| {
        let idle = u64::try_from(all - total).unwrap_or_default();
        view! { <p class="help pad-x strips-idle">{format::count(idle)} " " {t(o::GRID_IDLE)}</p> }
    });
    let cut = (total > MOST).then(|| shown_of(MOST, u64::try_from(total).unwrap_or(u64::MAX)));
    let strips =
        rows.into_iter().take(MOST).map(|row| view! { <Strip row slot_s since named/> }).collect_view();
    view! {
        <p class="help pad-x">{t(o::GRID_TEXT)} " " {t(o::GRID_SINCE)} " " <Time at=started_at/> " UTC"</p>
        <ul class="strips">{strips}</ul>
        {cut.map(|text| view! { <p class="help pad-x">{text}</p> })}
        {idle}
    }
    .into_any()
}

fn sums(slots: &[(u32, u32)]) -> (u64, u64) {
    slots.iter().fold((0, 0), |(ok, failed), (o, f)| (ok + u64::from(*o), failed + u64::from(*f)))
}

/// One stretch of equal marks: where it begins, how many, what went well and failed, the height of the failed part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mark {
    from: usize,
    count: usize,
    ok: u64,
    failed: u64,
    bad: u32,
}

/// Slots taken together, and equal neighbours merged: a quiet day is one mark.
fn marks(slots: &[(u32, u32)]) -> Vec<Mark> {
    let mut marks = Vec::<Mark>::new();
    for (place, chunk) in slots.chunks(TOGETHER).enumerate() {
        let (ok, failed) = sums(chunk);
        let tenths = (failed * u64::from(HIGH)).div_ceil((ok + failed).max(1));
        let bad = u32::try_from(tenths).unwrap_or(HIGH);
        match marks.last_mut() {
            Some(last) if last.bad == bad && (last.ok + last.failed == 0) == (ok + failed == 0) => {
                last.count += 1;
                last.ok += ok;
                last.failed += failed;
            }
            _ => marks.push(Mark { from: place, count: 1, ok, failed, bad }),
        }
    }
    marks
}

/// `99.9 %` that went well, rounded down: a single failure is never 100 %.
pub(crate) fn share(ok: u64, failed: u64) -> String {
    let total = (ok + failed).max(1);
    let permille = 1_000 - (failed * 1_000).div_ceil(total).min(1_000);
    format!("{}.{} %", permille / 10, permille % 10)
}

#[component]
fn Strip(row: AvailabilityRow, slot_s: u64, since: types::Timestamp, named: bool) -> impl IntoView {
    let t = translator();
    let (ok, failed) = sums(&row.slots);
    let wide = row.slots.len().div_ceil(TOGETHER).max(1);
    let step = i64::try_from(slot_s).unwrap_or_default() * 1_000 * i64::try_from(TOGETHER).unwrap_or(1);
    let at = move |place: usize| {
        let at = types::Timestamp(since.0 + step * i64::try_from(place).unwrap_or_default());
        at.display_utc().chars().skip(11).take(5).collect::<String>()
    };
    let bars = marks(&row.slots)
        .into_iter()
        .filter(|mark| mark.ok + mark.failed > 0)
        .map(|mark| {
            let title = format!(
                "{}–{} UTC: {} {}, {} {}",
                at(mark.from),
                at(mark.from + mark.count),
                mark.ok,
                t(o::GRID_OK),
                mark.failed,
                t(o::GRID_FAILED),
            );
            let (x, width) = (mark.from.to_string(), mark.count.to_string());
            view! {
                <g>
                    <title>{title}</title>
                    <rect class="bar-ok" x=x.clone() y=mark.bad.to_string() width=width.clone() height=(HIGH - mark.bad).to_string()/>
                    <rect class="bar-bad" x=x y="0" width=width height=mark.bad.to_string()/>
                </g>
            }
        })
        .collect_view();
    let share = if ok + failed == 0 { t(o::GRID_QUIET).to_owned() } else { share(ok, failed) };
    let href = format!("/requests?credential_id={}", row.credential_id);
    view! {
        <li class="strip">
            <span class="strip-name">
                {named.then(|| view! {
                    <a class="faint" href=format!("/providers/{}", row.provider_id) title=row.provider_name.clone()>
                        {row.provider_name.clone()}
                    </a>
                    <span aria-hidden="true">"/"</span>
                })}
                <a href=href title=format!("{}: {}", row.credential_name, t(c::REQUESTS))>{row.credential_name.clone()}</a>
            </span>
            <svg class="strip-bar" viewBox=format!("0 0 {wide} {HIGH}") preserveAspectRatio="none" role="img"
                aria-label=format!("{} {share}", t(o::GRID_SHARE))>
                <rect class="track" x="0" y="0" width=wide.to_string() height=HIGH.to_string()/>
                {bars}
            </svg>
            <span class="strip-share num">{share}</span>
        </li>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quiet_day_is_one_mark_and_a_single_failure_still_shows() {
        assert_eq!(marks(&[(0, 0); 288]).len(), 1);
        let mut slots = [(1_000, 0); 288];
        slots[100] = (999, 1);
        let seen = marks(&slots);
        assert_eq!(seen.len(), 3);
        assert_eq!((seen[1].from, seen[1].count, seen[1].bad, seen[1].failed), (33, 1, 1, 1));
        assert_eq!(
            (share(99_999, 1), share(5, 0), share(0, 3)),
            ("99.9 %".into(), "100.0 %".into(), "0.0 %".into())
        );
        assert_eq!(marks(&[(0, 5)])[0].bad, HIGH);
    }
}
