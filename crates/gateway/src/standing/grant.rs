//! A grant with its state and its bars.

use store::GrantRow;
use types::limits::LimitName;
use types::package::{GrantState, GrantView, PackageKind};
use types::quota::ScopeKind;

use super::line::{Subject, lines};
use crate::core::Core;
use crate::quota::scope;
use crate::snapshot::Grant;

/// The grant as shown; `user_name` only where the viewer is not the user himself.
pub(crate) fn view(core: &Core, row: GrantRow, user_name: Option<String>) -> GrantView {
    let GrantRow {
        id,
        user_id,
        package_id,
        spec,
        starts_at,
        ends_at,
        disabled_at,
        usage_reset_at: _,
        created_at,
        updated_at,
        version,
    } = row;
    let limits = Grant::limits_of(&spec);
    let grant = Grant { id, spec, starts_at, ends_at, disabled: disabled_at.is_some(), limits };
    let subject = Subject { scope: scope(ScopeKind::Package, id.0), name: &grant.spec.name };
    let shown: &[LimitName] = match grant.spec.kind {
        PackageKind::Subscription => &super::USAGE,
        PackageKind::Quota => &[LimitName::Total],
    };
    let used = lines(core, subject, &grant.limits, shown);
    let state = match grant.state(core.clock.now()) {
        GrantState::Active if is_spent(core, &grant) => GrantState::Exhausted,
        state => state,
    };
    let Grant { spec, .. } = grant;
    GrantView {
        id,
        user_id,
        user_name,
        package_id,
        spec,
        state,
        starts_at,
        ends_at,
        used,
        created_at,
        updated_at,
        version,
    }
}

/// Whether its one total is used up; amounts by day, week or month come back.
fn is_spent(core: &Core, grant: &Grant) -> bool {
    let total = core.quotas.budgets.total(scope(ScopeKind::Package, grant.id.0));
    grant.limits.limit_total_usd.is_some_and(|limit| total >= limit)
}
