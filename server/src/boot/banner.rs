//! What a start says about itself (ST-14): versions, addresses, switches and counts, never a secret.

use std::net::SocketAddr;

use gateway::{Actor, Gateway};
use types::Problem;
use types::principal::Principal;

use crate::config::ServerConfig;

/// One structured log line.
pub async fn log(config: &ServerConfig, gateway: &Gateway, address: SocketAddr) -> Result<(), Problem> {
    let actor = Actor { via: "boot", client_ip: None, request_id: String::new() };
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
