//! The meter against hand-made answers, cut everywhere.

use proptest::prelude::*;

use super::*;

mod classes;

fn hear(endpoint: Endpoint, streaming: bool, pieces: &[&[u8]]) -> Metered {
    let mut meter = Meter::new(endpoint, streaming);
    for piece in pieces {
        meter.feed(piece);
    }
    meter.finish()
}

fn whole(endpoint: Endpoint, streaming: bool, text: &str) -> Metered {
    hear(endpoint, streaming, &[text.as_bytes()])
}

fn usage(
    input: u64,
    output: u64,
    cache_read: u64,
    cache_write: u64,
    hour: u64,
    reasoning: u64,
) -> TokenUsage {
    TokenUsage {
        input,
        output,
        cache_read,
        cache_write,
        cache_write_1h: hour,
        reasoning,
        ..TokenUsage::default()
    }
}

/// Every fixture: endpoint, streaming, text, tokens.
fn fixtures() -> Vec<(Endpoint, bool, &'static str, TokenUsage)> {
    vec![
        (
            Endpoint::Messages,
            true,
            include_str!("../../fixtures/messages.sse"),
            usage(17, 25, 40, 300, 200, 5),
        ),
        (
            Endpoint::ChatCompletions,
            true,
            include_str!("../../fixtures/chat.sse"),
            usage(36, 20, 64, 0, 0, 8),
        ),
        (Endpoint::Responses, true, include_str!("../../fixtures/responses.sse"), usage(15, 12, 30, 5, 0, 7)),
        (Endpoint::GeminiStream, true, include_str!("../../fixtures/gemini.sse"), usage(53, 10, 40, 0, 0, 4)),
        (
            Endpoint::GeminiStream,
            true,
            include_str!("../../fixtures/gemini_array.json"),
            usage(50, 10, 40, 0, 0, 4),
        ),
        (
            Endpoint::Messages,
            false,
            include_str!("../../fixtures/messages.json"),
            usage(17, 25, 40, 300, 200, 0),
        ),
    ]
}

#[test]
fn u43_every_dialect_is_counted_streamed_or_not() {
    for (endpoint, streaming, text, expected) in fixtures() {
        let heard = whole(endpoint, streaming, text);
        assert_eq!(heard.usage, expected, "{endpoint}");
        assert!(heard.usage_seen && heard.completed && heard.error.is_none(), "{endpoint}: {heard:?}");
        assert!(heard.output_bytes > 0, "{endpoint}");
    }
}

#[test]
fn u43_u51_a_cut_at_any_byte_changes_nothing() {
    for (endpoint, streaming, text, _) in fixtures() {
        for text in [text.to_owned(), text.replace('\n', "\r\n"), format!("\u{feff}{text}")] {
            let bytes = text.as_bytes();
            let expected = hear(endpoint, streaming, &[bytes]);
            for at in 0..=bytes.len() {
                let (head, tail) = bytes.split_at(at);
                assert_eq!(hear(endpoint, streaming, &[head, tail]), expected, "{endpoint} cut at {at}");
            }
            let single: Vec<&[u8]> = bytes.chunks(1).collect();
            assert_eq!(hear(endpoint, streaming, &single), expected, "{endpoint} bytewise");
        }
    }
}

#[test]
fn u15_a_stream_that_breaks_off_is_not_completed_and_keeps_what_it_said() {
    let text = include_str!("../../fixtures/messages.sse");
    let cut = text.find("event: message_delta").unwrap();
    let heard = whole(Endpoint::Messages, true, &text[..cut]);
    assert_eq!(heard.usage, usage(17, 1, 40, 300, 200, 0));
    assert!(heard.usage_seen && !heard.completed && heard.output_bytes > 0);

    for (endpoint, streaming, text, _) in fixtures() {
        let half = hear(endpoint, streaming, &[&text.as_bytes()[..text.len() / 3]]);
        assert!(!half.completed, "{endpoint}");
    }
}

#[test]
fn u14_greetings_and_pings_are_no_content() {
    for (endpoint, greeting, content) in [
        (
            Endpoint::Messages,
            "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{}}\n\nevent: ping\ndata: {\"type\":\"ping\"}\n\n",
            "event: content_block_start\ndata: {\"type\":\"content_block_start\"}\n\n",
        ),
        (
            Endpoint::ChatCompletions,
            ": hi\n\ndata: {\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"\"},\"finish_reason\":null}]}\n\n",
            "data: {\"choices\":[{\"delta\":{\"content\":\"x\"}}]}\n\n",
        ),
        (
            Endpoint::Responses,
            "event: response.created\ndata: {\"type\":\"response.created\"}\n\n",
            "event: response.output_item.added\ndata: {\"type\":\"response.output_item.added\"}\n\n",
        ),
        (
            Endpoint::GeminiStream,
            "data: {\"usageMetadata\":{\"promptTokenCount\":1}}\n\n",
            "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"x\"}]}}]}\n\n",
        ),
    ] {
        let mut meter = Meter::new(endpoint, true);
        meter.feed(greeting.as_bytes());
        assert!(!meter.has_content(), "{endpoint}");
        meter.feed(content.as_bytes());
        assert!(meter.has_content(), "{endpoint}");
    }
}

#[test]
fn u39_errors_inside_a_200_are_noticed() {
    for (endpoint, streaming, text, message) in [
        (
            Endpoint::Messages,
            true,
            "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n",
            "Overloaded",
        ),
        (
            Endpoint::ChatCompletions,
            true,
            "data: {\"error\":{\"message\":\"boom\",\"code\":502}}\n\n",
            "boom",
        ),
        (Endpoint::ChatCompletions, true, "event: error\ndata: {\"message\":\"bare\"}\n\n", "bare"),
        (
            Endpoint::Responses,
            true,
            "event: response.failed\ndata: {\"type\":\"response.failed\",\"response\":{\"error\":{\"code\":\"c\",\"message\":\"f\"}}}\n\n",
            "f",
        ),
        (
            Endpoint::Responses,
            true,
            "event: error\ndata: {\"type\":\"error\",\"code\":\"c\",\"message\":\"flat\"}\n\n",
            "flat",
        ),
        (
            Endpoint::GeminiStream,
            true,
            "data: {\"error\":{\"code\":503,\"message\":\"later\",\"status\":\"UNAVAILABLE\"}}\n\n",
            "later",
        ),
        (Endpoint::GeminiStream, true, "[{\"error\":{\"code\":503,\"message\":\"later\"}}]", "later"),
        (
            Endpoint::ChatCompletions,
            true,
            "{\"error\":{\"message\":\"json for a stream\"}}",
            "json for a stream",
        ),
        (Endpoint::Messages, false, "{\"type\":\"error\",\"error\":{\"message\":\"m\"}}", "m"),
        (
            Endpoint::Responses,
            false,
            "{\"id\":\"r\",\"error\":{\"message\":\"m\"},\"status\":\"failed\"}",
            "m",
        ),
    ] {
        let mut meter = Meter::new(endpoint, streaming);
        meter.feed(text.as_bytes());
        assert!(!meter.has_content(), "{text}");
        assert_eq!(meter.finish().error.map(|e| e.message).as_deref(), Some(message), "{text}");
    }
    let heard = whole(Endpoint::Responses, false, r#"{"error":null,"usage":{"input_tokens":1}}"#);
    assert!(heard.error.is_none() && heard.completed);
}

#[test]
fn u41_counts_that_make_no_sense_are_ignored_or_cut() {
    for (value, expected) in [
        ("-5", 0),
        ("1.5", 0),
        ("\"7\"", 0),
        ("null", 0),
        ("1e18", 0),
        ("[]", 0),
        ("1000000000000000000", 1 << 32),
        ("99999999999999999999999999", 1 << 32),
        ("12", 12),
    ] {
        let body = format!("{{\"usage\":{{\"input_tokens\":{value},\"output_tokens\":3}}}}");
        let heard = whole(Endpoint::Messages, false, &body);
        assert_eq!(heard.usage, usage(expected, 3, 0, 0, 0, 0), "{value}");
        let body = format!("{{\"usage\":{{\"prompt_tokens\":{value},\"completion_tokens\":3}}}}");
        assert_eq!(whole(Endpoint::ChatCompletions, false, &body).usage.input, expected, "{value}");
    }
    // More cached than asked is impossible; nothing goes below zero.
    let body =
        r#"{"usage":{"prompt_tokens":5,"completion_tokens":1,"prompt_tokens_details":{"cached_tokens":9}}}"#;
    assert_eq!(whole(Endpoint::ChatCompletions, false, body).usage, usage(0, 1, 5, 0, 0, 0));
}

#[test]
fn u40_no_usage_is_told_apart_from_zero_usage() {
    for body in [r#"{"usage":null}"#, r#"{"usage":{}}"#, "{}", r#"{"usage":{"type":"duration","seconds":3}}"#]
    {
        assert!(!whole(Endpoint::ChatCompletions, false, body).usage_seen, "{body}");
    }
    assert!(whole(Endpoint::ChatCompletions, false, r#"{"usage":{"prompt_tokens":0}}"#).usage_seen);
}

#[test]
fn u19_a_malformed_event_says_nothing_and_harms_nothing() {
    let text = "data: {\"choices\":[{\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":9}\n\ndata: nonsense\n\ndata: {\"usage\":{\"prompt_tokens\":4}}\n\n";
    let heard = whole(Endpoint::ChatCompletions, true, text);
    assert_eq!((heard.usage.input, heard.completed), (4, false));
}

#[test]
fn other_endpoints_are_counted_as_far_as_they_say() {
    for (endpoint, body, expected) in [
        (
            Endpoint::Embeddings,
            r#"{"data":[{"embedding":[0.1,-2e-3]}],"usage":{"prompt_tokens":8,"total_tokens":8}}"#,
            usage(8, 0, 0, 0, 0, 0),
        ),
        (Endpoint::Embeddings, r#"{"usage":{"total_tokens":6}}"#, usage(6, 0, 0, 0, 0, 0)),
        (
            Endpoint::ImageGenerations,
            r#"{"data":[{"b64_json":"AAAA"}],"usage":{"input_tokens":3,"output_tokens":900,"input_tokens_details":{"text_tokens":3}}}"#,
            TokenUsage { image_output: 900, ..usage(3, 900, 0, 0, 0, 0) },
        ),
        (Endpoint::Rerank, r#"{"results":[],"usage":{"total_tokens":44}}"#, usage(44, 0, 0, 0, 0, 0)),
        (
            Endpoint::Rerank,
            r#"{"results":[],"meta":{"billed_units":{"input_tokens":5,"search_units":1}}}"#,
            usage(5, 0, 0, 0, 0, 0),
        ),
        (
            Endpoint::Rerank,
            r#"{"meta":{"billed_units":{"search_units":1},"tokens":{"input_tokens":6}}}"#,
            usage(6, 0, 0, 0, 0, 0),
        ),
        (
            Endpoint::GeminiEmbed,
            r#"{"embedding":{"values":[1]},"usageMetadata":{"promptTokenCount":7}}"#,
            usage(7, 0, 0, 0, 0, 0),
        ),
        (
            Endpoint::ChatCompletions,
            r#"{"usage":{"prompt_tokens":10,"completion_tokens":2,"total_tokens":20,"completion_tokens_details":{"reasoning_tokens":8}}}"#,
            usage(10, 10, 0, 0, 0, 8),
        ),
        (Endpoint::CountTokens, r#"{"input_tokens":99}"#, TokenUsage::default()),
        (Endpoint::CountTokens, r#"{"usage":{"input_tokens":99}}"#, TokenUsage::default()),
        (
            Endpoint::GeminiCountTokens,
            r#"{"totalTokens":9,"usageMetadata":{"promptTokenCount":9}}"#,
            TokenUsage::default(),
        ),
    ] {
        let heard = whole(endpoint, false, body);
        assert_eq!(heard.usage, expected, "{body}");
        assert!(heard.completed);
    }
}

#[test]
fn sound_and_images_stream_in_their_own_way() {
    let text = "event: speech.audio.delta\ndata: {\"type\":\"speech.audio.delta\",\"audio\":\"AA\"}\n\ndata: {\"type\":\"speech.audio.done\",\"usage\":{\"input_tokens\":4,\"output_tokens\":5}}\n\n";
    let heard = whole(Endpoint::AudioSpeech, false, text);
    assert_eq!((heard.usage, heard.completed), (usage(4, 5, 0, 0, 0, 0), true));
    for sound in [&b"\xff\xfb\x90"[..], b"ID3", b"d", b"data", b"{\"text\":\"x\"}", b"plain words"] {
        let single: Vec<&[u8]> = sound.chunks(1).collect();
        assert!(hear(Endpoint::AudioTranscriptions, false, &single).completed, "{sound:?}");
    }
    assert!(!hear(Endpoint::AudioSpeech, false, &[]).completed);
    assert!(!whole(Endpoint::ChatCompletions, false, "<html>").completed);
}

#[test]
fn u20_giant_answers_are_not_kept() {
    let mut meter = Meter::new(Endpoint::ImageGenerations, false);
    meter.feed(b"{\"data\":[{\"b64_json\":\"");
    let block = vec![b'A'; 1 << 20];
    for _ in 0..32 {
        meter.feed(&block);
    }
    meter.feed(b"\"}],\"usage\":{\"input_tokens\":1,\"output_tokens\":2}}");
    assert_eq!(meter.finish().usage, TokenUsage { image_output: 2, ..usage(1, 2, 0, 0, 0, 0) });

    let long = format!(
        "{{\"usage\":{{\"x\":\"{}\",\"input_tokens\":1}},\"error\":{{\"message\":\"{0}\"}}}}",
        "y".repeat(70_000)
    );
    let heard = whole(Endpoint::Messages, false, &long);
    assert!(!heard.usage_seen && heard.completed && heard.error.is_some());
}

#[test]
fn a_missing_event_name_is_read_from_the_data() {
    let text = include_str!("../../fixtures/messages.sse");
    let bare: Vec<&str> = text.split_inclusive('\n').filter(|l| !l.starts_with("event:")).collect();
    assert_eq!(whole(Endpoint::Messages, true, &bare.concat()), whole(Endpoint::Messages, true, text));
}

#[test]
fn an_upstream_that_streams_unasked_or_not_at_all_is_understood() {
    let text = include_str!("../../fixtures/chat.sse").trim_start_matches(": keep-alive").trim_start();
    assert!(whole(Endpoint::ChatCompletions, false, text).usage_seen);
    let json = include_str!("../../fixtures/messages.json");
    assert!(whole(Endpoint::Messages, true, json).usage_seen);
}

#[test]
fn the_end_of_a_broken_stream_tells_whether_it_is_inside_an_event() {
    let mut meter = Meter::new(Endpoint::Messages, true);
    meter.feed(b"event: ping\ndata: {}\n\n");
    assert!(!meter.mid_event());
    meter.feed(b"event: pi");
    assert!(meter.mid_event());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn u19_nothing_makes_the_meter_panic(at in 0..Endpoint::ALL.len(), streaming in any::<bool>(), start in prop::sample::select(vec!["{", "[", "data: {", ""]), bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = hear(Endpoint::ALL[at], streaming, &[start.as_bytes(), &bytes]);
    }

    #[test]
    fn u19_mutated_answers_read_the_same_under_any_cut(which in 0usize..6, spot in any::<prop::sample::Index>(), byte in any::<u8>(), cuts in prop::collection::vec(any::<prop::sample::Index>(), 1..8)) {
        let (endpoint, streaming, text, _) = fixtures().swap_remove(which);
        let mut bytes = text.as_bytes().to_vec();
        let spot = spot.index(bytes.len());
        bytes[spot] = byte;
        let mut points: Vec<usize> = cuts.iter().map(|c| c.index(bytes.len() + 1)).collect();
        points.extend([0, bytes.len()]);
        points.sort_unstable();
        let pieces: Vec<&[u8]> = points.windows(2).map(|w| &bytes[w[0]..w[1]]).collect();
        prop_assert_eq!(hear(endpoint, streaming, &pieces), hear(endpoint, streaming, &[&bytes]));
    }
}

#[test]
fn a_response_is_known_by_its_first_event_and_counted_by_all() {
    let event = |number: u64, kind: &str, more: &str| {
        format!("event: {kind}\ndata: {{\"type\":\"{kind}\",\"sequence_number\":{number}{more}}}\n\n")
    };
    let response = |id: &str| {
        format!(",\"response\":{{\"id\":\"{id}\",\"created_at\":1790000000,\"model\":\"m\\u002d1\"}}")
    };
    let text = event(0, "response.created", &response("resp_a"))
        + &event(1, "response.in_progress", &response("resp_b"))
        + &event(2, "response.output_text.delta", ",\"delta\":\"x\"")
        + "event: response.output_text.delta\ndata: {\"sequence_number\":9,\"del";
    for size in [1, 7, text.len()] {
        let pieces: Vec<&[u8]> = text.as_bytes().chunks(size).collect();
        let begun = hear(Endpoint::Responses, true, &pieces).begun.unwrap();
        let expected = Begun { id: "resp_a".into(), model: "m-1".into(), created_at: 1_790_000_000, next: 3 };
        assert_eq!(begun, expected, "in pieces of {size}");
    }
    let long = event(0, "response.created", &response(&"x".repeat(300)));
    let nameless = event(0, "response.created", ",\"response\":{\"id\":\"\"}");
    for text in [long, nameless, event(5, "response.completed", &response("resp_z"))] {
        assert_eq!(whole(Endpoint::Responses, true, &text).begun, None, "{text}");
    }
    assert_eq!(whole(Endpoint::ChatCompletions, true, &text).begun, None);
}
