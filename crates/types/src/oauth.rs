//! Accounts by OAuth: what a vendor's descriptor says, how fresh a token is, and sign-ins under way.
//!
//! Data only. The protocol lives in crate `oauth`, keeping tokens fresh in `gateway`.

mod flow;
mod probe;
mod vendor;

use serde::{Deserialize, Serialize};

use crate::Timestamp;
use crate::dialect::named;

pub use flow::{
    BeginFlow, CallbackPort, FinishFlow, FlowPhase, FlowView, FlowWay, PortState, PortView, RefreshResult,
    RefreshSummary,
};
pub use probe::{BalanceSpec, ProbeMeaning, ProbeSpec};
pub use vendor::{BodyForm, ClientAuth, Grant, PutVendor, Terms, VendorSpec, VendorView, is_vendor_name};

named! {
    /// What a failed refresh means.
    TokenFault {
        /// The token endpoint could not be reached or had too much to do; it is tried again.
        Transient = "transient",
        /// The vendor takes the stored token no more: somebody has to sign in again.
        NeedsSignIn = "needs_sign_in",
        /// The vendor says that access was withdrawn: somebody has to sign in again.
        Revoked = "revoked",
    }
}

named! {
    /// How fresh an account is, computed from what is stored (RF-01).
    TokenStatus {
        /// Good, and not due yet.
        Active = "active",
        /// Good, and due to be refreshed.
        Expiring = "expiring",
        /// Over. The next request or the task refreshes it.
        Expired = "expired",
        /// The last refresh failed; it is tried again.
        RefreshFailed = "refresh_failed",
        /// Somebody has to sign in again.
        NeedsReauth = "needs_reauth",
        /// What is stored cannot be decrypted.
        Unreadable = "unreadable",
        /// Switched off.
        Disabled = "disabled",
    }
}

/// What is stored of an account beside its sealed tokens.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CredentialToken {
    /// Name of the vendor's descriptor.
    pub vendor: Option<String>,
    /// E-mail or name of the account, as the vendor told it.
    pub account: Option<String>,
    /// Scopes that were granted, separated by blanks.
    pub scopes: Option<String>,
    /// When the access token is over; null if the vendor did not say.
    pub expires_at: Option<Timestamp>,
    /// When the stored token was obtained.
    pub refreshed_at: Option<Timestamp>,
    /// Why the last refresh failed; null if it did not.
    pub error: Option<String>,
    /// When it failed.
    pub error_at: Option<Timestamp>,
    /// What that means.
    pub fault: Option<TokenFault>,
    /// Failures in a row.
    pub failures: u32,
    /// Grows with each stored token (compare-and-set).
    pub version: i64,
    /// A refresh began and has not ended: until when it keeps others away. What is left of one whose process died
    /// shows that its answer may be lost.
    pub leased_until: Option<Timestamp>,
}

/// Share of a token's life after which it is refreshed, in percent.
const SHARE: i64 = 80;
/// Or so long before its end, whichever is earlier.
const MARGIN_MS: i64 = 5 * 60_000;

impl CredentialToken {
    /// When it is to be refreshed, before jitter: at 80 % of its life or five minutes before its end, whichever is
    /// earlier, but not in the first half of a short life. Null if the end is unknown.
    pub fn due_at(&self) -> Option<Timestamp> {
        let end = self.expires_at?;
        let start = self.refreshed_at.unwrap_or_else(|| end.plus_ms(-Timestamp::HOUR_MS));
        let life = end.0.saturating_sub(start.0).max(0);
        let early = (life - MARGIN_MS).max(life / 2).min(life.saturating_mul(SHARE) / 100);
        Some(start.plus_ms(early))
    }

    /// Whether nothing but somebody who signs in again mends it, as far as its vendor said.
    pub fn is_lost(&self) -> bool {
        matches!(self.fault, Some(TokenFault::NeedsSignIn | TokenFault::Revoked))
    }

    /// Whether it is over at an instant.
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|end| end <= now)
    }
}

/// How fresh an account is, as shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TokenView {
    /// Computed.
    pub status: TokenStatus,
    /// Why, and what to do; null while all is well.
    pub reason: Option<String>,
    /// The vendor's descriptor.
    pub vendor: Option<String>,
    /// E-mail or name of the account.
    pub account: Option<String>,
    /// Granted scopes.
    pub scopes: Option<String>,
    /// End of the access token.
    pub expires_at: Option<Timestamp>,
    /// When the stored token was obtained.
    pub refreshed_at: Option<Timestamp>,
    /// When it is refreshed next; null if it will not be.
    pub next_refresh_at: Option<Timestamp>,
    /// Why the last refresh failed.
    pub error: Option<String>,
    /// When it failed.
    pub error_at: Option<Timestamp>,
    /// What the failure means.
    pub fault: Option<TokenFault>,
    /// Failures in a row.
    pub failures: u32,
    /// Whether it holds what a refresh needs.
    pub can_refresh: bool,
}

#[cfg(test)]
mod tests;
