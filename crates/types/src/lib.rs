//! The vocabulary: identifiers, validated values, views and inputs that every other crate shares.
//!
//! It performs no IO, reads no clock, and compiles for the browser. It does not know vendors' payloads.

pub mod alias;
pub mod allowance;
pub mod api_key;
pub mod audit;
pub mod base_url;
pub mod books;
pub mod breaker;
pub mod cached;
pub mod catalogue;
pub mod check;
mod clean;
pub mod credential;
pub mod dialect;
pub mod error_rule;
pub mod group;
pub mod id;
pub mod import;
pub mod limits;
pub mod money;
pub mod oauth;
pub mod package;
pub mod page;
pub mod patch;
pub mod pattern;
pub mod pool;
pub mod price;
pub mod principal;
pub mod problem;
pub mod provider;
pub mod quota;
pub mod request;
pub mod rotation;
pub mod routing;
pub mod secret;
pub mod setting;
pub mod simulation;
pub mod system;
pub mod time;
pub mod translation;
pub mod usage;
pub mod user;

pub use id::{
    ApiKeyId, AuditId, CredentialId, ErrorRuleId, GrantId, GroupId, OauthFlowId, PackageId, ProviderId,
    RequestId, UserId,
};
pub use money::{Factor, Money};
pub use page::Page;
pub use patch::Patch;
pub use problem::Problem;
pub use secret::Secret;
pub use time::Timestamp;
