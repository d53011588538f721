//! A secret that is tried before it is stored (OA-07): asked about like any other, of a credential that exists nowhere
//! and a provider that may not exist either. Nothing is counted, marked or written down.

use std::sync::Arc;
use std::time::Instant;

use oauth::TokenSet;
use store::Account;
use types::check::{CheckResult, CheckStanding};
use types::credential::{CredentialAuth, CredentialMark, CredentialSpec};
use types::oauth::CredentialToken;
use types::{CredentialId, Secret};

use super::judged;
use super::question::{self, Asked};
use crate::authenticate::{AccessToken, Auth, AwsKey, TokenSlot};
use crate::core::Core;
use crate::credential::Gauge;
use crate::refresh::{self, Way};
use crate::snapshot::{Credential, Provider, Proxy, Snapshot};
use crate::upstream::{NoKnock, knock};

/// Why an account is not asked about.
const OVER: &str =
    "its access token is over; fetching another could take the refresh token from whoever uses it now";

/// A secret that is about to be stored.
#[derive(Debug)]
pub(crate) struct Trial<'a> {
    /// What it is and, of an account, whose.
    pub(crate) account: &'a Account,
    pub(crate) secret: &'a Secret<String>,
    /// What its requests would go through.
    pub(crate) proxy: Proxy,
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Tried {
    /// What was asked.
    pub(crate) probe: String,
    pub(crate) result: CheckResult,
    pub(crate) status: Option<u16>,
    pub(crate) latency_ms: u64,
    /// What the vendor said, or what went wrong, and what to do about it.
    pub(crate) said: String,
}

impl Tried {
    /// Nobody was asked.
    pub(crate) fn unasked(result: CheckResult, said: impl Into<String>) -> Self {
        Self { probe: "token".to_owned(), result, status: None, latency_ms: 0, said: said.into() }
    }

    /// Whether the vendor took it.
    pub(crate) fn passed(&self) -> bool {
        self.result == CheckResult::Healthy
    }
}

/// Asks the vendor about a secret for a provider, over the way that its requests would take.
pub(crate) async fn tried(core: &Core, provider: &Provider, trial: Trial<'_>) -> Tried {
    let started = Instant::now();
    let snapshot = core.snapshot();
    let auth = match auth(core, &snapshot, provider, &trial).await {
        Ok(auth) => auth,
        Err(tried) => return tried,
    };
    let credential = nowhere(auth, trial);
    let asked = question::of(&credential, Some(provider), &snapshot.vendors, &snapshot.settings);
    let when = (core.clock.now(), core.config.api_test_timeout_ms);
    let answer = match asked {
        Asked::Not { why, .. } => Err(NoKnock::Unaskable(why.to_owned())),
        _ => knock(&core.upstreams, when, provider, &credential, asked.question()).await,
    };
    if answer.is_ok() && snapshot.providers.iter().any(|known| known.id == provider.id) {
        core.reach.answered(provider.id, core.clock.now());
    }
    let verdict = judged(&credential, asked, &answer);
    let said: Vec<String> = [verdict.message, verdict.remedy].into_iter().flatten().collect();
    Tried {
        probe: asked.name().to_owned(),
        result: verdict.result,
        status: verdict.status,
        latency_ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        said: said.join("; ").chars().take(500).collect(),
    }
}

/// What is presented; for what needs a token first, one is fetched.
async fn auth(
    core: &Core,
    snapshot: &Snapshot,
    provider: &Provider,
    trial: &Trial<'_>,
) -> Result<Auth, Tried> {
    let Trial { account, secret, proxy } = trial;
    match account.auth {
        CredentialAuth::ApiKey => Ok(Auth::Key((*secret).clone())),
        CredentialAuth::Aws => {
            Ok(AwsKey::parse(secret).map_or(Auth::Unreadable, |key| Auth::Aws(Box::new(key))))
        }
        CredentialAuth::Oauth => {
            let Some(set) = TokenSet::parse(secret) else { return Ok(Auth::Unreadable) };
            let token = CredentialToken { expires_at: account.expires_at, ..CredentialToken::default() };
            let spec = account.vendor.as_deref().and_then(|name| snapshot.vendors.get(name));
            let slot = TokenSlot::default();
            slot.put(AccessToken::of(CredentialId(0), &set, &token, spec));
            if !slot.is_ready(core.clock.now()) {
                return Err(Tried::unasked(CheckResult::NotProbed, OVER));
            }
            Ok(Auth::Token(Arc::new(slot)))
        }
        CredentialAuth::ServiceAccount | CredentialAuth::ClientCredentials => {
            let way = Way::through(core, provider, proxy);
            let slot = refresh::token_of(core, (account.auth, secret), &way).await;
            slot.map(Auth::Token).map_err(|failure| {
                let is_own = failure.class != oauth::Class::Transient;
                let result = if is_own { CheckResult::Failed } else { CheckResult::Inconclusive };
                Tried::unasked(result, failure.message)
            })
        }
    }
}

/// A credential that is in no configuration; what is learned of it is forgotten with it.
fn nowhere(auth: Auth, trial: Trial<'_>) -> Credential {
    Credential {
        id: CredentialId(0),
        spec: CredentialSpec::named(String::new()),
        auth,
        proxy: trial.proxy,
        vendor: trial.account.vendor.clone(),
        mark: CredentialMark::default(),
        check: CheckStanding::default(),
        gauge: Arc::new(Gauge::default()),
    }
}
