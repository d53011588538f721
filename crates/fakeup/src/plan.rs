//! From a request and a behaviour to the bytes, pauses and faults on the wire.

use std::time::Duration;

use bytes::{Bytes, BytesMut};

use crate::amazon;
use crate::behaviour::{Behaviour, Cut, Framing, Then, Tokens};
use crate::coding;
use crate::doors::Word;
use crate::request::Received;
use crate::say::{self, Said};

/// One step on the wire.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    Send(Bytes),
    /// The same bytes so many times.
    Repeat(Bytes, u64),
    Pause(Duration),
    Then(Then),
}

/// Everything that happens after a request was read.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) status: u16,
    pub(crate) billed: Tokens,
    pub(crate) acts: Vec<Act>,
    /// Whether the connection ends afterwards.
    pub(crate) close: bool,
}

const FREE: Tokens =
    Tokens { input: 0, output: 0, cache_read: 0, cache_write: 0, cache_write_1h: 0, reasoning: 0 };

/// The whole body that a behaviour gives to a request, before compression, cuts and framing.
pub fn answer_body(request: &Received, behaviour: &Behaviour) -> Bytes {
    joined(&words(request, behaviour).pieces)
}

/// The plan of an answer that is given at the door.
pub(crate) fn plan_of_word(word: &Word) -> Plan {
    let said = Said {
        content_type: "application/json",
        pieces: vec![word.body.to_string().into()],
        billed: FREE,
        error_type: word.error_type,
    };
    let behaviour = Behaviour::default();
    let length = said.pieces.iter().map(Bytes::len).sum();
    let mut acts =
        vec![Act::Send(head((word.status, &this_moment()), &said, &behaviour, Framing::Length, length))];
    acts.extend(said.pieces.into_iter().map(Act::Send));
    Plan { status: word.status, billed: FREE, acts, close: false }
}

/// The plan for a request.
pub(crate) fn plan(request: &Received, behaviour: &Behaviour) -> Plan {
    if let Some(then) = behaviour.instead {
        let mut acts = vec![Act::Then(then)];
        if then == Then::Hold {
            let rest = plan(request, &Behaviour { instead: None, ..behaviour.clone() });
            acts.extend(rest.acts);
            return Plan { acts, ..rest };
        }
        return Plan { status: 0, billed: FREE, acts, close: true };
    }
    if let Some(raw) = &behaviour.raw {
        let billed = behaviour.tokens.unwrap_or(FREE);
        return Plan {
            status: raw_status(&raw.0),
            billed,
            acts: vec![Act::Send(raw.0.clone())],
            close: true,
        };
    }
    let said = words(request, behaviour);
    let status = behaviour.status.unwrap_or(200);
    let pieces = cut_up(behaviour, &said);
    let total: usize = pieces.iter().map(Bytes::len).sum();
    let told = match behaviour.cut {
        Some(Cut { at, then: Then::Finish }) => at.unwrap_or(total / 2).min(total),
        _ => total,
    };
    let streams = said.content_type.contains("event") || behaviour.pace_ms > 0 || behaviour.repeat > 0;
    let framing = match behaviour.framing {
        Framing::Auto if streams => Framing::Chunked,
        Framing::Auto => Framing::Length,
        other => other,
    };
    let mut acts = Vec::with_capacity(4);
    if behaviour.delay_ms > 0 {
        acts.push(Act::Pause(Duration::from_millis(behaviour.delay_ms)));
    }
    // Amazon's refusals are held against the clock; everything else is always the same.
    let date = said.error_type.map_or_else(|| DATE.to_owned(), |_| this_moment());
    acts.push(Act::Send(head((status, &date), &said, behaviour, framing, told)));
    if behaviour.body_delay_ms > 0 {
        acts.push(Act::Pause(Duration::from_millis(behaviour.body_delay_ms)));
    }
    let ends = body(&mut acts, behaviour, framing, &pieces, total);
    merge(&mut acts);
    let close = behaviour.hang_up || !ends || matches!(framing, Framing::LengthOff(_) | Framing::UntilClose);
    Plan { status, billed: said.billed, acts, close }
}

fn words(request: &Received, behaviour: &Behaviour) -> Said {
    let status = behaviour.status.unwrap_or(200);
    let mut said = match &behaviour.body {
        Some(body) => {
            let billed = behaviour.tokens.unwrap_or(FREE);
            Said { content_type: "application/json", pieces: vec![body.0.clone()], billed, error_type: None }
        }
        None if behaviour.error_in_success => say::error(request, 529),
        None if status >= 300 => say::error(request, status),
        None => say::answer(request, behaviour),
    };
    if behaviour.body.is_none() {
        said = amazon::dressed(request, status, said);
    }
    if let Some(after) = behaviour.afterwards.as_ref().filter(|_| behaviour.repeat == 0) {
        said.pieces.push(after.0.clone());
    }
    said
}

/// The body in the pieces that become chunks.
fn cut_up(behaviour: &Behaviour, said: &Said) -> Vec<Bytes> {
    if let Some(at) = behaviour.flip {
        let mut whole = said.pieces.concat();
        if let Some(byte) = whole.get_mut(at) {
            *byte ^= 1;
        }
        let flipped = Said { pieces: vec![whole.into()], ..said.clone() };
        return cut_up(&Behaviour { flip: None, ..behaviour.clone() }, &flipped);
    }
    let coded = behaviour.coding.map(|coding| coding::encode(coding, &joined(&said.pieces)));
    match (coded, behaviour.piece_bytes) {
        (None, None) => said.pieces.clone(),
        (coded, size) => {
            let mut whole = coded.unwrap_or_else(|| joined(&said.pieces));
            let size = size.unwrap_or(whole.len()).max(1);
            let mut pieces = Vec::with_capacity(whole.len() / size + 1);
            while !whole.is_empty() {
                pieces.push(whole.split_to(size.min(whole.len())));
            }
            pieces
        }
    }
}

const DATE: &str = "Sat, 21 Nov 2026 08:00:00 GMT";

#[expect(clippy::disallowed_methods, reason = "the fake vendor has a clock of its own")]
fn this_moment() -> String {
    httpdate::fmt_http_date(std::time::SystemTime::now())
}

fn head(
    (status, date): (u16, &str),
    said: &Said,
    behaviour: &Behaviour,
    framing: Framing,
    total: usize,
) -> Bytes {
    let mut head = format!("HTTP/1.1 {status} {}\r\n", reason(status));
    let mut put = |name: &str, value: &str| {
        head.extend([name, ": ", value, "\r\n"]);
    };
    put("content-type", behaviour.content_type.as_deref().unwrap_or(said.content_type));
    put("date", date);
    put("request-id", "req_fake_upstream");
    if let Some(kind) = said.error_type {
        put("x-amzn-errortype", kind);
    }
    let coding = behaviour.coding_header.as_deref().or(behaviour.coding.map(coding::name));
    if let Some(coding) = coding.filter(|name| !name.is_empty()) {
        put("content-encoding", coding);
    }
    for (name, value) in &behaviour.headers {
        put(name, value);
    }
    match framing {
        Framing::Auto | Framing::Length => put("content-length", &total.to_string()),
        Framing::LengthOff(by) => {
            let told = i64::try_from(total).unwrap_or(i64::MAX).saturating_add(by).max(0);
            put("content-length", &told.to_string());
        }
        Framing::UntilClose => put("connection", "close"),
        Framing::Chunked | Framing::BadChunk | Framing::HugeExtension => put("transfer-encoding", "chunked"),
    }
    head.push_str("\r\n");
    head.into()
}

/// Adds the body's acts; false if it does not come to its end.
fn body(
    acts: &mut Vec<Act>,
    behaviour: &Behaviour,
    framing: Framing,
    pieces: &[Bytes],
    total: usize,
) -> bool {
    let mut left = behaviour.cut.map(|cut| (cut.at.unwrap_or(total / 2).min(total), cut.then));
    for (number, piece) in pieces.iter().enumerate() {
        if number > 0 && behaviour.pace_ms > 0 {
            acts.push(Act::Pause(Duration::from_millis(behaviour.pace_ms)));
        }
        let mut piece = piece.clone();
        if let Some((room, then)) = &mut left
            && *room <= piece.len()
        {
            let first = piece.split_to(*room);
            acts.push(Act::Send(frame(framing, number, &first)));
            let then = *then;
            acts.push(Act::Then(then));
            match then {
                Then::Hold => left = None,
                Then::Finish => break,
                Then::Close | Then::Reset | Then::Stall => return false,
            }
        } else if let Some((room, _)) = &mut left {
            *room -= piece.len();
        }
        acts.push(Act::Send(frame(framing, number, &piece)));
    }
    if behaviour.repeat > 0 {
        acts.push(Act::Repeat(frame(framing, 0, &joined(pieces)), behaviour.repeat));
        if let Some(after) = &behaviour.afterwards {
            acts.push(Act::Send(frame(framing, 0, &after.0)));
        }
    }
    if matches!(framing, Framing::Chunked | Framing::HugeExtension) {
        acts.push(Act::Send(Bytes::from_static(b"0\r\n\r\n")));
    }
    true
}

fn frame(framing: Framing, number: usize, piece: &Bytes) -> Bytes {
    let extension = match framing {
        Framing::HugeExtension => format!(";x={}", "y".repeat(1024 * 1024)),
        Framing::Chunked | Framing::BadChunk => String::new(),
        _ => return piece.clone(),
    };
    if piece.is_empty() {
        return Bytes::new();
    }
    let size = if framing == Framing::BadChunk && number > 0 {
        "zz".to_owned()
    } else {
        format!("{:x}", piece.len())
    };
    let mut out = BytesMut::with_capacity(piece.len() + 12 + extension.len());
    for part in [size.as_bytes(), extension.as_bytes(), b"\r\n", piece, b"\r\n"] {
        out.extend_from_slice(part);
    }
    out.freeze()
}

/// Neighbouring sends become one write.
fn merge(acts: &mut Vec<Act>) {
    let mut merged: Vec<Act> = Vec::with_capacity(acts.len());
    for act in acts.drain(..) {
        match (merged.last_mut(), act) {
            (_, Act::Send(bytes)) if bytes.is_empty() => {}
            (Some(Act::Send(before)), Act::Send(bytes)) if before.len() + bytes.len() <= 256 * 1024 => {
                let mut both = BytesMut::from(before.as_ref());
                both.extend_from_slice(&bytes);
                *before = both.freeze();
            }
            (_, act) => merged.push(act),
        }
    }
    *acts = merged;
}

fn joined(pieces: &[Bytes]) -> Bytes {
    match pieces {
        [one] => one.clone(),
        pieces => pieces.concat().into(),
    }
}

fn raw_status(raw: &[u8]) -> u16 {
    let line = String::from_utf8_lossy(raw.get(..64).unwrap_or(raw)).into_owned();
    line.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        307 => "Temporary Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        402 => "Payment Required",
        403 => "Forbidden",
        404 => "Not Found",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        529 => "Overloaded",
        _ => "Status",
    }
}
