//! What a start finds of the requests that the process before left open.

use types::dialect::Dialect;
use types::request::{Attempt, AttemptOutcome, Outcome, TokenUsage};
use types::{CredentialId, GrantId, Money, ProviderId};

use super::{conclude, id, now, only_segment, open, record, sound};
use crate::invariant::{Extent, Kind};
use crate::record::{Frame, blank};
use crate::{JournalError, Position, Progress, interrupted};

pub(super) fn attempt(credential: i64) -> Attempt {
    Attempt {
        provider_id: ProviderId(7),
        provider_name: "east".to_owned(),
        credential_id: CredentialId(credential),
        credential_name: "first".to_owned(),
        status_code: None,
        outcome: AttemptOutcome::Interrupted,
        reason: None,
        started_ms: 3,
        duration_ms: 0,
        first_byte_ms: None,
        provider_cost_usd: Money::ZERO,
        class: None,
        commit: None,
        model: None,
        head_ms: None,
        pause_ms: 0,
        hedge: false,
        rectified: Vec::new(),
        translation: None,
    }
}

#[test]
fn fault_s22_an_open_request_tells_how_far_it_came() {
    let dir = tempfile::tempdir().unwrap();
    let (ledger, _) = open(dir.path());
    let _unsent = ledger.admit(blank(id(1), now())).unwrap();
    let mut reservation = ledger.admit(blank(id(2), now())).unwrap();
    let request = reservation.record_mut();
    request.provider_id = Some(ProviderId(7));
    request.credential_id = Some(CredentialId(8));
    request.upstream_model = Some("other".to_owned());
    request.upstream_dialect = Some(Dialect::OpenAiChat);
    request.group = Some("vip".to_owned());
    request.grant_id = Some(GrantId(5));
    request.held_usd = Money::from_nano(77).unwrap();
    request.attempts.push(attempt(8));
    reservation.mark_sent().unwrap();
    let progress = |output| Progress {
        usage: TokenUsage { input: 10, output, ..TokenUsage::default() },
        service_tier: Some("priority".to_owned()),
        response_bytes: 1000,
        output_estimate: 4,
    };
    reservation.progress(&progress(1)).unwrap();
    reservation.progress(&progress(2)).unwrap();
    let mut failed_over = ledger.admit(blank(id(3), now())).unwrap();
    failed_over.record_mut().provider_id = Some(ProviderId(7));
    failed_over.record_mut().attempts.push(attempt(8));
    failed_over.mark_sent().unwrap();
    failed_over.progress(&progress(9)).unwrap();
    failed_over.record_mut().attempts.push(attempt(9));
    failed_over.mark_sent().unwrap();
    let copy = tempfile::tempdir().unwrap();
    let file = only_segment(dir.path());
    std::fs::copy(&file, copy.path().join(file.file_name().unwrap())).unwrap();

    let (ledger, recovery) = open(copy.path());
    let found: Vec<_> =
        recovery.open.iter().map(|open| (open.record.request_id, open.sent, open.progressed)).collect();
    assert_eq!(found, [(id(1), false, false), (id(2), true, true), (id(3), true, false)]);
    let second = &recovery.open[1];
    assert_eq!(&second.record.usage(), &progress(2).usage);
    assert_eq!((second.record.response_bytes, second.output_estimate), (1000, 4));
    assert_eq!(second.record.service_tier.as_deref(), Some("priority"));
    let known = reservation.record();
    assert_eq!(second.record.provider_id, known.provider_id);
    assert_eq!(second.record.credential_id, known.credential_id);
    assert_eq!(second.record.upstream_model, known.upstream_model);
    assert_eq!(second.record.upstream_dialect, known.upstream_dialect);
    assert_eq!((&second.record.group, second.record.grant_id), (&known.group, known.grant_id));
    assert_eq!((second.record.held_usd, &second.record.attempts), (known.held_usd, &known.attempts));
    // What the first attempt had said is not the second one's.
    assert_eq!(recovery.open[2].record.attempts, [attempt(8), attempt(9)]);
    assert_eq!(recovery.open[2].record.output_tokens, 0);

    // They stay open, over another start too, until they are concluded.
    assert_eq!(ledger.open_count(), 3);
    drop(ledger);
    let (ledger, again) = open(copy.path());
    assert_eq!(again.open, recovery.open);
    let records = conclude(&ledger, &again);
    assert!(records.iter().all(|row| row.outcome == Outcome::Interrupted && row.estimated));
    assert!(records.iter().all(|row| row.cost_usd.is_zero()));
    assert_eq!((ledger.open_count(), ledger.is_synced()), (0, true));
    let batch = ledger.read_batch(Position::default(), 100).unwrap().unwrap();
    assert_eq!(batch.rows, records);
    assert!(matches!(ledger.conclude(&records), Err(JournalError::NotOpen(first)) if first == id(1)));
    drop(ledger);
    sound(copy.path(), Extent::Whole);
}

#[test]
fn fault_s12_a_cut_at_any_byte_tells_as_much_as_is_left() {
    let dir = tempfile::tempdir().unwrap();
    let (ledger, _) = open(dir.path());
    let mut reservation = ledger.admit(blank(id(1), now())).unwrap();
    reservation.record_mut().provider_id = Some(ProviderId(7));
    reservation.mark_sent().unwrap();
    for output in [5, 6] {
        let usage = TokenUsage { output, ..TokenUsage::default() };
        reservation.progress(&Progress { usage, ..Progress::default() }).unwrap();
    }
    reservation.settle().unwrap();
    drop(ledger);
    let file = only_segment(dir.path());
    let bytes = std::fs::read(&file).unwrap();
    let entries = sound(dir.path(), Extent::Whole);
    let kinds = [Kind::Admit, Kind::Sent, Kind::Progress, Kind::Progress, Kind::Terminal];
    assert_eq!(entries.iter().map(|entry| entry.kind).collect::<Vec<_>>(), kinds);
    let starts: Vec<_> = entries.iter().map(|entry| usize::try_from(entry.at.offset).unwrap()).collect();
    let cut_dir = tempfile::tempdir().unwrap();
    for cut in 0..=bytes.len() {
        let path = cut_dir.path().join(file.file_name().unwrap());
        std::fs::write(&path, &bytes[..cut]).unwrap();
        let whole = starts[1..].iter().chain([&bytes.len()]).filter(|end| **end <= cut).count();
        let (ledger, recovery) = open(cut_dir.path());
        let found: Vec<_> = recovery
            .open
            .iter()
            .map(|open| (open.sent, open.progressed, open.record.output_tokens))
            .collect();
        let expected = match whole {
            0 | 5 => vec![],
            1 => vec![(false, false, 0)],
            2 => vec![(true, false, 0)],
            3 => vec![(true, true, 5)],
            _ => vec![(true, true, 6)],
        };
        assert_eq!(found, expected, "cut at {cut}");
        conclude(&ledger, &recovery);
        drop(ledger);
        sound(cut_dir.path(), Extent::Whole);
        std::fs::remove_file(&path).unwrap();
    }
}

/// Prints the figure; the bound is loose because debug builds and busy machines are slow.
#[test]
fn a_request_costs_the_journal_little() {
    const ROUNDS: u64 = 5000;
    let dir = tempfile::tempdir().unwrap();
    let (ledger, _) = open(dir.path());
    let begun = std::time::Instant::now();
    for n in 0..ROUNDS {
        let mut reservation = ledger.admit(record(n)).unwrap();
        reservation.record_mut().attempts.push(attempt(8));
        reservation.mark_sent().unwrap();
        reservation.settle().unwrap();
    }
    let each = begun.elapsed() / u32::try_from(ROUNDS).unwrap();
    println!("ADMIT, SENT and TERMINAL: {each:?}, {} bytes", ledger.bytes() / ROUNDS);
    assert!(each.as_millis() < 5);
}

#[test]
fn a_journal_of_the_first_version_reads_back() {
    // Whole records as version 0.1.0 wrote them, and a bare id as SENT.
    let whole = |n| {
        let mut fields = serde_json::to_value(record(n)).unwrap();
        let added = ["audio_input_tokens", "images", "cost_usd", "price_state", "group", "grant_id", "bill"];
        for name in added {
            fields.as_object_mut().unwrap().remove(name);
        }
        serde_json::to_vec(&fields).unwrap()
    };
    let dir = tempfile::tempdir().unwrap();
    let frames = [
        (Kind::Admit, whole(1)),
        (Kind::Sent, id(1).to_string().into_bytes()),
        (Kind::Terminal, whole(1)),
        (Kind::Admit, whole(2)),
        (Kind::Sent, id(2).to_string().into_bytes()),
    ];
    let mut bytes = Vec::new();
    for (seq, (kind, payload)) in (1..).zip(frames) {
        let mut frame = Frame::raw(kind, &payload);
        frame.seal(seq);
        bytes.extend_from_slice(frame.bytes());
    }
    std::fs::write(crate::medium::segment_path(dir.path(), 1), bytes).unwrap();
    let (ledger, recovery) = open(dir.path());
    assert_eq!((recovery.records, recovery.truncated_bytes, recovery.open.len()), (5, 0, 1));
    let left = &recovery.open[0];
    assert_eq!((left.sent, left.progressed, &left.record), (true, false, &record(2)));
    conclude(&ledger, &recovery);
    let batch = ledger.read_batch(Position::default(), 100).unwrap().unwrap();
    assert_eq!(batch.rows, [record(1), interrupted(left.clone())]);
    drop(ledger);
    sound(dir.path(), Extent::Whole);
}

#[test]
fn an_ordinary_record_is_short() {
    let whole = serde_json::to_vec(&record(1)).unwrap().len();
    let slim = Frame::of(Kind::Terminal, &record(1)).bytes().len();
    assert!(slim < 400 && slim * 2 < whole, "{slim} of {whole} bytes");
}
