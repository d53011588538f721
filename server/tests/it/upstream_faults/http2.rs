//! HTTP/2 upstreams: offered by setting, left for HTTP/1.1 where it does not serve, and what may be sent again (U45,
//! U46).

use std::time::Duration;

use serde_json::{Value, json};

use super::outcomes;
use crate::rig::certificates::{Authority, Identity};
use crate::rig::client::Got;
use crate::rig::faces::CHAT;
use crate::rig::frames::{Act, Frames, HTTP_1_1_REQUIRED, INTERNAL_ERROR, REFUSED_STREAM};
use crate::rig::{Rig, SOON};

const BOTH: &[&str] = &["h2", "http/1.1"];

async fn rig() -> (Rig, Identity) {
    let authority = Authority::new();
    let file = authority.file();
    let rig = Rig::bare_with(|config| config.extra_ca_file = Some(file)).await;
    rig.server.admin("PUT", "/settings/affinity.enabled", &json!({"value": "false"})).await;
    (rig, authority.sign(&["127.0.0.1"]))
}

/// A vendor and a provider that offers it HTTP/2.
async fn vendor(rig: &Rig, identity: &Identity, protocols: &[&str]) -> (Frames, i64) {
    let frames = Frames::start(identity, protocols, rig.upstream.addr()).await;
    let spec = json!({"name": "frames", "base_url": frames.url(), "http2": "auto", "priority": 0});
    let id = rig.provider("openai", spec).await;
    (frames, id)
}

async fn asked(rig: &Rig) -> (Got, Value) {
    let ask = rig.keyed(CHAT.ask("m-1", false));
    let id = ask.id.clone();
    (rig.ask(ask).await, rig.row(&id).await)
}

async fn served_in_one_attempt(rig: &Rig) {
    let (got, row) = asked(rig).await;
    assert_eq!((got.status, outcomes(&row)), (200, vec!["done"]), "{}", got.text());
}

fn protocols(frames: &Frames) -> Vec<String> {
    frames.connections().into_iter().map(|(protocol, _)| protocol).collect()
}

#[tokio::test]
async fn up_http2_is_spoken_if_the_provider_says_so_and_the_upstream_chooses_it() {
    let (rig, identity) = rig().await;
    let (frames, id) = vendor(&rig, &identity, BOTH).await;
    for _ in 0..3 {
        served_in_one_attempt(&rig).await;
    }
    assert_eq!(frames.connections(), [("h2".to_owned(), 3)], "one connection for all");
    rig.change(&format!("/providers/{id}"), json!({"http2": "off"})).await;
    served_in_one_attempt(&rig).await;
    assert_eq!(protocols(&frames), ["h2", "http/1.1"]);
    rig.change(&format!("/providers/{id}"), json!({"http2": "auto"})).await;
    let shown = rig.server.admin("GET", &format!("/providers/{id}"), &Value::Null).await;
    assert_eq!(shown["http2"], "auto");
    let odd = rig.server.admin("PATCH", &format!("/providers/{id}"), &json!({"http2": "always"})).await;
    assert!(odd.get("error").is_some(), "{odd}");

    // Whoever does not choose it gets HTTP/1.1.
    rig.change(&format!("/providers/{id}"), json!({"enabled": false})).await;
    let old = Frames::start(&identity, &["http/1.1"], rig.upstream.addr()).await;
    rig.provider("openai", json!({"name": "old", "base_url": old.url(), "http2": "auto"})).await;
    served_in_one_attempt(&rig).await;
    assert_eq!(protocols(&old), ["http/1.1"]);
}

#[tokio::test]
async fn up_requests_at_once_share_a_connection_until_it_is_full() {
    let (rig, identity) = rig().await;
    let (frames, _) = vendor(&rig, &identity, BOTH).await;
    frames.script(&[Act::Hold; 70]);
    let all = futures_util::future::join_all((0..70).map(|_| asked(&rig)));
    let spread = async {
        loop {
            let mut counts: Vec<_> = frames.connections().into_iter().map(|(_, requests)| requests).collect();
            if counts.iter().sum::<usize>() == 70 {
                counts.sort_unstable();
                return counts;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let counts = tokio::select! {
        _ = all => unreachable!("none is answered"),
        counts = tokio::time::timeout(SOON, spread) => counts.unwrap(),
    };
    let used: Vec<_> = counts.into_iter().filter(|count| *count > 0).collect();
    assert!(used.len() >= 2 && used.iter().all(|count| *count <= 64), "{used:?}");
}

#[tokio::test]
async fn fault_u45_a_goaway_that_leaves_the_request_out_is_overcome_unseen() {
    let (rig, identity) = rig().await;
    let (frames, _) = vendor(&rig, &identity, BOTH).await;
    served_in_one_attempt(&rig).await;
    frames.script(&[Act::GoAway]);
    served_in_one_attempt(&rig).await;
    assert_eq!(frames.connections(), [("h2".to_owned(), 2), ("h2".to_owned(), 1)]);
    // A new connection that does the same is the last one in HTTP/2.
    frames.script(&[Act::GoAway, Act::GoAway]);
    served_in_one_attempt(&rig).await;
    assert_eq!(protocols(&frames), ["h2", "h2", "h2", "http/1.1"]);
    served_in_one_attempt(&rig).await;
    assert_eq!(frames.connections().len(), 4, "HTTP/1.1 is kept for a while");
}

#[tokio::test]
async fn fault_u45_a_goaway_that_names_the_request_leaves_its_outcome_unknown() {
    let (rig, identity) = rig().await;
    let (frames, _) = vendor(&rig, &identity, BOTH).await;
    rig.provider("openai", json!({"priority": 5})).await;
    served_in_one_attempt(&rig).await;
    frames.script(&[Act::GoAwayAfter]);
    let (got, row) = asked(&rig).await;
    assert_eq!((got.status, got.code().as_str()), (502, "upstream_outcome_unknown"), "{}", got.text());
    assert_eq!((outcomes(&row), rig.seen().len()), (vec!["no_answer"], 0), "sent once, to nobody else");
    served_in_one_attempt(&rig).await;
}

#[tokio::test]
async fn fault_u46_a_refused_stream_is_sent_again_and_a_failed_one_is_not() {
    let (rig, identity) = rig().await;
    let (frames, _) = vendor(&rig, &identity, BOTH).await;
    rig.provider("openai", json!({"priority": 5})).await;
    served_in_one_attempt(&rig).await;
    frames.script(&[Act::Reset(REFUSED_STREAM)]);
    served_in_one_attempt(&rig).await;
    assert_eq!(protocols(&frames), ["h2", "h2"]);

    frames.script(&[Act::Reset(INTERNAL_ERROR)]);
    let (got, row) = asked(&rig).await;
    assert_eq!((got.status, got.code().as_str()), (502, "upstream_outcome_unknown"), "{}", got.text());
    assert_eq!((outcomes(&row), rig.seen().len()), (vec!["no_answer"], 0));
    rig.recover().await;
    // After the head it is a broken answer, of which nothing was shown yet.
    frames.script(&[Act::ResetLate(INTERNAL_ERROR)]);
    let (got, row) = asked(&rig).await;
    assert_eq!((got.status, outcomes(&row)), (200, vec!["cut_off", "done"]), "{}", got.text());
}

#[tokio::test]
async fn fault_u46_who_wants_http_1_1_gets_it_at_once() {
    let (rig, identity) = rig().await;
    let (frames, _) = vendor(&rig, &identity, BOTH).await;
    served_in_one_attempt(&rig).await;
    frames.script(&[Act::Reset(HTTP_1_1_REQUIRED)]);
    served_in_one_attempt(&rig).await;
    assert_eq!(protocols(&frames), ["h2", "http/1.1"]);
}

#[tokio::test]
async fn fault_u46_who_refuses_everything_and_knows_no_http_1_1_is_passed_over() {
    let (rig, identity) = rig().await;
    let (frames, _) = vendor(&rig, &identity, &["h2"]).await;
    rig.provider("openai", json!({"priority": 5})).await;
    frames.script(&[Act::Reset(REFUSED_STREAM); 8]);
    let (got, row) = asked(&rig).await;
    assert_eq!((got.status, outcomes(&row)), (200, vec!["connect_failed", "done"]), "{}", got.text());
    assert_eq!(row["attempts"][0]["commit"], "not_sent");
}
