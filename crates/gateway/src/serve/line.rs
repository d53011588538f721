//! Looking for a candidate, and waiting for one where all are busy.

use std::time::Duration;

use tokio::time::Instant;
use types::CredentialId;

use super::Request;
use super::gate::LimitGate;
use super::route::{Demand, Selection, select};
use super::session::Conversation;
use crate::core::Core;
use crate::error::Refusal;

/// What is looked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look<'r, 'c> {
    pub(super) core: &'c Core,
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
            translation: self.request.translation,
            now,
            minute: if self.request.snapshot.has_hours { self.core.quotas.minute_of_day(now) } else { 0 },
            seed: rand::random(),
        }
    }

    /// One look.
    pub(super) fn select(&self, tried: &[CredentialId]) -> Selection<'r> {
        let gate = LimitGate::new(self.core, self.request);
        select(&self.request.snapshot, self.demand(tried, &gate))
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
