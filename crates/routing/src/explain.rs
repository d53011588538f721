//! What would have had to be different for another candidate to be first.
//!
//! Read from a recorded decision alone; it asks nobody about the present. Where only one more draw, load or latency
//! decided between equals it says "could", not "would".

use types::Timestamp;
use types::credential::Tier;
use types::request::{AffinityOutcome, Candidate, Decision};
use types::routing::Strategy;
use types::simulation::{Counterfactual, Obstacle};

mod remedy;

/// Entries that are told; the rest is further away.
const MAX: usize = 10;

/// One thing that would have had to be different.
#[derive(Debug)]
struct Step {
    word: &'static str,
    /// How much of a change it is: chance and time before settings, settings before things nobody can set.
    size: u8,
    says: String,
    /// When it comes by itself.
    until: Option<Timestamp>,
    /// The same without words, but for the time.
    told: Obstacle,
}

impl Step {
    /// `word` also names the sentence, unless [`Self::code`] says otherwise.
    fn new(word: &'static str, size: u8, says: impl Into<String>) -> Self {
        let told = Obstacle { code: word.to_owned(), ..Obstacle::default() };
        Self { word, size, says: says.into(), until: None, told }
    }

    /// Names the sentence.
    fn code(mut self, code: &str) -> Self {
        code.clone_into(&mut self.told.code);
        self
    }

    /// Whom it came after.
    fn after(mut self, other: &str) -> Self {
        self.told.other = Some(other.to_owned());
        self
    }

    /// Its figure and the other one's.
    fn figures(mut self, mine: &dyn std::fmt::Display, theirs: &dyn std::fmt::Display) -> Self {
        (self.told.mine, self.told.theirs) = (Some(mine.to_string()), Some(theirs.to_string()));
        self
    }

    fn obstacle(&self) -> Obstacle {
        Obstacle { until: self.until, ..self.told.clone() }
    }
}

/// The changes that would have put another candidate first, the smallest first, at most ten. `tier_order` is taken
/// where the decision does not say under which one it was taken.
pub fn counterfactuals(decision: &Decision, tier_order: &[Tier]) -> Vec<Counterfactual> {
    let tier_order = if decision.tier_order.is_empty() { tier_order } else { &decision.tier_order };
    let view = View::of(decision, tier_order);
    let mut found: Vec<_> = decision
        .candidates
        .iter()
        .enumerate()
        .filter_map(|(place, candidate)| {
            let (steps, sure) = view.steps(candidate)?;
            let first = steps.first()?;
            let size: u32 = steps.iter().map(|step| u32::from(step.size)).sum();
            let until = steps.iter().filter_map(|step| step.until).max().unwrap_or_default();
            let order = (steps.len(), size, until, place);
            let says: Vec<_> = steps.iter().map(|step| step.says.as_str()).collect();
            let end = match (steps.len(), sure) {
                (1, true) => "Otherwise it would have been first.",
                (1, false) => "Otherwise it could have been first.",
                (_, true) => "Without all of that it would have been first.",
                (_, false) => "Without all of that it could have been first.",
            };
            let says = format!("{} {end}", says.join(" "));
            let change = Counterfactual {
                candidate: label(candidate),
                change: first.word.to_owned(),
                says,
                obstacles: steps.iter().map(Step::obstacle).collect(),
                sure,
            };
            Some((order, change))
        })
        .collect();
    found.sort_by_key(|(order, _)| *order);
    found.into_iter().take(MAX).map(|(_, change)| change).collect()
}

fn label(candidate: &Candidate) -> String {
    match &candidate.credential_name {
        Some(credential) => format!("{} / {credential}", candidate.provider_name),
        None => candidate.provider_name.clone(),
    }
}

/// The decision, with what every comparison needs.
struct View<'a> {
    decision: &'a Decision,
    tier_order: &'a [Tier],
    first: Option<&'a Candidate>,
    second: Option<&'a Candidate>,
    /// Whether the first is so because the conversation is bound to it.
    held: bool,
}

impl<'a> View<'a> {
    fn of(decision: &'a Decision, tier_order: &'a [Tier]) -> Self {
        let ranked = |rank| decision.candidates.iter().find(|candidate| candidate.rank == Some(rank));
        let first = ranked(1);
        let held = decision.affinity.as_ref().is_some_and(|note| {
            note.outcome == AffinityOutcome::Hit
                && note.credential_id.is_some()
                && note.credential_id == first.and_then(|first| first.credential_id)
        });
        Self { decision, tier_order, first, second: ranked(2), held }
    }

    /// What stood between a candidate and the first place, and whether it is sure that nothing else did. `None` for
    /// the first itself, and where nothing could have been different.
    fn steps(&self, candidate: &Candidate) -> Option<(Vec<Step>, bool)> {
        let mut steps = Vec::new();
        match &candidate.removed_by {
            Some(filter) => steps.push(remedy::of(filter, candidate)?),
            None if candidate.rank.is_none_or(|rank| rank == 1) => return None,
            None => {}
        }
        let Some(first) = self.first else {
            // Nobody could serve: whoever comes back is first, unless others come back too.
            return Some((steps, true));
        };
        if self.was_bound_to(candidate) {
            // Had nothing stood in its way it would have been first, whatever its class.
            let demoted = candidate.demoted.as_deref().filter(|_| steps.is_empty());
            steps.extend(demoted.map(|why| remedy::of_demotion(why, candidate)));
            if !steps.is_empty() {
                return Some((steps, true));
            }
        }
        if self.held {
            let says = format!("The conversation is bound to {}.", label(first));
            steps.push(Step::new("affinity", 2, says).after(&label(first)));
        }
        let sure = self.class_steps(candidate, self.rival(candidate, first), &mut steps);
        Some((steps, sure))
    }

    /// Whether the conversation was bound to this one, which could not serve.
    fn was_bound_to(&self, candidate: &Candidate) -> bool {
        self.decision.affinity.as_ref().is_some_and(|note| {
            note.outcome == AffinityOutcome::Broken
                && note.credential_id.is_some()
                && note.credential_id == candidate.credential_id
        })
    }

    /// Whom it would have had to beat: the first, but where that was only held by its binding, the better of it and
    /// the second.
    fn rival(&self, candidate: &Candidate, first: &'a Candidate) -> &'a Candidate {
        match self.second.filter(|second| self.held && !std::ptr::eq(*second, candidate)) {
            Some(second) if self.class(second) <= self.class(first) => second,
            _ => first,
        }
    }

    fn tier(&self, candidate: &Candidate) -> Option<usize> {
        let tier = candidate.tier?;
        Some(self.tier_order.iter().position(|other| *other == tier).unwrap_or(self.tier_order.len()))
    }

    fn class(&self, candidate: &Candidate) -> (bool, Option<usize>, (i32, i32), bool) {
        (
            candidate.demoted.is_some(),
            self.tier(candidate),
            candidate.priority,
            candidate.translated.is_some(),
        )
    }

    /// Adds what makes it come after its rival; the answer is whether that is all.
    fn class_steps(&self, candidate: &Candidate, rival: &Candidate, steps: &mut Vec<Step>) -> bool {
        let name = label(rival);
        match (&candidate.demoted, &rival.demoted) {
            (Some(why), None) => steps.push(remedy::of_demotion(why, candidate)),
            (None, Some(_)) => return true,
            _ => {}
        }
        let (Some(mine), Some(theirs)) = (self.tier(candidate), self.tier(rival)) else {
            // A provider that was removed as a whole has no tier.
            return false;
        };
        if mine < theirs {
            return true;
        }
        if mine > theirs {
            let tier = |candidate: &Candidate| candidate.tier.map_or("", Tier::as_str);
            let says = format!("Its tier {} comes after {} of {name}", tier(candidate), tier(rival));
            let before = theirs.checked_sub(1).and_then(|place| self.tier_order.get(place));
            // In the same tier its priority would still come later.
            if let (true, Some(before)) = (candidate.priority > rival.priority, before) {
                let step = Step::new("tier", 5, format!("{says}; {before} comes before."));
                steps.push(step.after(&name).figures(&tier(candidate), &tier(rival)));
                return true;
            }
            let step = Step::new("tier", 5, format!("{says}."));
            steps.push(step.after(&name).figures(&tier(candidate), &tier(rival)));
        }
        if candidate.priority < rival.priority {
            return true;
        }
        if candidate.priority > rival.priority {
            let (whose, code, mine, theirs) = if candidate.priority.0 == rival.priority.0 {
                ("Its", "priority", candidate.priority.1, rival.priority.1)
            } else {
                ("Its provider's", "provider_priority", candidate.priority.0, rival.priority.0)
            };
            let says = format!("{whose} priority {mine} comes after {theirs} of {name}; lower is first.");
            steps.push(Step::new("priority", 4, says).code(code).after(&name).figures(&mine, &theirs));
            return true;
        }
        if steps.is_empty() {
            let step = self.among_equals(candidate, rival);
            // A load or a price that is lower than the rival's would have decided; a draw has to be won.
            let sure = matches!(step.word, "turn" | "load" | "cost");
            steps.push(step);
            return sure;
        }
        false
    }

    /// What the strategy saw between two equals.
    fn among_equals(&self, candidate: &Candidate, rival: &Candidate) -> Step {
        let name = label(rival);
        let load = |one: &Candidate| u64::from(one.in_flight);
        let weight = |one: &Candidate| u64::from(one.weight.max(1));
        match self.decision.strategy.unwrap_or(Strategy::Weighted) {
            Strategy::RoundRobin => Step::new("turn", 1, format!("It was the turn of {name}.")).after(&name),
            Strategy::LeastLoaded if load(candidate) * weight(rival) > load(rival) * weight(candidate) => {
                Step::new(
                    "load",
                    2,
                    format!(
                        "It carried {} at weight {}, {name} {} at weight {}.",
                        requests(candidate.in_flight),
                        candidate.weight,
                        requests(rival.in_flight),
                        rival.weight
                    ),
                )
                .code("load_by_weight")
                .after(&name)
                .figures(
                    &format!("{} / {}", candidate.in_flight, candidate.weight),
                    &format!("{} / {}", rival.in_flight, rival.weight),
                )
            }
            Strategy::Cheapest if candidate.cost_multiplier > rival.cost_multiplier => {
                let (mine, theirs) = (candidate.cost_multiplier, rival.cost_multiplier);
                Step::new(
                    "cost",
                    5,
                    format!("It charges {mine} times the list price, {name} {theirs} times."),
                )
                .after(&name)
                .figures(&mine, &theirs)
            }
            Strategy::Latency => latency(candidate, rival, &name),
            _ => draw(candidate, rival, &name),
        }
    }
}

fn requests(count: u32) -> String {
    if count == 1 { "1 request".to_owned() } else { format!("{count} requests") }
}

fn latency(candidate: &Candidate, rival: &Candidate, name: &str) -> Step {
    let burden = |one: &Candidate| one.latency_ms.map(|ms| ms.saturating_mul(u64::from(one.in_flight) + 1));
    match (burden(candidate), burden(rival), candidate.latency_ms, rival.latency_ms) {
        (Some(mine), Some(theirs), Some(ms), Some(other)) if mine > theirs && ms > other => {
            let says = format!("It took {ms} ms to the first byte lately, {name} {other} ms.");
            Step::new("latency", 2, says).after(name).figures(&ms, &other)
        }
        (Some(mine), Some(theirs), ..) if mine > theirs => {
            let (mine, theirs) = (requests(candidate.in_flight), requests(rival.in_flight));
            Step::new("load", 2, format!("It carried {mine}, {name} {theirs}."))
                .after(name)
                .figures(&candidate.in_flight, &rival.in_flight)
        }
        _ => {
            Step::new("draw", 1, format!("The draw of two put {name} first.")).code("draw_of_two").after(name)
        }
    }
}

fn draw(candidate: &Candidate, rival: &Candidate, name: &str) -> Step {
    let chance = candidate.chance_permille.map_or_else(String::new, |permille| {
        format!(" It had a chance of {}.{} %.", permille / 10, permille % 10)
    });
    let mut step = if candidate.weight < rival.weight {
        let (mine, theirs) = (candidate.weight, rival.weight);
        let says = format!("Its weight is {mine}, that of {name} {theirs}.{chance}");
        Step::new("weight", 3, says).figures(&mine, &theirs)
    } else {
        Step::new("draw", 1, format!("The draw went to {name}.{chance}"))
    };
    step.told.chance_permille = candidate.chance_permille;
    step.after(name)
}

#[cfg(test)]
mod tests;
