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

impl Admin {
    /// Asks if the pause is over; answers how far the sign-in is.
    pub(super) async fn device_asked(&self, row: FlowRow) -> Result<FlowView, Problem> {
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
        self.keep(&row, &body).await?;
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
                body.interval_s = Some(body.interval_s.unwrap_or(SLOWER_S) + SLOWER_S);
                self.keep(&row, &body).await?;
            }
            Ok(Polled::Granted(granted)) => {
                if self.take(&row).await? {
                    return self.complete(row, *granted).await;
                }
            }
            // It may be reachable at the next question.
            Err(failure) if failure.class == oauth::Class::Transient => {
                body.warnings = vec![failure.message];
                self.keep(&row, &body).await?;
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

    async fn keep(&self, row: &FlowRow, body: &super::Body) -> Result<(), Problem> {
        let text = serde_json::to_string(body).map_err(|e| Problem::new("internal", e.to_string()))?;
        let now = self.core.clock.now();
        self.core.store.oauth_flow_body(row.id, &text, now).await.map_err(|e| store_problem(e, OBJECT))?;
        Ok(())
    }
}
