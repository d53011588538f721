//! Which conversation a request belongs to, and what it is bound to.

use std::sync::Arc;

use types::Timestamp;
use types::request::{AffinityNote, AffinityOutcome, RequestRecord, SessionSource};
use types::setting::Settings;

use super::Request;
use crate::affinity::{Affinity, Bind, Binding, SessionKey};
use crate::core::Core;
use crate::snapshot::{Credential, Provider};

/// The conversation of one request.
#[derive(Clone, Debug)]
pub(super) struct Conversation {
    pub(super) key: SessionKey,
    pub(super) source: SessionSource,
    /// As people see it.
    name: String,
    /// What it was bound to when the request came.
    pub(super) bound: Option<Arc<Binding>>,
    /// Whether its prompt cache has gone cold, so that moving it costs nothing.
    pub(super) cold: bool,
    /// Whether serving it binds it; counting tokens does not.
    binds: bool,
}

/// Looks the conversation up. `None` if nothing needs to stick: it is switched off, there is no choice, or the
/// request is no part of a conversation.
pub(super) fn of(
    core: &Core,
    request: &Request,
    record: &RequestRecord,
    now: Timestamp,
) -> Option<Conversation> {
    let settings = &request.snapshot.settings;
    if !settings.affinity_enabled || request.snapshot.credentials < 2 {
        return None;
    }
    let endpoint = request.ingress.endpoint;
    let (source, key, name) = if let Some(session) = &record.session_id {
        let key = SessionKey::named(request.key.id, SessionSource::Client, session.as_bytes());
        (SessionSource::Client, key, session.clone())
    } else {
        let prefix = protocol::session::prefix(endpoint, &request.ingress.body)?;
        let key = SessionKey::named(request.key.id, SessionSource::Prefix, &prefix);
        (SessionSource::Prefix, key, hex::encode(prefix))
    };
    let bound = core.affinity.of(key, now);
    let cold = bound.as_ref().is_some_and(|bound| bound.is_cold(now, settings.affinity_cache_minutes));
    Some(Conversation { key, source, name, bound, cold, binds: !endpoint.is_count() })
}

impl Conversation {
    /// One that a client names, for a question that binds nothing.
    pub(super) fn known(
        core: &Core,
        key: SessionKey,
        name: &str,
        settings: &Settings,
        now: Timestamp,
    ) -> Self {
        let bound = core.affinity.of(key, now);
        let cold = bound.as_ref().is_some_and(|bound| bound.is_cold(now, settings.affinity_cache_minutes));
        Self { key, source: SessionSource::Client, name: name.to_owned(), bound, cold, binds: false }
    }

    /// Notes that a credential serves it.
    pub(super) fn served(
        &self,
        affinity: &Affinity,
        request: &Request,
        provider: &Provider,
        credential: &Credential,
        now: Timestamp,
    ) {
        if !self.binds || !provider.spec.routing.sticky {
            return;
        }
        let bind = Bind {
            user: request.key.user.id,
            key: request.key.id,
            provider: provider.id,
            credential: credential.id,
            session: self.name.clone(),
            source: self.source,
        };
        affinity.served(self.key, self.bound.as_ref(), bind, now);
    }

    /// Notes that the bound credential failed it.
    pub(super) fn failed(&self, affinity: &Affinity, credential: &Credential) {
        if let Some(bound) = self.bound.as_ref().filter(|bound| bound.credential == credential.id) {
            affinity.failed(self.key, bound);
        }
    }

    /// For the record.
    pub(super) fn note(&self, outcome: AffinityOutcome, removed_by: Option<&str>) -> AffinityNote {
        AffinityNote {
            outcome,
            source: Some(self.source),
            credential_id: self.bound.as_ref().map(|bound| bound.credential),
            removed_by: removed_by.map(str::to_owned),
        }
    }
}
