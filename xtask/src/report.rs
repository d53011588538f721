//! The table of steps and seconds that ends a test run.

use std::fmt::Write;
use std::time::Duration;

/// How a step ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    Passed,
    /// Something this machine lacks; never accepted in CI.
    Skipped(String),
    Failed,
    NotReached,
}

/// One line of the table.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) step: &'static str,
    pub(crate) ended: Ended,
    pub(crate) took: Duration,
}

/// The table as text.
pub(crate) fn table(lines: &[Line]) -> String {
    let mut text = String::from("\n  step            seconds  result\n");
    let mut total = Duration::ZERO;
    for Line { step, ended, took } in lines {
        total += *took;
        let result = match ended {
            Ended::Passed => String::from("ok"),
            Ended::Skipped(why) => format!("SKIP {step}: {why}"),
            Ended::Failed => String::from("FAILED"),
            Ended::NotReached => String::from("not reached"),
        };
        let _infallible = writeln!(text, "  {step:<14} {:>8.1}  {result}", took.as_secs_f64());
    }
    let _infallible = writeln!(text, "  {:<14} {:>8.1}", "total", total.as_secs_f64());
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_skipped_step_is_named_with_its_reason_and_all_seconds_are_summed() {
        let text = table(&[
            Line { step: "fmt", ended: Ended::Passed, took: Duration::from_millis(1500) },
            Line {
                step: "e2e",
                ended: Ended::Skipped(String::from("no chromium")),
                took: Duration::from_secs(1),
            },
        ]);
        assert!(text.contains("SKIP e2e: no chromium"), "{text}");
        assert!(text.contains("total               2.5"), "{text}");
    }
}
