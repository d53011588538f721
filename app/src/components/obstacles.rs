//! What kept a candidate from being first, told in the language of the page.

use types::credential::Tier;
use types::simulation::{Counterfactual, Obstacle};

use super::routing_words;
use crate::text::{Text, obstacle as o, translator};

/// All of it, and what would have followed without.
pub(crate) fn told(change: &Counterfactual) -> String {
    let t = translator();
    let end = match (change.obstacles.len(), change.sure) {
        (1, true) => o::ONE_SURE,
        (1, false) => o::ONE_MAYBE,
        (_, true) => o::ALL_SURE,
        (_, false) => o::ALL_MAYBE,
    };
    let mut sentences: Vec<String> = change.obstacles.iter().flat_map(sentences).collect();
    sentences.push(t(end).to_owned());
    sentences.join(" ")
}

fn sentences(obstacle: &Obstacle) -> Vec<String> {
    let t = translator();
    let (mut mine, mut theirs) = (obstacle.mine.clone(), obstacle.theirs.clone());
    let words = words(&obstacle.code);
    if words.is_none() {
        mine = Some(obstacle.code.clone());
    }
    if obstacle.code == "tier" {
        let name =
            |tier: String| tier.parse::<Tier>().map_or(tier, |tier| t(routing_words::tier(tier)).to_owned());
        (mine, theirs) = (mine.map(name), theirs.map(name));
    }
    let figure = |figure: Option<String>| figure.unwrap_or_else(|| "?".to_owned());
    let first = t(words.unwrap_or(o::FILTER))
        .replace("{mine}", &figure(mine))
        .replace("{theirs}", &figure(theirs))
        .replace("{other}", &figure(obstacle.other.clone()));
    let until = obstacle.until.map(|at| {
        let text = if obstacle.code == "breaker" { o::PROBE_FROM } else { o::UNTIL };
        t(text).replace("{until}", &format!("{} UTC", at.display_utc()))
    });
    let chance = obstacle
        .chance_permille
        .map(|permille| t(o::CHANCE).replace("{chance}", &format!("{}.{} %", permille / 10, permille % 10)));
    [Some(first), until, chance].into_iter().flatten().collect()
}

/// The sentence of a code; `None` for one that this page does not know.
fn words(code: &str) -> Option<Text> {
    Some(match code {
        "cooldown" => o::COOLDOWN,
        "unavailable" => o::UNAVAILABLE,
        "concurrency" => o::CONCURRENCY,
        "breaker" => o::BREAKER,
        "limit" => o::LIMIT,
        "schedule" => o::SCHEDULE,
        "state" => o::STATE,
        "allowance" => o::ALLOWANCE,
        "disabled" => o::DISABLED,
        "disabled_provider" => o::DISABLED_PROVIDER,
        "unpriced" => o::UNPRICED,
        "group" => o::GROUP,
        "model" => o::MODEL,
        "client" => o::CLIENT,
        "no_credential" => o::NO_CREDENTIAL,
        "token" => o::TOKEN,
        "unreadable" => o::UNREADABLE,
        "dialect" => o::DIALECT,
        "endpoint" => o::ENDPOINT,
        "kept_elsewhere" => o::KEPT_ELSEWHERE,
        "demoted" => o::DEMOTED,
        "affinity" => o::AFFINITY,
        "tier" => o::TIER,
        "priority" => o::PRIORITY,
        "provider_priority" => o::PROVIDER_PRIORITY,
        "turn" => o::TURN,
        "load_by_weight" => o::LOAD_BY_WEIGHT,
        "load" => o::LOAD,
        "cost" => o::COST,
        "latency" => o::LATENCY,
        "weight" => o::WEIGHT,
        "draw" => o::DRAW,
        "draw_of_two" => o::DRAW_OF_TWO,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_filter_that_the_pages_name_has_a_sentence_too() {
        for filter in [
            "disabled",
            "endpoint",
            "group",
            "model",
            "dialect",
            "client",
            "schedule",
            "unpriced",
            "limit",
            "no_credential",
            "unreadable",
            "token",
            "state",
            "allowance",
            "cooldown",
            "unavailable",
            "breaker",
            "concurrency",
            "kept_elsewhere",
        ] {
            assert!(routing_words::filter(filter).is_some() && words(filter).is_some(), "{filter}");
        }
    }

    #[test]
    fn a_sentence_is_filled_with_what_it_is_about() {
        let tier = Obstacle {
            code: "tier".into(),
            other: Some("p / c".into()),
            mine: Some("fallback".into()),
            theirs: Some("shared".into()),
            ..Obstacle::default()
        };
        let change = Counterfactual {
            candidate: "q / d".into(),
            change: "tier".into(),
            says: String::new(),
            obstacles: vec![tier, Obstacle { code: "what".into(), ..Obstacle::default() }],
            sure: true,
        };
        let text = told(&change);
        assert!(text.contains("of p / c.") && text.contains("filter what") && !text.contains('{'), "{text}");
    }
}
