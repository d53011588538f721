//! The figures as a page: what each way costs, and how far the targets are met.

use std::fmt::Write;

use crate::machine;
use crate::measure::Figures;

/// One row: name, key of the figure, digits after the point.
const ROWS: &[(&str, &str, usize)] = &[
    ("requests/s, 2 KB, 64 connections", "plain_rps", 0),
    ("CPU µs per request, 2 KB", "plain_cpu_us", 1),
    ("requests/s, 2 KB, with prices and limits of every kind", "limited_rps", 0),
    ("CPU µs per request, 2 KB, with prices and limits", "limited_cpu_us", 1),
    ("p50 µs at saturation", "plain_p50_us", 0),
    ("p99 µs at saturation", "plain_p99_us", 0),
    ("requests/s, 200 KB, 16 connections", "large_rps", 0),
    ("CPU µs per request, 200 KB", "large_cpu_us", 1),
    ("p50 µs at a tenth of saturation", "calm_p50_us", 0),
    ("p99 µs at a tenth of saturation", "calm_p99_us", 0),
    ("first byte of a stream, p50 µs", "first_p50_us", 0),
    ("first byte of a stream, p99 µs", "first_p99_us", 0),
    ("CPU µs per chunk, 400 streams of 50 chunks/s", "paced_cpu_us", 2),
    ("CPU µs per chunk, bursts of 100", "burst_cpu_us", 2),
    ("RSS MB, idle", "rss_idle_mb", 1),
    ("RSS MB, 2,000 open streams", "rss_open_mb", 1),
    ("cold start ms, empty data folder", "cold_start_ms", 0),
    ("own request in /v1/usage after ms", "visible_ms", 0),
    ("requests of this hour in the log at a restart", "restart_rows", 0),
    ("ready again after ms", "restart_ms", 0),
    ("% of one CPU, idle with 500 credentials", "checks_off_share", 2),
    ("% of one CPU, each of them checked once a minute (default: every 5)", "checks_on_share", 2),
];

/// The whole page.
pub(crate) fn markdown(figures: &Figures) -> String {
    let mut page = String::from(
        "# Measured\n\nWritten by `cargo xtask bench --write`. Everything runs on loopback on one machine, in rounds that visit\neach way in turn; figures are medians. Absolute values drift between runs: compare within one run only.\n\n",
    );
    for line in machine::lines() {
        let _infallible = writeln!(page, "* {line}");
    }
    let _infallible = writeln!(page, "* {} rounds\n", figures.rounds);
    page.push_str("| figure | direct | nginx | Tollgate | against nginx |\n|---|---|---|---|---|\n");
    for (name, key, digits) in ROWS {
        let cell =
            |value: Option<f64>| value.map_or_else(|| String::from("–"), |value| format!("{value:.digits$}"));
        let ratio = figures.ratio(key).map_or_else(|| String::from("–"), |ratio| format!("{ratio:.2}"));
        let [direct, nginx, own] =
            ["direct", "nginx", "tollgate"].map(|target| cell(figures.get(key, target)));
        let _infallible = writeln!(page, "| {name} | {direct} | {nginx} | {own} | {ratio} |");
    }
    page.push_str("\n## Against the targets\n\n| figure | target | measured | |\n|---|---|---|---|\n");
    for goal in goals(figures) {
        page.push_str(&goal);
    }
    page
}

fn goals(figures: &Figures) -> Vec<String> {
    let at_most = |name: &str, limit: f64, unit: &str, value: Option<f64>| {
        row(name, &format!("≤ {limit}{unit}"), unit, value, value.is_some_and(|value| value <= limit))
    };
    let rps = figures.ratio("plain_rps");
    vec![
        at_most("CPU per request, 2 KB", 2.0, " × nginx", figures.ratio("plain_cpu_us")),
        row("requests/s", "≥ 0.5 × nginx", " × nginx", rps, rps.is_some_and(|ratio| ratio >= 0.5)),
        at_most("requests/s that prices and limits cost", 15.0, " %", figures.accounting_costs()),
        at_most("CPU per request, 200 KB", 1.5, " × nginx", figures.ratio("large_cpu_us")),
        at_most("added p50 at a tenth of saturation", 150.0, " µs", figures.added("calm_p50_us", "tollgate")),
        at_most(
            "added p99 at a tenth of saturation",
            1000.0,
            " µs",
            figures.added("calm_p99_us", "tollgate"),
        ),
        at_most(
            "added time to first byte of a stream",
            150.0,
            " µs",
            figures.added("first_p50_us", "tollgate"),
        ),
        at_most("CPU per paced chunk", 1.4, " × nginx", figures.ratio("paced_cpu_us")),
        at_most("RSS idle", 40.0, " MB", figures.get("rss_idle_mb", "tollgate")),
        at_most("RSS with 2,000 open streams", 100.0, " MB", figures.get("rss_open_mb", "tollgate")),
        at_most(
            "usage visible to its owner, slowest",
            1000.0,
            " ms",
            figures.worst("visible_ms", "tollgate"),
        ),
        at_most("restart with that log", 2000.0, " ms", figures.get("restart_ms", "tollgate")),
        at_most(
            "CPU of checks of 500 credentials, five times as often as by default",
            2.0,
            " %",
            figures.get("checks_share", "tollgate"),
        ),
        at_most("cold start, empty", 500.0, " ms", figures.get("cold_start_ms", "tollgate")),
    ]
}

fn row(name: &str, target: &str, unit: &str, value: Option<f64>, met: bool) -> String {
    let (shown, verdict) = match value {
        None => (String::from("–"), "not measured"),
        Some(value) => (format!("{value:.2}{unit}"), if met { "met" } else { "**missed**" }),
    };
    format!("| {name} | {target} | {shown} | {verdict} |\n")
}
