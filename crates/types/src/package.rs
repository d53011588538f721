//! Packages: what a user was granted. Templates, grants, their states and views.

use serde::{Deserialize, Serialize};

use crate::clean::{clean_name, clean_patterns};
use crate::dialect::named;
use crate::money::Money;
use crate::problem::FieldErrors;
use crate::{GrantId, PackageId, Patch, Problem, Timestamp, UserId};

named! {
    /// How a package pays.
    PackageKind {
        /// Amounts that come back each day, week and month.
        Subscription = "subscription",
        /// One total.
        Quota = "quota",
    }
}

named! {
    /// State of a grant.
    GrantState {
        /// Pays.
        Active = "active",
        /// Begins later.
        Pending = "pending",
        /// Its time is over.
        Expired = "expired",
        /// Its total is used up.
        Exhausted = "exhausted",
        /// Revoked by an administrator.
        Disabled = "disabled",
    }
}

/// What a package grants, checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PackageSpec {
    /// Unique among templates that are not deleted.
    pub name: String,
    /// How it pays.
    pub kind: PackageKind,
    /// Subscription: USD a day; null means no bound by the day.
    pub daily_usd: Option<Money>,
    /// Subscription: USD a week.
    pub weekly_usd: Option<Money>,
    /// Subscription: USD a month.
    pub monthly_usd: Option<Money>,
    /// Quota: USD altogether.
    pub total_usd: Option<Money>,
    /// Days that a grant lasts; null means for ever.
    pub duration_days: Option<u32>,
    /// Patterns of the models that it pays for; empty means all.
    pub models: Vec<String>,
}

/// A template as shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PackageView {
    /// Identity.
    pub id: PackageId,
    /// What it grants.
    #[serde(flatten)]
    pub spec: PackageSpec,
    /// Grants made from it that are not revoked.
    pub grants: u64,
    /// When it was added.
    pub created_at: Timestamp,
    /// Last change.
    pub updated_at: Timestamp,
    /// Set if it was deleted and can still be restored.
    pub deleted_at: Option<Timestamp>,
    /// Grows with each change.
    pub version: i64,
}

/// Body of `POST /api/admin/packages` and of `PATCH /api/admin/packages/{id}`, where absent fields stay. A change
/// of a template does not change grants made from it.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct PackageInput {
    /// 1 to 80 characters, unique; needed for a new one.
    pub name: Option<String>,
    /// `subscription` or `quota`; needed for a new one and fixed then.
    pub kind: Option<PackageKind>,
    /// USD a day.
    pub daily_usd: Patch<Money>,
    /// USD a week.
    pub weekly_usd: Patch<Money>,
    /// USD a month.
    pub monthly_usd: Patch<Money>,
    /// USD altogether.
    pub total_usd: Patch<Money>,
    /// Days that a grant lasts, 1 to 36,500.
    pub duration_days: Patch<u32>,
    /// Patterns of models.
    pub models: Option<Vec<String>>,
    /// If given, must equal the stored version.
    pub version: Option<i64>,
}

impl PackageInput {
    /// Applies the input to a stored template, or to nothing for a new one.
    pub fn apply(&self, current: Option<PackageSpec>) -> Result<PackageSpec, Problem> {
        let mut errors = FieldErrors::default();
        let kind = match (&current, self.kind) {
            (Some(current), Some(kind)) if current.kind != kind => {
                errors.add("kind", "the kind of a package cannot change; make a new one");
                kind
            }
            (Some(current), _) => current.kind,
            (None, Some(kind)) => kind,
            (None, None) => {
                errors.add("kind", "expected subscription or quota");
                PackageKind::Quota
            }
        };
        let old = current.unwrap_or(PackageSpec {
            name: String::new(),
            kind,
            daily_usd: None,
            weekly_usd: None,
            monthly_usd: None,
            total_usd: None,
            duration_days: None,
            models: Vec::new(),
        });
        let amount = |patch: &Patch<Money>, old| patch.clone().apply(old).filter(|m: &Money| !m.is_zero());
        let spec = PackageSpec {
            name: clean_name(self.name.as_ref().unwrap_or(&old.name), "name", &mut errors),
            kind,
            daily_usd: amount(&self.daily_usd, old.daily_usd),
            weekly_usd: amount(&self.weekly_usd, old.weekly_usd),
            monthly_usd: amount(&self.monthly_usd, old.monthly_usd),
            total_usd: amount(&self.total_usd, old.total_usd),
            duration_days: self.duration_days.clone().apply(old.duration_days),
            models: self.models.as_ref().map_or(old.models, |m| clean_patterns(m, "models", &mut errors)),
        };
        spec.check(&mut errors);
        errors.finish(spec)
    }
}

impl PackageSpec {
    fn check(&self, errors: &mut FieldErrors) {
        let periods = [
            ("daily_usd", self.daily_usd),
            ("weekly_usd", self.weekly_usd),
            ("monthly_usd", self.monthly_usd),
        ];
        match self.kind {
            PackageKind::Subscription => {
                if self.total_usd.is_some() {
                    errors.add("total_usd", "a subscription has amounts by day, week or month");
                }
                if periods.iter().all(|(_, amount)| amount.is_none()) {
                    errors.add("monthly_usd", "a subscription needs an amount by day, week or month");
                }
            }
            PackageKind::Quota => {
                if self.total_usd.is_none() {
                    errors.add("total_usd", "a quota needs a total");
                }
                for (field, amount) in periods {
                    if amount.is_some() {
                        errors.add(field, "a quota has one total only");
                    }
                }
            }
        }
        if self.duration_days.is_some_and(|days| !(1..=36_500).contains(&days)) {
            errors.add("duration_days", "expected 1 to 36,500");
        }
    }
}

/// A grant's window as shown: a bar.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct GrantView {
    /// Identity.
    pub id: GrantId,
    /// Who has it.
    pub user_id: UserId,
    /// His name.
    pub user_name: Option<String>,
    /// The template that it was made from; null if it was made by hand.
    pub package_id: Option<PackageId>,
    /// What it grants, as it was when it was granted (and changed since).
    #[serde(flatten)]
    pub spec: PackageSpec,
    /// State at this instant.
    pub state: GrantState,
    /// When it begins to pay.
    pub starts_at: Timestamp,
    /// When it stops; null means never.
    pub ends_at: Option<Timestamp>,
    /// Used in the current day, week, month, and altogether since the last reset.
    pub used: Vec<crate::quota::QuotaLine>,
    /// When it was granted.
    pub created_at: Timestamp,
    /// Last change.
    pub updated_at: Timestamp,
    /// Grows with each change.
    pub version: i64,
}

/// Body of `POST /api/admin/users/{id}/packages`.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct GrantPackage {
    /// The template.
    pub package_id: Option<PackageId>,
    /// Default now.
    pub starts_at: Option<Timestamp>,
    /// Default: after the template's days.
    pub ends_at: Patch<Timestamp>,
}

/// Body of `PATCH /api/admin/grants/{id}`: absent fields stay.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct UpdateGrant {
    /// New end; null means never. An expired grant becomes active again.
    pub ends_at: Patch<Timestamp>,
    /// Revoke (true) or give back (false).
    pub disabled: Option<bool>,
    /// New amounts.
    pub daily_usd: Patch<Money>,
    /// New amounts.
    pub weekly_usd: Patch<Money>,
    /// New amounts.
    pub monthly_usd: Patch<Money>,
    /// New amounts.
    pub total_usd: Patch<Money>,
    /// If given, must equal the stored version.
    pub version: Option<i64>,
}

impl UpdateGrant {
    /// Applies new amounts to what is granted now.
    pub fn apply(&self, current: PackageSpec) -> Result<PackageSpec, Problem> {
        PackageInput {
            daily_usd: self.daily_usd.clone(),
            weekly_usd: self.weekly_usd.clone(),
            monthly_usd: self.monthly_usd.clone(),
            total_usd: self.total_usd.clone(),
            ..PackageInput::default()
        }
        .apply(Some(current))
    }
}
