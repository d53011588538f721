//! One credential of a file, checked as if somebody had typed it in: the same rules, the same words.

use std::collections::HashSet;

use import::{Auth, PlannedCredential};
use oauth::TokenSet;
use store::{Account, ConfigRows};
use types::credential::{CreateCredential, CredentialAuth, Material, MaterialInput};
use types::provider::ProviderSpec;
use types::{ProviderId, Secret, Timestamp};

use super::compare::{Fresh, free, reason};
use crate::admin::material;
use crate::admin::proxy::check_proxy;

/// What else than the file decides.
pub(super) struct Rules {
    pub(super) now: Timestamp,
    /// Vendors whose access tokens are JWTs, with what to do about another one.
    jwt: Vec<(String, String)>,
}

impl Rules {
    /// As the descriptors say that are stored here.
    pub(super) fn new(now: Timestamp, rows: &ConfigRows) -> Self {
        let mut specs = oauth::presets().clone();
        for row in &rows.vendors {
            let spec = row.spec.clone().probing_like(oauth::preset(&row.name));
            specs.insert(row.name.clone(), spec);
        }
        let strict = |(name, spec): (String, types::oauth::VendorSpec)| {
            let probe = spec.probe.filter(|probe| probe.token_is_jwt)?;
            Some((name, probe.remedy))
        };
        Self { now, jwt: specs.into_iter().filter_map(strict).collect() }
    }
}

/// What a planned credential's secret is, as it is stored.
pub(super) fn kind_of(held: &PlannedCredential) -> CredentialAuth {
    match held.auth {
        Auth::ApiKey => CredentialAuth::ApiKey,
        Auth::OAuth => CredentialAuth::Oauth,
        Auth::ServiceAccount => CredentialAuth::ServiceAccount,
        Auth::ClientCredentials => CredentialAuth::ClientCredentials,
        Auth::Aws => CredentialAuth::Aws,
    }
}

/// Checks a credential for a provider, with its place among that one's; says why it cannot be taken over.
pub(super) fn checked(
    (held, at): (PlannedCredential, usize),
    names: &HashSet<String>,
    home: &ProviderSpec,
    rules: &Rules,
) -> Result<Fresh, String> {
    let auth = kind_of(&held);
    let (api_key, typed) = typed(&held)?;
    let default_name = (1..=names.len() + 1).map(|n| format!("key {n}")).find(|name| !names.contains(name));
    let input = CreateCredential {
        provider_id: ProviderId(0),
        name: held.name.as_ref().map(|name| free(names, &name.chars().take(80).collect::<String>())),
        api_key,
        material: typed,
        tier: Some(held.tier.as_str().to_owned()),
        priority: held.priority,
        weight: held.weight,
        max_concurrency: held.max_concurrency,
        enabled: Some(held.enabled),
        limits: held.limits.clone(),
        proxy_url: None,
        probe: None,
    };
    let spec = input.parse(&default_name.unwrap_or_default()).map_err(|problem| reason(&problem))?;
    let material = match input.secret() {
        // Only keys have to look like keys; what is JSON was put together from its parts.
        Some(material) if auth != CredentialAuth::Oauth => material,
        _ => Material { auth, text: held.secret.clone(), hint: "…".to_owned(), field: "api_key" },
    };
    material::check(home, &material).map_err(|problem| reason(&problem))?;
    let proxy =
        held.proxy_url.as_ref().map(|address| check_proxy(address).map(|hint| (address.clone(), hint)));
    let proxy = proxy.transpose().map_err(|problem| reason(&problem))?;
    let account = account(held, &material, rules)?;
    Ok(Fresh { at, spec, account, secret: material.text, hint: material.hint, proxy })
}

/// The secret as a form would have brought it.
fn typed(held: &PlannedCredential) -> Result<(Secret<String>, MaterialInput), String> {
    let nothing = || Secret::new(String::new());
    let text = held.secret.expose();
    // Such an error could repeat a value.
    let parts = |what: &'static str| move |_| what.to_owned();
    let mut typed = MaterialInput::default();
    match held.auth {
        Auth::ApiKey => return Ok((held.secret.clone(), typed)),
        Auth::OAuth => return Ok((Secret::new("account".to_owned()), typed)),
        Auth::ServiceAccount => typed.service_account = Some(held.secret.clone()),
        Auth::ClientCredentials => {
            let client = serde_json::from_str(text);
            typed.client_credentials =
                Some(client.map_err(parts("expected tenant, client_id and client_secret"))?);
        }
        Auth::Aws => {
            let keys = serde_json::from_str(text);
            typed.aws = Some(keys.map_err(parts("expected access_key_id and secret_access_key"))?);
        }
    }
    Ok((nothing(), typed))
}

/// Whose it is, and until when.
fn account(held: PlannedCredential, material: &Material, rules: &Rules) -> Result<Account, String> {
    let short = |text: String, most: usize| text.chars().filter(|c| !c.is_control()).take(most).collect();
    if material.auth != CredentialAuth::Oauth {
        let shown = (material.auth == CredentialAuth::ServiceAccount).then(|| material.hint.clone());
        return Ok(Account { account: shown, ..Account::of(material.auth) });
    }
    let set = TokenSet::parse(&held.secret).ok_or("is no token set with an access token")?;
    let token = set.access_token.expose();
    let strict = held.vendor.as_deref().and_then(|name| rules.jwt.iter().find(|(known, _)| known == name));
    if let Some((_, remedy)) = strict.filter(|_| !oauth::is_jwt(token)) {
        return Err(format!("its access token is no JWT: {remedy}"));
    }
    Ok(Account {
        auth: material.auth,
        vendor: held.vendor,
        account: held.account.map(|text| short(text, 200)),
        scopes: held.scopes.map(|text| short(text, 2_000)),
        expires_at: held.expires_at.or_else(|| oauth::claims_of(token).expires_at),
        refreshed_at: Some(rules.now),
    })
}
