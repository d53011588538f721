//! What is shown of a sign-in: the vendor's address only to the session that began it.

use store::FlowRow;
use types::oauth::{FlowPhase, FlowView, PortState, PortView};

use super::{Body, body_of};
use crate::admin::Admin;
use crate::refresh;

impl Admin {
    pub(super) fn flow_view(&self, row: FlowRow) -> FlowView {
        let waiting = matches!(row.phase, FlowPhase::WaitingCallback | FlowPhase::WaitingDevice);
        let over = row.expires_at <= self.core.clock.now();
        // A process that died in the middle of an exchange left it behind: nobody finishes that any more.
        let unfinished = waiting || row.phase == FlowPhase::Exchanging;
        let phase = if unfinished && over { FlowPhase::Expired } else { row.phase };
        let open = waiting && !over;
        let hidden = if open && self.is_own(&row) { self.hidden(&row) } else { None };
        let Body {
            redirect_uri,
            user_code,
            verification_url,
            verification_url_complete,
            interval_s,
            warnings,
            port,
            port_fault,
            port_off,
            name: _,
            asked_at: _,
        } = body_of(&row);
        let port = port.map(|port| {
            let state = match (&port_fault, open) {
                (Some(_), _) if port_off => PortState::Off,
                (Some(_), _) => PortState::Occupied,
                (None, true) => PortState::Listening,
                (None, false) => PortState::Off,
            };
            PortView { port, state, reason: port_fault }
        });
        let snapshot = self.core.snapshot();
        let provider = snapshot.providers.iter().find(|provider| provider.id == row.provider_id);
        let credential = row.credential_id.and_then(|id| refresh::find(&snapshot, id));
        FlowView {
            id: row.id,
            vendor: row.vendor,
            provider_id: row.provider_id,
            provider_name: provider.map(|provider| provider.spec.name.clone()),
            credential_id: row.credential_id,
            credential_name: credential.map(|(_, credential)| credential.spec.name.clone()),
            way: row.way,
            phase,
            authorize_url: hidden.and_then(|hidden| hidden.authorize_url).map(|url| url.expose().clone()),
            redirect_uri,
            user_code: user_code.filter(|_| open),
            verification_url: verification_url.filter(|_| open),
            verification_url_complete: verification_url_complete.filter(|_| open),
            interval_s: interval_s.filter(|_| open),
            warnings,
            port,
            error_code: row.error_code,
            error: row.error,
            request_id: row.request_id,
            created_at: row.created_at,
            expires_at: row.expires_at,
        }
    }
}
