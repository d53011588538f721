//! Large pools that are dead: callers are told at once after few requests, and served as soon as anybody is back.

use fakeup::{Behaviour, Rule, refused_url};
use serde_json::json;

use super::{eventually, fresh};
use crate::rig::Rig;
use crate::rig::faces::CHAT;

/// Accounts of a large pool.
const POOL: usize = 50;

fn name(number: usize) -> String {
    format!("up-{number:02}")
}

/// Asks until so many requests in a row were refused without any attempt; how many that took, and how many tries.
async fn until_quick(rig: &Rig, most: usize) -> (usize, usize) {
    let (mut refused, mut ids) = (0, Vec::new());
    for number in 1..=most {
        let ask = rig.keyed(fresh(CHAT, "m-1", number % 2 == 0));
        ids.push(ask.id.clone());
        let got = rig.ask(ask).await;
        assert!(got.status == 502 || got.status == 503, "{}", got.text());
        refused = if got.text().contains("No available provider found") { refused + 1 } else { 0 };
        if refused == 3 {
            let mut tries = 0;
            for id in &ids {
                tries += rig.row(id).await["attempts"].as_array().unwrap().len();
            }
            return (number, tries);
        }
    }
    panic!("still slow after {most} requests");
}

#[tokio::test]
async fn fault_u01_u49_fifty_accounts_at_a_host_that_is_gone_are_known_dead_after_a_few_requests() {
    let rig = Rig::unbound().await;
    let spec = json!({"api_key": null, "base_url": refused_url().unwrap()});
    let provider = rig.provider("openai", spec).await;
    for number in 0..POOL {
        rig.credential(provider, &name(number), json!({})).await;
    }
    let (requests, tries) = until_quick(&rig, 12).await;
    assert!(requests <= 8 && tries <= 12, "{tries} tries by {requests} requests");
    // The host is back: one request looks, and from then on all accounts serve.
    rig.change(&format!("/providers/{provider}"), json!({"base_url": rig.upstream.base_url()})).await;
    eventually("it is over", async || {
        (rig.ask(rig.keyed(fresh(CHAT, "m-1", true))).await.status == 200).then_some(())
    })
    .await;
    for _ in 0..10 {
        assert_eq!(rig.ask(rig.keyed(fresh(CHAT, "m-1", false))).await.status, 200);
    }
}

#[tokio::test]
async fn fault_u49_fifty_accounts_that_answer_with_errors_are_each_met_once_and_then_none() {
    let rig = Rig::unbound().await;
    let provider = rig.provider("openai", json!({"api_key": null})).await;
    for number in 0..POOL {
        rig.credential(provider, &name(number), json!({})).await;
    }
    rig.upstream.script(Rule::always(Behaviour::status(500)));
    let (requests, tries) = until_quick(&rig, 80).await;
    // Each request's own try, the ten that are always allowed in ten seconds, and a fifth more.
    assert!(tries <= POOL + 6, "{tries} tries");
    assert!(tries * 10 <= requests * 12 + 200, "{tries} tries by {requests} requests");
    let seen = rig.seen();
    let met_twice = (0..POOL).filter(|n| seen.iter().filter(|known| **known == name(*n)).count() > 1).count();
    assert!(met_twice <= 6, "{met_twice} were met again before all were met");
    // Somebody says that all is mended, and it is.
    rig.upstream.forget();
    rig.recover().await;
    for _ in 0..10 {
        assert_eq!(rig.ask(rig.keyed(fresh(CHAT, "m-1", true))).await.status, 200);
    }
}

#[tokio::test]
async fn fault_u32_the_one_account_of_many_that_is_well_is_found_and_serves_on() {
    let rig = Rig::unbound().await;
    let provider = rig.provider("openai", json!({"api_key": null})).await;
    for number in 0..20 {
        rig.credential(provider, &name(number), json!({})).await;
    }
    rig.upstream.script(Rule::always(Behaviour::status(500)));
    rig.on_credential(&name(11), Behaviour::default());
    let (mut in_a_row, mut lost) = (0, 0);
    for _ in 0..80 {
        rig.upstream.clear_invoice();
        let got = rig.ask(rig.keyed(fresh(CHAT, "m-1", true))).await;
        lost += usize::from(got.status != 200);
        in_a_row = if rig.seen() == [name(11)] { in_a_row + 1 } else { 0 };
        if in_a_row == 15 {
            // Each of the other nineteen was met once, by requests that went on to another as far as the budget allows.
            assert!(lost <= 19, "{lost}");
            return;
        }
    }
    panic!("not found: {lost} lost");
}
