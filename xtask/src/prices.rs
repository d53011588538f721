//! `cargo xtask prices`: makes the default price table from a list in LiteLLM's format.
//!
//! The table is written by a test of the gateway's own price module, so that writer and reader cannot part ways and
//! this tool stays without dependencies. It fetches nothing: the list is a file that somebody looked at.

use std::path::Path;

use crate::shell::{Cmd, During as _, Failure, Outcome};

const HELP: &str = "cargo xtask prices <list.json> --origin \"LiteLLM <release>\"";

pub(crate) fn prices(args: &[String]) -> Outcome {
    let (list, origin) = match args {
        [list, flag, origin] if flag == "--origin" => (list, origin.trim()),
        _ => return Err(Failure::new(HELP)),
    };
    if origin.is_empty() || origin.contains(['\n', '\r', '\t']) {
        return Err(Failure::new("the origin must be one line of text"));
    }
    let list = Path::new(list).canonicalize().during(format!("looking for {list}"))?;
    let list = list.to_str().ok_or_else(|| Failure::new("the list's path is not UTF-8"))?;
    Cmd::cargo()
        .args(["test", "--quiet", "-p", "gateway", "--lib", "price::table::write::write_the_table"])
        .args(["--", "--ignored", "--nocapture"])
        .env("TOLLGATE_PRICE_LIST", list)
        .env("TOLLGATE_PRICE_ORIGIN", origin)
        .run()?;
    // The table is compiled in: only a second run reads what was written.
    Cmd::cargo().args(["test", "--quiet", "-p", "gateway", "--lib", "price::"]).run()
}
