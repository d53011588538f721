//! Looking for a candidate, and waiting for one where all are busy.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use types::CredentialId;

use super::Request;
use super::gate::LimitGate;
use super::route::{Demand, Selection, select};
use super::session::Conversation;
use crate::authenticate::{Auth, Flown};
use crate::core::Core;
use crate::error::Refusal;
use crate::refresh::{self, Trigger};
use crate::snapshot::Credential;

/// What is looked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look<'r, 'c> {
    pub(super) core: &'c Arc<Core>,
    pub(super) request: &'r Request,
    pub(super) model: Option<&'c str>,
    pub(super) conversation: Option<&'c Conversation>,
}

impl<'r> Look<'r, '_> {
    fn demand<'b>(&'b self, tried: &'b [CredentialId], gate: &'b LimitGate<'_>) -> Demand<'b> {
        let now = self.core.clock.now();
        let agent = self.request.ingress.headers.get(http::header::USER_AGENT);
        Demand {
            endpoint: self.request.ingress.endpoint,
            model: self.model,
            key: &self.request.key,
            user_agent: agent.and_then(|agent| agent.to_str().ok()),
            tried,
            gate,
            conversation: self.conversation,
            continued: self.request.continued.as_ref(),
            translation: self.request.translation,
            now,
            minute: if self.request.snapshot.has_hours { self.core.quotas.minute_of_day(now) } else { 0 },
            seed: rand::random(),
        }
    }

    /// One look.
    pub(super) fn select(&self, tried: &[CredentialId]) -> Selection<'r> {
        let gate = LimitGate::new(self.core, self.request);
        let selection = select(&self.request.snapshot, self.demand(tried, &gate));
        // Who is passed over for want of a fresh token gets one for those who come later.
        let missed =
            |credential: &Arc<Credential>| matches!(&credential.auth, Auth::Token(slot) if slot.ask());
        if selection.stale().into_iter().any(missed) {
            self.core.tasks.wake("refresh_tokens");
        }
        selection
    }

    /// Waits for a fresh token of the first that lacks one and is not among `tried`, within the deadline; whether one
    /// came. Whoever was waited for is added to `tried`.
    pub(super) async fn refresh(
        &self,
        selection: &Selection<'_>,
        tried: &mut Vec<CredentialId>,
        deadline: Instant,
    ) -> bool {
        for credential in selection.stale() {
            let Auth::Token(slot) = &credential.auth else { continue };
            if tried.contains(&credential.id) || !slot.can_refresh() {
                continue;
            }
            tried.push(credential.id);
            let asked = (credential.id, slot);
            let flown = refresh::refreshed(self.core, asked, slot.round(), Trigger::Request, deadline).await;
            if flown == Flown::Fresh {
                return true;
            }
        }
        false
    }

    /// The refusal for a selection without a candidate.
    pub(super) fn nobody(&self, selection: &Selection<'_>) -> Refusal {
        let gate = LimitGate::new(self.core, self.request);
        let refusal = selection.nobody(self.demand(&[], &gate));
        if refusal.retry_after_s.is_some() {
            return refusal;
        }
        // Asked for again only now: a provider at its limit says when that ends.
        let _ = select(&self.request.snapshot, self.demand(&[], &gate));
        match gate.opens_in_s() {
            Some(seconds) => refusal.retry_after(seconds),
            None => refusal,
        }
    }

    /// A look that waits for a free slot if that is all that is missing, within the bounds of the queue.
    pub(super) async fn select_or_wait(&self) -> Selection<'r> {
        let mut selection = self.select(&[]);
        let settings = &self.request.snapshot.settings;
        let deadline = Instant::now() + Duration::from_millis(u64::from(settings.routing_deadline_ms));
        let mut waited_for = Vec::new();
        while selection.ranked.is_empty() && self.refresh(&selection, &mut waited_for, deadline).await {
            selection = self.select(&[]);
        }
        if !selection.ranked.is_empty() {
            return selection;
        }
        let patience = Duration::from_millis(selection.patience_ms(settings));
        let busy = selection.busy(settings);
        if busy.is_empty() || patience.is_zero() {
            return selection;
        }
        let Some(place) = self.core.queue.enter(&busy) else { return selection };
        let until = Instant::now() + patience;
        loop {
            let freed = place.freed();
            selection = self.select(&[]);
            if !selection.ranked.is_empty() || Instant::now() >= until {
                return selection;
            }
            tokio::select! {
                () = freed => {}
                () = tokio::time::sleep_until(until) => {}
                () = self.core.draining.cancelled() => return selection,
            }
        }
    }
}
