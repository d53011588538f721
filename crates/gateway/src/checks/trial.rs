//! A secret that is tried before it is stored (OA-07): asked about like any other, of a credential that exists nowhere.
//! Nothing is counted, marked or written down.

use std::sync::Arc;
use std::time::Instant;

use types::check::{CheckResult, CheckStanding};
use types::credential::{CredentialAuth, CredentialMark, CredentialSpec, Material};
use types::{CredentialId, ProviderId};

use super::question::{self, Asked};
use super::{Target, judged};
use crate::authenticate::{Auth, AwsKey};
use crate::core::Core;
use crate::credential::Gauge;
use crate::refresh::{self, Way};
use crate::snapshot::{Credential, Provider, Proxy};
use crate::upstream::{NoKnock, knock};

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
    fn unasked(result: CheckResult, said: String) -> Self {
        Self { probe: "token".to_owned(), result, status: None, latency_ms: 0, said }
    }
}

/// Asks the vendor about a secret, over the way that its requests would take.
pub(crate) async fn tried(core: &Core, provider_id: ProviderId, material: &Material, proxy: Proxy) -> Tried {
    let started = Instant::now();
    let snapshot = core.snapshot();
    let Some((place, provider)) =
        snapshot.providers.iter().enumerate().find(|(_, known)| known.id == provider_id)
    else {
        let why = "its provider is not in force yet; try again in a moment";
        return Tried::unasked(CheckResult::NotProbed, why.to_owned());
    };
    let auth = match auth(core, provider, material, &proxy).await {
        Ok(auth) => auth,
        Err(tried) => return tried,
    };
    let credential = Arc::new(nowhere(auth, proxy));
    let target = Target { snapshot: snapshot.clone(), provider: place, provider_id, credential };
    let asked = question::of(&target, &snapshot.settings);
    let when = (core.clock.now(), core.config.api_test_timeout_ms);
    let answer = match asked {
        Asked::Not { why, .. } => Err(NoKnock::Unaskable(why.to_owned())),
        _ => knock(&core.upstreams, when, provider, &target.credential, asked.question()).await,
    };
    if answer.is_ok() {
        core.reach.answered(provider.id, core.clock.now());
    }
    let verdict = judged(&target.credential, asked, &answer);
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
async fn auth(core: &Core, provider: &Provider, material: &Material, proxy: &Proxy) -> Result<Auth, Tried> {
    match material.auth {
        CredentialAuth::ApiKey => Ok(Auth::Key(material.text.clone())),
        CredentialAuth::Aws => {
            Ok(AwsKey::parse(&material.text).map_or(Auth::Unreadable, |key| Auth::Aws(Box::new(key))))
        }
        CredentialAuth::Oauth => Ok(Auth::Unreadable),
        CredentialAuth::ServiceAccount | CredentialAuth::ClientCredentials => {
            let way = Way::through(core, provider, proxy);
            let slot = refresh::token_of(core, (material.auth, &material.text), &way).await;
            slot.map(Auth::Token).map_err(|failure| {
                let is_own = failure.class != oauth::Class::Transient;
                let result = if is_own { CheckResult::Failed } else { CheckResult::Inconclusive };
                Tried::unasked(result, failure.message)
            })
        }
    }
}

/// A credential that is in no configuration; what is learned of it is forgotten with it.
fn nowhere(auth: Auth, proxy: Proxy) -> Credential {
    Credential {
        id: CredentialId(0),
        spec: CredentialSpec::named(String::new()),
        auth,
        proxy,
        vendor: None,
        mark: CredentialMark::default(),
        check: CheckStanding::default(),
        gauge: Arc::new(Gauge::default()),
    }
}
