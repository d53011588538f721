//! Everything that a request reads of the configuration: immutable, behind one pointer, replaced as a whole.
//!
//! It holds opened secrets, so it never leaves the crate. It makes no decisions.

mod build;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use http::{HeaderMap, StatusCode};
use ledger::budget::Scope;
use routing::pattern::{Patterns, Redirects};
use routing::rule::Rules;
use types::alias::AliasSpec;
use types::api_key::ApiKeySpec;
use types::check::CheckStanding;
use types::credential::{CredentialMark, CredentialSpec};
use types::dialect::Endpoint;
use types::group::GroupSpec;
use types::limits::Limits;
use types::oauth::VendorSpec;
use types::package::{GrantState, PackageKind, PackageSpec};
use types::pattern::pattern_matches;
use types::provider::ProviderSpec;
use types::routing::Strategy;
use types::setting::Settings;
use types::translation::Served;
use types::user::UserSpec;
use types::{ApiKeyId, CredentialId, GrantId, GroupId, ProviderId, Secret, Timestamp, UserId};

use crate::authenticate::{Auth, Presented, Unpresentable};
use crate::credential::Gauge;
use crate::price::PriceBook;

pub(crate) use build::Builder;

/// The configuration at one revision.
#[derive(Debug)]
pub(crate) struct Snapshot {
    pub(crate) revision: i64,
    /// When it was read from the database.
    pub(crate) loaded_at: Timestamp,
    pub(crate) settings: Settings,
    pub(crate) providers: Vec<Provider>,
    pub(crate) users: HashMap<UserId, Arc<User>>,
    /// By the keyed hash of the whole key, so that two keys can never be taken for each other.
    pub(crate) keys: HashMap<[u8; 32], Arc<ApiKey>>,
    pub(crate) names: Names,
    /// What models cost.
    pub(crate) prices: PriceBook,
    /// Groups with a rate or limits of their own, by name.
    pub(crate) groups: HashMap<String, Group>,
    /// Limits of the whole gateway.
    pub(crate) global: Limits,
    /// Since when usage counts, where it was reset.
    pub(crate) resets: HashMap<Scope, Timestamp>,
    /// Whether any limit holds an estimate, so that costs must be guessed and learned.
    pub(crate) guesses: bool,
    /// Model aliases: exact names first, then patterns in the order of their text.
    pub(crate) aliases: Vec<AliasSpec>,
    /// What upstreams' errors mean.
    pub(crate) rules: Rules,
    /// Vendors' descriptors by name.
    pub(crate) vendors: BTreeMap<String, VendorSpec>,
    /// Credentials that could serve at all; where there is one, nothing needs to stick.
    pub(crate) credentials: usize,
    /// Whether any provider has hours.
    pub(crate) has_hours: bool,
}

impl Snapshot {
    /// Who is first among equals for a key: what the first of its groups (else of its user's) says that has a say,
    /// else the setting.
    pub(crate) fn strategy_of(&self, key: &ApiKey) -> Strategy {
        let mut named = key.spec.groups.iter().chain(&key.user.spec.groups);
        let own = named.find_map(|name| self.groups.get(name)?.spec.strategy);
        own.unwrap_or(self.settings.routing_strategy)
    }

    /// The models that stand for a requested one, best first; empty if it stands for itself.
    pub(crate) fn alias_of(&self, requested: &str) -> &[String] {
        let exact = self.aliases.iter().find(|alias| alias.name == requested);
        let found =
            exact.or_else(|| self.aliases.iter().find(|alias| pattern_matches(&alias.name, requested)));
        found.map_or(&[], |alias| alias.targets.as_slice())
    }

    /// The group through which a key's requests go to a provider: of those open to the key the one with the highest
    /// rate, the first by name among equals. `None` if the provider carries no group.
    pub(crate) fn group_of<'a>(
        &'a self,
        key: &ApiKey,
        provider: &'a Provider,
    ) -> Option<(&'a str, Option<&'a Group>)> {
        let open = |name: &String| {
            let allows = |chosen: &[String]| chosen.is_empty() || chosen.contains(name);
            allows(&key.spec.groups) && allows(&key.user.spec.groups)
        };
        let mut best: Option<(&str, Option<&Group>)> = None;
        for name in provider.spec.groups.iter().filter(|name| open(name)) {
            let group = self.groups.get(name);
            let rate =
                |group: Option<&Group>| group.map_or(types::Factor::ONE, |group| group.spec.price_rate);
            if best.is_none_or(|(_, best)| rate(group) > rate(best)) {
                best = Some((name, group));
            }
        }
        best
    }
}

/// A group with a rate or limits of its own.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) id: GroupId,
    pub(crate) spec: GroupSpec,
}

/// A package as granted.
#[derive(Debug)]
pub(crate) struct Grant {
    pub(crate) id: GrantId,
    pub(crate) spec: PackageSpec,
    pub(crate) starts_at: Timestamp,
    pub(crate) ends_at: Option<Timestamp>,
    pub(crate) disabled: bool,
    /// Its amounts as limits.
    pub(crate) limits: Limits,
}

impl Grant {
    /// Its state as far as time and the administrator decide it; how much is used is the budgets' business.
    pub(crate) fn state(&self, now: Timestamp) -> GrantState {
        if self.disabled {
            GrantState::Disabled
        } else if self.ends_at.is_some_and(|end| end <= now) {
            GrantState::Expired
        } else if now < self.starts_at {
            GrantState::Pending
        } else {
            GrantState::Active
        }
    }

    /// Whether it pays for a model.
    pub(crate) fn pays_for(&self, model: Option<&str>) -> bool {
        self.spec.models.is_empty()
            || model.is_some_and(|model| self.spec.models.iter().any(|p| pattern_matches(p, model)))
    }

    /// The amounts of a package as limits.
    pub(crate) fn limits_of(spec: &PackageSpec) -> Limits {
        match spec.kind {
            PackageKind::Subscription => Limits {
                daily_limit_usd: spec.daily_usd,
                limit_weekly_usd: spec.weekly_usd,
                limit_monthly_usd: spec.monthly_usd,
                ..Limits::default()
            },
            PackageKind::Quota => Limits { limit_total_usd: spec.total_usd, ..Limits::default() },
        }
    }
}

/// Names by id, for log rows made in memory.
#[derive(Debug, Default)]
pub(crate) struct Names {
    pub(crate) keys: HashMap<ApiKeyId, String>,
    pub(crate) providers: HashMap<ProviderId, String>,
}

/// A provider and what can authenticate to it.
#[derive(Debug)]
pub(crate) struct Provider {
    pub(crate) id: ProviderId,
    pub(crate) spec: ProviderSpec,
    /// Its own outbound proxy; wins over the default one.
    pub(crate) proxy: Proxy,
    pub(crate) credentials: Vec<Arc<Credential>>,
    /// Its model list, compiled.
    pub(crate) models: Patterns,
    /// Its redirects, compiled.
    pub(crate) redirects: Redirects,
}

/// The outbound proxy of a provider or credential.
#[derive(Debug)]
pub(crate) enum Proxy {
    /// None of its own: the next wider one applies, if there is one.
    Default,
    /// Its own.
    Own(Secret<String>),
    /// Its own, but it cannot be decrypted: nothing may be sent, least of all directly.
    Unreadable,
}

/// A credential with its opened secret and its gauge.
#[derive(Debug)]
pub(crate) struct Credential {
    pub(crate) id: CredentialId,
    pub(crate) spec: CredentialSpec,
    /// What it presents to its upstream.
    pub(crate) auth: Auth,
    /// Its own outbound proxy; wins over its provider's.
    pub(crate) proxy: Proxy,
    /// The vendor's descriptor that an account was connected with.
    pub(crate) vendor: Option<String>,
    /// What is stored of its state.
    pub(crate) mark: CredentialMark,
    /// What checks knew of it when the snapshot was made.
    pub(crate) check: CheckStanding,
    pub(crate) gauge: Arc<Gauge>,
}

impl Credential {
    /// What to send now; signatures are of the vendor's time.
    pub(crate) fn presented(&self, now: Timestamp) -> Result<Presented<'_>, Unpresentable> {
        let signs = matches!(self.auth, Auth::Aws(_));
        self.auth.presented(if signs { self.gauge.vendors_now(now) } else { now })
    }

    /// Hears a refusal. Where it may be one of time, the vendor's clock is learned from it.
    pub(crate) fn hear_refusal(&self, status: StatusCode, headers: &HeaderMap, now: Timestamp) {
        if status == StatusCode::UNAUTHORIZED && matches!(self.auth, Auth::Aws(_)) {
            self.gauge.hear_clock(headers, now);
        }
    }

    /// Whether it goes the way that its provider's other credentials go.
    pub(crate) fn takes_usual_way(&self) -> bool {
        matches!(self.proxy, Proxy::Default)
    }
}

/// A user, as far as requests care.
#[derive(Debug)]
pub(crate) struct User {
    pub(crate) id: UserId,
    pub(crate) spec: UserSpec,
    /// All packages that he was ever granted.
    pub(crate) grants: Vec<Grant>,
}

impl User {
    /// Whether the user is served at this instant.
    pub(crate) fn is_active(&self, now: Timestamp) -> bool {
        self.spec.enabled && self.spec.expires_at.is_none_or(|end| now < end)
    }
}

/// A key and its owner.
#[derive(Debug)]
pub(crate) struct ApiKey {
    pub(crate) id: ApiKeyId,
    pub(crate) spec: ApiKeySpec,
    pub(crate) user: Arc<User>,
}

impl ApiKey {
    /// Whether a provider with these groups is open to this key: both its own and its user's choice must allow it.
    pub(crate) fn may_use_groups(&self, provider_groups: &[String]) -> bool {
        let allows =
            |chosen: &[String]| chosen.is_empty() || provider_groups.iter().any(|g| chosen.contains(g));
        allows(&self.spec.groups) && allows(&self.user.spec.groups)
    }

    /// Whether this key may ask for a model.
    pub(crate) fn may_use_model(&self, model: &str) -> bool {
        self.spec.models.is_empty() || self.spec.models.iter().any(|pattern| pattern_matches(pattern, model))
    }
}

impl Provider {
    /// One with its lists compiled.
    pub(crate) fn new(
        id: ProviderId,
        spec: ProviderSpec,
        proxy: Proxy,
        credentials: Vec<Arc<Credential>>,
    ) -> Self {
        let models = Patterns::compile(&spec.models);
        let redirects = Redirects::compile(&spec.model_redirects);
        Self { id, spec, proxy, credentials, models, redirects }
    }

    /// The name to send upstream for a requested model: an exact redirect, else the first matching pattern
    /// (in the order of the patterns' text), else the name itself.
    pub(crate) fn upstream_model<'a>(&'a self, requested: &'a str) -> &'a str {
        self.redirects.target(requested)
    }

    /// How it can answer an endpoint with a requested model; `None` if it cannot.
    pub(crate) fn serves(&self, endpoint: Endpoint, model: Option<&str>) -> Option<Served> {
        let sent_as = model.map(|model| self.upstream_model(model));
        self.spec.routing.serves(self.spec.kind, endpoint, sent_as)
    }

    /// Whether it serves a requested model. The list is held against the name that would be sent upstream
    /// as well as the requested one, so that `{"gpt-4o": "my-deployment"}` needs no second entry.
    pub(crate) fn serves_model(&self, requested: &str) -> bool {
        self.models.is_empty()
            || self.models.matches(self.upstream_model(requested))
            || self.models.matches(requested)
    }

    /// Whether its list or its redirects name a requested model. A provider without a list takes every model of its
    /// own dialects, and none of another's: it would be asked for models that its vendor has never heard of.
    pub(crate) fn names_model(&self, requested: &str) -> bool {
        self.upstream_model(requested) != requested || !self.models.is_empty() && self.serves_model(requested)
    }
}
