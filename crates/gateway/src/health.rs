//! What `/health` says. It asks only this process and its database; no upstream is called for it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use types::Timestamp;
use types::credential::CredentialState;
use types::system::{Health, HealthCheck};

use crate::core::Core;
use crate::environment;
use crate::snapshot::Credential;

/// A database that answers slower than this counts as degraded.
const SLOW_MS: u64 = 500;
/// How long a check may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// Every check and what follows from them.
pub(crate) async fn report(core: &Core) -> Health {
    let mut checks = BTreeMap::new();
    let database = database(core).await;
    let ai_service = ai_service(core);
    let pool = pool(core);
    let status = match (database.status.as_str(), ai_service.status.as_str(), pool.status.as_str()) {
        ("failed", ..) => "unhealthy",
        ("ok", "ok" | "not_configured", "ok") => "healthy",
        _ => "degraded",
    };
    checks.insert("database".to_owned(), database);
    checks.insert("ai_service".to_owned(), ai_service);
    checks.insert("pool".to_owned(), pool);
    checks.insert("cache".to_owned(), cache(core));
    checks.insert("redis".to_owned(), check("not_configured", None));
    Health {
        status: status.to_owned(),
        timestamp: core.clock.now(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        checks,
    }
}

/// Whether the database answers, and whether the books' writer keeps up with it.
pub(crate) async fn database(core: &Core) -> HealthCheck {
    let started = Instant::now();
    let answered = tokio::time::timeout(PATIENCE, core.store.ping()).await;
    let latency = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    let mut result = match answered {
        Err(_) => check("failed", Some("no answer within 2 s".into())),
        Ok(Err(error)) => check("failed", Some(error.to_string())),
        Ok(Ok(_)) if latency > SLOW_MS => check("degraded", Some(format!("slow: {latency} ms"))),
        Ok(Ok(_)) => check("ok", None),
    };
    result.latency_ms = Some(latency);
    result
}

/// Whether every enabled kind of provider has a credential that can be used; nobody is called.
fn ai_service(core: &Core) -> HealthCheck {
    let (snapshot, now) = (core.snapshot(), core.clock.now());
    let mut usable: BTreeMap<&'static str, bool> = BTreeMap::new();
    for provider in snapshot.providers.iter().filter(|provider| provider.spec.enabled) {
        let some = provider.credentials.iter().any(|c| is_usable(c, now));
        *usable.entry(provider.spec.kind.as_str()).or_default() |= some;
    }
    let without: Vec<&str> = usable.iter().filter(|(_, usable)| !**usable).map(|(kind, _)| *kind).collect();
    if usable.is_empty() {
        check("not_configured", Some("no provider is enabled".into()))
    } else if without.is_empty() {
        check("ok", None)
    } else if without.len() == usable.len() {
        check("failed", Some("no provider has a usable credential".into()))
    } else {
        check("degraded", Some(format!("no usable credential for: {}", without.join(", "))))
    }
}

/// Whether everything that the pool should hold could be set up (TP-09).
fn pool(core: &Core) -> HealthCheck {
    match environment::faults(core).len() {
        0 => check("ok", None),
        n => check("degraded", Some(format!("{n} parts of the pool could not be set up"))),
    }
}

fn is_usable(credential: &Credential, now: Timestamp) -> bool {
    let mark = &credential.mark;
    let valid = mark.state == CredentialState::Valid || mark.until.is_some_and(|until| until <= now);
    credential.spec.enabled && credential.auth.is_readable() && valid
}

fn cache(core: &Core) -> HealthCheck {
    let snapshot = core.snapshot();
    check(
        "ok",
        Some(format!("{} keys, {} providers in memory", snapshot.keys.len(), snapshot.providers.len())),
    )
}

fn check(status: &str, detail: Option<String>) -> HealthCheck {
    HealthCheck { status: status.to_owned(), detail, latency_ms: None }
}
