//! The administrator's handle: everything that changes or reads the configuration and the books.
//!
//! There is no administrative call outside [`Admin`], and an [`Admin`] exists only after the admin token was
//! proven. Each change is one transaction in the store (row, audit row, revision) and is in force for the next
//! request when the call returns (AC-02).

mod account;
mod alias;
mod api_key;
mod audit;
mod books;
mod breaker;
mod cache;
mod catalogue;
mod check;
mod condition;
mod credential;
mod enrolment;
mod error_rule;
mod export;
mod grant;
mod group;
mod import;
mod invoice;
mod marks;
mod material;
mod overview;
mod package;
mod pool;
mod price;
mod provider;
mod proxy;
mod quota;
mod recover;
mod refresh;
mod removal;
mod reprice;
mod request;
mod routing;
mod secrets;
mod setting;
mod system;
mod trail;
mod trial;
mod usage;
mod usage_export;
mod user;
mod vendor;
mod vitals;

#[cfg(test)]
pub(crate) mod tests;

use std::fmt::Display;
use std::sync::Arc;

use serde_json::Value;
use store::{Change, StoreError};
use types::Problem;
use types::audit::AuditFilter;
use types::principal::Principal;

use crate::core::Core;
use crate::identity::Actor;
use crate::identity::problem::store_problem;

pub(crate) use secrets::rotate_at_start;

/// A proven administrator. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Admin {
    core: Arc<Core>,
    actor: Actor,
}

impl Admin {
    /// The handle for a proven principal.
    pub(crate) fn of(core: &Arc<Core>, principal: &Principal, actor: Actor) -> Result<Self, Problem> {
        match principal {
            Principal::Admin => Ok(Self { core: core.clone(), actor }),
            Principal::Member { .. } => {
                Err(Problem::new("forbidden", "this is open to the administrator only"))
            }
        }
    }
}

/// What a change is about, for the audit log.
struct Subject<'a> {
    object: &'static str,
    /// Empty for a new row; the store fills it in.
    id: String,
    name: &'a str,
}

impl Admin {
    fn change(
        &self,
        verb: &str,
        subject: &Subject<'_>,
        before: Option<Value>,
        after: Option<Value>,
    ) -> Change {
        let Subject { object, id, name } = subject;
        tracing::info!(
            action = format!("{object}.{verb}"),
            object.id = id,
            request.id = self.actor.request_id,
            via = self.actor.via,
            "configuration change"
        );
        Change {
            at: self.core.clock.now(),
            actor: self.actor.via.to_owned(),
            client_ip: self.actor.client_ip.clone(),
            action: format!("{object}.{verb}"),
            object: (*object).to_owned(),
            object_id: id.clone(),
            object_name: (*name).to_owned(),
            before,
            after,
        }
    }

    /// Writes an act that changes no row into the audit log.
    async fn note(
        &self,
        verb: &str,
        object: &'static str,
        name: &str,
        after: Option<Value>,
    ) -> Result<(), Problem> {
        let change = self.change(verb, &Subject { object, id: name.to_owned(), name }, None, after);
        self.core.store.audit_append(change).await.map_err(|error| store_problem(error, object))
    }

    /// Puts a stored change in force. The change stands even if this fails; the reload task then does it later.
    async fn take_effect(&self) -> Result<(), Problem> {
        self.core.reload().await.map_err(|error| store_problem(error, "configuration"))
    }

    /// Refuses a change that was made for another version, and says who changed what since.
    async fn expect_version(
        &self,
        object: &'static str,
        id: impl Display,
        expected: Option<i64>,
        stored: i64,
    ) -> Result<(), Problem> {
        match expected {
            Some(expected) if expected != stored => Err(self.stale(object, id).await),
            _ => Ok(()),
        }
    }

    /// The problem of a failed change, with a hint where the version was stale.
    async fn change_problem(&self, error: StoreError, object: &'static str, id: impl Display) -> Problem {
        match error {
            StoreError::StaleVersion => self.stale(object, id).await,
            other => store_problem(other, object),
        }
    }

    async fn stale(&self, object: &'static str, id: impl Display) -> Problem {
        let mut problem = store_problem(StoreError::StaleVersion, object);
        let filter = AuditFilter {
            object: Some(object.to_owned()),
            object_id: Some(id.to_string()),
            limit: Some(1),
            ..AuditFilter::default()
        };
        // The hint is a courtesy: without it the refusal still stands.
        let last =
            self.core.store.audit_list(&filter).await.ok().and_then(|page| page.items.into_iter().next());
        if let Some(row) = last {
            let fields = row.after.as_ref().and_then(Value::as_object);
            let fields =
                fields.map(|map| map.keys().cloned().collect::<Vec<_>>().join(", ")).unwrap_or_default();
            let what = if fields.is_empty() { row.action } else { fields };
            problem.message = format!("{}; {} changed {what} at {}", problem.message, row.actor, row.at);
        }
        problem
    }
}
