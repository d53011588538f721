//! The place of a credential's access token: outlives snapshots, is read without a lock, and knows whether somebody
//! fetches a fresh one right now. It fetches nothing itself.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwapOption;
use http::header::{AUTHORIZATION, HeaderName, HeaderValue};
use oauth::TokenSet;
use tokio::sync::watch;
use types::oauth::{CredentialToken, TokenFault, VendorSpec};
use types::{CredentialId, Secret, Timestamp};

/// An access token.
#[derive(Debug)]
pub(crate) struct AccessToken {
    pub(crate) secret: Secret<String>,
    /// From when on the upstream refuses it; `None` if nobody said.
    pub(crate) expires_at: Option<Timestamp>,
    /// When it is to be replaced, jitter included; `None` if never.
    pub(crate) due_at: Option<Timestamp>,
    /// Header and word that carry it where that is not `Authorization: Bearer`.
    pub(crate) carrier: Option<(HeaderName, String)>,
    /// What else its vendor wants to see. A list that the caller sends under the same name is kept and added to.
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    /// Of the stored token that it came with.
    pub(crate) version: i64,
}

/// Most of a refresh's lead that chance takes, in milliseconds.
const JITTER_MAX_MS: i64 = 60_000;

impl AccessToken {
    /// The token of a stored set, as requests carry it.
    pub(crate) fn of(
        id: CredentialId,
        set: &TokenSet,
        token: &CredentialToken,
        spec: Option<&VendorSpec>,
    ) -> Self {
        let header = |(name, value): (&String, &String)| {
            Some((HeaderName::try_from(name).ok()?, HeaderValue::from_str(value).ok()?))
        };
        Self {
            secret: set.access_token.clone(),
            expires_at: token.expires_at,
            due_at: token.due_at().map(|due| due.plus_ms(-jitter_ms(id, token, due))),
            carrier: spec.and_then(carrier),
            headers: spec
                .map_or_else(Vec::new, |spec| spec.extra_headers.iter().filter_map(header).collect()),
            version: token.version,
        }
    }

    pub(crate) fn is_over(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|end| end <= now)
    }
}

fn carrier(spec: &VendorSpec) -> Option<(HeaderName, String)> {
    let name = HeaderName::try_from(&spec.token_header).ok()?;
    let usual = name == AUTHORIZATION && spec.token_scheme.eq_ignore_ascii_case("bearer");
    (!usual).then(|| (name, spec.token_scheme.clone()))
}

/// So much earlier, always the same for one token: accounts that were connected together are not refreshed together.
fn jitter_ms(id: CredentialId, token: &CredentialToken, due: Timestamp) -> i64 {
    let start = token.refreshed_at.unwrap_or(due);
    let most = (due.0.saturating_sub(start.0) / 20).clamp(0, JITTER_MAX_MS);
    let seed = id.0.wrapping_mul(7_919).wrapping_add(token.version.wrapping_mul(104_729));
    seed.rem_euclid(most.max(1))
}

/// How a refresh ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Flown {
    /// There is a token that was not there when it was asked for.
    Fresh,
    /// There is none, and why.
    Failed(TokenFault, Arc<str>),
}

/// A refresh under way; holds what came of it at the end.
pub(crate) type Flight = watch::Receiver<Option<Flown>>;

/// The place itself.
#[derive(Debug)]
pub(crate) struct TokenSlot {
    token: ArcSwapOption<AccessToken>,
    /// Grows with each token, so that whoever was refused can tell whether there is another one by now.
    round: AtomicU64,
    /// The stored token that was last seen.
    version: AtomicI64,
    can_refresh: AtomicBool,
    /// No refresh by itself before this instant: the last one failed.
    quiet_until: AtomicI64,
    failures: AtomicU64,
    asked: AtomicBool,
    flight: Mutex<Option<Flight>>,
}

/// Pause after the first failed refresh.
const QUIET_MS: i64 = 5_000;
/// The longest pause.
const QUIET_MAX_MS: i64 = 300_000;

impl Default for TokenSlot {
    fn default() -> Self {
        Self {
            token: ArcSwapOption::empty(),
            round: AtomicU64::new(0),
            version: AtomicI64::new(-1),
            can_refresh: AtomicBool::new(false),
            quiet_until: AtomicI64::new(0),
            failures: AtomicU64::new(0),
            asked: AtomicBool::new(false),
            flight: Mutex::new(None),
        }
    }
}

impl TokenSlot {
    /// Puts a token in place of the one before.
    pub(crate) fn put(&self, token: AccessToken) {
        self.version.fetch_max(token.version, Ordering::AcqRel);
        self.token.store(Some(Arc::new(token)));
        self.round.fetch_add(1, Ordering::AcqRel);
        self.failures.store(0, Ordering::Release);
        self.quiet_until.store(0, Ordering::Release);
        self.asked.store(false, Ordering::Release);
    }

    /// Notes which stored token is the newest; true if that is news, and what is here belongs to an older one.
    pub(crate) fn is_news(&self, version: i64, can_refresh: bool) -> bool {
        let known = self.version.fetch_max(version, Ordering::AcqRel);
        if known <= version {
            self.can_refresh.store(can_refresh, Ordering::Release);
        }
        known < version
    }

    /// The stored token that was last seen.
    pub(crate) fn version(&self) -> i64 {
        self.version.load(Ordering::Acquire)
    }

    /// Takes the token away: what is stored is another one, or the upstream takes this one no more.
    pub(crate) fn clear(&self) {
        self.token.store(None);
    }

    /// The token, expired or not.
    pub(crate) fn get(&self) -> Option<Arc<AccessToken>> {
        self.token.load_full()
    }

    /// Which token this is; see [`TokenSlot::round`].
    pub(crate) fn round(&self) -> u64 {
        self.round.load(Ordering::Acquire)
    }

    /// Whether it can be replaced without anybody signing in.
    pub(crate) fn can_refresh(&self) -> bool {
        self.can_refresh.load(Ordering::Acquire)
    }

    /// Whether there is a token that can be used now.
    pub(crate) fn is_ready(&self, now: Timestamp) -> bool {
        self.token.load().as_ref().is_some_and(|token| !token.is_over(now))
    }

    /// Whether it should be replaced by now, or somebody missed it.
    pub(crate) fn is_due(&self, now: Timestamp) -> bool {
        let due = self.token.load().as_ref().is_some_and(|token| token.due_at.is_some_and(|at| at <= now));
        self.can_refresh() && !self.is_quiet(now) && (due || self.asked.load(Ordering::Acquire))
    }

    /// Asks for a refresh soon; true for the first who does.
    pub(crate) fn ask(&self) -> bool {
        self.can_refresh() && !self.asked.swap(true, Ordering::AcqRel)
    }

    /// Whether the last refresh failed a moment ago.
    pub(crate) fn is_quiet(&self, now: Timestamp) -> bool {
        now.0 < self.quiet_until.load(Ordering::Acquire)
    }

    /// When the pause after a failure ends.
    pub(crate) fn quiet_until(&self) -> Timestamp {
        Timestamp(self.quiet_until.load(Ordering::Acquire))
    }

    /// Notes a failed refresh: the pauses grow.
    pub(crate) fn failed(&self, now: Timestamp) {
        let failures = self.failures.fetch_add(1, Ordering::AcqRel).min(10);
        let pause = QUIET_MS.saturating_mul(1_i64 << failures).min(QUIET_MAX_MS);
        self.quiet_until.store(now.0.saturating_add(pause), Ordering::Release);
        self.asked.store(false, Ordering::Release);
    }

    /// Joins the refresh under way, or begins one by `begin`. `None` if there is another token than the one of `round`
    /// already.
    pub(crate) fn join(
        &self,
        round: u64,
        begin: impl FnOnce(watch::Sender<Option<Flown>>),
    ) -> Option<Flight> {
        let mut flight = self.flight.lock().unwrap_or_else(PoisonError::into_inner);
        if self.round() != round {
            return None;
        }
        if let Some(flight) = flight.as_ref() {
            return Some(flight.clone());
        }
        let (sender, receiver) = watch::channel(None);
        *flight = Some(receiver.clone());
        begin(sender);
        Some(receiver)
    }

    /// Whether a refresh is under way.
    pub(crate) fn is_in_flight(&self) -> bool {
        self.flight.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Ends the refresh under way: whoever asks from now on begins another.
    pub(crate) fn land(&self) {
        self.flight.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

/// The slots of all credentials; they outlive snapshots.
#[derive(Clone, Debug, Default)]
pub(crate) struct TokenSlots(Arc<Mutex<HashMap<CredentialId, Arc<TokenSlot>>>>);

impl TokenSlots {
    /// The slot of a credential, made at the first call.
    pub(crate) fn slot(&self, id: CredentialId) -> Arc<TokenSlot> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(id).or_default().clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_000_000);

    fn token(version: i64, end: i64) -> AccessToken {
        AccessToken {
            secret: Secret::new("t".to_owned()),
            expires_at: Some(NOW.plus_ms(end)),
            due_at: Some(NOW.plus_ms(end / 2)),
            carrier: None,
            headers: Vec::new(),
            version,
        }
    }

    fn stored(version: i64) -> CredentialToken {
        CredentialToken {
            refreshed_at: Some(Timestamp(1_000_000)),
            expires_at: Some(Timestamp(4_600_000)),
            version,
            ..CredentialToken::default()
        }
    }

    fn set() -> TokenSet {
        let secret = |text: &str| Secret::new(text.to_owned());
        TokenSet {
            access_token: secret("a"),
            refresh_token: Some(secret("r")),
            id_token: None,
            token_type: None,
        }
    }

    #[test]
    fn rf_02_a_refresh_comes_a_little_before_its_time_and_not_for_all_at_once() {
        let due = |id: i64| AccessToken::of(CredentialId(id), &set(), &stored(1), None).due_at.unwrap().0;
        let latest = stored(1).due_at().unwrap().0;
        let times: std::collections::BTreeSet<i64> = (0..100).map(due).collect();
        assert!(times.iter().all(|at| *at <= latest && *at >= latest - JITTER_MAX_MS), "{times:?}");
        assert!(times.len() > 80);
    }

    #[test]
    fn the_vendors_header_style_is_kept() {
        let spec = |header: &str, scheme: &str| VendorSpec {
            token_header: header.to_owned(),
            token_scheme: scheme.to_owned(),
            ..VendorSpec::default()
        };
        assert_eq!(carrier(&spec("Authorization", "Bearer")), None);
        let (name, scheme) = carrier(&spec("X-Api-Key", "")).unwrap();
        assert_eq!((name.as_str(), scheme.as_str()), ("x-api-key", ""));
        let claude = AccessToken::of(CredentialId(1), &set(), &stored(1), oauth::preset("claude"));
        assert_eq!(claude.headers.len(), 1);
        assert_eq!(claude.headers[0].1, "oauth-2025-04-20");
    }

    #[test]
    fn rf_02_everybody_joins_one_refresh_and_late_comers_find_its_token() {
        let slot = TokenSlot::default();
        let mut senders = Vec::new();
        for _ in 0..500 {
            assert!(slot.join(0, |sender| senders.push(sender)).is_some());
        }
        assert_eq!(senders.len(), 1);
        slot.put(token(1, 100));
        slot.land();
        assert!(slot.join(0, |_| panic!("a second refresh for one token")).is_none());
        assert!(slot.join(1, |sender| senders.push(sender)).is_some());
        assert_eq!(senders.len(), 2);
    }

    #[test]
    fn pauses_after_failures_grow_to_a_bound_and_a_token_ends_them() {
        let slot = TokenSlot::default();
        slot.is_news(1, true);
        slot.ask();
        let mut last = 0;
        for _ in 0..20 {
            slot.failed(NOW);
            let pause = slot.quiet_until().0 - NOW.0;
            assert!(pause >= last && pause <= QUIET_MAX_MS);
            last = pause;
        }
        assert_eq!(last, QUIET_MAX_MS);
        assert!(slot.is_quiet(NOW) && !slot.is_due(NOW));
        slot.put(token(1, -10));
        assert!(!slot.is_quiet(NOW) && slot.is_due(NOW) && !slot.is_ready(NOW));
    }

    #[test]
    fn a_stored_token_is_news_once_and_an_older_one_never() {
        let slot = TokenSlot::default();
        assert!(slot.is_news(3, true));
        assert!(!slot.is_news(3, true));
        assert!(!slot.is_news(2, true));
        assert!(slot.is_news(4, false));
        assert!(!slot.is_news(3, true));
        assert!(!slot.can_refresh(), "what was read before counts no more");
    }

    #[test]
    fn only_what_can_be_refreshed_is_asked_for_and_once() {
        let slot = TokenSlot::default();
        assert!(!slot.ask());
        slot.is_news(1, true);
        assert!(slot.ask() && !slot.ask());
        assert!(slot.is_due(NOW));
    }
}
