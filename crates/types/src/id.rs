//! Identifiers as newtypes, so that a user id can never be passed for a provider id.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

macro_rules! integer_id {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = std::num::ParseIntError;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }

        impl From<i64> for $name {
            fn from(value: i64) -> Self {
                Self(value)
            }
        }
    )+};
}

integer_id! {
    /// An upstream endpoint.
    ProviderId,
    /// What authenticates to a provider.
    CredentialId,
    /// Who is served.
    UserId,
    /// A key that Tollgate issued.
    ApiKeyId,
    /// A group of providers that has a rate or a limit of its own.
    GroupId,
    /// A template of packages.
    PackageId,
    /// A package as granted to a user.
    GrantId,
    /// One row of the audit log.
    AuditId,
    /// A rule about upstreams' errors.
    ErrorRuleId,
    /// A sign-in with a vendor.
    OauthFlowId,
}

/// Identity of one request: a UUID version 7, so that ids sort by time (RFC 9562 §5.7).
///
/// The caller may send his own `x-request-id`; that is kept beside this one and never replaces it,
/// because two callers may choose the same text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transparent))]
#[serde(transparent)]
pub struct RequestId(#[cfg_attr(feature = "schema", schemars(with = "String"))] pub uuid::Uuid);

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_hyphenated().fmt(f)
    }
}

impl FromStr for RequestId {
    type Err = uuid::Error;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        uuid::Uuid::parse_str(text).map(Self)
    }
}
