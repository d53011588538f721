//! What becomes of a stream whose body is dropped: its caller has left, perhaps only after the last event.

use types::request::{AttemptOutcome, Outcome};

use super::Relay;

impl Drop for Relay {
    fn drop(&mut self) {
        let (Some(mut settlement), Some(meter)) = (self.settlement.take(), self.meter.take()) else { return };
        let metered = meter.finish();
        if metered.error.is_none() {
            // It answered until its caller left.
            self.answered();
        }
        let whole = self.metered && metered.completed && metered.error.is_none();
        settlement.meter(&metered, whole);
        settlement.record_mut().response_bytes = self.sent_bytes;
        if whole {
            // Many callers hang up as soon as they have read the last event, before the upstream closes its side.
            settlement.close_attempt(AttemptOutcome::Done, None);
            let bytes = usize::try_from(self.sent_bytes).unwrap_or(usize::MAX);
            settlement.finish(Outcome::Ok, self.status.as_u16(), bytes);
        }
        // Otherwise the caller left before the end; the settlement's own drop says so.
    }
}
