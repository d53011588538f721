//! Who is first, and who follows, among those that could serve.
//!
//! A pure function of facts, strategy and seed: the same question always has the same answer. It removes nobody and
//! knows neither names nor time; filters come before it.

use std::cmp::Ordering;

use types::routing::Strategy;

/// What is known of one candidate at the instant of the choice.
#[derive(Clone, Copy, Debug)]
pub struct Facts {
    /// Comes after all others although it may serve: its network failed lately, or it is up for a probe.
    pub demoted: bool,
    /// Place of its tier in the order of tiers; lower is first.
    pub tier: u8,
    /// Priority of provider and credential; lower is first.
    pub priority: (i32, i32),
    /// It speaks another dialect than the caller; comes after those of the same tier and priority that need none.
    pub translated: bool,
    /// Weight of provider times credential; zero counts as one.
    pub weight: u32,
    /// Requests on it now.
    pub in_flight: u32,
    /// What it took to the first byte lately, in milliseconds; `None` if unknown.
    pub latency_ms: Option<u32>,
    /// What it charges, in millionths of the list price.
    pub multiplier_micro: u32,
    /// Number of the turn in which it was last chosen; the lowest has waited longest.
    pub last_turn: u64,
}

impl Facts {
    fn class(&self) -> (bool, u8, (i32, i32), bool) {
        (self.demoted, self.tier, self.priority, self.translated)
    }

    fn weight(&self) -> u64 {
        u64::from(self.weight.max(1))
    }

    /// What a request more would wait for: latency times the requests that it would share it with.
    fn burden(&self, otherwise_ms: u32) -> u64 {
        u64::from(self.latency_ms.unwrap_or(otherwise_ms).max(1)) * (u64::from(self.in_flight) + 1)
    }
}

/// All of them, best first, as indices into `facts`.
///
/// `bound` (where the conversation was served before) comes first unless it is demoted. The rest is ordered by:
/// not demoted, tier, priorities, own dialect before a translation, then by the strategy. Each strategy ends in a draw: a ticket for each candidate,
/// drawn from the seed and its index, with chances in proportion to the weights.
///
/// * `latency`: of the two best tickets the one with less to wait for is first, the other is compared with the
///   third, and so on; an unknown latency counts as the best known one among its equals, so that it is tried.
/// * Taking away the first of a list leaves the others in their order, as far as indices stay what they are.
pub fn order(facts: &[Facts], strategy: Strategy, seed: u64, bound: Option<usize>) -> Vec<usize> {
    order_by(facts, strategy, bound, |index, weight| ticket(weight, seed, index))
}

/// The first of [`order`], without allocating.
pub fn first(facts: &[Facts], strategy: Strategy, seed: u64, bound: Option<usize>) -> Option<usize> {
    if let Some(bound) = usable(facts, bound) {
        return Some(bound);
    }
    if strategy == Strategy::Latency {
        return quicker_of_two(facts, seed);
    }
    let mut best: Option<(usize, &Facts, Option<f64>)> = None;
    for (index, candidate) in facts.iter().enumerate() {
        let Some((best_index, best_facts, best_ticket)) = &mut best else {
            best = Some((index, candidate, None));
            continue;
        };
        match compare(candidate, best_facts, strategy) {
            Ordering::Less => best = Some((index, candidate, None)),
            Ordering::Greater => {}
            Ordering::Equal => {
                let theirs = *best_ticket.get_or_insert_with(|| ticket(best_facts.weight, seed, *best_index));
                if let Some(mine) = lower_ticket(candidate.weight, seed, index, theirs) {
                    best = Some((index, candidate, Some(mine)));
                }
            }
        }
    }
    best.map(|(index, _, _)| index)
}

/// Chance of each to be first, in thousandths, where a draw decides: among the best equals of the strategies
/// `weighted` and `cheapest`. `None` for all others, and where there is nothing to draw.
pub fn chances(facts: &[Facts], strategy: Strategy) -> Vec<Option<u32>> {
    let nobody = || vec![None; facts.len()];
    if !matches!(strategy, Strategy::Weighted | Strategy::Cheapest) {
        return nobody();
    }
    let Some(best) = facts.iter().min_by(|a, b| compare(a, b, strategy)) else {
        return nobody();
    };
    let drawn = |candidate: &Facts| compare(candidate, best, strategy) == Ordering::Equal;
    let count = facts.iter().filter(|candidate| drawn(candidate)).count();
    if count < 2 {
        return nobody();
    }
    let sum: u64 = facts.iter().filter(|candidate| drawn(candidate)).map(Facts::weight).sum();
    let permille = |candidate: &Facts| (candidate.weight() * 1000 + sum / 2) / sum.max(1);
    facts
        .iter()
        .map(|candidate| drawn(candidate).then(|| u32::try_from(permille(candidate)).unwrap_or(1000)))
        .collect()
}

/// [`order`] with tickets from elsewhere: what is tried on recorded requests has its own.
pub(crate) fn order_by(
    facts: &[Facts],
    strategy: Strategy,
    bound: Option<usize>,
    ticket: impl Fn(usize, u32) -> f64,
) -> Vec<usize> {
    let bound = usable(facts, bound);
    let mut sorted: Vec<(f64, usize, &Facts)> = facts
        .iter()
        .enumerate()
        .filter(|(index, _)| Some(*index) != bound)
        .map(|(index, candidate)| (ticket(index, candidate.weight), index, candidate))
        .collect();
    sorted.sort_by(|(mine, a, facts_a), (theirs, b, facts_b)| {
        compare(facts_a, facts_b, strategy).then(mine.total_cmp(theirs)).then(a.cmp(b))
    });
    if strategy == Strategy::Latency {
        for equals in sorted.chunk_by_mut(|(_, _, a), (_, _, b)| a.class() == b.class()) {
            let best = best_latency(equals.iter().map(|(_, _, candidate)| *candidate));
            // One pass in which the slower of two waits for the next comparison.
            for place in 1..equals.len() {
                if let [.., held, next] = equals.get_mut(..=place).unwrap_or_default()
                    && next.2.burden(best) < held.2.burden(best)
                {
                    std::mem::swap(held, next);
                }
            }
        }
    }
    bound.into_iter().chain(sorted.into_iter().map(|(_, index, _)| index)).collect()
}

fn usable(facts: &[Facts], bound: Option<usize>) -> Option<usize> {
    bound.filter(|index| facts.get(*index).is_some_and(|candidate| !candidate.demoted))
}

/// Everything that comes before the draw.
pub(crate) fn compare(a: &Facts, b: &Facts, strategy: Strategy) -> Ordering {
    a.class().cmp(&b.class()).then_with(|| match strategy {
        Strategy::Weighted | Strategy::Latency => Ordering::Equal,
        Strategy::RoundRobin => a.last_turn.cmp(&b.last_turn),
        Strategy::LeastLoaded => {
            (u64::from(a.in_flight) * b.weight()).cmp(&(u64::from(b.in_flight) * a.weight()))
        }
        Strategy::Cheapest => a.multiplier_micro.cmp(&b.multiplier_micro),
    })
}

fn best_latency<'a>(equals: impl Iterator<Item = &'a Facts>) -> u32 {
    equals.filter_map(|candidate| candidate.latency_ms).min().unwrap_or(1)
}

/// What each of some equals would let a request wait for, by which `latency` compares them.
pub(crate) fn burdens(equals: &[Facts]) -> Vec<u64> {
    let best = best_latency(equals.iter());
    equals.iter().map(|candidate| candidate.burden(best)).collect()
}

/// The one with less to wait for among the two best tickets of the best class.
fn quicker_of_two(facts: &[Facts], seed: u64) -> Option<usize> {
    let class = facts.iter().map(Facts::class).min()?;
    let equals = || facts.iter().enumerate().filter(|(_, candidate)| candidate.class() == class);
    let best = best_latency(equals().map(|(_, candidate)| candidate));
    let mut two: [Option<(f64, usize, &Facts)>; 2] = [None, None];
    for (index, candidate) in equals() {
        let bound = |place: Option<(f64, usize, &Facts)>| place.map_or(f64::INFINITY, |(ticket, ..)| ticket);
        let Some(mine) = lower_ticket(candidate.weight, seed, index, bound(two[1])) else {
            continue;
        };
        let entry = Some((mine, index, candidate));
        two = if mine < bound(two[0]) { [entry, two[0]] } else { [two[0], entry] };
    }
    let [winner, other] = two;
    let (_, index, candidate) = winner?;
    match other {
        Some((_, other, slower)) if slower.burden(best) < candidate.burden(best) => Some(other),
        _ => Some(index),
    }
}

/// A lottery ticket; the lowest wins, with a chance in proportion to the weight: −ln(u)/w, the exponential form of
/// u^(1/w) of Efraimidis and Spirakis (2006).
pub(crate) fn ticket(weight: u32, seed: u64, index: usize) -> f64 {
    -unit(seed, index).ln() / f64::from(weight.max(1))
}

/// The ticket if it is lower than another. Logarithms are most of the cost, and −ln(u) ≥ 1 − u spares nearly all.
fn lower_ticket(weight: u32, seed: u64, index: usize, than: f64) -> Option<f64> {
    let (unit, weight) = (unit(seed, index), f64::from(weight.max(1)));
    if (1.0 - unit) / weight >= than {
        return None;
    }
    Some(-unit.ln() / weight).filter(|ticket| *ticket < than)
}

/// A number above zero and at most one for each index.
fn unit(seed: u64, index: usize) -> f64 {
    const HALF: f64 = 1.0 / 4_294_967_296.0;
    let number = u64::try_from(index).unwrap_or(u64::MAX);
    let random = mixed(seed ^ mixed(number.wrapping_add(0x9e37_79b9_7f4a_7c15)));
    let part = |bits: u64| f64::from(u32::try_from(bits & 0xffff_ffff).unwrap_or(u32::MAX));
    // Both halves, so that equal draws are rarer than one in 2^52; never zero.
    (part(random >> 32) + (part(random) + 0.5) * HALF) * HALF
}

/// The finaliser of `SplitMix64` (Steele, Lea, Flood 2014): each bit of the input changes half of the output.
fn mixed(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests;
