//! What follows from checks: counters, states, switching off and on again, and what is told of it.
//!
//! Everything is compare-and-set on the version of the state that was checked (AC-13), and one batch is one transaction
//! and at most one reload.

use std::sync::Arc;

use serde_json::json;
use store::{Change, CheckNote, Counting, StoreError};
use types::check::{CheckReport, CheckResult, CheckRound, DisabledBy};
use types::credential::{CredentialEvent, CredentialMark, CredentialState};
use types::{Timestamp, setting::Settings};

use super::{Found, interval_ms, is_off};
use crate::core::Core;
use crate::snapshot::Credential;

/// Who did it, in histories and in the audit log.
const CAUSE: &str = "health_check";
/// How long a refusal or a suspension is believed if nobody checks any more.
const BELIEVED_MS: i64 = Timestamp::HOUR_MS;

pub(super) async fn settle(core: &Arc<Core>, found: Vec<Found>) -> Result<CheckRound, StoreError> {
    let settings = core.snapshot().settings.clone();
    let now = core.clock.now();
    let results = found.iter().map(|one| (one.target.credential.id, one.verdict.result));
    let network = core.rounds.note(results, now, interval_ms(&settings));
    core.metrics.checks_cut_off(network.cut_off);
    if network.changed && network.cut_off {
        tracing::error!(
            "health_check: more than half of the checks gave no answer; it is more likely this machine's network than \
             the accounts, and nothing is counted against them"
        );
    } else if network.changed {
        tracing::info!("health_check: the checks are answered again");
    }
    let notes: Vec<CheckNote> = found.iter().map(|one| note(one, network.cut_off)).collect();
    let failures = core.store.credential_check_append(&notes).await?;
    let mut round = CheckRound { connectivity_alert: network.cut_off, ..CheckRound::default() };
    let mut changed = false;
    for (one, failures) in found.iter().zip(failures) {
        let credential = &one.target.credential;
        round.counts.add(one.verdict.result, 1);
        core.metrics.checked(one.verdict.result.as_str());
        let mut report = report(one, failures.unwrap_or(credential.check.failures));
        if let Some(failures) = failures {
            credential.gauge.note_checks(failures, Some(one.line.at));
            let consequences = Consequences { core, settings: &settings, one, failures };
            match one.verdict.result {
                CheckResult::Healthy => report.recovered = consequences.recover().await?,
                CheckResult::Failed if !network.cut_off => {
                    let marked = consequences.mark().await?;
                    report.disabled = consequences.switch_off(marked).await?;
                    changed |= marked;
                }
                _ => {}
            }
        }
        changed |= report.recovered || report.disabled;
        tell(one, &report);
        round.items.push(report);
    }
    if changed {
        core.reload().await?;
    }
    Ok(round)
}

fn note(one: &Found, cut_off: bool) -> CheckNote {
    let counting = match one.verdict.result {
        CheckResult::Healthy => Counting::Anew,
        CheckResult::Failed if !cut_off => Counting::More,
        _ => Counting::Keep,
    };
    let credential = &one.target.credential;
    CheckNote {
        credential_id: credential.id,
        seen_version: credential.mark.version,
        line: one.line.clone(),
        counting,
    }
}

fn report(one: &Found, failures: u32) -> CheckReport {
    let (provider, credential) = (one.target.provider(), &one.target.credential);
    CheckReport {
        credential_id: credential.id,
        credential_name: credential.spec.name.clone(),
        provider_id: one.target.provider_id,
        provider_name: provider.map(|provider| provider.spec.name.clone()).unwrap_or_default(),
        ok: one.verdict.result == CheckResult::Healthy,
        result: one.verdict.result,
        probe: one.line.probe.clone(),
        status: one.line.status,
        latency_ms: one.line.latency_ms,
        error: one.line.message.clone(),
        remedy: one.verdict.remedy.clone(),
        failures,
        disabled: false,
        recovered: false,
    }
}

fn tell(one: &Found, report: &CheckReport) {
    let CheckReport { credential_name, provider_name, result, status, latency_ms, error, failures, .. } =
        report;
    macro_rules! line {
        ($level:ident, $text:literal) => {
            tracing::$level!(
                credential.name = credential_name,
                provider.name = provider_name,
                probe = one.line.probe,
                result = result.as_str(),
                status,
                latency_ms,
                error,
                failures,
                $text
            )
        };
    }
    if report.disabled {
        line!(error, "health_check: a credential was switched off after failed checks in a row");
    } else if report.recovered {
        line!(info, "health_check: a credential is well again and in use");
    } else if *result == CheckResult::Failed {
        line!(warn, "health_check: the vendor refuses a credential");
    } else {
        line!(debug, "health_check: a credential was checked");
    }
}

/// What one check leads to, beyond its count.
struct Consequences<'a> {
    core: &'a Core,
    settings: &'a Settings,
    one: &'a Found,
    /// In a row, with this one.
    failures: u32,
}

impl Consequences<'_> {
    fn credential(&self) -> &Credential {
        &self.one.target.credential
    }

    fn event(&self, from: CredentialState, to: CredentialState) -> CredentialEvent {
        let reason = self.one.line.message.clone();
        CredentialEvent {
            credential_id: self.credential().id,
            at: self.one.line.at,
            from,
            to,
            until: None,
            reason,
            cause: CAUSE.to_owned(),
            request_id: None,
        }
    }

    /// Puts the state down that the answer showed; answers whether that is new.
    async fn mark(&self) -> Result<bool, StoreError> {
        let Some(state) = self.one.verdict.state else { return Ok(false) };
        let seen = &self.credential().mark;
        let until = Some(self.one.line.at.plus_ms(BELIEVED_MS));
        let holds = seen.until.is_none_or(|until| self.one.line.at < until);
        // What is known already is no news, and what is for good stays so.
        if seen.state == CredentialState::Banned || seen.state == state && holds {
            return Ok(false);
        }
        let mark = CredentialMark {
            state,
            until,
            reason: self.one.line.message.clone(),
            since: Some(self.one.line.at),
            version: seen.version,
        };
        let event = CredentialEvent { until, ..self.event(seen.state, state) };
        self.core.store.credential_mark(self.credential().id, seen.version, &mark, &event).await
    }

    /// Switches the credential off once enough checks in a row have failed.
    async fn switch_off(&self, marked: bool) -> Result<bool, StoreError> {
        let (credential, threshold) = (self.credential(), self.settings.account_error_threshold);
        if self.failures < threshold || !credential.spec.enabled {
            return Ok(false);
        }
        let seen = credential.mark.version.saturating_add(i64::from(marked));
        let said = self.one.line.message.as_deref().unwrap_or("the vendor refused it");
        let reason = format!("{}/{threshold} checks in a row failed: {said}", self.failures);
        let from = self.one.verdict.state.filter(|_| marked).unwrap_or(credential.mark.state);
        let event =
            CredentialEvent { reason: Some(reason.clone()), ..self.event(from, CredentialState::Disabled) };
        let change = self.change("disable", json!({ "enabled": false, "reason": reason }));
        let done = self.core.store.credential_switch(seen, Some(&reason), &event, change).await?;
        if done {
            self.core.metrics.switched_off();
        }
        Ok(done)
    }

    /// Takes a credential back that the checker had switched off, or that was taken for invalid.
    async fn recover(&self) -> Result<bool, StoreError> {
        let (credential, seen) = (self.credential(), &self.credential().mark);
        let off = is_off(credential);
        // A sign-in that a failed refresh asks for is for good; one that a refused check asked for is not.
        let invalid = match seen.state {
            CredentialState::Invalid => true,
            CredentialState::NeedsReauth => seen.until.is_some(),
            // A list of models proves no money; only a vendor that says so does.
            CredentialState::Suspended => self.one.verdict.state == Some(CredentialState::Valid),
            _ => false,
        };
        let mut version = seen.version;
        let mut recovered = false;
        if off {
            let after = if invalid { CredentialState::Valid } else { seen.state };
            let event = self.event(CredentialState::Disabled, after);
            let change = self.change("enable", json!({ "enabled": true }));
            if !self.core.store.credential_switch(version, None, &event, change).await? {
                return Ok(false);
            }
            (version, recovered) = (version.saturating_add(1), true);
        }
        if invalid {
            let mark = CredentialMark { since: Some(self.one.line.at), ..CredentialMark::default() };
            let event = self.event(seen.state, CredentialState::Valid);
            recovered |= self.core.store.credential_mark(credential.id, version, &mark, &event).await?;
        }
        if recovered {
            // What requests remember of the refusal goes too; a limit or an open breaker is another matter.
            let now = self.core.clock.now();
            credential.gauge.mend(now, |health| {
                health.end_rests(CredentialState::Invalid);
                if invalid {
                    health.end_rests(seen.state);
                }
            });
        }
        Ok(recovered)
    }

    fn change(&self, verb: &str, after: serde_json::Value) -> Change {
        let credential = self.credential();
        Change {
            at: self.one.line.at,
            actor: DisabledBy::HealthCheck.as_str().to_owned(),
            client_ip: None,
            action: format!("credential.{verb}"),
            object: "credential".to_owned(),
            object_id: credential.id.to_string(),
            object_name: credential.spec.name.clone(),
            before: None,
            after: Some(after),
        }
    }
}
