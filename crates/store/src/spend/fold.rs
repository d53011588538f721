//! Sums on their way to the budgets that they belong to. No statements but those that say who was reset.

use std::collections::{BTreeMap, HashMap};

use types::quota::ScopeKind;
use types::{Money, Timestamp};

use super::SpendRow;
use crate::pool::Txn;
use crate::sql::{Row, args};
use crate::{StoreError, reset};

/// A window that is summed as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Week,
    Month,
    Total,
}

/// What callers pay and what providers charge.
#[derive(Clone, Copy, Debug)]
pub(super) struct Amounts {
    pub(super) billed: Money,
    pub(super) provider: Money,
}

/// Who is charged for a sum; 0 and the empty text stand for nobody.
#[derive(Debug, Default)]
pub(super) struct Payers {
    user: i64,
    key: i64,
    grant: i64,
    group: String,
    provider: i64,
    credential: i64,
    // Whether callers are charged at all: not for an attempt that failed.
    callers: bool,
}

#[derive(Default)]
struct Sums {
    minutes: BTreeMap<Timestamp, Money>,
    week: Money,
    month: Money,
    total: Money,
    five_hours_since: Option<Timestamp>,
}

type Scope = (ScopeKind, i64);

/// The budgets and what they have spent.
pub(super) struct Spend {
    resets: HashMap<Scope, Timestamp>,
    groups: HashMap<String, i64>,
    sums: HashMap<Scope, Sums>,
}

const RESETS: &str = "SELECT 'user' AS scope, id, usage_reset_at FROM users WHERE usage_reset_at IS NOT NULL
    UNION ALL SELECT 'key', id, usage_reset_at FROM api_keys WHERE usage_reset_at IS NOT NULL
    UNION ALL SELECT 'group', id, usage_reset_at FROM provider_groups WHERE usage_reset_at IS NOT NULL
    UNION ALL SELECT 'package', id, usage_reset_at FROM grants WHERE usage_reset_at IS NOT NULL
    UNION ALL SELECT 'provider', id, usage_reset_at FROM providers WHERE usage_reset_at IS NOT NULL
    UNION ALL SELECT 'credential', id, usage_reset_at FROM credentials WHERE usage_reset_at IS NOT NULL";

impl Spend {
    pub(super) async fn new(txn: &mut Txn) -> Result<Self, StoreError> {
        let mut resets = HashMap::new();
        for row in txn.rows(RESETS, args![]).await? {
            resets.insert((row.named("scope")?, row.int("id")?), row.time("usage_reset_at")?);
        }
        let global = reset::global_in_txn(txn).await?;
        if global > Timestamp::default() {
            resets.insert((ScopeKind::Global, 0), global);
        }
        let mut groups = HashMap::new();
        for row in txn.rows("SELECT id, name FROM provider_groups", args![]).await? {
            groups.insert(row.text("name")?, row.int("id")?);
        }
        Ok(Self { resets, groups, sums: HashMap::new() })
    }

    /// Whether anything of this kind was reset.
    pub(super) fn was_reset(&self, kind: ScopeKind) -> bool {
        self.resets.keys().any(|(scope, _)| *scope == kind)
    }

    /// Everything that was reset, and when.
    pub(super) fn resets(&self) -> Vec<(ScopeKind, i64, Timestamp)> {
        self.resets.iter().map(|((kind, id), at)| (*kind, *id, *at)).collect()
    }

    /// Adds to a window of one budget.
    pub(super) fn add(&mut self, kind: ScopeKind, id: i64, part: Part, amount: Money) {
        if amount.is_zero() {
            return;
        }
        let sums = self.sums.entry((kind, id)).or_default();
        let sum = match part {
            Part::Week => &mut sums.week,
            Part::Month => &mut sums.month,
            Part::Total => &mut sums.total,
        };
        *sum = sum.plus(amount);
    }

    /// Adds to all who are charged and were never reset.
    pub(super) fn add_unless_reset(&mut self, payers: &Payers, part: Part, amounts: Amounts) {
        for (kind, id, amount) in self.charged(payers, amounts) {
            if !self.resets.contains_key(&(kind, id)) {
                self.add(kind, id, part, amount);
            }
        }
    }

    /// Adds a minute to all who were not reset in or after it.
    pub(super) fn add_minute(&mut self, payers: &Payers, minute: Timestamp, amounts: Amounts) {
        for (kind, id, amount) in self.charged(payers, amounts) {
            if self.resets.get(&(kind, id)).is_none_or(|reset| *reset <= minute) {
                self.add_to_minute(kind, id, minute, amount);
            }
        }
    }

    /// Adds to the minute that an instant is in.
    pub(super) fn add_to_minute_of(&mut self, kind: ScopeKind, id: i64, at: Timestamp, cost: Money) {
        self.add_to_minute(kind, id, Timestamp(at.0 - at.0.rem_euclid(60_000)), cost);
    }

    /// Notes when a window of five hours began.
    pub(super) fn anchor(&mut self, kind: ScopeKind, id: i64, since: Timestamp) {
        self.sums.entry((kind, id)).or_default().five_hours_since = Some(since);
    }

    /// What every budget has spent, in order.
    pub(super) fn finish(mut self) -> Vec<SpendRow> {
        for scope in self.resets.keys() {
            self.sums.entry(*scope).or_default();
        }
        let resets = self.resets;
        let mut rows: Vec<SpendRow> = self
            .sums
            .into_iter()
            .map(|((scope, id), sums)| SpendRow {
                scope,
                id,
                minutes: sums.minutes.into_iter().collect(),
                week: sums.week,
                month: sums.month,
                total: sums.total,
                five_hours_since: sums.five_hours_since,
                reset_at: resets.get(&(scope, id)).copied(),
            })
            .collect();
        rows.sort_by_key(|row| (row.scope, row.id));
        rows
    }

    fn add_to_minute(&mut self, kind: ScopeKind, id: i64, minute: Timestamp, amount: Money) {
        if !amount.is_zero() {
            let sum = self.sums.entry((kind, id)).or_default().minutes.entry(minute).or_default();
            *sum = sum.plus(amount);
        }
    }

    fn charged(
        &self,
        payers: &Payers,
        amounts: Amounts,
    ) -> impl Iterator<Item = (ScopeKind, i64, Money)> + use<> {
        let Amounts { billed, provider } = amounts;
        // A group without a row has neither limits nor an identity.
        let group = self.groups.get(&payers.group).copied().unwrap_or(0);
        let everybody = payers.callers.then_some((ScopeKind::Global, 0, billed));
        let others = [
            (ScopeKind::User, payers.user, billed),
            (ScopeKind::Key, payers.key, billed),
            (ScopeKind::Group, group, billed),
            (ScopeKind::Package, payers.grant, billed),
            (ScopeKind::Provider, payers.provider, provider),
            (ScopeKind::Credential, payers.credential, provider),
        ];
        everybody.into_iter().chain(others.into_iter().filter(|(_, id, _)| *id != 0))
    }
}

/// Who is charged for a row of sums over requests.
pub(super) fn payers(row: &Row) -> Result<Payers, StoreError> {
    Ok(Payers {
        user: row.int_opt("user_id")?.unwrap_or(0),
        key: row.int_opt("key_id")?.unwrap_or(0),
        grant: row.int_opt("grant_id")?.unwrap_or(0),
        group: row.text_opt("group_name")?.unwrap_or_default(),
        provider: row.int_opt("provider_id")?.unwrap_or(0),
        credential: row.int_opt("credential_id")?.unwrap_or(0),
        callers: true,
    })
}

/// Who is charged for a row of sums by day.
pub(super) fn payer(row: &Row) -> Result<Payers, StoreError> {
    let (kind, id) = (row.text("kind")?, row.int("id")?);
    let mut payer = Payers::default();
    match kind.as_str() {
        "all" => payer.callers = true,
        "user" => payer.user = id,
        "key" => payer.key = id,
        "package" => payer.grant = id,
        "provider" => payer.provider = id,
        "credential" => payer.credential = id,
        _ => payer.group = row.text("name")?,
    }
    Ok(payer)
}

/// The amounts of such a row.
pub(super) fn amounts(row: &Row) -> Result<Amounts, StoreError> {
    Ok(Amounts { billed: row.money("billed")?, provider: row.money("provider")? })
}

/// Who is charged for a row of sums over losses.
pub(super) fn losers(row: &Row) -> Result<Payers, StoreError> {
    let (provider, credential) = (row.int("provider_id")?, row.int("credential_id")?);
    Ok(Payers { provider, credential, ..Payers::default() })
}

/// The amounts of such a row.
pub(super) fn loss(row: &Row) -> Result<Amounts, StoreError> {
    Ok(Amounts { billed: Money::ZERO, provider: row.money("provider")? })
}
