//! A second attempt that runs beside the current one: what its suppliers hold, and which of the two stays.
//!
//! Groups hold what is billed, and only one of the two is: so theirs is held once, and both attempts must go through
//! the same group.

use types::Money;

use super::minutes::start_of;
use super::state::{Beside, Role, Share, State};
use super::{Amounts, Blocked, Charge, Rule};

impl State {
    /// Holds on the suppliers of a second attempt as well, on all of them or on none.
    pub(super) fn beside(
        &mut self,
        key: usize,
        suppliers: &[Charge<'_>],
        provider: Amounts,
    ) -> Result<(), Blocked> {
        self.leave_beside(key, Money::ZERO);
        let Some(moment) = self.open.get(key).map(|open| open.moment) else { return Ok(()) };
        if let Some(blocked) = self.check_all(moment.at, suppliers, provider) {
            return Err(blocked);
        }
        let mut beside = Beside { provider, ..Beside::default() };
        for charge in suppliers {
            let number = self.number(charge.scope);
            let Some(account) = self.accounts.get_mut(number) else { continue };
            account.reserve(moment, provider, true);
            if let Some(minute) = account.touch(moment.at, charge.rules) {
                self.anchors.insert(charge.scope, start_of(minute));
            }
            beside.shares.push(Share { account: number, role: Role::Supplier, rules: charge.rules.len() });
            beside.rules.extend_from_slice(charge.rules);
        }
        if let Some(open) = self.open.get_mut(key) {
            open.beside = beside;
        }
        Ok(())
    }

    /// Lets go of the second attempt and books `loss` to its suppliers. Says whether there was one.
    pub(super) fn leave_beside(&mut self, key: usize, loss: Money) -> bool {
        let Some(open) = self.open.get_mut(key) else { return false };
        let beside = std::mem::take(&mut open.beside);
        for share in &beside.shares {
            let Some(account) = self.accounts.get_mut(share.account) else { continue };
            account.release(open.moment, beside.provider, true);
            if !loss.is_zero() {
                account.book(open.moment, loss);
                open.losses.push((share.account, loss));
            }
        }
        !beside.shares.is_empty()
    }

    /// Puts the second attempt in the place of the current one, whose suppliers are let go and booked `loss`.
    pub(super) fn take_beside(&mut self, key: usize, loss: Money) {
        let Some(open) = self.open.get_mut(key) else { return };
        let beside = std::mem::take(&mut open.beside);
        let (shares, rules) = (std::mem::take(&mut open.shares), std::mem::take(&mut open.rules));
        let mut rest = rules.as_slice();
        let mut groups: Vec<(Share, &[Rule])> = Vec::new();
        for share in shares {
            let (own, others) = rest.split_at_checked(share.rules).unwrap_or((rest, &[]));
            rest = others;
            match share.role {
                Role::Payer => {
                    open.shares.push(share);
                    open.rules.extend_from_slice(own);
                }
                Role::Group => groups.push((share, own)),
                Role::Supplier => {
                    let Some(account) = self.accounts.get_mut(share.account) else { continue };
                    account.release(open.moment, open.provider, true);
                    if !loss.is_zero() {
                        account.book(open.moment, loss);
                        open.losses.push((share.account, loss));
                    }
                }
            }
        }
        open.shares.extend(beside.shares);
        open.rules.extend(beside.rules);
        for (share, own) in groups {
            open.shares.push(share);
            open.rules.extend_from_slice(own);
        }
        open.provider = beside.provider;
    }
}
