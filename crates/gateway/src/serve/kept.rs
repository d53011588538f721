//! Responses that their vendor keeps: a request that continues one goes to the account that made it, and to no other.

use std::sync::Arc;

use bytes::Bytes;
use serde::Deserialize;
use types::dialect::Endpoint;
use types::{CredentialId, Timestamp, UserId};

use super::route::Selection;
use super::{Ingress, Request};
use crate::core::Core;
use crate::error::Refusal;
use crate::keepers::{Keeper, Keepers};

/// Bytes of a stream in which the id of its response must come; its first event repeats the request's instructions
/// and tools.
const FIRST_EVENT: usize = 4 * 1024 * 1024;

/// What a request continues, and who keeps it.
#[derive(Clone, Debug)]
pub(super) struct Continued {
    pub(super) keeper: Keeper,
    /// The id, as it is told in a refusal.
    id: String,
    field: &'static str,
}

/// A conversation's id, alone or in an object.
#[derive(Deserialize)]
#[serde(untagged)]
enum Named {
    Id(String),
    Object { id: String },
}

impl Named {
    fn id(self) -> String {
        match self {
            Self::Id(id) | Self::Object { id } => id,
        }
    }
}

#[derive(Deserialize)]
struct Asked {
    previous_response_id: Option<String>,
    conversation: Option<Named>,
    store: Option<bool>,
}

/// Filters that are over some time.
const PASSING: [&str; 9] =
    ["cooldown", "breaker", "concurrency", "limit", "token", "allowance", "unavailable", "schedule", "tried"];

fn speaks(endpoint: Endpoint) -> bool {
    matches!(endpoint, Endpoint::Responses | Endpoint::ResponsesCompact)
}

/// Who keeps what a request continues; `None` if it continues nothing, or nobody is known to keep it.
pub(super) fn of(core: &Core, user: UserId, ingress: &Ingress) -> Option<Continued> {
    let names = |field: &str| memchr::memmem::find(&ingress.body, field.as_bytes()).is_some();
    if !speaks(ingress.endpoint) || !names("\"previous_response_id\"") && !names("\"conversation\"") {
        return None;
    }
    let asked = serde_json::from_slice::<Asked>(&ingress.body).ok()?;
    let previous = asked.previous_response_id.map(|id| (id, "previous_response_id"));
    let (id, field) = previous.or_else(|| Some((asked.conversation?.id(), "conversation")))?;
    let keeper = core.keepers.of(user, &id)?;
    Some(Continued { keeper, id: id.chars().take(80).collect(), field })
}

impl Continued {
    /// Whether a credential is another one than that which keeps it.
    pub(super) fn is_not_with(&self, credential: CredentialId) -> bool {
        self.keeper.credential != credential
    }

    /// What the caller is told if the one account that could serve him cannot.
    pub(super) fn refusal(&self, selection: &Selection<'_>, now: Timestamp) -> Refusal {
        let Self { keeper, id, field } = self;
        let (filter, until) = selection.why_not(*keeper).unwrap_or(("gone", None));
        if !PASSING.contains(&filter) {
            let message = format!(
                "the account that kept '{field}' {id} does not serve this request any more ({filter}), and no other \
                 knows it; send the whole input without it"
            );
            return Refusal::new(400, "previous_response_not_found", message).with("field", *field);
        }
        let message = format!(
            "the account that keeps '{field}' {id} cannot serve now ({filter}), and no other knows it; wait, or send \
             the whole input without it"
        );
        let refusal = Refusal::new(503, "previous_response_unavailable", message).with("field", *field);
        let wait_ms = until.and_then(|at| u64::try_from(at.0.saturating_sub(now.0).max(1)).ok());
        let busy = (filter == "concurrency").then_some(1);
        match busy.or(wait_ms.map(|ms| ms.div_ceil(1_000))) {
            Some(seconds) => refusal.retry_after(seconds.clamp(1, 3_600)),
            None => refusal,
        }
    }
}

/// Listens to an answer for the id under which its vendor keeps it.
pub(super) struct Listener {
    keepers: Arc<Keepers>,
    user: UserId,
    keeper: Keeper,
    /// The beginning of a stream, until its first event is whole.
    begun: Vec<u8>,
}

#[derive(Deserialize)]
struct Response {
    id: Option<String>,
    conversation: Option<Named>,
}

#[derive(Deserialize)]
struct Event {
    response: Response,
}

impl Listener {
    /// For the answer of a request in its own dialect; `None` if nobody keeps it.
    pub(super) fn of(core: &Core, request: &Request, keeper: Keeper) -> Option<Self> {
        let ingress = &request.ingress;
        let kept = ingress.endpoint == Endpoint::Responses
            && serde_json::from_slice::<Asked>(&ingress.body).is_ok_and(|asked| asked.store != Some(false));
        kept.then(|| Self {
            keepers: core.keepers.clone(),
            user: request.key.user.id,
            keeper,
            begun: Vec::new(),
        })
    }

    /// A whole answer came.
    pub(super) fn whole(&self, body: &Bytes) {
        if let Ok(response) = serde_json::from_slice::<Response>(body) {
            self.note(response);
        }
    }

    /// A piece of a stream came. Gives itself back if more must be heard.
    pub(super) fn piece(mut self, piece: &[u8]) -> Option<Self> {
        self.begun.extend_from_slice(piece);
        let mut lines = self.begun.split_inclusive(|byte| *byte == b'\n');
        let data = lines.find_map(|line| line.strip_prefix(b"data:").filter(|data| data.ends_with(b"\n")));
        let Some(data) = data else { return (self.begun.len() < FIRST_EVENT).then_some(self) };
        if let Ok(event) = serde_json::from_slice::<Event>(data) {
            self.note(event.response);
        }
        None
    }

    fn note(&self, response: Response) {
        for id in response.id.into_iter().chain(response.conversation.map(Named::id)) {
            self.keepers.note(self.user, &id, self.keeper);
        }
    }
}
