//! A vendor's event stream turned into the caller's, piece by piece, in bounded memory.

use std::sync::Arc;

use serde_json::Value;

use super::array::Array;
use super::restore::Restore;
use super::{Back, Fault, anthropic, chat, gemini, responses};
use crate::Dialect;
use crate::error::UpstreamError;
use crate::meter::Begun;
use crate::neutral::{Answer, Event, Sequence};
use crate::sse;

/// How the caller's stream is framed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Framing {
    /// Server-sent events.
    #[default]
    Events,
    /// One JSON array that grows: what Gemini's callers get who did not ask for events (`alt=sse`).
    Array,
}

/// Reads a vendor's events.
#[derive(Debug)]
enum Reader {
    Anthropic(anthropic::Reader),
    Chat(chat::Reader),
    Responses(responses::Reader),
    Gemini(gemini::Reader),
}

/// Writes the caller's events.
#[derive(Debug)]
struct Writer {
    form: Form,
    /// For Gemini's callers who asked for no events.
    array: Option<(Array, Vec<u8>)>,
}

/// How the caller's dialect writes events.
#[derive(Debug)]
enum Form {
    Anthropic(anthropic::Writer),
    Chat(chat::Writer),
    // Much larger than the others.
    Responses(Box<responses::Writer>),
    Gemini(gemini::Writer),
}

impl Writer {
    fn new(back: Arc<Back>, framing: Framing) -> Self {
        let array = (framing == Framing::Array).then(|| (Array::default(), Vec::new()));
        let form = match back.request.dialect {
            Dialect::Anthropic => Form::Anthropic(anthropic::Writer::new(back)),
            Dialect::OpenAiChat => Form::Chat(chat::Writer::new(back)),
            Dialect::OpenAiResponses => Form::Responses(Box::new(responses::Writer::new(back))),
            Dialect::Gemini => Form::Gemini(gemini::Writer::new(back)),
        };
        Self { form, array }
    }

    fn event(&mut self, event: Event, out: &mut Vec<u8>) {
        let Some((array, events)) = &mut self.array else { return self.form.event(event, out) };
        let ends = event == Event::End;
        events.clear();
        self.form.event(event, events);
        array.write(events, out);
        if ends {
            array.end(out);
        }
    }
}

impl Form {
    fn event(&mut self, event: Event, out: &mut Vec<u8>) {
        match self {
            Self::Anthropic(writer) => writer.event(event, out),
            Self::Chat(writer) => writer.event(event, out),
            Self::Responses(writer) => writer.event(event, out),
            Self::Gemini(writer) => writer.event(event, out),
        }
    }
}

/// Writes a whole answer as a stream.
pub(super) fn write(answer: Answer, back: &Arc<Back>, framing: Framing, out: &mut Vec<u8>) {
    let mut writer = Writer::new(back.clone(), framing);
    for event in answer.into_events() {
        writer.event(event, out);
    }
}

/// One stream on its way from a vendor to a caller.
///
/// Any split of the vendor's bytes gives the same bytes for the caller. It ends the caller's stream in the
/// caller's dialect only if the vendor ended in good order; a cut is the relay's to report.
#[derive(Debug)]
pub struct Stream {
    back: Arc<Back>,
    decoder: sse::Decoder,
    reader: Reader,
    restore: Restore,
    sequence: Sequence,
    writer: Writer,
    /// Kept to spare an allocation for each event.
    events: Vec<Event>,
    ended: bool,
    failed: Option<UpstreamError>,
}

impl Stream {
    /// For a stream that has not begun, as events.
    pub fn new(back: Arc<Back>) -> Self {
        Self::framed(back, Framing::Events)
    }

    /// For a stream that has not begun.
    pub fn framed(back: Arc<Back>, framing: Framing) -> Self {
        let reader = match back.upstream {
            Dialect::Anthropic => Reader::Anthropic(anthropic::Reader::new()),
            Dialect::OpenAiChat => Reader::Chat(chat::Reader::new(&back.ids)),
            Dialect::OpenAiResponses => Reader::Responses(responses::Reader::new()),
            Dialect::Gemini => Reader::Gemini(gemini::Reader::new(&back.ids)),
        };
        let writer = Writer::new(back.clone(), framing);
        Self {
            back,
            decoder: sse::Decoder::new(),
            reader,
            restore: Restore::default(),
            sequence: Sequence::new(),
            writer,
            events: Vec::new(),
            ended: false,
            failed: None,
        }
    }

    /// Reads a piece of the vendor's stream and writes what the caller may know now behind `out`.
    ///
    /// # Errors
    /// [`Fault`] if the stream makes no sense any more (an event that is no JSON, or too large). What was understood
    /// before has been written; the caller's stream must be ended with an error.
    pub fn feed(&mut self, piece: &[u8], out: &mut Vec<u8>) -> Result<(), Fault> {
        let Self { decoder, reader, restore, sequence, writer, events, ended, failed, back } = self;
        let mut fault = None;
        decoder.feed(piece, |event| {
            if fault.is_some() || *ended || failed.is_some() {
                return;
            }
            let read = match event {
                Err(error) => Err(Fault::Json(error.to_string())),
                Ok((_, data)) => match reader {
                    Reader::Anthropic(reader) => reader.event(data, events),
                    Reader::Chat(reader) => reader.event(data, events),
                    Reader::Responses(reader) => reader.event(data, events),
                    Reader::Gemini(reader) => reader.event(data, events),
                },
            };
            for event in events.drain(..) {
                match event {
                    Event::End => *ended = true,
                    Event::Error(error) => {
                        *failed = Some(error);
                        break;
                    }
                    _ => {}
                }
                restore.push(event, &back.names, |event| {
                    let sequenced = sequence.push(event, |event| writer.event(event, out));
                    if let Err(overlap) = sequenced {
                        fault = Some(Fault::Json(overlap.to_string()));
                    }
                });
            }
            if let Err(error) = read {
                fault = Some(error);
            }
        });
        self.check_summary();
        fault.map_or(Ok(()), Err)
    }

    /// The vendor's bytes are over. Dialects whose last event is no end mark (Gemini) end here if all was said.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        if self.ended || self.failed.is_some() {
            return;
        }
        let mut events = std::mem::take(&mut self.events);
        match &mut self.reader {
            Reader::Anthropic(_) | Reader::Responses(_) => {}
            Reader::Chat(reader) => reader.finish(&mut events),
            Reader::Gemini(reader) => reader.finish(&mut events),
        }
        for event in events {
            self.ended |= event == Event::End;
            self.restore.push(event, &self.back.names, |event| {
                // Nothing is held back any more at an end.
                let _ = self.sequence.push(event, |event| self.writer.event(event, out));
            });
        }
        self.check_summary();
    }

    /// A model that was asked for a summary and ended without one has failed.
    fn check_summary(&mut self) {
        if self.ended && self.back.request.compact.is_some() && self.response().is_none() {
            self.ended = false;
            self.failed = Some(UpstreamError::unnamed("the model wrote no summary of the conversation"));
        }
    }

    /// Whether the vendor ended in good order and the caller was told so.
    pub fn ended(&self) -> bool {
        self.ended
    }

    /// The whole response object that a Responses caller was sent last, once the stream has ended.
    pub fn response(&self) -> Option<&Value> {
        match &self.writer.form {
            Form::Responses(writer) => writer.response(),
            Form::Anthropic(_) | Form::Chat(_) | Form::Gemini(_) => None,
        }
    }

    /// How a Responses caller's stream began and how far it came; `None` for other callers, and before its first event.
    pub fn begun(&self) -> Option<Begun> {
        match &self.writer.form {
            Form::Responses(writer) => writer.begun(),
            Form::Anthropic(_) | Form::Chat(_) | Form::Gemini(_) => None,
        }
    }

    /// What the vendor said went wrong, in mid-stream. The caller was not told: words, status and request id of
    /// errors are the relay's.
    pub fn failed(&self) -> Option<&UpstreamError> {
        self.failed.as_ref()
    }
}
