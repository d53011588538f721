//! The way there: outbound proxies, and an outage of our own network, which must not cost us the fleet.

use std::net::SocketAddr;

use fakeup::{Fakeup, refused_url};
use serde_json::json;

use super::{chain, eventually, fresh};
use crate::rig::Rig;
use crate::rig::faces::{CHAT, FACES};

/// A vendor on an address that may still be closing.
async fn vendor_at(address: SocketAddr) -> Fakeup {
    eventually("the port is free", async || Fakeup::bind(address).await.ok()).await
}

/// Two providers with a vendor each; breakers open at the first failure that counts.
async fn two_vendors(counts: bool) -> (Rig, Fakeup, Fakeup) {
    let rig = Rig::bare_with(|config| config.breaker_on_network_errors = counts).await;
    rig.setting("affinity.enabled", "false").await;
    let (one, two) = (Fakeup::start().await, Fakeup::start().await);
    let breaker = json!({"failure_threshold": 1});
    for (name, vendor, priority) in [("one", &one, 0), ("two", &two, 1)] {
        let spec =
            json!({"name": name, "base_url": vendor.base_url(), "priority": priority, "breaker": breaker});
        rig.provider("openai", spec).await;
    }
    (rig, one, two)
}

async fn open_breakers(rig: &Rig) -> usize {
    rig.items("/breakers").await.iter().filter(|line| line["state"] != "closed").count()
}

#[tokio::test]
async fn an_outage_of_our_own_network_opens_no_breaker_and_all_serve_when_it_is_over() {
    let (rig, one, two) = two_vendors(true).await;
    let addresses = [one.addr(), two.addr()];
    assert_eq!(rig.ask(rig.keyed(fresh(CHAT, "m-1", false))).await.status, 200);
    drop((one, two));
    for _ in 0..20 {
        let got = rig.ask(rig.keyed(fresh(CHAT, "m-1", true))).await;
        assert!(got.status == 502 || got.status == 503, "{}", got.text());
    }
    let back = [vendor_at(addresses[0]).await, vendor_at(addresses[1]).await];
    assert_eq!(open_breakers(&rig).await, 0, "{:?}", rig.items("/breakers").await);
    // Within a moment somebody looks again, and from then on all are served.
    eventually("it is over", async || {
        (rig.ask(rig.keyed(fresh(CHAT, "m-1", true))).await.status == 200).then_some(())
    })
    .await;
    for _ in 0..6 {
        let got = rig.ask(rig.keyed(fresh(CHAT, "m-1", true))).await;
        assert_eq!(got.status, 200, "{}", got.text());
    }
    drop(back);
}

#[tokio::test]
async fn fault_u01_u49_with_all_hosts_dead_a_request_tries_few_and_the_next_are_refused_at_once() {
    const REQUESTS: usize = 160;
    let rig = Rig::unbound().await;
    for kind in ["anthropic", "openai", "gemini"] {
        for host in 0..3 {
            let name = format!("{kind} {host}");
            let spec = json!({"name": name, "base_url": refused_url().unwrap(), "api_key": null});
            let provider = rig.provider(kind, spec).await;
            rig.credential(provider, &format!("up-{kind}-{host}"), json!({})).await;
        }
    }
    let (got, row) = rig.asked(fresh(CHAT, "m-1", true)).await;
    assert_eq!((got.status, got.code().as_str()), (502, "upstream_connect_error"), "{}", got.text());
    assert_eq!(row["attempts"].as_array().unwrap().len(), 3, "pool.max_attempts bounds them: {row}");
    let mut hosts = chain(&row, "provider_name");
    hosts.sort_unstable();
    hosts.dedup();
    assert_eq!(hosts.len(), 3, "each at a host of its own: {row}");
    for number in 0..REQUESTS {
        let face = FACES[number % FACES.len()];
        let got = rig.ask(rig.keyed(fresh(face, "m-1", number % 8 < 4))).await;
        assert!(got.status == 502 || got.status == 503, "{}", got.text());
    }
    let rows = rig.rows(REQUESTS + 1).await;
    let tries: usize = rows.iter().map(|row| row["attempts"].as_array().unwrap().len()).sum();
    assert!(tries * 10 <= REQUESTS * 12, "{tries} tries for {REQUESTS} requests");
    for face in FACES {
        let began = std::time::Instant::now();
        // One request now and then looks; the others are refused.
        let mut asked = rig.asked(fresh(face, "m-1", false)).await;
        for _ in 0..5 {
            if asked.0.status == 502 {
                asked = rig.asked(fresh(face, "m-1", false)).await;
            }
        }
        let (got, row) = asked;
        assert_eq!((got.status, got.code().as_str()), (503, "no_available_account"), "{}", got.text());
        assert!(got.text().contains("No available provider found"), "{}", got.text());
        assert!(got.text().contains("unavailable 3"), "{}", got.text());
        assert!((1..=8).contains(&got.header("retry-after").parse::<u64>().unwrap()));
        assert_eq!((&row["outcome"], row["attempts"].as_array().unwrap().len()), (&json!("refused"), 0));
        assert!(began.elapsed() < std::time::Duration::from_secs(20), "{:?}", began.elapsed());
    }
}

#[tokio::test]
async fn with_the_switch_a_single_dead_host_opens_its_breaker_and_without_it_does_not() {
    for counts in [true, false] {
        let (rig, one, two) = two_vendors(counts).await;
        drop(one);
        // The second one has answered before.
        assert_eq!(rig.ask(rig.keyed(fresh(CHAT, "m-1", false))).await.status, 200);
        let lines = rig.items("/cache/accounts").await;
        let first =
            lines.iter().find(|line| line["provider_name"] == "one").unwrap()["credential_id"].clone();
        // It would be asked last after its first failure.
        let path = format!("/cache/unavailable/{first}");
        rig.server.admin("DELETE", &path, &serde_json::Value::Null).await;
        let (got, row) = rig.asked(fresh(CHAT, "m-1", false)).await;
        assert_eq!((got.status, chain(&row, "outcome").len()), (200, 2), "{row}");
        let shown = rig.items("/breakers").await;
        assert_eq!(open_breakers(&rig).await, usize::from(counts), "{counts}: {shown:?}");
        drop(two);
    }
}

#[tokio::test]
async fn fault_u52_a_dead_outbound_proxy_is_its_own_fault_and_may_be_gone_round() {
    let rig = Rig::unbound().await;
    let proxy = refused_url().unwrap();
    let id = rig.provider("openai", json!({"proxy_url": proxy})).await;
    let (got, row) = rig.asked(fresh(CHAT, "m-1", true)).await;
    assert_eq!((got.status, got.code().as_str()), (502, "proxy_error"), "{}", got.text());
    assert_eq!(
        (chain(&row, "class"), rig.seen().len()),
        (vec!["system".to_owned()], 0),
        "never around it unasked"
    );
    assert_eq!(open_breakers(&rig).await, 0);
    rig.change(&format!("/providers/{id}"), json!({"proxy_fallback_to_direct": true})).await;
    let (got, row) = rig.asked(fresh(CHAT, "m-1", true)).await;
    assert_eq!((got.status, chain(&row, "outcome")), (200, vec!["done".to_owned()]), "{}", got.text());
    assert_eq!(rig.seen().len(), 1, "sent once");
}
