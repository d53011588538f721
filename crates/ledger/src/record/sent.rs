//! What a SENT record says. It neither reads nor writes the frame around it.

use serde::{Deserialize, Serialize};
use types::dialect::Dialect;
use types::request::{Attempt, RequestRecord};
use types::{CredentialId, GrantId, Money, ProviderId, RequestId};

/// Payload of SENT: what is known of a request only once it is about to leave.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Sent {
    /// Whose it is. Readers know it already.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) request_id: Option<RequestId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) provider_id: Option<ProviderId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) credential_id: Option<CredentialId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) upstream_model: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) upstream_dialect: Option<Dialect>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) group: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) grant_id: Option<GrantId>,
    #[serde(skip_serializing_if = "Money::is_zero")]
    pub(crate) held_usd: Money,
    /// The attempt as it begins; none where two that ran side by side are only told apart.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) attempt: Option<Attempt>,
    /// How many attempts stay as they were told before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) known: Option<usize>,
    /// The attempts behind those, as they stand by now: how they ended and what they cost, or that they still run.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) earlier: Vec<Attempt>,
}

impl Sent {
    /// Of a record whose first `known` attempts need no second telling. `begins` says whether its last one begins.
    pub(crate) fn of(record: &RequestRecord, known: usize, begins: bool) -> Self {
        let (last, before) = match record.attempts.split_last() {
            Some((last, before)) if begins => (Some(last), before),
            _ => (None, record.attempts.as_slice()),
        };
        let earlier = before.get(known..).unwrap_or_default().to_vec();
        Self {
            request_id: Some(record.request_id),
            provider_id: record.provider_id,
            credential_id: record.credential_id,
            upstream_model: record.upstream_model.clone(),
            upstream_dialect: record.upstream_dialect,
            group: record.group.clone(),
            grant_id: record.grant_id,
            held_usd: record.held_usd,
            attempt: last.cloned(),
            known: (!earlier.is_empty()).then_some(known),
            earlier,
        }
    }

    /// Adds to an ADMIT what it did not know yet. Version 0.1.0 said nothing here.
    pub(crate) fn merge_into(self, record: &mut RequestRecord) {
        if self.provider_id.is_none() {
            return;
        }
        record.provider_id = self.provider_id;
        record.credential_id = self.credential_id;
        record.upstream_model = self.upstream_model;
        record.upstream_dialect = self.upstream_dialect;
        record.group = self.group;
        record.grant_id = self.grant_id;
        record.held_usd = self.held_usd;
        if let Some(known) = self.known {
            record.attempts.truncate(known);
        }
        record.attempts.extend(self.earlier);
        record.attempts.extend(self.attempt);
    }
}
