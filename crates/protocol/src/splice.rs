//! Replacing the model name in a body without touching any other byte.
//!
//! It does not look for the name; the probe's span says where it stands.

use bytes::Bytes;

use crate::error::to_bytes;
use crate::probe::ModelSpan;

/// The body with another model name. In JSON the name is escaped; in a multipart body control characters are
/// dropped from it, so that it can add neither a header nor a boundary. A span that does not fit the body leaves it
/// as it is.
pub fn replace_model(body: &[u8], span: &ModelSpan, new_name: &str, multipart: bool) -> Bytes {
    let (Some(head), Some(tail)) = (body.get(..span.span.start), body.get(span.span.end..)) else {
        return Bytes::copy_from_slice(body);
    };
    if span.span.start > span.span.end {
        return Bytes::copy_from_slice(body);
    }
    let name = if multipart {
        new_name.chars().filter(|c| !c.is_control()).collect::<String>().into_bytes()
    } else {
        to_bytes(&serde_json::Value::from(new_name))
    };
    let mut out = Vec::with_capacity(head.len() + name.len() + tail.len());
    out.extend_from_slice(head);
    out.extend_from_slice(&name);
    out.extend_from_slice(tail);
    Bytes::from(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Endpoint;
    use crate::probe::probe;

    #[test]
    fn only_the_name_changes() {
        let body = r#"{ "messages":[{"model":"inner"}], "model" : "a\u002fb" , "x":"\ud83d" }"#;
        let span = probe(Endpoint::ChatCompletions, None, body.as_bytes()).unwrap().model.unwrap();
        assert_eq!(span.name, "a/b");
        let new = replace_model(body.as_bytes(), &span, "q\"uo\u{2028}te", false);
        let expected = r#"{ "messages":[{"model":"inner"}], "model" : "q\"uo\u2028te" , "x":"\ud83d" }"#;
        assert_eq!(std::str::from_utf8(&new).unwrap(), expected);
    }

    #[test]
    fn x21_a_name_in_multipart_cannot_break_out_of_its_part() {
        let span = ModelSpan { name: "m".into(), span: 2..3 };
        assert_eq!(&replace_model(b"--m--", &span, "a\r\nb: c", true)[..], b"--ab: c--");
    }

    #[test]
    fn a_span_that_does_not_fit_changes_nothing() {
        for span in [4..9, 9..12, std::ops::Range { start: 2, end: 1 }] {
            let span = ModelSpan { name: "m".into(), span };
            assert_eq!(&replace_model(b"{}123", &span, "x", false)[..], b"{}123");
        }
    }
}
