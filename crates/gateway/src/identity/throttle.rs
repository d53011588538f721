//! Slows down guessing without ever locking the owner out. It does not know what is guessed, nor the time:
//! instants are passed in.
//!
//! Failures are counted for each account, whatever addresses they come from (X2), and for each network (/24 of
//! IPv4, /64 of IPv6), whatever accounts they try. After five failures the next try must wait 1 s, then 2 s,
//! 4 s, … up to 15 minutes: at most ten tries in the first minute (X1) and some 110 in a day. Nothing is locked
//! for good, and a day without failures forgets them.
//!
//! Loopback, devices that signed in before, and networks from which this very account got in before have counters
//! of their own, so whoever floods the sign-in from elsewhere cannot keep the owner out.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use moka::sync::Cache;
use types::{Problem, Timestamp};

/// Failures without a wait.
const FREE_TRIES: u32 = 5;
/// The longest wait.
const LONGEST_WAIT_MS: i64 = 15 * 60 * 1_000;
/// After so long without a failure, a counter starts anew. Shorter would let slow guessers begin again.
const FORGET_MS: i64 = Timestamp::DAY_MS;
/// For so long a network stays known to an account after a success.
const KNOWN_MS: i64 = 30 * Timestamp::DAY_MS;
/// Counters kept, each for accounts and networks. The administrator's never leave, whatever floods in.
const COUNTERS: u64 = 50_000;
/// Audit rows about failures in a minute; the rest is counted in the next row.
const AUDIT_ROWS_A_MINUTE: u32 = 30;

/// From where a try comes, as far as trust goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Lane {
    /// Anywhere.
    Public,
    /// A network from which the account got in within [`KNOWN_MS`].
    KnownNetwork,
    /// The machine itself.
    Loopback,
    /// A browser that signed in before.
    TrustedDevice,
}

impl Lane {
    /// The lane of a try.
    pub(crate) fn of(ip: IpAddr, trusted_device: bool) -> Self {
        if trusted_device {
            Self::TrustedDevice
        } else if ip.to_canonical().is_loopback() {
            Self::Loopback
        } else {
            Self::Public
        }
    }
}

/// Whose secret is tried.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Account {
    /// The admin token.
    Admin,
    /// A member's name, in lower case.
    Name(String),
    /// The visible part of an API key.
    Key(String),
}

#[derive(Clone, Debug, Default)]
struct Counter {
    failures: u32,
    last: Option<Timestamp>,
}

impl Counter {
    /// When the next try may come.
    fn open_at(&self) -> Option<Timestamp> {
        let over = self.failures.checked_sub(FREE_TRIES)?;
        let wait = 1_000_i64.checked_shl(over).filter(|ms| (1..=LONGEST_WAIT_MS).contains(ms));
        self.last.map(|last| last.plus_ms(wait.unwrap_or(LONGEST_WAIT_MS)))
    }

    fn wait_ms(&self, now: Timestamp) -> i64 {
        self.open_at().map_or(0, |at| (at.0 - now.0).clamp(0, LONGEST_WAIT_MS))
    }

    fn charge(&mut self, now: Timestamp) {
        if self.last.is_some_and(|last| now.0 - last.0 > FORGET_MS) {
            self.failures = 0;
        }
        self.failures = self.failures.saturating_add(1);
        self.last = Some(now);
    }

    fn refund(&mut self) {
        self.failures = self.failures.saturating_sub(1);
    }
}

type Shared = Arc<Mutex<Counter>>;

/// The counters of this process.
#[derive(Debug)]
pub(crate) struct Throttle {
    admin: [Shared; 4],
    accounts: Cache<(Lane, Account), Shared>,
    networks: Cache<(Lane, IpAddr), Shared>,
    known: Cache<(Account, IpAddr), Timestamp>,
    audit: Mutex<AuditBudget>,
}

impl Default for Throttle {
    fn default() -> Self {
        Self {
            admin: Default::default(),
            accounts: Cache::new(COUNTERS),
            networks: Cache::new(COUNTERS),
            known: Cache::new(COUNTERS),
            audit: Mutex::default(),
        }
    }
}

/// What became of the wish to try a secret.
#[derive(Debug)]
pub(crate) enum Begun<'a> {
    /// The quick check found it right already; nothing is counted.
    Proven,
    /// It has to be checked the slow way, and this says how that ended.
    Try(Try<'a>),
}

/// One admitted try. It counts as a failure from the start, so that many tries at once cannot all slip through
/// before the first has failed, and stays one unless it is said to be otherwise.
#[derive(Debug)]
#[must_use = "a try stays counted as a failure until it is settled"]
pub(crate) struct Try<'a> {
    throttle: &'a Throttle,
    /// Whose network becomes known if the secret is right.
    owner: (Account, IpAddr),
    now: Timestamp,
    account: Shared,
    network: Shared,
}

impl Try<'_> {
    /// The secret was right: the account's counter starts anew. The network's only forgets this try, or a member
    /// could wash his network clean with his own password while he guesses others'.
    pub(crate) fn succeeded(self) {
        *lock(&self.account) = Counter::default();
        lock(&self.network).refund();
        self.throttle.known.insert(self.owner, self.now);
    }

    /// Nothing was checked (too busy, say), so nothing is counted.
    pub(crate) fn not_checked(self) {
        lock(&self.account).refund();
        lock(&self.network).refund();
    }

    /// The secret was wrong: what was counted stays counted.
    #[expect(clippy::unused_self, reason = "it uses the try up, so that nobody can settle it twice")]
    pub(crate) fn failed(self) {}
}

impl Throttle {
    /// Admits a try, or answers `too_many_attempts` with the seconds to wait.
    ///
    /// `quick` is a check that costs next to nothing. It is asked only when a try is admitted, for otherwise it
    /// would be a way to guess without waiting, and under the counter's lock, so that many right calls at once
    /// are never taken for failures.
    pub(crate) fn begin(
        &self,
        now: Timestamp,
        account: Account,
        ip: IpAddr,
        trusted_device: bool,
        quick: impl FnOnce() -> bool,
    ) -> Result<Begun<'_>, Problem> {
        let owner = (account, network(ip));
        let lane = self.lane(now, &owner, ip, trusted_device);
        let account = self.account(lane, &owner.0);
        let network = self.networks.get_with((lane, owner.1), Shared::default);
        {
            // Always in this order, so that two tries never wait for each other.
            let (mut account, mut network) = (lock(&account), lock(&network));
            let wait = account.wait_ms(now).max(network.wait_ms(now));
            if wait > 0 {
                return Err(too_many(wait));
            }
            if quick() {
                *account = Counter::default();
                self.known.insert(owner, now);
                return Ok(Begun::Proven);
            }
            account.charge(now);
            network.charge(now);
        }
        Ok(Begun::Try(Try { throttle: self, owner, now, account, network }))
    }

    fn lane(&self, now: Timestamp, owner: &(Account, IpAddr), ip: IpAddr, trusted_device: bool) -> Lane {
        match Lane::of(ip, trusted_device) {
            Lane::Public if self.known.get(owner).is_some_and(|at| now.0 - at.0 < KNOWN_MS) => {
                Lane::KnownNetwork
            }
            lane => lane,
        }
    }

    /// Whether a failure may be written to the audit log now, and how many went unwritten since the last row.
    pub(crate) fn audit_slot(&self, now: Timestamp) -> Option<u32> {
        lock(&self.audit).take(now)
    }

    fn account(&self, lane: Lane, account: &Account) -> Shared {
        let [public, known, loopback, trusted] = &self.admin;
        match (account, lane) {
            (Account::Admin, Lane::Public) => public.clone(),
            (Account::Admin, Lane::KnownNetwork) => known.clone(),
            (Account::Admin, Lane::Loopback) => loopback.clone(),
            (Account::Admin, Lane::TrustedDevice) => trusted.clone(),
            (other, lane) => self.accounts.get_with((lane, other.clone()), Shared::default),
        }
    }
}

#[derive(Debug, Default)]
struct AuditBudget {
    minute: i64,
    used: u32,
    unwritten: u32,
}

impl AuditBudget {
    fn take(&mut self, now: Timestamp) -> Option<u32> {
        let minute = now.0.div_euclid(60_000);
        if minute != self.minute {
            (self.minute, self.used) = (minute, 0);
        }
        if self.used >= AUDIT_ROWS_A_MINUTE {
            self.unwritten = self.unwritten.saturating_add(1);
            return None;
        }
        self.used += 1;
        Some(std::mem::take(&mut self.unwritten))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // A counter is whole after every step, so one from a thread that panicked is as good as any.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The network of an address: its /24 (IPv4, also when written as IPv6) or its /64.
fn network(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V4(ip) => IpAddr::V4((ip.to_bits() & !0xff).into()),
        IpAddr::V6(ip) => IpAddr::V6((ip.to_bits() & !u128::from(u64::MAX)).into()),
    }
}

fn too_many(wait_ms: i64) -> Problem {
    let seconds = wait_ms.div_euclid(1_000) + i64::from(wait_ms.rem_euclid(1_000) > 0);
    let mut problem = Problem::new(
        "too_many_attempts",
        format!("too many failed attempts; wait {seconds} seconds and try again"),
    );
    problem.fields.insert("retry_after_s".to_owned(), seconds.to_string());
    problem
}

#[cfg(test)]
mod tests;
