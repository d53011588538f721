use super::*;

const SENT: &[u8] = br#"{"model":"claude-x","stream":true,"messages":[]}"#;

fn call(endpoint: Endpoint, stream: bool) -> Call<'static> {
    Call::Endpoint { endpoint, model: "claude-x", gemini_version: "v1", query: None, stream }
}

fn written(kind: ProviderKind, endpoint: Endpoint, headers: &mut HeaderMap) -> String {
    let body = body(kind, &call(endpoint, true), headers, Bytes::from_static(SENT)).unwrap();
    String::from_utf8(body.to_vec()).unwrap()
}

#[test]
fn each_host_gets_the_body_that_it_wants() {
    let mut headers = HeaderMap::new();
    headers.append("anthropic-beta", "one, two".parse().unwrap());
    headers.append("anthropic-version", "2023-06-01".parse().unwrap());
    assert_eq!(
        written(ProviderKind::Vertex, Endpoint::Messages, &mut headers),
        r#"{"anthropic_version":"vertex-2023-10-16","stream":true,"messages":[]}"#
    );
    assert_eq!(
        written(ProviderKind::Vertex, Endpoint::CountTokens, &mut headers),
        r#"{"anthropic_version":"vertex-2023-10-16","model":"claude-x","messages":[]}"#
    );
    assert_eq!(headers["anthropic-beta"], "one, two");
    assert_eq!(
        written(ProviderKind::Bedrock, Endpoint::Messages, &mut headers),
        r#"{"anthropic_version":"bedrock-2023-05-31","messages":[],"anthropic_beta":["one","two"]}"#
    );
    assert!(!headers.contains_key("anthropic-beta") && !headers.contains_key("anthropic-version"));
    assert_eq!(headers["accept"], EVENT_STREAM);
    assert!(written(ProviderKind::Bedrock, Endpoint::CountTokens, &mut headers).contains("invokeModel"));
    for kind in [ProviderKind::Anthropic, ProviderKind::OpenAi] {
        assert_eq!(written(kind, Endpoint::Messages, &mut headers).as_bytes(), SENT);
    }
}

fn pieces(parts: Vec<&'static [u8]>) -> AnswerBody {
    let parts = parts.into_iter().map(|part| Ok(Bytes::from_static(part))).collect::<Vec<_>>();
    AnswerBody::stream(futures_util::stream::iter(parts))
}

async fn read(answer: Answer) -> (String, bool) {
    let (mut body, mut text) = (answer.body, Vec::new());
    while let Some(piece) = body.piece().await {
        match piece {
            Ok(piece) => text.extend_from_slice(&piece),
            Err(_) => return (String::from_utf8(text).unwrap(), false),
        }
    }
    (String::from_utf8(text).unwrap(), true)
}

fn answered(status: u16, headers: &[(&'static str, &'static str)], body: AnswerBody) -> Answer {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.insert(*name, value.parse().unwrap());
    }
    Answer { status: StatusCode::from_u16(status).unwrap(), headers: map, body }
}

#[tokio::test]
async fn amazons_error_is_told_as_anthropic_tells_it() {
    let headers = [("x-amzn-errortype", "ThrottlingException:http://x"), ("content-length", "19")];
    let body = pieces(vec![b"{\"message\"", b":\"slow\"}"]);
    let new = answer(ProviderKind::Bedrock, "/model/m/invoke", answered(429, &headers, body));
    assert!(!new.headers.contains_key("content-length"));
    let (text, _) = read(new).await;
    assert!(text.contains("rate_limit_error") && text.contains("slow"), "{text}");
    let page = answered(502, &[], pieces(vec![b"<html>"]));
    assert_eq!(read(answer(ProviderKind::Bedrock, "/model/m/invoke", page)).await.0, "<html>");
    let count = answered(200, &[], pieces(vec![b"{\"inputTokens\":7}"]));
    let new = answer(ProviderKind::Bedrock, "/model/m/count-tokens", count);
    assert_eq!(read(new).await.0, "{\"input_tokens\":7}");
    let other = answered(429, &headers, pieces(vec![b"{\"message\":\"slow\"}"]));
    assert_eq!(
        read(answer(ProviderKind::Anthropic, "/v1/messages", other)).await.0,
        "{\"message\":\"slow\"}"
    );
}

#[tokio::test]
async fn a_stream_that_stops_inside_a_frame_is_an_error_and_not_an_end() {
    let frame: &[u8] = &[0, 0, 0, 0x10, 0, 0, 0, 0, 0x05];
    let headers = [("content-type", "application/vnd.amazon.eventstream")];
    let new = answer(ProviderKind::Bedrock, "/model/m/x", answered(200, &headers, pieces(vec![frame])));
    assert_eq!(new.headers["content-type"], "text/event-stream; charset=utf-8");
    assert_eq!(read(new).await, (String::new(), false));
    let damaged: &[u8] = &[0, 0, 0, 0x10, 0, 0, 0, 0, 0x05, 0xc2, 0x48, 0xea];
    let new = answer(ProviderKind::Bedrock, "/model/m/x", answered(200, &headers, pieces(vec![damaged])));
    assert_eq!(read(new).await, (String::new(), false));
    let nothing = answer(ProviderKind::Bedrock, "/model/m/x", answered(200, &headers, pieces(vec![])));
    assert_eq!(read(nothing).await, (String::new(), true));
}
