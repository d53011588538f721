//! Audits the books and tells the metrics and the overview what it found.

use crate::accounts::audit;
use crate::core::Core;

pub(super) async fn run(core: &Core) -> Result<String, String> {
    let report = audit::run(core).await.map_err(|error| error.to_string())?;
    for violation in report.violations.iter().take(20) {
        tracing::error!(
            invariant = violation.invariant,
            subject = violation.subject,
            message = violation.message,
            "the books are not as they must be"
        );
    }
    let found = report.violations.len();
    let told = format!("{} checked, {found} violations, {} ms", report.checked, report.duration_ms);
    if found == 0 { Ok(told) } else { Err(told) }
}
