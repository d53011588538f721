//! The event that nearly all of a stream consists of: one piece of text in one answer, and the counts.
//!
//! It is read without a tree. Whatever holds anything else, or is spelled in another way, is no such event and is
//! read as a whole.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

/// What such an event says.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Piece<'a> {
    candidates: [Candidate; 1],
    /// The counts, as they were written.
    #[serde(borrow)]
    pub(super) usage_metadata: Option<&'a RawValue>,
    #[serde(default, rename = "modelVersion")]
    _model: IgnoredAny,
    #[serde(default, rename = "responseId")]
    _id: IgnoredAny,
    #[serde(default, rename = "createTime")]
    _time: IgnoredAny,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Candidate {
    content: Content,
    #[serde(default)]
    index: u32,
    /// Nothing, as long as more follows.
    #[serde(default, rename = "finishReason")]
    _reason: Option<()>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    parts: [Said; 1],
    #[serde(default, rename = "role")]
    _role: IgnoredAny,
}

/// A piece of text or thought.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Said {
    pub(super) text: String,
    #[serde(default)]
    pub(super) thought: bool,
    pub(super) thought_signature: Option<String>,
}

impl<'a> Piece<'a> {
    /// The event, if it is nothing but a piece of the first answer.
    pub(super) fn read(data: &'a [u8]) -> Option<Self> {
        let piece: Self = serde_json::from_slice(data).ok()?;
        piece.candidates.iter().all(|candidate| candidate.index == 0).then_some(piece)
    }

    /// What it says.
    pub(super) fn said(self) -> (Said, Option<&'a RawValue>) {
        let [Candidate { content: Content { parts: [text], .. }, .. }] = self.candidates;
        (text, self.usage_metadata)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::neutral::Event;
    use crate::translate::gemini::Reader;

    #[test]
    fn a_piece_of_text_is_read_and_anything_more_is_left_to_the_whole_reading() {
        let of = |json: &str| Piece::read(json.as_bytes()).map(|piece| piece.said().0.text);
        let around = |part: &str, rest: &str| {
            format!("{{\"candidates\":[{{\"content\":{{\"parts\":[{part}],\"role\":\"model\"}}{rest}}}]}}")
        };
        assert_eq!(of(&around("{\"text\":\"a\"}", "")).as_deref(), Some("a"));
        assert_eq!(
            of(&around("{\"text\":\"a\"}", ",\"index\":0,\"finishReason\":null")).as_deref(),
            Some("a")
        );
        for (part, rest) in [
            ("{\"text\":\"a\"},{\"text\":\"b\"}", ""),
            ("{\"functionCall\":{\"name\":\"f\"}}", ""),
            ("{\"text\":\"a\",\"thought_signature\":\"x\"}", ""),
            ("{\"text\":\"\\ud800\"}", ""),
            ("{\"text\":\"a\"}", ",\"finishReason\":\"STOP\""),
            ("{\"text\":\"a\"}", ",\"index\":1"),
            ("{\"text\":\"a\"}", ",\"groundingMetadata\":{}"),
            ("", ""),
        ] {
            assert_eq!(of(&around(part, rest)), None, "{part} {rest}");
        }
    }

    #[test]
    fn both_readings_tell_the_same() {
        let event = |text: &str, rest: &str| {
            format!(
                "{{\"candidates\":[{{\"content\":{{\"parts\":[{text}]}}{rest}}}],\
                 \"usageMetadata\":{{\"promptTokenCount\":3,\"candidatesTokenCount\":4}},\"modelVersion\":\"m\"}}"
            )
        };
        let texts = [
            "{\"text\":\"a\"}",
            "{\"text\":\"b\",\"thought\":true}",
            "{\"text\":\"\",\"thoughtSignature\":\"c2VhbA==\"}",
            "{\"text\":\"c\",\"thoughtSignature\":\"\"}",
            "{\"text\":\"\"}",
            "{\"text\":\"d\\u2028\"}",
        ];
        let read = |rest: &str| -> Vec<Event> {
            let (mut reader, mut out) = (Reader::new("t"), Vec::new());
            for text in texts {
                reader.event(event(text, rest).as_bytes(), &mut out).unwrap();
            }
            reader
                .event(event("{\"text\":\"e\"}", ",\"finishReason\":\"STOP\"").as_bytes(), &mut out)
                .unwrap();
            reader.finish(&mut out);
            out
        };
        // An empty field of its own sends each event the long way.
        let (quick, whole) = (read(""), read(",\"safetyRatings\":[]"));
        assert_eq!(quick, whole);
        assert!(quick.iter().any(|event| matches!(event, Event::Usage(usage) if usage.output == 4)));
    }
}
