//! Where a request was sent, and why: its attempts and the decision behind them.

use serde::{Deserialize, Serialize};

use crate::dialect::named;
use crate::{CredentialId, Money, ProviderId};

named! {
    /// How one try at one credential ended.
    AttemptOutcome {
        /// The upstream answered and the answer went to the caller.
        Done = "done",
        /// No connection (refused, DNS, TLS, proxy): nothing was sent.
        ConnectFailed = "connect_failed",
        /// The connection broke after the request was sent and before an answer began.
        NoAnswer = "no_answer",
        /// A deadline passed.
        TimedOut = "timed_out",
        /// The upstream answered with an error status or an error body.
        UpstreamError = "upstream_error",
        /// The answer could not be understood (bad encoding, a redirect, a web page).
        BadAnswer = "bad_answer",
        /// The answer broke off after it had begun.
        CutOff = "cut_off",
        /// Tollgate cut it because its cost reached a limit.
        BudgetCut = "budget_cut",
        /// The caller left.
        ClientGone = "client_gone",
        /// The process stopped or crashed while it ran.
        Interrupted = "interrupted",
    }
}

/// One try at one credential.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Attempt {
    /// The provider tried.
    pub provider_id: ProviderId,
    /// Its name then.
    pub provider_name: String,
    /// The credential tried.
    pub credential_id: CredentialId,
    /// Its name then.
    pub credential_name: String,
    /// The upstream's status, null if none came.
    pub status_code: Option<u16>,
    /// How it ended.
    pub outcome: AttemptOutcome,
    /// One sentence, without secrets.
    pub reason: Option<String>,
    /// Milliseconds after the request's arrival at which it began.
    pub started_ms: u64,
    /// From its start to its end.
    pub duration_ms: u64,
    /// From its start to the upstream's first body byte.
    pub first_byte_ms: Option<u64>,
    /// What the provider charges for this attempt; for one that failed this is the gateway's loss, not its caller's.
    #[serde(default, skip_serializing_if = "Money::is_zero")]
    pub provider_cost_usd: Money,
}

/// How many candidates one filter removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Removed {
    /// The filter's name: `disabled`, `endpoint`, `group`, `model`, `no_credential`, `unreadable`, `concurrency`, `tried`.
    pub filter: String,
    /// How many credentials (or providers without any) it removed.
    pub count: u32,
}

/// One candidate of a selection and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Candidate {
    /// The provider.
    pub provider_id: ProviderId,
    /// Its name then.
    pub provider_name: String,
    /// The credential; null for a provider that was removed as a whole.
    pub credential_id: Option<CredentialId>,
    /// Its name then.
    pub credential_name: Option<String>,
    /// The filter that removed it; null if it could have served.
    pub removed_by: Option<String>,
    /// Order among those that could serve, 1 is first; null if removed.
    pub rank: Option<u32>,
}

/// Why a request went where it went, as far as selection is concerned.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Decision {
    /// Every candidate of the first selection, at most 200.
    pub candidates: Vec<Candidate>,
    /// What each filter removed.
    pub removed: Vec<Removed>,
    /// Version of the configuration that it was taken under.
    pub config_revision: i64,
}
