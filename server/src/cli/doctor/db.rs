//! Data folder, port, database and schema.

use std::net::TcpListener;
use std::path::Path;

use store::Store;

use super::Findings;
use crate::boot::data_dir;
use crate::config::ServerConfig;

pub(super) fn examine_folder(config: &ServerConfig, findings: &mut Findings) {
    let dir = config.data_dir.display();
    if config.data_dir.exists() {
        match data_dir::prepare(&config.data_dir) {
            Ok(()) => findings.good(&format!("data folder {dir} can be written to")),
            Err(error) => findings.bad(&error.what),
        }
    } else {
        findings.odd(&format!("data folder {dir} does not exist yet: it is made at the first start"));
    }
    let address = config.listen_address();
    match TcpListener::bind(address) {
        Ok(_listener) => findings.good(&format!("{address} is free")),
        Err(error) => findings.odd(&format!("{address} cannot be taken now ({error}); is Tollgate running?")),
    }
}

/// Whether the database is a file that does not exist; connecting would make it.
pub(in crate::cli) fn is_absent(config: &ServerConfig) -> bool {
    config
        .database_url
        .expose()
        .strip_prefix("sqlite://")
        .and_then(|rest| rest.split('?').next())
        .is_some_and(|path| !path.contains('%') && !Path::new(path).exists())
}

pub(super) async fn examine(store: &Store, findings: &mut Findings) {
    match store.ping().await {
        Ok(took) => findings.good(&format!("{} answers in {} ms", store.backend(), took.as_millis())),
        Err(error) => findings.bad(&format!("{} does not answer: {error}", store.backend())),
    }
    match store.migration_state().await {
        Ok((applied, known)) if applied == known => findings.good(&format!("schema {applied}")),
        Ok((applied, known)) if applied < known => {
            findings.odd(&format!(
                "schema {applied}, this program needs {known}: `tollgate db migrate` or a start"
            ));
        }
        Ok((applied, known)) => {
            findings.bad(&format!("schema {applied} is newer than this program's {known}"));
        }
        Err(error) => findings.bad(&format!("the schema cannot be read: {error}")),
    }
}
