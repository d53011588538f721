//! `tollgate audit`: checks the invariants of the books from outside, over the database and the journal's files.
//!
//! It reads only, so it may run beside the gateway. What only a running gateway knows (what is held, what its
//! counters say) is checked by `GET /api/admin/ledger/audit` and by the hourly task.

use std::path::Path;
use std::time::Duration;

use ledger::JournalError;
use ledger::invariant::{self, Extent};
use store::{BooksAudit, Store};
use types::Timestamp;
use types::books::Violation;

use super::doctor::db::is_absent;
use super::{block_on, print};
use crate::boot::{BootError, Exit, database};
use crate::config::ServerConfig;

/// A record that is being written while it is read is whole a moment later.
const TRIES: u32 = 5;
const PAUSE: Duration = Duration::from_millis(40);

/// How far back to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Since {
    /// So many milliseconds before now.
    Ago(i64),
    /// From an instant on.
    At(Timestamp),
}

impl std::str::FromStr for Since {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let unit = match text.chars().last() {
            Some('s') => 1_000,
            Some('m') => 60_000,
            Some('h') => Timestamp::HOUR_MS,
            Some('d') => Timestamp::DAY_MS,
            Some('w') => 7 * Timestamp::DAY_MS,
            _ => 0,
        };
        let number = text.get(..text.len().saturating_sub(1)).and_then(|digits| digits.parse::<u32>().ok());
        match number {
            Some(number) if unit > 0 && number > 0 => Ok(Self::Ago(i64::from(number).saturating_mul(unit))),
            _ => text
                .parse()
                .map(Self::At)
                .map_err(|_| "expected a span such as 24h or 7d, or a time such as 2026-11-21T08:00:00Z"),
        }
    }
}

impl Since {
    fn instant(self, now: Timestamp) -> Timestamp {
        match self {
            Self::Ago(ms) => now.plus_ms(-ms),
            Self::At(at) => at,
        }
    }
}

pub(super) fn run(since: Since, config: &ServerConfig) -> Result<(), BootError> {
    if is_absent(config) {
        print("there is no database yet: it is made at the first start");
        return Ok(());
    }
    block_on(Box::pin(async {
        let since = since.instant(gateway::clock::system_now());
        let books = books(since, config).await?;
        let journal = journal(&config.data_dir.join("journal")).await;
        let mut violations = books.violations;
        match journal {
            Journal::Absent => print("journal   none yet"),
            Journal::Read { records, violations: more } => {
                print(&format!("journal   {records} records (INV-1, INV-2, INV-15)"));
                violations.extend(more);
            }
            Journal::Unread(why) => print(&format!("journal   note: {why}")),
        }
        for Violation { invariant, subject, message } in &violations {
            print(&format!("FAIL      {invariant}  {subject}: {message}"));
        }
        if violations.is_empty() {
            print("every invariant holds");
            return Ok(());
        }
        Err(BootError::new(
            Exit::Other,
            format!("{} violations of the books' invariants", violations.len()),
            "Look at the dashboard's page \"Books\": it compares all sums and can rebuild them from the requests.",
        ))
    }))?
}

async fn books(since: Timestamp, config: &ServerConfig) -> Result<BooksAudit, BootError> {
    let store = database::connect(config).await?;
    let audit = audit(&store, since).await;
    store.close().await;
    audit
}

async fn audit(store: &Store, since: Timestamp) -> Result<BooksAudit, BootError> {
    let failed = |error: store::StoreError| {
        BootError::new(
            Exit::Database,
            format!("the books cannot be read: {error}"),
            "Check the database with `tollgate doctor db`.",
        )
    };
    let (applied, known) = store.migration_state().await.map_err(failed)?;
    if applied != known {
        return Err(BootError::new(
            Exit::Migration,
            format!("the database has schema {applied}, this program reads schema {known}"),
            "Use the release of Tollgate that the database belongs to, or run `tollgate db migrate`.",
        ));
    }
    let audit = store.audit_books(since).await.map_err(failed)?;
    print(&format!("database  {}, requests since {since}", store.backend()));
    print(&format!("checked   {} ({})", audit.checked, audit.invariants.join(", ")));
    Ok(audit)
}

enum Journal {
    Absent,
    Read { records: usize, violations: Vec<Violation> },
    Unread(String),
}

async fn journal(dir: &Path) -> Journal {
    if !dir.is_dir() {
        return Journal::Absent;
    }
    let mut tries = 0;
    let entries = loop {
        tries += 1;
        match invariant::entries(dir) {
            Ok(entries) => break entries,
            // A running gateway writes at its end and deletes at its beginning.
            Err(_) if tries < TRIES => tokio::time::sleep(PAUSE).await,
            Err(error @ JournalError::Corrupt { .. }) => {
                return Journal::Unread(format!(
                    "{error}; a torn end after a crash is cut off by the next start"
                ));
            }
            Err(error) => return Journal::Unread(error.to_string()),
        }
    };
    let violations = invariant::check(&entries, Extent::Rest)
        .into_iter()
        // Requests may be running, or wait for the next start to be ended.
        .filter(|violation| !matches!(violation, invariant::Violation::NotEnded(_)))
        .map(|violation| Violation {
            invariant: name(&violation).to_owned(),
            subject: "journal".to_owned(),
            message: violation.to_string(),
        })
        .collect();
    Journal::Read { records: entries.len(), violations }
}

fn name(violation: &invariant::Violation) -> &'static str {
    use invariant::Violation as V;
    match violation {
        V::NotEnded(_) | V::EndedTwice(_) | V::AdmittedTwice(_) => "INV-1",
        V::NotAdmitted(_) | V::SentAfterEnd(_) => "INV-2",
        V::Gap { .. } | V::NotAdditive { .. } => "INV-15",
        _ => "INV-16",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_or_an_instant_is_understood_and_nonsense_is_not() {
        let now = Timestamp(1_795_000_000_000);
        for (text, hours) in [("24h", 24), ("7d", 168), ("90m", 1), ("1w", 168)] {
            let since: Since = text.parse().unwrap();
            let passed = now.0 - since.instant(now).0;
            assert_eq!(passed / Timestamp::HOUR_MS, hours, "{text}");
        }
        assert_eq!(
            "2026-11-21T08:00:00Z".parse::<Since>().unwrap().instant(now).to_string(),
            "2026-11-21T08:00:00.000Z"
        );
        for bad in ["", "h", "-1h", "0d", "24", "1y", "yesterday", "1.5h", "ä"] {
            assert!(bad.parse::<Since>().is_err(), "{bad}");
        }
    }
}
