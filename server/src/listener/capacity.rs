//! How many connections this process can hold: each costs a descriptor, and often a second one upstream.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Descriptors kept for the database, the journal, the log and the like.
const RESERVED: u64 = 64;

/// The cap on connections: `wanted`, or less where the limit on descriptors is low (two for each connection).
/// The soft limit is first raised as far as the hard one allows and is useful.
pub fn connections(wanted: usize) -> usize {
    let wanted_u64 = u64::try_from(wanted).unwrap_or(u64::MAX);
    let needed = wanted_u64.saturating_mul(2).saturating_add(RESERVED);
    let before = getrlimit(Resource::Nofile);
    let raised = before.maximum.map_or(needed, |hard| needed.min(hard));
    if before.current.is_some_and(|soft| soft < raised)
        && let Err(error) =
            setrlimit(Resource::Nofile, Rlimit { current: Some(raised), maximum: before.maximum })
    {
        tracing::warn!(%error, "the limit on open files could not be raised");
    }
    let limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let cap = fitting(limit, wanted);
    if cap < wanted {
        tracing::warn!(
            connections = cap,
            wanted,
            open_files = limit,
            "fewer connections because of the limit on open files"
        );
    }
    cap
}

fn fitting(descriptors: u64, wanted: usize) -> usize {
    let fit = descriptors.saturating_sub(RESERVED) / 2;
    usize::try_from(fit).unwrap_or(usize::MAX).clamp(16, wanted.max(16))
}

#[cfg(test)]
mod tests {
    #[test]
    fn fault_s27_the_cap_leaves_descriptors_for_database_and_journal() {
        for (descriptors, wanted, expected) in
            [(256, 8192, 96), (1024, 8192, 480), (65_536, 8192, 8192), (10, 8192, 16), (u64::MAX, 100, 100)]
        {
            assert_eq!(super::fitting(descriptors, wanted), expected, "{descriptors}");
        }
    }
}
