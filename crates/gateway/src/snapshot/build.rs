//! Rows to [`Snapshot`]: opens secrets, resolves references, leaves out and reports what dangles.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use ledger::budget::Scope;
use oauth::TokenSet;
use routing::rule::Rules;
use store::{ConfigRows, CredentialRow};
use types::credential::CredentialAuth;
use types::limits::Limits;
use types::oauth::VendorSpec;
use types::quota::ScopeKind;
use types::setting::Settings;
use types::{Money, ProviderId, Secret, Timestamp, UserId};

use super::{ApiKey, Credential, Grant, Group, Names, Provider, Proxy, Snapshot, User};
use crate::authenticate::{AccessToken, Auth, AwsKey, TokenSlots};
use crate::credential::Gauges;
use crate::price::PriceBook;
use crate::vault::{Purpose, Vault};

/// Makes snapshots; keeps what outlives one (gauges).
#[derive(Debug, Clone)]
pub(crate) struct Builder {
    pub(crate) vault: Vault,
    pub(crate) gauges: Gauges,
    pub(crate) slots: TokenSlots,
}

impl Builder {
    /// Builds the snapshot of one revision.
    pub(crate) fn build(&self, rows: ConfigRows, loaded_at: Timestamp) -> Snapshot {
        let resets = resets(&rows);
        let ConfigRows {
            revision,
            providers,
            credentials,
            users,
            keys,
            settings,
            prices,
            groups,
            grants,
            mut aliases,
            error_rules,
            vendors,
        } = rows;
        let vendors = specs(&vendors);
        let mut by_provider: HashMap<ProviderId, Vec<Arc<Credential>>> = HashMap::new();
        for row in credentials {
            by_provider.entry(row.provider_id).or_default().push(Arc::new(self.credential(row, &vendors)));
        }
        let mut names = Names::default();
        let providers: Vec<Provider> = providers
            .into_iter()
            .map(|row| {
                names.providers.insert(row.id, row.spec.name.clone());
                let proxy = self.proxy(Purpose::ProviderProxy, row.id.0, row.proxy_sealed.as_deref());
                let credentials = by_provider.remove(&row.id).unwrap_or_default();
                Provider::new(row.id, row.spec, proxy, credentials)
            })
            .collect();
        if !by_provider.is_empty() {
            tracing::warn!(count = by_provider.len(), "credentials without a provider were left out");
        }
        let mut granted: HashMap<UserId, Vec<Grant>> = HashMap::new();
        for row in grants {
            let limits = Grant::limits_of(&row.spec);
            granted.entry(row.user_id).or_default().push(Grant {
                id: row.id,
                spec: row.spec,
                starts_at: row.starts_at,
                ends_at: row.ends_at,
                disabled: row.disabled_at.is_some(),
                limits,
            });
        }
        let users: HashMap<_, _> = users
            .into_iter()
            .map(|row| {
                let grants = granted.remove(&row.id).unwrap_or_default();
                (row.id, Arc::new(User { id: row.id, spec: row.spec, grants }))
            })
            .collect();
        let mut key_index: HashMap<[u8; 32], Arc<ApiKey>> = HashMap::with_capacity(keys.len());
        for row in keys {
            let (Some(user), Ok(hash)) = (users.get(&row.user_id), <[u8; 32]>::try_from(row.hash.as_slice()))
            else {
                tracing::warn!(key.id = row.id.0, "a key without a user or with a bad hash was left out");
                continue;
            };
            names.keys.insert(row.id, row.spec.name.clone());
            key_index.insert(hash, Arc::new(ApiKey { id: row.id, spec: row.spec, user: user.clone() }));
        }
        let settings = read_settings(settings);
        let some = |amount: Money| (!amount.is_zero()).then_some(amount);
        let global = Limits {
            daily_limit_usd: some(settings.limits_global_daily),
            limit_monthly_usd: some(settings.limits_global_monthly),
            ..Limits::default()
        };
        let guesses = guesses(&providers, &users, &key_index, &groups);
        aliases.sort_by(|one, other| one.spec.name.cmp(&other.spec.name));
        Snapshot {
            vendors,
            aliases: aliases.into_iter().map(|row| row.spec).filter(|spec| spec.enabled).collect(),
            rules: Rules::new(error_rules.into_iter().map(|row| row.spec).collect()),
            has_hours: providers.iter().any(|provider| provider.spec.routing.schedule.is_some()),
            credentials: providers.iter().map(|provider| provider.credentials.len()).sum(),
            revision,
            loaded_at,
            settings,
            providers,
            users,
            keys: key_index,
            names,
            prices: PriceBook::new(prices.into_iter().map(|row| (row.model, row.source, row.spec))),
            groups: groups.into_iter().map(|row| (row.name, Group { id: row.id, spec: row.spec })).collect(),
            global,
            resets,
            guesses,
        }
    }

    fn credential(&self, row: CredentialRow, vendors: &BTreeMap<String, VendorSpec>) -> Credential {
        let gauge = self.gauges.gauge(row.id);
        gauge.note_checks(row.check.failures, row.check.at);
        if let Some(allowance) = row.allowance.clone() {
            gauge.remember(allowance);
        }
        Credential {
            id: row.id,
            auth: self.auth(&row, vendors),
            proxy: self.proxy(Purpose::CredentialProxy, row.id.0, row.proxy_sealed.as_deref()),
            mark: row.mark,
            vendor: row.token.vendor,
            check: row.check,
            gauge,
            spec: row.spec,
        }
    }

    fn auth(&self, row: &CredentialRow, vendors: &BTreeMap<String, VendorSpec>) -> Auth {
        let Some(secret) = self.open(Purpose::CredentialSecret, row.id.0, &row.sealed) else {
            return Auth::Unreadable;
        };
        let slot = self.slots.slot(row.id);
        match row.auth {
            CredentialAuth::ApiKey => return Auth::Key(secret),
            CredentialAuth::Oauth => {
                // What is no token set is never sent in place of one.
                let Some(set) = TokenSet::parse(&secret) else { return Auth::Unreadable };
                if slot.is_news(row.token.version, set.refresh_token.is_some()) {
                    let spec = row.token.vendor.as_deref().and_then(|name| vendors.get(name));
                    slot.put(AccessToken::of(row.id, &set, &row.token, spec));
                }
            }
            CredentialAuth::ServiceAccount | CredentialAuth::ClientCredentials => {
                if slot.is_news(row.token.version, true) {
                    slot.clear();
                }
            }
            CredentialAuth::Aws => {
                return AwsKey::parse(&secret).map_or(Auth::Unreadable, |key| Auth::Aws(Box::new(key)));
            }
        }
        Auth::Token(slot)
    }

    fn proxy(&self, purpose: Purpose, row: i64, sealed: Option<&[u8]>) -> Proxy {
        sealed.map_or(Proxy::Default, |sealed| {
            self.open(purpose, row, sealed).map_or(Proxy::Unreadable, Proxy::Own)
        })
    }

    fn open(&self, purpose: Purpose, row: i64, sealed: &[u8]) -> Option<Secret<String>> {
        self.vault
            .open(purpose, row, sealed)
            .inspect_err(|error| tracing::error!(?purpose, row, %error, "a stored secret cannot be opened"))
            .ok()
    }
}

/// Every vendor's descriptor: presets, and what the operator changed or added.
fn specs(rows: &[store::VendorRow]) -> BTreeMap<String, VendorSpec> {
    let mut specs = oauth::presets().clone();
    let whole = |row: &store::VendorRow| row.spec.clone().probing_like(oauth::preset(&row.name));
    specs.extend(rows.iter().map(|row| (row.name.clone(), whole(row))));
    specs
}

/// Whether any limit holds an estimate.
fn guesses(
    providers: &[Provider],
    users: &HashMap<UserId, Arc<User>>,
    keys: &HashMap<[u8; 32], Arc<ApiKey>>,
    groups: &[store::GroupRow],
) -> bool {
    let of = |limits: &Limits| !limits.estimated.is_empty();
    providers.iter().any(|p| of(&p.spec.limits) || p.credentials.iter().any(|c| of(&c.spec.limits)))
        || users.values().any(|user| of(&user.spec.limits))
        || keys.values().any(|key| of(&key.spec.limits))
        || groups.iter().any(|row| of(&row.spec.limits))
}

fn resets(rows: &ConfigRows) -> HashMap<Scope, Timestamp> {
    let users = rows.users.iter().map(|row| (ScopeKind::User, row.id.0, row.usage_reset_at));
    let keys = rows.keys.iter().map(|row| (ScopeKind::Key, row.id.0, row.usage_reset_at));
    let grants = rows.grants.iter().map(|row| (ScopeKind::Package, row.id.0, row.usage_reset_at));
    let some = |(kind, id, at): (ScopeKind, i64, Option<Timestamp>)| Some((Scope { kind, id }, at?));
    users.chain(keys).chain(grants).filter_map(some).collect()
}

fn read_settings(rows: Vec<store::SettingRow>) -> Settings {
    let mut settings = Settings::default();
    for row in rows {
        if let Err(problem) = settings.set(&row.name, &row.value) {
            // A row from a newer or older version: the default stands, the row stays for whoever knows it.
            tracing::warn!(setting = row.name, %problem, "a stored setting is not understood and was passed over");
        }
    }
    settings
}
