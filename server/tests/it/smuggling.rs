//! Request smuggling (`C14`): whatever two parsers could read in two ways is either refused or read once; the
//! request hidden in it is never answered, and the connection is closed.

use std::fmt::Write as _;

use crate::harness::Running;

/// What must never be executed.
const HIDDEN: &str = "GET /livez HTTP/1.1\r\nHost: hidden\r\n\r\n";

/// A POST whose framing fields are as given, followed by a body that is empty for one reading and hides a
/// request for another.
///
/// `CALLER` stands for a key that is known: a stranger would be refused before his body is looked at, and
/// nothing would be tested.
fn with_fields(fields: &str, body: &str) -> String {
    format!(
        "POST /v1/messages HTTP/1.1\r\nHost: a\r\nCALLER\r\nContent-Type: application/json\r\n{fields}\r\n{body}{HIDDEN}"
    )
}

fn corpus() -> Vec<(&'static str, String)> {
    let chunked_end = "0\r\n\r\n";
    let fields = [
        ("CL.TE", "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n"),
        ("TE.CL", "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n"),
        ("CL 0 and TE", "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n"),
        ("two lengths", "Content-Length: 5\r\nContent-Length: 6\r\n"),
        ("length list", "Content-Length: 5, 6\r\n"),
        ("plus sign", "Content-Length: +5\r\n"),
        ("minus sign", "Content-Length: -5\r\n"),
        ("hex length", "Content-Length: 0x5\r\n"),
        ("length with space", "Content-Length: 5 5\r\n"),
        ("length with letters", "Content-Length: 5a\r\n"),
        ("length of 2^64", "Content-Length: 18446744073709551616\r\n"),
        ("length with decimals", "Content-Length: 5.0\r\n"),
        ("empty length", "Content-Length: \r\n"),
        ("space before colon", "Content-Length : 5\r\n"),
        ("tab before colon", "Transfer-Encoding\t: chunked\r\n"),
        ("folded value", "Transfer-Encoding:\r\n chunked\r\n"),
        ("folded length", "Content-Length:\r\n 5\r\n"),
        ("TE identity", "Transfer-Encoding: identity\r\n"),
        ("TE x-chunked", "Transfer-Encoding: xchunked\r\n"),
        ("TE chunked then identity", "Transfer-Encoding: chunked, identity\r\n"),
        ("TE chunked twice", "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n"),
        ("TE gzip", "Transfer-Encoding: gzip\r\n"),
        ("TE quoted", "Transfer-Encoding: \"chunked\"\r\n"),
        ("TE with NUL", "Transfer-Encoding: chunked\0\r\n"),
        ("TE with vertical tab", "Transfer-Encoding: \u{b}chunked\r\n"),
        ("NUL in a name", "X\0Y: 1\r\nContent-Length: 5\r\n"),
        ("bare CR in a value", "X: a\rContent-Length: 5\r\n"),
        ("no colon", "Content-Length 5\r\n"),
        ("empty name", ": 5\r\n"),
        ("space in a name", "Content Length: 5\r\n"),
        ("first field begins with space", " Content-Length: 5\r\n"),
        ("underscore twin", "Content_Length: 5\r\nTransfer-Encoding: chunked\r\nContent-Length: 9\r\n"),
    ];
    let mut corpus: Vec<_> =
        fields.into_iter().map(|(name, fields)| (name, with_fields(fields, chunked_end))).collect();

    let te = "Transfer-Encoding: chunked\r\n";
    for (name, body) in [
        ("chunk size overflow", "fffffffffffffffff\r\nx\r\n0\r\n\r\n"),
        ("chunk size with 0x", "0x1\r\nx\r\n0\r\n\r\n"),
        ("negative chunk size", "-1\r\nx\r\n0\r\n\r\n"),
        ("empty chunk size", "\r\nx\r\n0\r\n\r\n"),
        ("chunk without its end", "1\r\nxx\r\n0\r\n\r\n"),
        ("chunk size with space inside", "1 1\r\nx\r\n0\r\n\r\n"),
        ("chunk extension with bare LF", "1;a\nb\r\nx\r\n0\r\n\r\n"),
        ("chunk ended by LF", "1\nx\n0\n\n"),
    ] {
        corpus.push((name, with_fields(te, body)));
    }
    corpus.push(("HTTP/1.0 with TE", with_fields(te, chunked_end).replacen("HTTP/1.1", "HTTP/1.0", 1)));
    corpus.push(("HTTP/0.9", format!("POST /v1/messages\r\n\r\n{HIDDEN}")));
    corpus.push(("HTTP/2 preface", format!("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n{HIDDEN}")));
    corpus.push((
        "unknown version",
        with_fields("Content-Length: 0\r\n", "").replacen("HTTP/1.1", "HTTP/1.2", 1),
    ));
    corpus.push(("two spaces in the start line", with_fields("", "").replacen(" HTTP", "  x HTTP", 1)));
    corpus.push(("space in the target", with_fields("", "").replacen("/v1/messages", "/v1/mess ages", 1)));
    corpus
}

#[tokio::test]
async fn fault_c14_a_hidden_request_is_never_answered() {
    let server = Running::start().await;
    let key = server.provision("anthropic", "http://127.0.0.1:9").await;
    let corpus = corpus();
    assert!(corpus.len() >= 40, "{}", corpus.len());
    let mut failures = String::new();
    for (name, request) in &corpus {
        let answer = server.raw(request.replace("CALLER", &format!("Authorization: Bearer {key}"))).await;
        let refused = matches!(answer.status(), 0 | 400 | 405 | 408 | 413 | 414 | 415 | 431 | 501 | 505);
        if !refused || answer.count() > 1 {
            writeln!(failures, "{name}: {answer:?}").unwrap();
        }
    }
    assert_eq!(failures, "");
}

#[tokio::test]
async fn fault_c14_pipelined_requests_are_answered_in_order() {
    let server = Running::start().await;
    let answer = server
        .raw("GET /livez HTTP/1.1\r\nHost: a\r\n\r\nGET /v1/nothing HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        .await;
    assert_eq!(answer.count(), 2, "{answer:?}");
    assert!(answer.0.find(" 200 ").unwrap() < answer.0.find(" 404 ").unwrap());
}
