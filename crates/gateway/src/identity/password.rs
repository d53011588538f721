//! Passwords: argon2id on the blocking pool, so that sign-ins never hold up traffic. It knows no users.

use std::sync::{Arc, LazyLock};

use argon2::password_hash::rand_core::OsRng;
use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;
use types::{Problem, Secret};

/// Memory in KiB, passes and lanes: the minimum that OWASP's password storage cheat sheet names for argon2id.
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// How many hashes may wait for a core. More would only make everybody's sign-in slower.
const QUEUE: usize = 32;

/// A hash that nothing is known to match (its output is 32 random bytes). It is checked for unknown names, so
/// that they take as long as known ones.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$QcC90Cf8xmvPAxGl28V1jg$KXIT2ptJX2vJ1RzJmWEK2n0YVFM3VmyTStIVl5k9ZNM";

/// The queue of this process: cores belong to the process, so their queue does too.
static SHARED: LazyLock<Passwords> = LazyLock::new(Passwords::new);

/// Hashes and checks passwords, never more at once than there are cores.
#[derive(Clone, Debug)]
pub(crate) struct Passwords {
    work: Arc<Semaphore>,
    queue: Arc<Semaphore>,
}

/// What a check found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The password is right.
    Match,
    /// The password is right, and its hash was made with weaker parameters than today's.
    MatchButStale,
    /// The password is wrong, or there is none.
    Mismatch,
}

impl Passwords {
    /// The queue of this process.
    pub(crate) fn shared() -> &'static Self {
        &SHARED
    }

    fn new() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self { work: Arc::new(Semaphore::new(cores)), queue: Arc::new(Semaphore::new(cores + QUEUE)) }
    }

    /// The hash of a password as PHC text.
    pub(crate) async fn hash(&self, password: Secret<String>) -> Result<String, Problem> {
        self.run(move || hash_now(password.expose().as_bytes())).await?
    }

    /// Checks a password against a stored hash. Without one it takes just as long and answers no.
    pub(crate) async fn verify(
        &self,
        password: Secret<String>,
        stored: Option<String>,
    ) -> Result<Verdict, Problem> {
        self.run(move || {
            let right = verify_now(password.expose().as_bytes(), stored.as_deref().unwrap_or(NOBODY));
            match stored {
                Some(stored) if right && is_stale(&stored) => Verdict::MatchButStale,
                Some(_) if right => Verdict::Match,
                _ => Verdict::Mismatch,
            }
        })
        .await
    }

    /// Runs costly work on the blocking pool, in the queue of everything that hashes.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Problem> {
        let overloaded = || Problem::new("overloaded", "too many sign-ins at once; try again in a moment");
        let place = self.queue.clone().try_acquire_owned().map_err(|_| overloaded())?;
        let permit = self.work.clone().acquire_owned().await.map_err(|_| overloaded())?;
        // The permits move into the work: a caller that leaves must not make room while the core is still busy.
        tokio::task::spawn_blocking(move || {
            let result = work();
            drop((permit, place));
            result
        })
        .await
        .map_err(|_| Problem::new("internal", "the password check did not finish"))
    }
}

fn argon() -> Result<Argon2<'static>, Problem> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|_| unusable())?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// Hashes on the calling thread, for the start only.
pub(crate) fn hash_now(password: &[u8]) -> Result<String, Problem> {
    let salt = SaltString::generate(&mut OsRng);
    argon()?.hash_password(password, &salt).map(|hash| hash.to_string()).map_err(|_| unusable())
}

fn unusable() -> Problem {
    Problem::new("internal", "the password could not be hashed")
}

// Uses the parameters that stand in the stored text, so that older hashes still work.
fn verify_now(password: &[u8], stored: &str) -> bool {
    PasswordHash::new(stored).is_ok_and(|hash| Argon2::default().verify_password(password, &hash).is_ok())
}

fn is_stale(stored: &str) -> bool {
    let params = PasswordHash::new(stored).ok().and_then(|hash| {
        let argon2id = hash.algorithm == Algorithm::Argon2id.ident();
        Params::try_from(&hash).ok().filter(|_| argon2id)
    });
    params.is_none_or(|p| p.m_cost() < MEMORY_KIB || p.t_cost() < PASSES || p.p_cost() < LANES)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Secret<String> {
        Secret::new(text.to_owned())
    }

    #[tokio::test]
    async fn t_pw_1_the_stored_parameters_are_at_least_the_minimum() {
        let passwords = Passwords::new();
        let stored = passwords.hash(secret("correct horse battery")).await.unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert!(!stored.contains("correct"));
        let check = |text: &str, hash: Option<&str>| passwords.verify(secret(text), hash.map(str::to_owned));
        assert_eq!(check("correct horse battery", Some(&stored)).await.unwrap(), Verdict::Match);
        assert_eq!(check("wrong horse battery", Some(&stored)).await.unwrap(), Verdict::Mismatch);
        assert_eq!(check("correct horse battery", None).await.unwrap(), Verdict::Mismatch);
        assert_eq!(check("anything", Some("not a hash")).await.unwrap(), Verdict::Mismatch);
    }

    #[test]
    fn the_hash_for_unknown_names_costs_as_much_as_a_real_one() {
        assert!(PasswordHash::new(NOBODY).is_ok_and(|hash| hash.hash.is_some_and(|h| h.len() == 32)));
        assert!(!is_stale(NOBODY));
    }

    #[tokio::test]
    async fn t_pw_1_a_weaker_hash_still_opens_and_asks_to_be_renewed() {
        let weak = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(8_192, 1, 1, None).unwrap());
        let salt = SaltString::generate(&mut OsRng);
        let stored = weak.hash_password(b"correct horse battery", &salt).unwrap().to_string();
        let passwords = Passwords::new();
        let verdict = passwords.verify(secret("correct horse battery"), Some(stored)).await.unwrap();
        assert_eq!(verdict, Verdict::MatchButStale);
    }

    #[tokio::test]
    async fn a_full_queue_is_refused_at_once() {
        let mut passwords = Passwords::new();
        passwords.queue = Arc::new(Semaphore::new(1));
        let _taken = passwords.queue.clone().try_acquire_owned().unwrap();
        let problem = passwords.hash(secret("correct horse battery")).await.unwrap_err();
        assert_eq!((problem.code.as_str(), problem.status()), ("overloaded", 503));
    }
}
