//! Where a request was sent, and why: its attempts and the decision behind them.

use serde::{Deserialize, Serialize};

use crate::breaker::BreakerState;
use crate::credential::Tier;
use crate::dialect::{Dialect, named};
use crate::routing::{FailureClass, Strategy};
use crate::translation::{CountNote, TranslationNote};
use crate::{CredentialId, Factor, Money, ProviderId, Timestamp};

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
        /// Another attempt of the same request, which ran beside it, answered first; this one was cancelled.
        Superseded = "superseded",
    }
}

named! {
    /// How sure it is whether the upstream acted on an attempt.
    Commit {
        /// Nothing of the request left, or the upstream said that it did nothing: another try is safe.
        NotSent = "not_sent",
        /// It left, and nobody knows.
        PossiblyAccepted = "possibly_accepted",
        /// The answer began.
        ResponseStarted = "response_started",
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
    /// Whose fault it was; null if it went well or runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<FailureClass>,
    /// Whether the upstream can have acted on it; null if it went well or runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<Commit>,
    /// The model sent, where an alias or a redirect made it another than the one asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// From its start to the head of the upstream's answer, connecting included; null if none came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head_ms: Option<u64>,
    /// How long was waited before it, in milliseconds.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub pause_ms: u64,
    /// Whether it began while the attempt before it still ran, because that one was slow.
    #[serde(default, skip_serializing_if = "is_false")]
    pub hedge: bool,
    /// What was mended in the body for it: `thinking_signature`, `thinking_budget`, `empty_text`,
    /// `orphan_tool_results`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rectified: Vec<String>,
    /// Set if the request was translated for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub translation: Option<TranslationNote>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_false(switch: &bool) -> bool {
    !*switch
}

impl Attempt {
    /// An attempt that has just begun; it counts as interrupted until it is ended.
    pub fn begun(provider: (ProviderId, &str), credential: (CredentialId, &str)) -> Self {
        Self {
            provider_id: provider.0,
            provider_name: provider.1.to_owned(),
            credential_id: credential.0,
            credential_name: credential.1.to_owned(),
            status_code: None,
            outcome: AttemptOutcome::Interrupted,
            reason: None,
            started_ms: 0,
            duration_ms: 0,
            first_byte_ms: None,
            provider_cost_usd: Money::ZERO,
            class: None,
            commit: None,
            model: None,
            head_ms: None,
            pause_ms: 0,
            hedge: false,
            rectified: Vec::new(),
            translation: None,
        }
    }
}

/// How many candidates one filter removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Removed {
    /// The filter's name, see [`Candidate::removed_by`].
    pub filter: String,
    /// How many credentials (or providers without any) it removed.
    pub count: u32,
}

/// One candidate of a selection, what was known of it at that instant, and what became of it.
///
/// Facts that have their usual value are left out of the JSON.
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
    /// The filter that removed it; null if it could have served: `disabled`, `endpoint`, `group`, `model`, `client`,
    /// `dialect`, `schedule`, `unpriced`, `limit`, `no_credential`, `unreadable`, `state`, `cooldown`, `breaker`, `concurrency`,
    /// `unavailable`, `allowance`, `token`, `kept_elsewhere`, `tried`.
    pub removed_by: Option<String>,
    /// Order among those that could serve, 1 is first; null if removed.
    pub rank: Option<u32>,
    /// Its tier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<Tier>,
    /// Priority of provider and credential; lower is first.
    #[serde(default, skip_serializing_if = "both_zero")]
    pub priority: (i32, i32),
    /// Weight of provider times credential.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub weight: u32,
    /// Requests on it then.
    #[serde(default, skip_serializing_if = "none_in_flight")]
    pub in_flight: u32,
    /// What it took to the first byte lately, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<u64>,
    /// List price × this = what it charges.
    #[serde(default, skip_serializing_if = "Factor::is_one")]
    pub cost_multiplier: Factor,
    /// Its breaker; half open also stands for a rest that is over and not yet proved so. Null means closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub breaker: Option<BreakerState>,
    /// Until when it rested, or the earliest instant of a probe.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Why it was ranked after all others although it may serve: `unavailable`; null if it was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub demoted: Option<String>,
    /// What it is spoken to in, if the request has to be translated for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub translated: Option<Dialect>,
    /// Chance to be first among its equals then, in thousandths; null where there was nothing to draw.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chance_permille: Option<u32>,
}

impl Candidate {
    /// A candidate of which nothing but its identity is known.
    pub fn plain(provider: (ProviderId, &str), credential: Option<(CredentialId, &str)>) -> Self {
        Self {
            provider_id: provider.0,
            provider_name: provider.1.to_owned(),
            credential_id: credential.map(|(id, _)| id),
            credential_name: credential.map(|(_, name)| name.to_owned()),
            removed_by: None,
            rank: None,
            tier: None,
            priority: (0, 0),
            weight: 1,
            in_flight: 0,
            latency_ms: None,
            cost_multiplier: Factor::ONE,
            breaker: None,
            until: None,
            demoted: None,
            translated: None,
            chance_permille: None,
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn both_zero(priority: &(i32, i32)) -> bool {
    *priority == (0, 0)
}

fn one() -> u32 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_one(weight: &u32) -> bool {
    *weight == 1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn none_in_flight(count: &u32) -> bool {
    *count == 0
}

named! {
    /// What became of a conversation's binding to a credential.
    AffinityOutcome {
        /// It has no session, or sticking is switched off: nothing was looked up.
        Off = "off",
        /// The first request of a conversation, or its binding had expired.
        Miss = "miss",
        /// The bound credential was chosen.
        Hit = "hit",
        /// The bound credential is gone or could not serve.
        Broken = "broken",
        /// A better credential was free and the conversation's prompt cache was cold anyway.
        Failback = "failback",
    }
}

named! {
    /// Where a conversation's name came from.
    SessionSource {
        /// A header or a field of the body in which clients name it.
        Client = "client",
        /// The digest of its first messages.
        Prefix = "prefix",
    }
}

/// What was known of a conversation when its request was routed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AffinityNote {
    /// What became of the binding.
    pub outcome: AffinityOutcome,
    /// Where the name came from; null if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<SessionSource>,
    /// The bound credential, if there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential_id: Option<CredentialId>,
    /// The filter that kept the bound credential from serving.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removed_by: Option<String>,
}

named! {
    /// What became of a second attempt beside a slow one.
    HedgeOutcome {
        /// It answered first.
        Won = "won",
        /// The first one answered first; this one was cancelled.
        Lost = "lost",
        /// It failed.
        Failed = "failed",
        /// The first one failed while it ran, so it became the only one.
        TookOver = "took_over",
        /// It runs, or its request ended before it was decided.
        Open = "open",
        /// It was due, and too many requests had one already.
        Capped = "capped",
        /// It was due, and what it could waste is more than the setting allows.
        Dear = "dear",
        /// It was due, and nobody was free, well and within all limits.
        Nobody = "nobody",
    }
}

/// A second attempt beside a slow one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HedgeNote {
    /// How long the first one had, in milliseconds: what nearly all answers of that credential and model took to their
    /// first byte lately, and no less than `routing.hedge_min_ms`.
    pub after_ms: u64,
    /// What became of it.
    pub outcome: HedgeOutcome,
    /// What the attempt that did not serve costs its provider, by what its answer had told or else by the estimated
    /// input: the gateway's own cost.
    #[serde(default, skip_serializing_if = "Money::is_zero")]
    pub cost_usd: Money,
}

/// Why a request went where it went, as far as selection is concerned.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Decision {
    /// Candidates of the first selection, those that could serve first, at most 50.
    pub candidates: Vec<Candidate>,
    /// What each filter removed.
    pub removed: Vec<Removed>,
    /// Version of the configuration that it was taken under.
    pub config_revision: i64,
    /// The order of tiers in force; empty in records of old versions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tier_order: Vec<Tier>,
    /// Who was first among equals; null means `weighted`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strategy: Option<Strategy>,
    /// The seed of the draw.
    #[serde(default)]
    pub seed: u64,
    /// The conversation; null where none was looked up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub affinity: Option<AffinityNote>,
    /// The models that an alias stood for, in order; empty if there was none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub models: Vec<String>,
    /// How long it waited for a free slot, in milliseconds.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub queued_ms: u64,
    /// The second attempt beside a slow one; null where none was due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hedge: Option<HedgeNote>,
    /// How long choosing took, in microseconds.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub route_us: u64,
    /// Set if tokens were counted by Tollgate itself: nothing was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counted: Option<CountNote>,
}
