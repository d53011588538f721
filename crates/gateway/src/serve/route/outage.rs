//! Where everybody who is left has failed lately, an outage costs callers no wait: all but a few are told at once, and
//! those few look whether it is over.

use routing::health::{Doubt, WHOLE};
use types::{ProviderId, Timestamp};

use super::{Gate, Pick, Removal};

/// Credentials whose death, proved or made up of what was seen of more of them, makes an outage of a large pool.
const ENOUGH: u32 = 5;
/// Between two looks at a pool that is larger than that, in milliseconds.
const GAP_MS: i64 = 500;

/// Lets what speaks against the way to a provider speak against all of its credentials that take it, as long as one of
/// them is in doubt itself: whatever clears that clears this.
pub(super) fn share(picks: &mut [Pick<'_>], gate: &dyn Gate) {
    let mut doubted: Vec<ProviderId> =
        picks.iter().filter(|pick| pick.doubt.is_some()).map(|pick| pick.provider.id).collect();
    doubted.dedup();
    for id in doubted {
        let of_it = || picks.iter().find(|pick| pick.provider.id == id);
        let Some(shared) = of_it().and_then(|pick| gate.doubt(pick.provider)) else { continue };
        for pick in picks.iter_mut().filter(|pick| pick.provider.id == id) {
            if pick.credential.takes_usual_way() {
                pick.doubt = pick.doubt.into_iter().chain([shared]).reduce(Doubt::with);
            }
        }
    }
}

/// Puts those in doubt behind all others once there are many of them, and leaves all alone but those whose time has
/// come once nobody is left who is not in doubt.
pub(super) fn leave_alone<'a>(picks: &mut Vec<Pick<'a>>, removed: &mut Vec<Removal<'a>>, now: Timestamp) {
    let doubted = count(picks.iter().filter(|pick| pick.doubt.is_some()).count());
    if doubted >= ENOUGH {
        // Each of the others is met once before anybody is met twice.
        for pick in picks.iter_mut().filter(|pick| pick.doubt.is_some()) {
            pick.facts.demoted = true;
        }
    }
    let all = count(picks.len());
    let seen: u32 = picks.iter().filter_map(|pick| pick.doubt).map(|doubt| doubt.share).sum();
    if all == 0 || doubted < all || seen < WHOLE.saturating_mul(all.min(ENOUGH)) {
        return;
    }
    let last = picks.iter().filter_map(|pick| pick.doubt).map(|doubt| doubt.last).max();
    let gap_ends = last.filter(|_| all > ENOUGH).map(|last| last.plus_ms(GAP_MS));
    let longest_ago = picks.iter().filter_map(|pick| pick.doubt).map(|doubt| (doubt.last, doubt.again)).min();
    let mut looks = 0_u32;
    picks.retain_mut(|pick| {
        let Some(doubt) = pick.doubt else { return true };
        let again = doubt.again.max(gap_ends.unwrap_or(doubt.again));
        let is_next = all <= ENOUGH || longest_ago == Some((doubt.last, doubt.again)) && looks == 0;
        pick.probes = true;
        if again <= now && is_next {
            looks = looks.saturating_add(1);
            return true;
        }
        // Those that are not the next to be looked at come after it.
        let until = if again > now { again } else { now.plus_ms(GAP_MS) };
        let (provider, credential) = (pick.provider, Some(pick.credential));
        removed.push(Removal {
            provider,
            credential,
            filter: "unavailable",
            until: Some(until),
            quota: false,
        });
        false
    });
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
