//! Another policy, tried on recorded decisions: what it would have cost, how often it would have failed over, how
//! long the first byte would have taken.
//!
//! It moves first attempts only and knows no more than the records: what a filter removed stays removed, loads and
//! latencies stay as they were, and conversations stay where they were bound. Expectations come from what was
//! recorded of the same credentials; they are no promise.

use std::collections::{BTreeMap, HashMap};

use types::credential::Tier;
use types::request::Decision;
use types::routing::Strategy;
use types::simulation::{Backtest, BacktestLine, BacktestReport};
use types::{CredentialId, Factor, Money, ProviderId, Timestamp};

use experience::Experience;
use replay::Policy;

mod experience;
mod replay;

/// One recorded request.
#[derive(Clone, Debug)]
pub struct Sample {
    /// When it was decided.
    pub at: Timestamp,
    /// The decision.
    pub decision: Decision,
    /// Where its first attempt went.
    pub first: (ProviderId, CredentialId),
    /// Whether that attempt failed.
    pub first_failed: bool,
    /// Attempts altogether, at least one.
    pub attempts: u32,
    /// Its price by the list.
    pub base_cost: Money,
    /// What providers charged for it.
    pub provider_cost: Money,
    /// Milliseconds to the first byte of its answer; `None` if none came.
    pub first_byte_ms: Option<u64>,
}

/// Where a first attempt would have gone.
#[derive(Clone, Copy, Debug)]
struct Target {
    provider: ProviderId,
    credential: CredentialId,
    multiplier: Factor,
    latency_ms: Option<u64>,
}

/// Tries an edited policy on recorded requests. `tier_order` and `strategy` are what the settings say now.
///
/// A decision is replayed with the strategy that it was taken with (a group may have its own), unless the edit names
/// another than the present setting. Left out are requests whose record names nobody who could serve, and those of
/// which it does not tell whether a provider that the edit enables could have served them.
pub fn backtest(
    samples: &[Sample],
    edit: &Backtest,
    tier_order: &[Tier],
    strategy: Strategy,
) -> BacktestReport {
    let mut policy = Policy::new(samples, edit, tier_order, strategy);
    let (usable, left_out): (Vec<_>, Vec<_>) = samples.iter().partition(|sample| policy.can_replay(sample));
    let experience = Experience::of(&usable);
    let mut report = BacktestReport {
        requests: count(usable.len()),
        skipped: count(left_out.len()),
        ..BacktestReport::default()
    };
    let mut sums = Sums::default();
    let mut in_time = usable;
    // Turns are taken in the order of time, whatever the order of the records.
    in_time.sort_by_key(|sample| sample.at);
    for sample in in_time {
        let target = policy.first(sample);
        sums.before(sample, &mut report);
        match target {
            None => report.unserved += 1,
            Some(target) if target.credential == sample.first.1 => {
                sums.stayed(sample, &mut report);
            }
            Some(target) => {
                report.moved += 1;
                sums.moved(sample, target, &experience, &mut report);
            }
        }
    }
    sums.finish(samples, report)
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

/// What is added up beside the report's own fields.
#[derive(Debug, Default)]
struct Sums {
    /// Millionths of expected failovers.
    failovers_micro: u64,
    bytes_before: Mean,
    bytes_after: Mean,
    /// First choices before and after.
    providers: BTreeMap<ProviderId, (u64, u64)>,
}

/// Sum and number of values.
#[derive(Clone, Copy, Debug, Default)]
struct Mean {
    sum: u64,
    count: u64,
}

impl Mean {
    fn add(&mut self, value: u64) {
        self.sum = self.sum.saturating_add(value);
        self.count += 1;
    }

    /// Rounded; `None` of nothing.
    fn get(self) -> Option<u64> {
        self.sum.saturating_add(self.count / 2).checked_div(self.count)
    }
}

const ONE_MICRO: u64 = 1_000_000;

impl Sums {
    fn before(&mut self, sample: &Sample, report: &mut BacktestReport) {
        report.cost_before = report.cost_before.plus(sample.provider_cost);
        report.failovers_before += u64::from(sample.attempts.saturating_sub(1));
        self.providers.entry(sample.first.0).or_default().0 += 1;
        if let Some(ms) = sample.first_byte_ms {
            self.bytes_before.add(ms);
        }
    }

    fn stayed(&mut self, sample: &Sample, report: &mut BacktestReport) {
        report.cost_after = report.cost_after.plus(sample.provider_cost);
        self.failovers_micro += u64::from(sample.attempts.saturating_sub(1)) * ONE_MICRO;
        self.providers.entry(sample.first.0).or_default().1 += 1;
        if let Some(ms) = sample.first_byte_ms {
            self.bytes_after.add(ms);
        }
    }

    fn moved(
        &mut self,
        sample: &Sample,
        target: Target,
        experience: &Experience,
        report: &mut BacktestReport,
    ) {
        report.cost_after = report.cost_after.plus(charged(sample.base_cost, target.multiplier));
        self.failovers_micro += experience.failure_micro(target.credential, sample.at);
        self.providers.entry(target.provider).or_default().1 += 1;
        // Only where there was an answer, so that both means are over the same requests.
        if let Some(ms) = sample.first_byte_ms {
            let expected = experience.first_byte_ms(target.credential).or(target.latency_ms);
            self.bytes_after.add(expected.unwrap_or(ms));
        }
    }

    fn finish(self, samples: &[Sample], mut report: BacktestReport) -> BacktestReport {
        let names: HashMap<ProviderId, &str> = samples
            .iter()
            .flat_map(|sample| &sample.decision.candidates)
            .map(|candidate| (candidate.provider_id, candidate.provider_name.as_str()))
            .collect();
        let line = |(provider_id, (before, after)): (ProviderId, (u64, u64))| BacktestLine {
            provider_id,
            name: names
                .get(&provider_id)
                .map_or_else(|| format!("#{provider_id}"), |name| (*name).to_owned()),
            before,
            after,
        };
        report.failovers_after = (self.failovers_micro + ONE_MICRO / 2) / ONE_MICRO;
        report.first_byte_ms_before = self.bytes_before.get();
        report.first_byte_ms_after = self.bytes_after.get();
        report.providers = self.providers.into_iter().map(line).collect();
        report
    }
}

/// The list price times the multiplier, rounded.
fn charged(base: Money, multiplier: Factor) -> Money {
    let scale = i128::from(Factor::SCALE);
    Money::clamp_nano((i128::from(base.nano()) * i128::from(multiplier.micro()) + scale / 2) / scale)
}

#[cfg(test)]
mod tests;
