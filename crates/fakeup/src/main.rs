//! The fake vendor as a program: prints its address and serves until it is ended.

use std::io::Write;
use std::net::SocketAddr;

use clap::Parser;
use fakeup::{Fakeup, Rule};

/// A fake AI vendor for tests and benchmarks.
#[derive(Debug, Parser)]
struct Options {
    /// Port to listen on; 0 takes a free one.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// A second port with the same rules and invoice, so that control calls do not meet a benchmark's traffic.
    #[arg(long)]
    control_port: Option<u16>,
    /// A file with a rule or a list of rules, as `POST /__fakeup/script` takes them.
    #[arg(long)]
    scenario: Option<std::path::PathBuf>,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let options = Options::parse();
    let fakeup = Fakeup::bind(SocketAddr::from(([127, 0, 0, 1], options.port))).await?;
    if let Some(path) = options.scenario {
        let text = std::fs::read(path)?;
        let rules: Vec<Rule> = serde_json::from_slice(&text)
            .or_else(|_| serde_json::from_slice(&text).map(|rule| vec![rule]))?;
        for rule in rules {
            fakeup.script(rule);
        }
    }
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", fakeup.base_url())?;
    if let Some(port) = options.control_port {
        let address = fakeup.listen(SocketAddr::from(([127, 0, 0, 1], port))).await?;
        writeln!(out, "control http://{address}")?;
    }
    out.flush()?;
    drop(out);
    tokio::signal::ctrl_c().await?;
    Ok(())
}
