//! Which credential made a response that its vendor keeps: who continues it (`previous_response_id`, `conversation`)
//! has to go to the same account, because no other knows it.
//!
//! In memory, for a day after its last use and up to a number; a restart forgets it. Then, as with ids that somebody
//! else made, the usual selection chooses, and the vendor's own answer tells whether it guessed right.

use std::time::Duration;

use moka::sync::Cache;
use sha2::{Digest, Sha256};
use types::{CredentialId, ProviderId, UserId};

/// How long it is known after it was last asked for.
const KEPT: Duration = Duration::from_hours(24);
/// Most responses that are known; about 100 bytes each.
const MOST: u64 = 200_000;

/// Who keeps something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Keeper {
    pub(crate) provider: ProviderId,
    pub(crate) credential: CredentialId,
}

/// A user and what he calls by an id, as a digest: ids are the vendors' and of any length.
type Name = [u8; 16];

/// Keepers by user and id: nobody is led to an account by another's id.
#[derive(Debug)]
pub(crate) struct Keepers(Cache<Name, Keeper>);

impl Default for Keepers {
    fn default() -> Self {
        Self(Cache::builder().max_capacity(MOST).time_to_idle(KEPT).build())
    }
}

fn name(user: UserId, id: &str) -> Name {
    let mut digest = Sha256::new();
    digest.update(user.0.to_be_bytes());
    digest.update(id);
    let mut short = [0; 16];
    for (to, from) in short.iter_mut().zip(digest.finalize()) {
        *to = from;
    }
    short
}

impl Keepers {
    /// Who keeps what a user calls so; `None` if it is not known (any more).
    pub(crate) fn of(&self, user: UserId, id: &str) -> Option<Keeper> {
        self.0.get(&name(user, id))
    }

    /// Notes that a credential made it.
    pub(crate) fn note(&self, user: UserId, id: &str, keeper: Keeper) {
        self.0.insert(name(user, id), keeper);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_is_known_to_its_own_user_only_and_the_last_maker_counts() {
        let keepers = Keepers::default();
        let keeper = |id| Keeper { provider: ProviderId(1), credential: CredentialId(id) };
        keepers.note(UserId(1), "resp_1", keeper(7));
        assert_eq!(keepers.of(UserId(1), "resp_1"), Some(keeper(7)));
        assert_eq!(keepers.of(UserId(2), "resp_1"), None);
        assert_eq!(keepers.of(UserId(1), "resp_2"), None);
        keepers.note(UserId(1), "resp_1", keeper(8));
        assert_eq!(keepers.of(UserId(1), "resp_1"), Some(keeper(8)));
    }

    #[test]
    fn their_number_is_bounded() {
        let keepers = Keepers::default();
        for number in 0..MOST + 20_000 {
            let keeper = Keeper { provider: ProviderId(1), credential: CredentialId(1) };
            keepers.note(UserId(1), &number.to_string(), keeper);
        }
        keepers.0.run_pending_tasks();
        assert!(keepers.0.entry_count() <= MOST);
    }
}
