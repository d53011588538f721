//! The figures as a page, with the targets beside them.

use std::fmt::Write;

use super::Counts;
use super::faults::{Line, Outage};
use super::weight::Weights;
use crate::machine;

/// Callers that must be served with one of three accounts in a fault, in per cent.
const SUCCESS: f64 = 99.95;
/// Requests that may meet a fault before the account is left alone.
const MET: u64 = 5;
/// Load on the upstream over load by callers in a total outage.
const RATIO: f64 = 1.2;
const CHOICE_NS: f64 = 5_000.0;
const STREAM_KIB: f64 = 64.0;

pub(super) fn markdown(counts: Counts, lines: &[Line], outages: &[Outage], weights: &Weights) -> String {
    let mut page = String::from(
        "# Resilience, measured\n\nWritten by `cargo xtask resilience --write`: the real program, real sockets, a fake vendor, everything on loopback.\nCounts do not depend on the machine; times and memory do.\n\n",
    );
    let mut put = |line: &str| {
        let _infallible = writeln!(page, "{line}");
    };
    for line in machine::lines().iter().filter(|line| !line.contains("nginx")) {
        put(&format!("* {line}"));
    }
    put(&format!(
        "\n## One of three accounts in a fault\n\n{} requests of eight callers, every second one a stream; then 20 requests a second, of which every third goes to\nthe sick account until it is left alone. Faults on the way there cannot be counted by the vendor. After U8, U9 and U10\nnobody knows what the upstream has made of the request, and U15 and U23 have begun their answers: those are not sent again, so the\ncallers that met them before the breaker opened are the price, and the targets do not count them.\n",
        counts.requests
    ));
    put("| fault | callers served | not served | met it at 20/s | callers that saw it | first to last |");
    put("|---|---|---|---|---|---|");
    for line in lines {
        put(&line.row());
    }
    put("\n## Total outage\n");
    put("| all accounts answer | requests | calls of the upstream | ratio |");
    put("|---|---|---|---|");
    for line in outages {
        put(&line.row());
    }
    put("\n## Against the targets\n\n| figure | target | measured | |\n|---|---|---|---|");
    for goal in goals(lines, outages, weights) {
        put(&goal);
    }
    page
}

fn goals(lines: &[Line], outages: &[Outage], weights: &Weights) -> Vec<String> {
    let goal = |name: &str, target: &str, shown: String, met: bool| {
        format!("| {name} | {target} | {shown} | {} |", if met { "met" } else { "**missed**" })
    };
    let lines: Vec<&Line> = lines.iter().filter(|line| line.again).collect();
    let success = lines.iter().copied().map(Line::success).fold(f64::INFINITY, f64::min);
    let met = lines.iter().filter_map(|line| line.met).max().unwrap_or(0);
    let detected = lines.iter().filter_map(|line| line.detected).max().unwrap_or_default();
    let ratio = outages.iter().map(Outage::ratio).fold(0.0, f64::max);
    let choice = weights.choice_ns.iter().map(|(_, ns)| *ns).fold(0.0, f64::max);
    let each: Vec<String> = weights.choice_ns.iter().map(|(name, ns)| format!("{name} {ns:.0}")).collect();
    let route = weights.route_us.map_or_else(|| "–".to_owned(), |us| us.to_string());
    vec![
        goal(
            "callers served in the worst fault after which a request may be sent again",
            "≥ 99.95 %",
            format!("{success:.3} %"),
            success >= SUCCESS,
        ),
        goal("requests that meet a fault before the trip", "≤ 5", met.to_string(), met <= MET),
        goal(
            "detection at 20 requests/s",
            "≤ 1 s",
            format!("{} ms", detected.as_millis()),
            detected.as_millis() <= 1_000,
        ),
        goal("load on the upstream in a total outage", "≤ 1.2 ×", format!("{ratio:.3} ×"), ratio <= RATIO),
        goal(
            "choice among 200 accounts",
            "< 5 µs",
            format!("{choice:.0} ns ({})", each.join(", ")),
            choice < CHOICE_NS,
        ),
        format!("| the whole of routing with 200 accounts, median of the records | – | {route} µs | |"),
        goal(
            &format!("slots taken after {} streams were left", weights.aborted),
            "0",
            weights.leaked.to_string(),
            weights.leaked == 0,
        ),
        goal(
            &format!("memory per open stream ({} open)", weights.open),
            "< 64 KiB",
            format!("{:.1} KiB", weights.stream_kib),
            weights.stream_kib < STREAM_KIB,
        ),
    ]
}
