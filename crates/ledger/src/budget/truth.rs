//! How the figures here follow the database: what it has, what it does not have yet, and what it leaves out.

use std::collections::HashSet;

use types::{RequestId, Timestamp};

use super::account::Account;
use super::state::State;
use super::{Loaded, Moment, Scope};

impl State {
    pub(super) fn applied(&mut self, ids: &[RequestId]) {
        let unknown: HashSet<_> = ids.iter().filter(|id| self.settled.remove(id).is_none()).collect();
        if unknown.is_empty() {
            return;
        }
        // Most of them cost nothing; one whose record was written before it was settled must not stay for ever.
        for open in self.open.iter_mut().filter(|open| open.id.is_some_and(|id| unknown.contains(&id))) {
            open.applied = true;
        }
    }

    pub(super) fn load(&mut self, spent: Vec<Loaded>, moment: Moment) {
        self.accounts.iter_mut().for_each(Account::clear);
        for loaded in spent {
            let number = self.number(loaded.scope);
            if let Some(account) = self.accounts.get_mut(number) {
                account.load(loaded, moment);
            }
        }
        let settled = self.settled.values().map(|settled| (settled.moment, settled.booked.as_slice()));
        let open = self.open.iter().filter(|open| !open.applied);
        let losses = open.map(|open| (open.moment, open.losses.as_slice()));
        for (moment, booked) in settled.chain(losses) {
            for (number, amount) in booked {
                if let Some(account) = self.accounts.get_mut(*number) {
                    account.count(moment, *amount);
                }
            }
        }
    }

    pub(super) fn reset(&mut self, scope: Scope, at: Timestamp) {
        let number = self.number(scope);
        if let Some(account) = self.accounts.get_mut(number) {
            account.reset(at);
        }
    }
}
