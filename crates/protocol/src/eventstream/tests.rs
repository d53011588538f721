use proptest::prelude::*;

use super::*;

/// A frame as Amazon writes it.
fn frame(headers: &[(&str, &str)], payload: &[u8]) -> Vec<u8> {
    let mut head = Vec::new();
    for (name, value) in headers {
        head.push(u8::try_from(name.len()).unwrap());
        head.extend_from_slice(name.as_bytes());
        head.push(7);
        head.extend_from_slice(&u16::try_from(value.len()).unwrap().to_be_bytes());
        head.extend_from_slice(value.as_bytes());
    }
    let total = u32::try_from(SHORTEST + head.len() + payload.len()).unwrap();
    let mut out = total.to_be_bytes().to_vec();
    out.extend_from_slice(&u32::try_from(head.len()).unwrap().to_be_bytes());
    out.extend_from_slice(&crc32fast::hash(&out).to_be_bytes());
    out.extend_from_slice(&head);
    out.extend_from_slice(payload);
    out.extend_from_slice(&crc32fast::hash(&out).to_be_bytes());
    out
}

fn chunk(event: &str) -> Vec<u8> {
    let payload = format!("{{\"bytes\":\"{}\",\"p\":\"abcd\"}}", STANDARD.encode(event));
    let headers =
        [(":event-type", "chunk"), (":content-type", "application/json"), (":message-type", "event")];
    frame(&headers, payload.as_bytes())
}

const START: &str = r#"{"type":"message_start","message":{"id":"m","usage":{"input_tokens":3}}}"#;
const DELTA: &str =
    r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"a\ud83d b"}}"#;
const STOP: &str = r#"{"type":"message_stop","amazon-bedrock-invocationMetrics":{"inputTokenCount":3}}"#;

fn stream() -> Vec<u8> {
    [chunk(START), chunk(DELTA), chunk(STOP)].concat()
}

fn events(parts: &[&[u8]]) -> (String, Result<(), BadFrame>) {
    let (mut decoder, mut out) = (Decoder::new(), Vec::new());
    let mut end = Ok(());
    for part in parts {
        end = decoder.feed(part, &mut out);
    }
    (String::from_utf8(out).unwrap(), end)
}

#[test]
fn an_empty_message_of_the_specification_is_read() {
    // Amazon's own example of the shortest frame.
    let shortest = [0, 0, 0, 0x10, 0, 0, 0, 0, 0x05, 0xc2, 0x48, 0xeb, 0x7d, 0x98, 0xc8, 0xff];
    let mut decoder = Decoder::new();
    // Its checksums are right; it only says nothing of what it is.
    assert_eq!(decoder.feed(&shortest, &mut Vec::new()), Err(BadFrame::Headers));
}

#[test]
fn every_event_passes_as_it_was_said() {
    let (text, end) = events(&[&stream()]);
    assert_eq!(end, Ok(()));
    let expected = format!(
        "event: message_start\ndata: {START}\n\nevent: content_block_delta\ndata: {DELTA}\n\nevent: message_stop\ndata: {STOP}\n\n"
    );
    assert_eq!(text, expected);
}

#[test]
fn an_exception_becomes_the_error_event_of_its_class() {
    for (kind, expected) in [
        ("throttlingException", "rate_limit_error"),
        ("validationException", "invalid_request_error"),
        ("internalServerException", "api_error"),
        ("modelStreamErrorException", "api_error"),
        ("serviceUnavailableException", "overloaded_error"),
        ("modelTimeoutException", "timeout_error"),
    ] {
        let headers = [(":exception-type", kind), (":message-type", "exception")];
        let (text, _) = events(&[&frame(&headers, br#"{"message":"Too many \u2028 requests"}"#)]);
        let data = text.strip_prefix("event: error\ndata: ").unwrap();
        let value: serde_json::Value = serde_json::from_str(data).unwrap();
        assert_eq!(value["error"]["type"], expected, "{kind}");
        assert_eq!(value["error"]["message"], "Too many \u{2028} requests");
        assert!(!text.contains('\u{2028}'));
    }
    let headers = [(":error-code", "InternalError"), (":error-message", "oh"), (":message-type", "error")];
    assert!(events(&[&frame(&headers, b"")]).0.contains(r#""message":"oh""#));
}

#[test]
fn a_damaged_frame_ends_the_stream_after_what_was_whole() {
    let whole = stream();
    let first = chunk(START).len();
    for at in first..first + chunk(DELTA).len() {
        let mut bad = whole.clone();
        bad[at] ^= 1;
        let (text, end) = events(&[&bad]);
        assert!(end.is_err(), "byte {at}");
        assert_eq!(text, format!("event: message_start\ndata: {START}\n\n"), "byte {at}");
    }
    let mut decoder = Decoder::new();
    let mut bad = whole.clone();
    bad[3] ^= 1;
    assert!(decoder.feed(&bad, &mut Vec::new()).is_err());
    assert!(decoder.feed(&whole, &mut Vec::new()).is_err(), "nothing is read after a failure");
}

#[test]
fn a_length_beyond_the_bound_is_refused_before_it_is_waited_for() {
    for total in [0_u32, 15, 8 * 1024 * 1024 + 1, u32::MAX] {
        let mut prelude = [total.to_be_bytes(), [0; 4]].concat();
        prelude.extend_from_slice(&crc32fast::hash(&prelude).to_be_bytes());
        assert_eq!(Decoder::new().feed(&prelude, &mut Vec::new()), Err(BadFrame::Length(total)));
    }
}

#[test]
fn frames_that_hold_no_event_are_refused_and_unknown_events_passed_over() {
    let event = |payload: &[u8]| frame(&[(":event-type", "chunk"), (":message-type", "event")], payload);
    for payload in [&b"{}"[..], b"", br#"{"bytes":"%%%"}"#, br#"{"bytes":"e30="}"#, br#"{"bytes":1}"#] {
        assert_eq!(events(&[&event(payload)]).1, Err(BadFrame::Payload), "{payload:?}");
    }
    let other = frame(&[(":event-type", "initial-response"), (":message-type", "event")], b"{}");
    assert_eq!(events(&[&other]), (String::new(), Ok(())));
    let injected = chunk("{\"type\":\"ping\\u000a\\u000aevent: x\"}");
    assert_eq!(events(&[&injected]).1, Err(BadFrame::Payload));
}

#[test]
fn a_stream_that_stops_inside_a_frame_is_known() {
    let mut decoder = Decoder::new();
    decoder.feed(&stream()[..40], &mut Vec::new()).unwrap();
    assert!(decoder.is_mid_frame());
    decoder.feed(&stream()[40..], &mut Vec::new()).unwrap();
    assert!(!decoder.is_mid_frame());
}

proptest! {
    #[test]
    fn any_split_of_the_bytes_gives_the_same(cuts in prop::collection::vec(0_usize..600, 0..12), flip in prop::option::of(0_usize..600)) {
        let mut bytes = stream();
        if let Some(at) = flip {
            let at = at % bytes.len();
            bytes[at] ^= 0x40;
        }
        let whole = events(&[&bytes]);
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
        cuts.sort_unstable();
        let mut parts = Vec::new();
        let mut from = 0;
        for cut in cuts.into_iter().chain([bytes.len()]) {
            parts.push(&bytes[from..cut]);
            from = cut;
        }
        prop_assert_eq!(events(&parts).0, whole.0);
    }

    #[test]
    fn any_bytes_at_all_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = events(&[&bytes]);
    }
}
