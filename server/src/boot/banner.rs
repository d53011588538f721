//! What a start says about itself (ST-14, TP-08): versions, addresses, switches, counts and the pool, never a secret.

use std::net::SocketAddr;

use gateway::{Actor, Admin, Gateway};
use types::Problem;
use types::credential::Tier;
use types::pool::{PoolEntry, PoolReport};
use types::principal::Principal;

use crate::config::ServerConfig;

/// Most credentials that each get a line of the log.
const LISTED: usize = 100;

/// Two structured log lines, and one for each credential.
pub async fn log(config: &ServerConfig, gateway: &Gateway, address: SocketAddr) -> Result<(), Problem> {
    let actor = Actor { via: "boot", client_ip: None, request_id: String::new(), session: None };
    let admin = gateway.admin(&Principal::Admin, actor)?;
    let system = admin.system().await?;
    tracing::info!(
        version = system.version,
        revision = system.revision,
        %address,
        profile = config.profile(),
        database = system.database,
        migration = system.migration,
        encryption.key_id = system.encryption_key_id,
        admin_token.fingerprint = gateway.fingerprint(),
        trust_proxy = %config.trust_proxy,
        tls_check = !config.unsafe_disable_tls_check,
        secure_cookies = config.secure_cookies,
        providers = admin.provider_list(false).await?.len(),
        credentials = admin.credential_list(None).await?.len(),
        users = admin.user_list(false).await?.len(),
        keys = admin.key_list(None).await?.len(),
        "Tollgate is ready"
    );
    pool(&admin).await
}

/// How many credentials could serve, and each of them: of a big pool only at `debug`.
async fn pool(admin: &Admin) -> Result<(), Problem> {
    let PoolReport { stats, entries } = admin.pool_report().await?;
    let of = |tier| stats.tiers.iter().find(|line| line.tier == tier).map_or(0, |line| line.total);
    tracing::info!(
        total = stats.total,
        active = stats.active,
        failed = stats.failed,
        personal = of(Tier::Personal),
        shared = of(Tier::Shared),
        fallback = of(Tier::Fallback),
        faults = stats.faults.len(),
        "the pool"
    );
    let many = entries.len() > LISTED;
    for entry in entries {
        let PoolEntry { provider_name, credential_name, tier, priority, active, state, reason, .. } = entry;
        // The level of an event is fixed where it stands, so it stands there twice.
        macro_rules! say {
            ($level:ident) => {
                tracing::$level!(
                    provider.name = provider_name,
                    credential.name = credential_name,
                    tier = tier.as_str(),
                    priority,
                    active,
                    state = state.as_str(),
                    reason,
                    "in the pool"
                )
            };
        }
        if many {
            say!(debug);
        } else {
            say!(info);
        }
    }
    Ok(())
}

/// The address that a person opens: the public one if it is known, else one that this machine reaches.
pub fn dashboard_address(config: &ServerConfig, address: SocketAddr) -> String {
    if let Some(url) = &config.base_url {
        return url.to_string();
    }
    let port = address.port();
    match address.ip() {
        ip if ip.is_unspecified() => format!("http://127.0.0.1:{port}"),
        ip => format!("http://{}", SocketAddr::new(ip, port)),
    }
}
