//! A member's handle: his own keys, requests and usage, and nothing of anybody else.
//!
//! Every question carries the owner; there is no call that takes a user's id from outside.

mod api_key;
mod catalogue;
mod redact;
mod request;
mod usage;

use std::sync::Arc;

use types::principal::Principal;
use types::{Problem, UserId};

use crate::core::Core;
use crate::identity::Actor;

/// A proven member. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Member {
    core: Arc<Core>,
    user_id: UserId,
    name: String,
}

impl Member {
    /// The handle for a proven member; refused once he is deleted, switched off or expired.
    pub(crate) fn of(core: &Arc<Core>, principal: &Principal, actor: Actor) -> Result<Self, Problem> {
        let Principal::Member { user_id } = principal else {
            return Err(Problem::new(
                "forbidden",
                "this page is for members; the administrator sees everything elsewhere",
            ));
        };
        let Actor { via: _, client_ip: _, request_id, session: _ } = actor;
        let snapshot = core.snapshot();
        let user = snapshot.users.get(user_id).filter(|user| user.is_active(core.clock.now()));
        let Some(user) = user else {
            return Err(Problem::new(
                "token_invalid",
                "invalid token: this user is gone or switched off; sign in again",
            ));
        };
        tracing::debug!(user.id = user_id.0, request.id = request_id, "member call");
        Ok(Self { core: core.clone(), user_id: *user_id, name: user.spec.name.clone() })
    }
}

#[cfg(test)]
mod tests;
