//! Asking a vendor whether its device code was typed in: never more often than it allows (RFC 8628 section 3.5).

use oauth::{Failure, Polled};
use store::FlowRow;
use types::Problem;
use types::oauth::FlowView;

use super::{OBJECT, body_of};
use crate::admin::Admin;
use crate::identity::problem::store_problem;
use crate::refresh::{Way, registered};

/// What a vendor adds to the pause when it says `slow_down`.
const SLOWER_S: u64 = 5;
/// The longest pause between two questions to an endpoint that gives no answer, unless the vendor's own is longer.
const SLOWEST_S: u64 = 60;

impl Admin {
    /// Asks if the pause is over; answers how far the sign-in is.
    pub(super) async fn device_asked(&self, mut row: FlowRow) -> Result<FlowView, Problem> {
        let now = self.core.clock.now();
        let mut body = body_of(&row);
        let pause_ms =
            i64::try_from(body.interval_s.unwrap_or(SLOWER_S)).unwrap_or(i64::MAX).saturating_mul(1_000);
        let code =
            self.hidden(&row).and_then(|hidden| hidden.device_code.map(|code| (code, hidden.verifier)));
        let Some((code, verifier)) = code else { return Ok(self.flow_view(row)) };
        if row.expires_at <= now || now.0 < body.asked_at.saturating_add(pause_ms) {
            return Ok(self.flow_view(row));
        }
        body.asked_at = now.0;
        if !self.keep(&mut row, &body).await? {
            // Another page or instance asks at this moment. A code that both spent would be lost to both.
            return Ok(self.flow_view(self.flow_row(row.id).await?));
        }
        let asked = async {
            let vendor = registered(&self.core, &row.vendor).await?;
            let snapshot = self.core.snapshot();
            let way = Way::of(&self.core, &snapshot, row.provider_id, row.credential_id)
                .ok_or_else(|| Failure::new(oauth::Class::Transient, "its provider is gone"))?;
            oauth::poll_device(&vendor, &code, verifier.as_ref(), &way, now).await
        };
        match Box::pin(asked).await {
            Ok(Polled::Pending) => {}
            Ok(Polled::SlowDown) => {
                body.interval_s = Some(body.interval_s.unwrap_or(SLOWER_S).saturating_add(SLOWER_S));
                self.keep(&mut row, &body).await?;
            }
            Ok(Polled::Granted(granted)) => {
                if self.take(&row).await? {
                    return self.complete(row, *granted).await;
                }
            }
            // It may be reachable at the next question, which has to come later (RFC 8628 section 3.5).
            Err(failure) if failure.class == oauth::Class::Transient => {
                let last = body.interval_s.unwrap_or(SLOWER_S);
                body.interval_s = Some(last.saturating_mul(2).min(SLOWEST_S.max(last)));
                body.warnings = vec![failure.message];
                self.keep(&mut row, &body).await?;
            }
            Err(failure) => {
                let id = row.id;
                // The page shows the failure; it is no failure of the page.
                let _shown = self.fail(row, &failure).await;
                return Ok(self.flow_view(self.flow_row(id).await?));
            }
        }
        Ok(self.flow_view(self.flow_row(row.id).await?))
    }

    /// Stores what changed, unless somebody else was quicker.
    async fn keep(&self, row: &mut FlowRow, body: &super::Body) -> Result<bool, Problem> {
        let text = serde_json::to_string(body).map_err(|e| Problem::new("internal", e.to_string()))?;
        let now = self.core.clock.now();
        let kept = self.core.store.oauth_flow_body(row.id, (&row.body, &text), now).await;
        let kept = kept.map_err(|e| store_problem(e, OBJECT))?;
        if kept {
            row.body = text;
        }
        Ok(kept)
    }
}
