//! The beginning of a sign-in, with everything checked that can be checked before anybody leaves (OA-01).

use std::str::FromStr as _;

use oauth::{Failure, Registered};
use store::NewFlow;
use types::credential::CredentialAuth;
use types::oauth::{BeginFlow, FlowView, FlowWay, Grant, VendorSpec};
use types::provider::ProviderKind;
use types::{CredentialId, Problem, ProviderId};

use super::{Body, Hidden, OBJECT, TEN_MINUTES_MS, digest};
use crate::admin::Admin;
use crate::admin::vendor::{self, CALLBACK};
use crate::identity::problem::{not_found, store_problem};
use crate::loopback::{self, Waiting};
use crate::refresh::{Way, registered};
use crate::vault::Purpose;

/// Where a sign-in comes back to.
struct Return {
    uri: String,
    warnings: Vec<String>,
    /// The dashboard's own address.
    home: String,
}

impl Admin {
    /// Begins a sign-in.
    pub async fn flow_begin(&self, input: BeginFlow) -> Result<FlowView, Problem> {
        let (provider, again) = self.flow_target(&input).await?;
        let vendor =
            registered(&self.core, &input.vendor).await.map_err(|f| Problem::field("vendor", f.message))?;
        if let Some(missing) = vendor::missing(&vendor.spec, &vendor.client_id) {
            return Err(Problem::field("vendor", missing));
        }
        let way = way_of(&vendor.spec, input.way.as_deref())?;
        let kind = self.kind_for_accounts(provider)?;
        let mut body =
            Body { name: input.name.clone().filter(|name| !name.trim().is_empty()), ..Body::default() };
        let mut flow = NewFlow {
            state_hash: Vec::new(),
            session_hash: self.session_hash(),
            vendor: input.vendor.clone(),
            provider_id: provider,
            credential_id: again,
            way,
            body: String::new(),
            at: self.core.clock.now(),
            expires_at: self.core.clock.now().plus_ms(TEN_MINUTES_MS),
        };
        let mut home = None;
        let hidden = if way == FlowWay::Device {
            self.begin_device(&vendor, &mut flow, &mut body).await?
        } else {
            let back = self.back(&vendor.spec, way, input.origin.as_deref())?;
            let begun = oauth::authorize(&vendor, &back.uri).map_err(|failure| refused(&failure))?;
            flow.state_hash = digest(begun.state.expose());
            body.warnings = back.warnings;
            body.redirect_uri = Some(back.uri);
            home = Some(back.home);
            Hidden {
                authorize_url: Some(types::Secret::new(begun.url)),
                verifier: begun.verifier,
                device_code: None,
            }
        };
        if let (FlowWay::Loopback, Some(port)) = (way, vendor.spec.callback_port) {
            body.port = Some(port);
            let waiting = Waiting {
                path: vendor.spec.callback_path.clone(),
                state_hash: flow.state_hash.clone(),
                to: format!("{}{CALLBACK}", home.unwrap_or_default()),
                flow: None,
            };
            self.listen(port, waiting, &mut body).await;
        }
        if !suits(&vendor.spec, kind) {
            let kinds = vendor.spec.provider_kinds.join(", ");
            body.warnings
                .push(format!("accounts of this vendor are for providers of kind {kinds}, not {kind}"));
        }
        flow.body = serde_json::to_string(&body).map_err(|e| Problem::new("internal", e.to_string()))?;
        let vault = &self.core.vault;
        let seal = |id: types::OauthFlowId| vault.seal(Purpose::FlowSecret, id.0, &hidden.to_text());
        let row = self.core.store.oauth_flow_insert(&flow, seal).await.map_err(|error| {
            self.core.loopback.undo(&flow.state_hash);
            store_problem(error, OBJECT)
        })?;
        self.core.loopback.name(&flow.state_hash, row.id);
        self.note("begin", OBJECT, &row.id.to_string(), Some(serde_json::json!({ "vendor": flow.vendor })))
            .await?;
        Ok(self.flow_view(row))
    }

    /// Opens the vendor's fixed port. OA-02: one that cannot be had stops nothing; the address can be pasted.
    async fn listen(&self, port: u16, waiting: Waiting, body: &mut Body) {
        const PASTE: &str = "after signing in, paste the address that the browser ended at";
        let life = std::time::Duration::from_millis(TEN_MINUTES_MS.unsigned_abs());
        let Some(host) = self.core.config.oauth_callback_host else {
            body.port_off = true;
            body.port_fault = Some(loopback::OFF.to_owned());
            body.warnings.push(format!("port {port} is not listened on ({}): {PASTE}", loopback::OFF));
            return;
        };
        if let Err(fault) = self.core.loopback.wait(&self.core.tracker, (host, port), waiting, life).await {
            body.warnings.push(format!("port {port} cannot be listened on ({fault}): {PASTE}"));
            body.port_fault = Some(fault);
        }
    }

    /// The provider, and the credential that is signed in again.
    async fn flow_target(&self, input: &BeginFlow) -> Result<(ProviderId, Option<CredentialId>), Problem> {
        if let Some(id) = input.credential_id {
            let row =
                self.core.store.credential_fetch(id).await.map_err(|e| store_problem(e, "credential"))?;
            if row.deleted_at.is_some() {
                return Err(not_found("credential"));
            }
            if row.auth != CredentialAuth::Oauth {
                return Err(Problem::field(
                    "credential_id",
                    "this credential is no account that somebody signs in to",
                ));
            }
            return Ok((row.provider_id, Some(id)));
        }
        let id = input
            .provider_id
            .ok_or_else(|| Problem::field("provider_id", "say which provider the account is for"))?;
        self.provider_live(id).await?;
        Ok((id, None))
    }

    /// The kind of the provider, if an account can authenticate there at all.
    fn kind_for_accounts(&self, id: ProviderId) -> Result<ProviderKind, Problem> {
        let snapshot = self.core.snapshot();
        let provider = snapshot.providers.iter().find(|provider| provider.id == id);
        let kind = provider.ok_or_else(|| not_found("provider"))?.spec.kind;
        if kind.takes(CredentialAuth::Oauth) {
            return Ok(kind);
        }
        Err(Problem::field("provider_id", format!("providers of kind {kind} take no accounts by OAuth")))
    }

    async fn begin_device(
        &self,
        vendor: &Registered,
        flow: &mut NewFlow,
        body: &mut Body,
    ) -> Result<Hidden, Problem> {
        let snapshot = self.core.snapshot();
        let way = Way::of(&self.core, &snapshot, flow.provider_id, flow.credential_id);
        let way = way.ok_or_else(|| not_found("provider"))?;
        let now = self.core.clock.now();
        let code = oauth::begin_device(vendor, &way, now).await.map_err(|failure| refused(&failure))?;
        flow.state_hash = digest(code.device_code.expose());
        flow.expires_at = flow.expires_at.min(code.expires_at);
        body.user_code = Some(code.user_code);
        body.verification_url = Some(code.verification_url);
        body.verification_url_complete = code.verification_url_complete;
        body.interval_s = Some(code.interval_s);
        body.asked_at = now.0;
        Ok(Hidden { authorize_url: None, verifier: code.verifier, device_code: Some(code.device_code) })
    }

    /// The redirect, and what may go wrong with it.
    fn back(&self, spec: &VendorSpec, way: FlowWay, origin: Option<&str>) -> Result<Return, Problem> {
        let base = self.core.config.site.base_url.as_deref();
        let origin = origin.map(|origin| origin.trim_end_matches('/')).filter(|origin| is_origin(origin));
        let mut warnings = Vec::new();
        let home = base.or(origin).unwrap_or_default().trim_end_matches('/').to_owned();
        if let (Some(base), Some(origin)) = (base, origin)
            && base.trim_end_matches('/') != origin
            && way != FlowWay::Paste
        {
            warnings.push(format!(
                "BASE_URL is {base}, but your browser shows {origin}: you will be sent to {base}, where you may not be signed in; open the dashboard there first, or correct BASE_URL"
            ));
        }
        let uri = match (way, spec.callback_port) {
            (FlowWay::Paste, _) if !spec.paste_redirect.is_empty() => spec.paste_redirect.clone(),
            (FlowWay::Loopback | FlowWay::Paste, Some(port)) => {
                let near = ["localhost", "127.0.0.1", "[::1]"];
                let host = origin.and_then(|origin| origin.split("://").nth(1)).unwrap_or_default();
                let is_near = near.iter().any(|name| host.starts_with(name));
                if let (FlowWay::Loopback, false, Some(here)) =
                    (way, is_near, self.core.config.oauth_callback_host)
                {
                    let here = std::net::SocketAddr::new(here, port);
                    warnings.push(format!(
                        "the vendor sends your browser to port {port} of your own machine, and this gateway listens on {here} of its own: unless the one leads to the other (in a container: OAUTH_CALLBACK_HOST=0.0.0.0 and the port mapped), the page will not load; then paste its address below"
                    ));
                }
                vendor::fixed_redirect(spec).unwrap_or_default()
            }
            _ if home.is_empty() => {
                return Err(Problem::field(
                    "origin",
                    "set BASE_URL, so that the vendor knows where to send you back to",
                ));
            }
            _ => {
                if base.is_none() {
                    warnings
                        .push("BASE_URL is not set; the address that your browser shows is used".to_owned());
                }
                format!("{home}{CALLBACK}")
            }
        };
        Ok(Return { uri, warnings, home })
    }
}

/// Whether a vendor's accounts are of use at a provider of this kind.
fn suits(spec: &VendorSpec, kind: ProviderKind) -> bool {
    spec.provider_kinds.is_empty() || spec.provider_kinds.iter().any(|one| one == kind.as_str())
}

fn is_origin(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|host| {
        !host.is_empty()
            && host.len() < 300
            && host.bytes().all(|b| b.is_ascii_alphanumeric() || b".-:[]".contains(&b))
    })
}

fn way_of(spec: &VendorSpec, asked: Option<&str>) -> Result<FlowWay, Problem> {
    let by_code = spec.grants.contains(&Grant::AuthorizationCode);
    let by_device = spec.grants.contains(&Grant::DeviceCode);
    let way = match asked.filter(|way| !way.is_empty()) {
        Some(text) => FlowWay::from_str(text).map_err(|error| Problem::field("way", error.to_string()))?,
        None if spec.grants.first() == Some(&Grant::DeviceCode) || !by_code => FlowWay::Device,
        None if spec.callback_port.is_some() => FlowWay::Loopback,
        None => FlowWay::Callback,
    };
    match way {
        FlowWay::Device if !by_device => Err(Problem::field("way", "this vendor has no device codes")),
        FlowWay::Callback | FlowWay::Loopback | FlowWay::Paste if !by_code => {
            Err(Problem::field("way", "this vendor has no sign-in by browser; use a device code"))
        }
        FlowWay::Loopback if spec.callback_port.is_none() => {
            Err(Problem::field("way", "this vendor has no fixed port; use callback or paste"))
        }
        way => Ok(way),
    }
}

/// A vendor's refusal for a person.
pub(super) fn refused(failure: &Failure) -> Problem {
    Problem::new("oauth_refused", failure.message.clone())
}
