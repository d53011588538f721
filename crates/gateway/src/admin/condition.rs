//! What is known of a credential at this instant: its state, what rests, its breakers. It decides nothing; `serve`
//! asks the same sources when it chooses.

use routing::health::{BreakerLine, RestLine};
use types::breaker::BreakerState;
use types::cached::UnavailableMark;
use types::check::CheckStanding;
use types::credential::{CooldownView, CredentialMark, CredentialState};
use types::{CredentialId, Timestamp};

use crate::core::Core;
use crate::snapshot::{Credential, Provider};

/// What of a credential is stored or configured.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stored<'a> {
    pub(super) id: CredentialId,
    pub(super) readable: bool,
    pub(super) enabled: bool,
    pub(super) mark: &'a CredentialMark,
    pub(super) check: &'a CheckStanding,
}

impl<'a> Stored<'a> {
    pub(super) fn of(credential: &'a Credential) -> Self {
        Self {
            id: credential.id,
            readable: credential.auth.is_readable(),
            enabled: credential.spec.enabled,
            mark: &credential.mark,
            check: &credential.check,
        }
    }
}

/// What is known of a credential now.
#[derive(Clone, Debug)]
pub(super) struct Condition {
    pub(super) state: CredentialState,
    /// Why; `None` if it is valid.
    pub(super) reason: Option<String>,
    /// When that is over by itself.
    pub(super) until: Option<Timestamp>,
    /// Whether nothing but its allowance keeps it from being used.
    left_alone: bool,
    pub(super) rests: Vec<RestLine>,
    pub(super) breakers: Vec<BreakerLine>,
    pub(super) worst: BreakerState,
    pub(super) latency_ms: Option<u32>,
    pub(super) answered: u64,
    pub(super) failed: u64,
}

impl Condition {
    pub(super) fn of(core: &Core, stored: Stored<'_>, now: Timestamp) -> Self {
        let gauge = core.gauges.gauge(stored.id);
        let health = gauge.health();
        let rests = health.rests(now);
        let (breakers, worst) = (health.breakers(now), health.worst(now));
        let (answered, failed) = (health.answered(), health.failed_total());
        drop(health);
        let (mut state, mut reason, mut until) = state(stored, &rests, now);
        let most = core.snapshot().settings.account_allowance_percent;
        let stopped = gauge.stopped_until(most, now).filter(|_| state == CredentialState::Valid);
        if stopped.is_some() {
            // It would be chosen for nothing, so it is not shown as if it were.
            (state, until) = (CredentialState::RateLimited, stopped);
            reason = Some(format!(
                "left alone: {most} % of what its vendor grants is used (account_allowance_percent)"
            ));
        }
        let latency_ms = gauge.latency_ms(now);
        let left_alone = stopped.is_some();
        Self { state, reason, until, left_alone, rests, breakers, worst, latency_ms, answered, failed }
    }

    /// Whether it could serve, if its provider may: nothing stands in the way of all its models.
    pub(super) fn is_active(&self) -> bool {
        let open = |line: &BreakerLine| line.state == BreakerState::Open;
        let shut = !self.breakers.is_empty() && self.breakers.iter().all(open);
        matches!(self.state, CredentialState::Valid | CredentialState::Unavailable) && !shut
    }

    pub(super) fn cooldowns(&self) -> Vec<CooldownView> {
        let view = |rest: &RestLine| CooldownView {
            model: rest.model.clone(),
            state: rest.state,
            until: rest.until,
            reason: rest.reason.clone(),
        };
        self.rests.iter().map(view).collect()
    }

    /// When the last of its rate limits ends: the stored one, if it is in force, and those of its models.
    pub(super) fn limited_until(&self, stored: Option<&CredentialMark>) -> Option<Timestamp> {
        let limited = |state: CredentialState| state == CredentialState::RateLimited;
        let rests = self.rests.iter().filter(|rest| limited(rest.state)).map(|rest| rest.until);
        let stored = stored.filter(|mark| limited(mark.state)).and_then(|mark| mark.until);
        rests.chain(stored).max()
    }

    /// Everything that keeps it, or one of its models, from being chosen and that clearing removes.
    pub(super) fn marks(
        &self,
        provider: &Provider,
        credential: &Credential,
        now: Timestamp,
    ) -> Vec<UnavailableMark> {
        let mark =
            |model: Option<String>, mark: &str, until: Option<Timestamp>, reason: String| UnavailableMark {
                credential_id: credential.id,
                credential_name: credential.spec.name.clone(),
                provider_id: provider.id,
                provider_name: provider.spec.name.clone(),
                model,
                mark: mark.to_owned(),
                state: self.state,
                until,
                reason,
            };
        let stored = Some(&credential.mark).filter(|mark| in_force(mark, now));
        // What is stored was remembered too; one line says both.
        let told =
            |rest: &&RestLine| rest.model.is_some() || stored.is_none_or(|mark| mark.state != rest.state);
        let mut marks: Vec<_> = stored
            .map(|stored| {
                let reason = stored.reason.clone().unwrap_or_default();
                mark(None, stored.state.as_str(), stored.until, reason)
            })
            .into_iter()
            .collect();
        if self.left_alone {
            let reason = self.reason.clone().unwrap_or_default();
            marks.push(mark(None, self.state.as_str(), self.until, reason));
        }
        marks.extend(self.rests.iter().filter(told).map(|rest| {
            mark(rest.model.clone(), rest.state.as_str(), Some(rest.until), rest.reason.clone())
        }));
        marks.extend(self.breakers.iter().filter(|line| line.state != BreakerState::Closed).map(|line| {
            let name = if line.state == BreakerState::Open { "breaker_open" } else { "breaker_half_open" };
            mark(line.model.clone(), name, line.probe_at, line.last_error.clone().unwrap_or_default())
        }));
        marks
    }
}

/// Whether a stored state holds now.
pub(super) fn in_force(mark: &CredentialMark, now: Timestamp) -> bool {
    mark.state != CredentialState::Valid && mark.until.is_none_or(|until| now < until)
}

fn state(
    stored: Stored<'_>,
    rests: &[RestLine],
    now: Timestamp,
) -> (CredentialState, Option<String>, Option<Timestamp>) {
    if !stored.readable {
        let why = "its secret cannot be decrypted; enter it again".to_owned();
        return (CredentialState::Unreadable, Some(why), None);
    }
    if !stored.enabled {
        let why =
            stored.check.disabled_reason.as_ref().map(|why| format!("switched off by its checks: {why}"));
        return (CredentialState::Disabled, why, None);
    }
    if in_force(stored.mark, now) {
        return (stored.mark.state, stored.mark.reason.clone(), stored.mark.until);
    }
    let whole = rests.iter().filter(|rest| rest.model.is_none()).max_by_key(|rest| rest.until);
    whole.map_or((CredentialState::Valid, None, None), |rest| {
        (rest.state, Some(rest.reason.clone()), Some(rest.until))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_000);

    fn marked(state: CredentialState, until: Option<i64>) -> CredentialMark {
        let reason = Some("said so".to_owned());
        CredentialMark { state, until: until.map(Timestamp), reason, ..CredentialMark::default() }
    }

    fn rest(model: Option<&str>, until: i64) -> RestLine {
        RestLine {
            model: model.map(str::to_owned),
            state: CredentialState::RateLimited,
            until: Timestamp(until),
            reason: "429".to_owned(),
        }
    }

    fn of(readable: bool, enabled: bool, mark: &CredentialMark, rests: &[RestLine]) -> CredentialState {
        let check = &CheckStanding::default();
        state(Stored { id: CredentialId(1), readable, enabled, mark, check }, rests, NOW).0
    }

    #[test]
    fn ac_06_what_nobody_can_mend_goes_before_what_passes() {
        let lost = marked(CredentialState::Invalid, None);
        let well = CredentialMark::default();
        let resting = [rest(None, 2_000)];
        assert_eq!(of(false, false, &lost, &resting), CredentialState::Unreadable);
        assert_eq!(of(true, false, &lost, &resting), CredentialState::Disabled);
        assert_eq!(of(true, true, &lost, &resting), CredentialState::Invalid);
        assert_eq!(of(true, true, &well, &resting), CredentialState::RateLimited);
        assert_eq!(of(true, true, &well, &[]), CredentialState::Valid);
    }

    #[test]
    fn a_state_whose_time_is_over_and_a_rest_of_one_model_are_no_state() {
        let over = marked(CredentialState::Suspended, Some(1_000));
        let still = marked(CredentialState::Suspended, Some(1_001));
        assert_eq!(of(true, true, &over, &[]), CredentialState::Valid);
        assert_eq!(of(true, true, &still, &[]), CredentialState::Suspended);
        assert_eq!(
            of(true, true, &CredentialMark::default(), &[rest(Some("m"), 2_000)]),
            CredentialState::Valid
        );
    }
}
