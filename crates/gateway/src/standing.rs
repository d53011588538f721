//! How far limits and packages are used, as people and programs see it: the same lines for the administrator, for a
//! member's own page and for `GET /v1/usage`.
//!
//! It reads the counters that requests are held against and decides nothing.

mod grant;
mod line;

use types::limits::{LimitName, Limits};
use types::package::GrantView;
use types::quota::{QuotaLine, ScopeKind};
use types::usage::{OwnUsage, UsageBy, UsageFilter};
use types::{Money, Timestamp, UserId};

use crate::core::Core;
use crate::quota::scope;
use crate::snapshot::{ApiKey, User};

pub(crate) use grant::view as grant_view;
pub(crate) use line::Subject;

/// Windows that are shown for their usage even without a limit.
const USAGE: [LimitName; 4] = [LimitName::Day, LimitName::Week, LimitName::Month, LimitName::Total];
/// Days of a member's usage, today included.
const DAYS: u32 = 30;
/// Models of a member's usage.
const MODELS: u32 = 50;

/// The limits that something has.
pub(crate) fn limits(core: &Core, subject: Subject<'_>, limits: &Limits) -> Vec<QuotaLine> {
    line::lines(core, subject, limits, &[])
}

/// The limits that something has, and its usage in all windows.
pub(crate) fn usage(core: &Core, subject: Subject<'_>, limits: &Limits) -> Vec<QuotaLine> {
    line::lines(core, subject, limits, &USAGE)
}

/// A user's limits.
pub(crate) fn of_user(core: &Core, user: &User) -> Vec<QuotaLine> {
    let name = user.spec.name.as_str();
    limits(core, Subject { scope: scope(ScopeKind::User, user.id.0), name }, &user.spec.limits)
}

/// A key's limits.
pub(crate) fn of_key(core: &Core, key: &ApiKey) -> Vec<QuotaLine> {
    let name = key.spec.name.as_str();
    limits(core, Subject { scope: scope(ScopeKind::Key, key.id.0), name }, &key.spec.limits)
}

/// What a user sees of himself; `key` is the one that asks.
pub(crate) async fn own_usage(
    core: &Core,
    user_id: UserId,
    key: Option<&ApiKey>,
) -> Result<OwnUsage, store::StoreError> {
    let store = &core.store;
    let now = core.clock.now();
    // The present millisecond is part of it.
    let until = now.plus_ms(1);
    let today = now.day_start();
    let since = today.plus_ms(-i64::from(DAYS - 1) * Timestamp::DAY_MS);
    let by = |by, limit| UsageFilter {
        by: Some(by),
        since: Some(since),
        until: Some(until),
        user_id: Some(user_id),
        limit: Some(limit),
        ..UsageFilter::default()
    };
    let snapshot = core.snapshot();
    let user = snapshot.users.get(&user_id);
    let mut quotas = key.map(|key| of_key(core, key)).unwrap_or_default();
    quotas.extend(user.map(|user| of_user(core, user)).unwrap_or_default());
    let mut own = OwnUsage {
        user_id,
        user_name: user.map(|user| user.spec.name.clone()).unwrap_or_default(),
        key_id: key.map(|key| key.id),
        key_name: key.map(|key| key.spec.name.clone()),
        today: store.usage_totals(today, until, Some(user_id)).await?,
        last_30_days: store.usage_totals(since, until, Some(user_id)).await?,
        by_day: store.usage_by(&by(UsageBy::Day, DAYS)).await?,
        by_model: store.usage_by(&by(UsageBy::Model, MODELS)).await?,
        quotas,
        packages: grants_of(core, user_id).await?,
    };
    let lines = own.by_day.iter_mut().chain(&mut own.by_model).map(|line| &mut line.totals);
    for totals in lines.chain([&mut own.today, &mut own.last_30_days]) {
        // What the operator pays is his.
        totals.provider_cost_usd = Money::ZERO;
    }
    Ok(own)
}

/// A user's packages, the latest first.
async fn grants_of(core: &Core, user_id: UserId) -> Result<Vec<GrantView>, store::StoreError> {
    let rows = core.store.grant_list(Some(user_id)).await?;
    Ok(rows.into_iter().rev().map(|row| grant_view(core, row, None)).collect())
}
