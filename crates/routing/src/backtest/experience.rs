//! What the records tell of each credential: how often a first attempt failed, how long its first byte took.

use std::collections::HashMap;

use types::{CredentialId, Timestamp};

use super::{Mean, ONE_MICRO, Sample};

/// First attempts.
#[derive(Clone, Copy, Debug, Default)]
struct Tries {
    all: u64,
    failed: u64,
}

impl Tries {
    fn add(&mut self, failed: bool) {
        self.all += 1;
        self.failed += u64::from(failed);
    }

    /// The share that failed in millionths; `None` if there was none.
    fn failed_micro(self) -> Option<u64> {
        (self.failed * ONE_MICRO).checked_div(self.all)
    }
}

/// What is known from a set of records.
#[derive(Debug, Default)]
pub(super) struct Experience {
    by_hour: HashMap<(CredentialId, Timestamp), Tries>,
    by_credential: HashMap<CredentialId, Tries>,
    overall: Tries,
    first_bytes: HashMap<CredentialId, Mean>,
}

impl Experience {
    pub(super) fn of(samples: &[&Sample]) -> Self {
        let mut experience = Self::default();
        for sample in samples {
            let credential = sample.first.1;
            let failed = sample.first_failed;
            experience.by_hour.entry((credential, sample.at.hour_start())).or_default().add(failed);
            experience.by_credential.entry(credential).or_default().add(failed);
            experience.overall.add(failed);
            // After a failed first attempt the first byte came from another.
            if let (false, Some(ms)) = (failed, sample.first_byte_ms) {
                experience.first_bytes.entry(credential).or_default().add(ms);
            }
        }
        experience
    }

    /// Chance in millionths that a first attempt there fails: of the same hour, else of the whole span, else of all
    /// credentials.
    pub(super) fn failure_micro(&self, credential: CredentialId, at: Timestamp) -> u64 {
        let hour = self.by_hour.get(&(credential, at.hour_start()));
        [hour, self.by_credential.get(&credential), Some(&self.overall)]
            .into_iter()
            .flatten()
            .find_map(|tries| tries.failed_micro())
            .unwrap_or(0)
    }

    /// Mean of the span; `None` if it never answered.
    pub(super) fn first_byte_ms(&self, credential: CredentialId) -> Option<u64> {
        self.first_bytes.get(&credential).and_then(|mean| mean.get())
    }
}
