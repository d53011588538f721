//! What is sealed under which key, and how far sealing it anew has come.

use serde::{Deserialize, Serialize};

use crate::Timestamp;
use crate::dialect::named;

named! {
    /// How a rotation of the encryption key stands.
    RotationPhase {
        /// None was begun since the process started.
        Idle = "idle",
        /// Under way.
        Running = "running",
        /// Through to the end.
        Done = "done",
        /// Stopped before its end; begun again it goes on with what is left.
        Stopped = "stopped",
    }
}

/// How far sealing everything anew has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Rotation {
    /// How it stands.
    pub phase: RotationPhase,
    /// Values there are.
    pub total: u64,
    /// Values looked at so far.
    pub seen: u64,
    /// Of these, sealed anew with the current key. The others had it already, or cannot be opened.
    pub resealed: u64,
    /// Values that no configured secret opens; they stay as they are.
    pub unreadable: u64,
    /// When it began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Why it stopped before its end.
    pub error: Option<String>,
}

impl Default for Rotation {
    fn default() -> Self {
        Self {
            phase: RotationPhase::Idle,
            total: 0,
            seen: 0,
            resealed: 0,
            unreadable: 0,
            started_at: None,
            ended_at: None,
            error: None,
        }
    }
}

/// One kind of sealed values, and under which keys they are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SealedLine {
    /// `credential_secret`, `credential_proxy`, `provider_proxy`, `vendor_secret`, `sign_in` or `installation`.
    pub kind: String,
    /// Values of this kind, deleted ones included.
    pub total: u64,
    /// Sealed with the current key.
    pub current: u64,
    /// Sealed with a former key that is configured, so that a rotation brings them over.
    pub former: u64,
    /// Sealed with a key that is configured no more, or damaged.
    pub unknown: u64,
}

/// Answer of `GET /api/admin/secrets`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SecretsView {
    /// Identity of the key that seals now.
    pub key_id: String,
    /// Identities of the former keys that are configured (`ENCRYPTION_SECRET_PREVIOUS`).
    pub former_key_ids: Vec<String>,
    /// By kind.
    pub lines: Vec<SealedLine>,
    /// Whether all that can be opened is under the current key, so that former secrets may be taken out.
    pub all_current: bool,
    /// The last rotation of this process.
    pub rotation: Rotation,
}
