//! What the checker costs: 500 credentials at the settings that checks have by default, every interval of the clock
//! run through in steps of the task, and the time that the processor spent on it.

use serde_json::json;

use super::{Checked, MINUTE};

const COUNT: usize = 500;
const INTERVALS: i64 = 1;

/// Processor time of this thread's process in milliseconds (user and system), from `/proc/self/stat`.
fn cpu_ms() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    let ticks: u64 = [11, 12].into_iter().map(|at| fields[at].parse::<u64>().unwrap()).sum();
    // A tick is a hundredth of a second on every Linux that this runs on.
    ticks * 10
}

#[tokio::test]
async fn five_hundred_credentials_are_all_checked_in_each_interval_and_the_share_of_a_processor_is_told() {
    let checked = Checked::bare("anthropic", &[]).await;
    for n in 0..COUNT {
        checked.rig.credential(checked.provider, &format!("up-{n:03}"), json!({})).await;
    }
    checked.set("account_health_check_enabled", "true").await;
    checked.tick().await;
    let before = cpu_ms();
    // As often as the task looks by itself.
    for _ in 0..INTERVALS * 60 {
        checked.clock.advance(MINUTE / 12);
        checked.tick().await;
    }
    let spent = cpu_ms() - before;
    let span_ms = u64::try_from(INTERVALS * 5 * MINUTE).unwrap();
    let asked = checked.rig.upstream.requests(None);
    eprintln!(
        "{COUNT} credentials, {INTERVALS} interval of 5 min: {asked} checks, {spent} ms of processor time (the fake \
         vendor and this test included) = {}.{:02} % of one processor",
        spent * 100 / span_ms,
        spent * 10_000 / span_ms % 100
    );
    let card = checked.get("/checks").await;
    let count = card["counts"]["checked"].as_u64().unwrap();
    assert!(count >= u64::try_from(COUNT * 9 / 10).unwrap(), "{card}");
    assert_eq!(card["counts"]["healthy"], count, "{card}");
}
