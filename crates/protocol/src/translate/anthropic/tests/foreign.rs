//! Recorded answers of other vendors, as an Anthropic caller gets them: read back, they say what the vendor said.

use std::sync::Arc;

use super::super::read_answer;
use super::{back, read_stream};
use crate::neutral::{Answer, Event, Part, Stop};
use crate::recorded::cassettes;
use crate::translate::{self, Stream, chat, gemini, responses, text};
use crate::{Dialect, sse};

/// What must not be lost: texts, thoughts, calls with their ids, end and counts.
fn essence(answer: &Answer) -> (Vec<String>, Option<&'static str>, [u64; 5]) {
    let parts = answer.choices.first().map(|choice| choice.parts.as_slice()).unwrap_or_default();
    let mut said: Vec<String> = Vec::new();
    let mut kind = "";
    for part in parts {
        let (this, text) = match part {
            Part::Text { text, .. } | Part::Refusal { text } if !text.is_empty() => ("text", text.clone()),
            Part::Thinking { text, .. } if !text.is_empty() => ("thinking", text.clone()),
            Part::ToolCall { id, name, arguments, .. } => {
                let arguments = if arguments.is_empty() { "{}" } else { arguments };
                let arguments = text::parse(arguments.as_bytes()).unwrap();
                ("call", format!("{id} {name} {arguments}"))
            }
            _ => continue,
        };
        match said.last_mut() {
            // Pieces of one text may come in several parts.
            Some(last) if this == kind && this != "call" => last.push_str(&text),
            _ => said.push(format!("{this}: {text}")),
        }
        kind = this;
    }
    let calls = said.iter().any(|said| said.starts_with("call"));
    let stop = answer.choices.first().and_then(|choice| choice.stop.as_ref()).map(|stop| match stop {
        Stop::MaxTokens => "limit",
        Stop::Refusal => "refusal",
        Stop::Sequence(_) => "sequence",
        Stop::ToolUse => "tools",
        _ if calls => "tools",
        _ => "end",
    });
    let usage = answer.usage.unwrap_or_default();
    (said, stop, [usage.input, usage.output, usage.cache_read, usage.cache_write, usage.reasoning])
}

fn dialect(api: &str) -> Option<Dialect> {
    match api {
        "chat" => Some(Dialect::OpenAiChat),
        "responses" => Some(Dialect::OpenAiResponses),
        "gemini" => Some(Dialect::Gemini),
        _ => None,
    }
}

/// What the vendor's stream says, without any writer between.
fn source(dialect: Dialect, body: &[u8]) -> Answer {
    let (mut chat, mut responses) = (chat::Reader::new("t1"), responses::Reader::new());
    let mut gemini = gemini::Reader::new("t1");
    let (mut decoder, mut events) = (sse::Decoder::new(), Vec::new());
    decoder.feed(body, |event| {
        let (_, data) = event.unwrap();
        let read = match dialect {
            Dialect::OpenAiChat => chat.event(data, &mut events),
            Dialect::OpenAiResponses => responses.event(data, &mut events),
            Dialect::Gemini => gemini.event(data, &mut events),
            Dialect::Anthropic => Ok(()),
        };
        read.unwrap();
    });
    match dialect {
        Dialect::OpenAiChat => chat.finish(&mut events),
        Dialect::Gemini => gemini.finish(&mut events),
        Dialect::OpenAiResponses | Dialect::Anthropic => {}
    }
    Answer::from_events(events)
}

#[test]
fn recorded_answers_of_every_vendor_reach_an_anthropic_caller_whole() {
    let (mut answers, mut streams, mut unended) = (0, 0, 0);
    for record in cassettes() {
        let Some(dialect) = record["api"].as_str().and_then(dialect) else { continue };
        let (id, body) = (&record["id"], record["body"].as_str().unwrap().as_bytes());
        if record["status"] != 200 || body.first() == Some(&b'[') {
            continue;
        }
        let way = back(Dialect::Anthropic, dialect);
        if record["sse"] != true {
            // Bodies that are no answers (errors inside a 200, image generation) are the vendor's own faults.
            let Ok(answer) = translate::read_answer(&way, body) else { continue };
            let read = read_answer(text::parse(&translate::write_answer(&answer, &way)).unwrap()).unwrap();
            let (mut wanted, mut got) = (essence(&answer), essence(&read));
            // An end that the vendor did not tell is a plain one.
            wanted.1 = wanted.1.or(got.1);
            got.1 = got.1.or(wanted.1);
            assert_eq!(got, wanted, "{id}");
            answers += 1;
            continue;
        }
        let way = Arc::new(way);
        let mut told: Option<Vec<u8>> = None;
        for size in [1, 7, body.len()] {
            let (mut stream, mut out) = (Stream::new(way.clone()), Vec::new());
            let fed = body.chunks(size).try_for_each(|piece| stream.feed(piece, &mut out));
            stream.finish(&mut out);
            if fed.is_err() || !stream.ended() {
                // Background responses are recorded up to where their client stopped listening, and one breaks.
                unended += 1;
                assert!(!String::from_utf8_lossy(&out).contains("message_stop"), "{id}");
                told = None;
                break;
            }
            // Any cut gives the same bytes.
            assert_eq!(*told.get_or_insert_with(|| out.clone()), out, "{id} {size}");
        }
        let Some(told) = told else { continue };
        let events = read_stream(&told, 4096);
        assert_eq!(events.last(), Some(&Event::End), "{id}");
        let (mut wanted, got) = (essence(&source(dialect, body)), essence(&Answer::from_events(events)));
        wanted.1 = wanted.1.or(got.1);
        assert_eq!(got, wanted, "{id}");
        streams += 1;
    }
    println!("{answers} answers and {streams} streams of other vendors told, {unended} streams did not end");
}
