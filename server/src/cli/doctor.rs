//! `tollgate doctor`: looks at what the gateway needs and says what is wrong, without changing anything. Only the
//! credentials are better examined while it runs: it alone can open their secrets.

use clap::ValueEnum;
use store::{ConnectOptions, Store};

use super::{block_on, print};
use crate::boot::{BootError, Exit, generated};
use crate::config::ServerConfig;

mod auth;
pub(super) mod db;
mod net;
mod pool;

/// What to examine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Part {
    /// Everything.
    All,
    /// Names, connections and TLS to every provider.
    Net,
    /// Providers and their credentials.
    Pool,
    /// Data folder, database, schema.
    Db,
    /// Admin token and encryption secret.
    Auth,
}

/// What was found, line by line.
#[derive(Debug, Default)]
struct Findings {
    lines: usize,
    failed: usize,
}

impl Findings {
    fn good(&mut self, text: &str) {
        self.lines += 1;
        print(&format!("ok    {text}"));
    }

    fn odd(&mut self, text: &str) {
        self.lines += 1;
        print(&format!("note  {text}"));
    }

    fn bad(&mut self, text: &str) {
        self.lines += 1;
        self.failed += 1;
        print(&format!("FAIL  {text}"));
    }
}

pub(super) fn run(part: Part, mut config: ServerConfig) -> Result<(), BootError> {
    let mut findings = Findings::default();
    generated::find(&mut config);
    block_on(Box::pin(examine(part, &config, &mut findings)))?;
    if findings.failed == 0 {
        return Ok(());
    }
    Err(BootError::new(
        Exit::Other,
        format!("{} of {} findings need mending", findings.failed, findings.lines),
        "Mend the lines that begin with FAIL and run `tollgate doctor` again.",
    ))
}

async fn examine(part: Part, config: &ServerConfig, findings: &mut Findings) {
    let asked = |wanted: Part| part == Part::All || part == wanted;
    for warning in &config.warnings {
        findings.odd(warning);
    }
    if asked(Part::Auth) {
        auth::examine(config, findings);
    }
    if asked(Part::Db) {
        db::examine_folder(config, findings);
    }
    if !(asked(Part::Db) || asked(Part::Pool) || asked(Part::Net)) {
        return;
    }
    if db::is_absent(config) {
        findings.odd("there is no database yet: it is made at the first start");
        return;
    }
    let store =
        match Store::connect(config.database_url.expose(), ConnectOptions { max_connections: 2 }).await {
            Ok(store) => store,
            Err(error) => return findings.bad(&error.to_string()),
        };
    if asked(Part::Db) {
        db::examine(&store, findings).await;
    }
    if asked(Part::Pool) || asked(Part::Net) {
        match store.config_load().await {
            Ok(rows) => {
                if asked(Part::Pool) {
                    pool::examine(&rows, config, findings);
                }
                if asked(Part::Net) {
                    net::examine(&rows, config, findings).await;
                }
            }
            Err(error) => findings.bad(&format!("providers and credentials cannot be read: {error}")),
        }
    }
    store.close().await;
}
