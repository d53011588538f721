//! What would have kept a filter from removing a candidate, and a demoted one from coming last.

use types::Timestamp;
use types::request::Candidate;

use super::Step;

/// What undoes a filter; `None` where nothing does (the request had tried it before).
pub(super) fn of(filter: &str, candidate: &Candidate) -> Option<Step> {
    let whole = candidate.credential_id.is_none();
    let step = undoing(filter, candidate)?;
    Some(match filter {
        // Of a provider it is another sentence.
        "disabled" if whole => step.code("disabled_provider"),
        "concurrency" => step.code(filter).figures(&candidate.in_flight, &""),
        _ => step.code(filter),
    })
}

fn undoing(filter: &str, candidate: &Candidate) -> Option<Step> {
    let whole = candidate.credential_id.is_none();
    let until = candidate.until;
    Some(match filter {
        "tried" => return None,
        "kept_elsewhere" => Step::new(
            "kept_elsewhere",
            9,
            "Another credential keeps the response that the request continues.",
        ),
        "cooldown" => resting("It rested", until),
        "unavailable" => resting("It failed again and again, like all others", until),
        "concurrency" => {
            let says =
                format!("It was at its limit of requests at once, with {} on it.", candidate.in_flight);
            Step::new("concurrency", 3, says)
        }
        "breaker" => breaker("Its breaker was open", until),
        "limit" => temporary("limit", 5, "One of its limits was reached", until),
        "schedule" => temporary("schedule", 5, "It was outside the hours of its provider", until),
        "state" => temporary("state", 6, "Its state kept it from serving", until),
        "disabled" if whole => Step::new("enabled", 6, "The provider was disabled."),
        "disabled" => Step::new("enabled", 6, "It was disabled."),
        "unpriced" => Step::new("price", 7, "It had no price for the model."),
        "group" => Step::new("group", 7, "The key may not use the groups of its provider."),
        "model" => Step::new("model", 7, "Its provider does not serve the model."),
        "client" => Step::new("client", 7, "Its provider does not serve this client."),
        "no_credential" => Step::new("credential", 8, "The provider had no credential."),
        "token" => temporary("token", 5, "Its access token was over and no fresh one came", until),
        "unreadable" => Step::new("secret", 8, "Its secret could not be decrypted."),
        "allowance" => temporary("allowance", 5, "Too much of its vendor's usage window was used", until),
        "dialect" => Step::new(
            "dialect",
            7,
            "It speaks another dialect, and the request may not be translated or the provider does not name the model.",
        ),
        "endpoint" => Step::new("endpoint", 9, "Its provider does not serve this kind of request."),
        _ => Step::new("filter", 9, format!("The filter {filter} removed it.")),
    })
}

/// What undoes a demotion.
pub(super) fn of_demotion(why: &str, candidate: &Candidate) -> Step {
    match why {
        "unavailable" => resting("It came last because it failed lately", candidate.until),
        _ => temporary("state", 6, &format!("It came last ({why})"), candidate.until),
    }
    .code("demoted")
}

fn resting(what: &str, until: Option<Timestamp>) -> Step {
    temporary("wait", 3, what, until)
}

fn breaker(what: &str, until: Option<Timestamp>) -> Step {
    let says = until.map_or_else(|| format!("{what}."), |until| format!("{what}; {}.", probe(until)));
    Step { until, ..Step::new("breaker", 4, says) }
}

fn probe(until: Timestamp) -> String {
    format!("from {} UTC on one request may probe it", until.display_utc())
}

/// Something that is over at a time, if the time is known.
fn temporary(word: &'static str, size: u8, what: &str, until: Option<Timestamp>) -> Step {
    match until {
        Some(until) => {
            let says = format!("{what}; wait until {} UTC.", until.display_utc());
            Step { until: Some(until), ..Step::new("wait", 3, says) }
        }
        None => Step::new(word, size, format!("{what}.")),
    }
}
