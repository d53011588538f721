//! Groups: tags on providers that users and keys may be confined to, with what they cost.

use serde::{Deserialize, Serialize};

use crate::limits::{Limits, LimitsInput};
use crate::problem::FieldErrors;
use crate::routing::Strategy;
use crate::{Factor, GroupId, Patch, Problem, Timestamp};

/// A group as shown. It exists as long as a provider, a user or a key names it, or a rate or limit was
/// set for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct GroupView {
    /// Identity; null until a rate or a limit was set.
    pub id: Option<GroupId>,
    /// The tag.
    pub name: String,
    /// Multiplies what is paid for requests through this group. Where several groups lead to the same provider, the
    /// highest rate holds.
    pub price_rate: Factor,
    /// Limits of everything that goes through it.
    pub limits: Limits,
    /// Who is first among equals for keys confined to it; null means the setting `routing.strategy`.
    pub strategy: Option<Strategy>,
    /// Providers that carry it.
    pub providers: u32,
    /// Users confined to it.
    pub users: u32,
    /// Keys confined to it.
    pub keys: u32,
    /// Usage counts towards limits from here on; null means from the beginning.
    pub usage_reset_at: Option<Timestamp>,
    /// Last change; null if there was none.
    pub updated_at: Option<Timestamp>,
    /// Grows with each change; 0 if there was none.
    pub version: i64,
}

/// Body of `PUT /api/admin/groups/{name}`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct UpdateGroup {
    /// New rate.
    pub price_rate: Option<Factor>,
    /// Changed limits; null or 0 removes one.
    pub limits: LimitsInput,
    /// New strategy; null means the setting.
    pub strategy: Patch<Strategy>,
    /// If given, must equal the stored version.
    pub version: Option<i64>,
}

/// The checked content of a group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupSpec {
    /// Multiplies what is paid.
    pub price_rate: Factor,
    /// Limits.
    pub limits: Limits,
    /// Who is first among equals; `None` means the setting.
    pub strategy: Option<Strategy>,
}

impl UpdateGroup {
    /// Applies the change to what is stored now and checks the result.
    pub fn apply(&self, current: GroupSpec) -> Result<GroupSpec, Problem> {
        let mut errors = FieldErrors::default();
        let spec = GroupSpec {
            price_rate: self.price_rate.unwrap_or(current.price_rate),
            limits: self.limits.apply(current.limits, &mut errors),
            strategy: self.strategy.clone().apply(current.strategy),
        };
        errors.finish(spec)
    }
}
