//! Health checks of credentials: what a check found, what it led to, and how the checker itself does.

use serde::{Deserialize, Serialize};

use crate::dialect::named;
use crate::{CredentialId, ProviderId, Timestamp};

named! {
    /// What one check of one credential found.
    CheckResult {
        /// The vendor accepted it.
        Healthy = "healthy",
        /// The vendor knows it but limits it now (429): it lives, and that is no proof that it is well again.
        Alive = "alive",
        /// The vendor refused it: the account's own fault.
        Failed = "failed",
        /// Nothing can be said of the account: the network, a proxy or the upstream itself failed.
        Inconclusive = "inconclusive",
        /// There is no way to ask.
        NotProbed = "not_probed",
    }
}

named! {
    /// Who switched a credential off.
    DisabledBy {
        /// An administrator: only he switches it on again.
        Admin = "admin",
        /// The checker, after so many failures in a row: a check that goes well switches it on again.
        HealthCheck = "health_check",
    }
}

/// One check, as the history shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CheckLine {
    /// When it ended.
    pub at: Timestamp,
    /// What was asked: `models`, or the name of a vendor's own probe.
    pub probe: String,
    /// What it found.
    pub result: CheckResult,
    /// HTTP status; null if no answer came.
    pub status: Option<u16>,
    /// Wall time in milliseconds.
    pub latency_ms: u64,
    /// What the vendor said, or what went wrong; null if all is well.
    pub message: Option<String>,
    /// What to do about it; null if all is well.
    #[serde(default)]
    pub remedy: Option<String>,
}

/// What checks know of one credential.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CheckStanding {
    /// Checks in a row that the account failed; a success of a check or of a request sets it to 0.
    pub failures: u32,
    /// When it was last checked.
    pub at: Option<Timestamp>,
    /// What that found; null if it was never checked.
    pub result: Option<CheckResult>,
    /// What it said.
    pub message: Option<String>,
    /// What to do about it.
    #[serde(default)]
    pub remedy: Option<String>,
    /// Who switched the credential off; null if it is on.
    pub disabled_by: Option<DisabledBy>,
    /// When that was.
    pub disabled_at: Option<Timestamp>,
    /// Why.
    pub disabled_reason: Option<String>,
}

/// What a check of one credential found, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CheckReport {
    /// The credential.
    pub credential_id: CredentialId,
    /// Its name.
    pub credential_name: String,
    /// Its provider.
    pub provider_id: ProviderId,
    /// The provider's name.
    pub provider_name: String,
    /// Whether the vendor accepted it.
    pub ok: bool,
    /// What the check found.
    pub result: CheckResult,
    /// What was asked.
    pub probe: String,
    /// HTTP status; null if no answer came.
    pub status: Option<u16>,
    /// Wall time in milliseconds.
    pub latency_ms: u64,
    /// What the vendor said, or what went wrong.
    pub error: Option<String>,
    /// What to do about it.
    pub remedy: Option<String>,
    /// Failures in a row, this one included.
    pub failures: u32,
    /// Whether this check switched the credential off.
    #[serde(default)]
    pub disabled: bool,
    /// Whether this check brought the credential back.
    #[serde(default)]
    pub recovered: bool,
}

/// A check of every credential.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CheckRound {
    /// Whether more than half gave no answer, so that no counter was moved.
    pub connectivity_alert: bool,
    /// By result.
    pub counts: CheckCounts,
    /// One line for each credential.
    pub items: Vec<CheckReport>,
}

/// Checks by what they found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CheckCounts {
    /// All.
    pub checked: u32,
    /// The vendor accepted them.
    pub healthy: u32,
    /// Known, but limited now.
    pub alive: u32,
    /// Refused.
    pub failed: u32,
    /// Nothing could be found out.
    pub inconclusive: u32,
    /// No way to ask.
    pub not_probed: u32,
}

impl CheckCounts {
    /// Counts so many more.
    pub fn add(&mut self, result: CheckResult, count: u32) {
        let field = match result {
            CheckResult::Healthy => &mut self.healthy,
            CheckResult::Alive => &mut self.alive,
            CheckResult::Failed => &mut self.failed,
            CheckResult::Inconclusive => &mut self.inconclusive,
            CheckResult::NotProbed => &mut self.not_probed,
        };
        *field = field.saturating_add(count);
        self.checked = self.checked.saturating_add(count);
    }

    /// Whether more than half of those that could be asked gave no answer: then it is more likely our own network
    /// than the accounts.
    pub fn is_cut_off(&self) -> bool {
        let asked = self.checked.saturating_sub(self.not_probed);
        self.inconclusive.saturating_mul(2) > asked
    }
}

/// How the checker does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CheckerView {
    /// `account_health_check_enabled`
    pub enabled: bool,
    /// `account_health_check_interval`, in minutes.
    pub interval_minutes: u32,
    /// `account_error_threshold`
    pub error_threshold: u32,
    /// The last check of any credential.
    pub last_run_at: Option<Timestamp>,
    /// When the next credential is due; null if checks are off or there is none to check.
    pub next_run_at: Option<Timestamp>,
    /// What the checks of the last interval found.
    pub counts: CheckCounts,
    /// Whether more than half of them gave no answer: nothing is counted against a credential meanwhile.
    pub connectivity_alert: bool,
    /// Credentials that the checker has switched off.
    pub disabled: u32,
    /// Credentials with errors in a row.
    pub with_errors: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hc_12_more_than_half_without_an_answer_is_an_outage_of_ones_own() {
        let counts = |healthy, inconclusive, not_probed| {
            let mut counts = CheckCounts::default();
            counts.add(CheckResult::Healthy, healthy);
            counts.add(CheckResult::Inconclusive, inconclusive);
            counts.add(CheckResult::NotProbed, not_probed);
            counts
        };
        assert!(!counts(0, 0, 0).is_cut_off() && !counts(1, 1, 0).is_cut_off());
        assert!(counts(1, 2, 0).is_cut_off() && counts(0, 1, 0).is_cut_off());
        assert!(counts(1, 2, 9).is_cut_off(), "who cannot be asked says nothing about the network");
    }
}
