//! How a Responses caller's stream ends that broke off: as the response that it was, whoever made it. The official
//! SDKs hold each event against the first one and refuse an end that names another response.

use fakeup::{Behaviour, Rule, Then};
use serde_json::Value;

use crate::rig::Rig;
use crate::rig::client::Got;
use crate::rig::faces::{FACES, RESPONSES};

/// The events of a stream.
pub(super) fn events(got: &Got) -> Vec<Value> {
    let text = got.text();
    let data = text.lines().filter_map(|line| line.strip_prefix("data: "));
    data.map(|data| serde_json::from_str(data).unwrap_or_else(|error| panic!("{error}: {data}"))).collect()
}

#[tokio::test]
async fn fault_u15_a_response_that_breaks_off_fails_under_its_own_id_and_number() {
    for to in FACES {
        let rig = Rig::speaking(to).await;
        for then in [Then::Close, Then::Reset, Then::Finish] {
            rig.upstream.forget();
            rig.recover().await;
            rig.upstream.script(Rule::always(Behaviour::cut(to.beyond_content(), then)));
            let (got, row) = rig.translated(RESPONSES.ask("m-1", true)).await;
            let what = format!("{} {then:?}: {}", to.name, got.text());
            assert_eq!((got.status, &row["outcome"]), (200, &"broken".into()), "{what}");
            let events = events(&got);
            assert!(events.len() > 3, "{what}");
            for (number, event) in events.iter().enumerate() {
                assert_eq!(event["sequence_number"], number, "{what}");
            }
            let (first, last) = (&events[0], &events[events.len() - 1]);
            assert_eq!(
                (&first["type"], &last["type"]),
                (&"response.created".into(), &"response.failed".into())
            );
            for name in ["id", "created_at", "model", "object"] {
                assert!(!first["response"][name].is_null(), "{name}: {what}");
                assert_eq!(first["response"][name], last["response"][name], "{name}: {what}");
            }
            assert_eq!(last["response"]["error"]["code"], "upstream_cut_off", "{what}");
        }
    }
}

#[tokio::test]
async fn a_response_whose_upstream_names_none_still_fails_in_its_callers_dialect() {
    let rig = Rig::speaking(RESPONSES).await;
    let torn = "event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"delta\":\"a\"}\n\n";
    rig.upstream.script(Rule::always(Behaviour::body("text/event-stream", torn)));
    let (got, row) = rig.translated(RESPONSES.ask("m-1", true)).await;
    let last = events(&got).pop().unwrap();
    assert_eq!((&last["type"], &row["outcome"]), (&"response.failed".into(), &"broken".into()), "{last}");
    assert!(last["response"]["id"].as_str().is_some_and(|id| id.starts_with("resp_")), "{last}");
    assert_eq!(last["sequence_number"], 0, "{last}");
}
