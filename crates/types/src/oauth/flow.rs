//! Sign-ins under way.

use serde::{Deserialize, Serialize};

use crate::dialect::named;
use crate::{CredentialId, OauthFlowId, ProviderId, Secret, Timestamp};

named! {
    /// How the vendor's answer comes back.
    FlowWay {
        /// To this gateway's own address: `BASE_URL/auth/enrol/callback`.
        Callback = "callback",
        /// To a port of this machine that the vendor fixed.
        Loopback = "loopback",
        /// On the vendor's page, to be pasted.
        Paste = "paste",
        /// Not at all: a code is typed in on the vendor's page, and its token endpoint is asked meanwhile.
        Device = "device",
    }
}

named! {
    /// How far a sign-in is.
    FlowPhase {
        /// The browser is at the vendor's.
        WaitingCallback = "waiting_callback",
        /// The code is being typed in on the vendor's page.
        WaitingDevice = "waiting_device",
        /// The code is being turned into tokens.
        Exchanging = "exchanging",
        /// Done.
        Completed = "completed",
        /// It failed, and says why.
        Error = "error",
        /// Somebody gave it up.
        Cancelled = "cancelled",
        /// Nobody came back within ten minutes.
        Expired = "expired",
    }
}

/// A sign-in as shown: never its state or verifier.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FlowView {
    /// Identity.
    pub id: OauthFlowId,
    /// The vendor's name.
    pub vendor: String,
    /// The provider that the account is for.
    pub provider_id: ProviderId,
    /// Its name; null if it was deleted.
    #[serde(default)]
    pub provider_name: Option<String>,
    /// The credential that is signed in again, or that came of it.
    pub credential_id: Option<CredentialId>,
    /// Its name; null if there is none, or if it was deleted.
    #[serde(default)]
    pub credential_name: Option<String>,
    /// How the answer comes back.
    pub way: FlowWay,
    /// How far it is.
    pub phase: FlowPhase,
    /// The vendor's page for the browser; null if it is not waiting, or for another session.
    pub authorize_url: Option<String>,
    /// The redirect as the vendor has to know it.
    pub redirect_uri: Option<String>,
    /// The code to type in.
    pub user_code: Option<String>,
    /// The page to type it in.
    pub verification_url: Option<String>,
    /// The same with the code filled in.
    pub verification_url_complete: Option<String>,
    /// Seconds between two questions to the vendor.
    pub interval_s: Option<u64>,
    /// What could go wrong, found before anybody left the page.
    #[serde(default)]
    pub warnings: Vec<String>,
    /// The listener of a fixed port.
    pub port: Option<PortView>,
    /// Code of the failure; see the handbook.
    pub error_code: Option<String>,
    /// The failure in a sentence.
    pub error: Option<String>,
    /// The request in which it failed.
    pub request_id: Option<String>,
    /// When it began.
    pub created_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Timestamp,
}

named! {
    /// What a fixed port does.
    PortState {
        /// A sign-in waits there.
        Listening = "listening",
        /// Another program has it.
        Occupied = "occupied",
        /// No sign-in needs it now.
        Off = "off",
    }
}

/// A fixed port of a vendor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PortView {
    /// Its number.
    pub port: u16,
    /// What it does.
    pub state: PortState,
    /// What the system said, if it is occupied; or what switched it off.
    pub reason: Option<String>,
}

/// A fixed port, and who sends browsers to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CallbackPort {
    /// The port.
    #[serde(flatten)]
    pub port: PortView,
    /// Names of the vendors.
    pub vendors: Vec<String>,
}

/// Body of `POST /api/admin/oauth/flows`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct BeginFlow {
    /// The vendor's name.
    pub vendor: String,
    /// The provider that the account is for; may be left out with `credential_id`.
    pub provider_id: Option<ProviderId>,
    /// The credential to sign in again; absent for a new one.
    pub credential_id: Option<CredentialId>,
    /// Name of the new credential; default: the account's e-mail.
    pub name: Option<String>,
    /// `callback`, `loopback`, `paste` or `device`; default: what suits the vendor.
    pub way: Option<String>,
    /// Origin that the browser shows; compared with `BASE_URL` before anybody leaves.
    pub origin: Option<String>,
}

/// Body of `POST /api/admin/oauth/flows/{id}/finish`.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct FinishFlow {
    /// The address that the browser ended at, its query, its fragment, or `code#state`.
    pub pasted: Option<Secret<String>>,
}

/// What a refresh did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RefreshResult {
    /// The credential.
    pub credential_id: CredentialId,
    /// Its name.
    pub name: String,
    /// Whether it has a fresh token now.
    pub refreshed: bool,
    /// Why not.
    pub reason: Option<String>,
    /// Milliseconds that it took.
    pub duration_ms: u64,
}

/// What "refresh all that expire" did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RefreshSummary {
    /// One entry for each that was due.
    pub items: Vec<RefreshResult>,
}
