//! Tests of keys in flight, used, run out and forgotten; time is a manual clock.

use super::*;
use crate::clock::Clock;

const KEY: ApiKeyId = ApiKeyId(7);
const BODY: Digest = [1; 32];

fn id(n: u64) -> RequestId {
    format!("00000000-0000-7000-8000-{n:012x}").parse().unwrap()
}

fn clock() -> Clock {
    Clock::manual(Timestamp(1_700_000_000_000))
}

/// Claims the key `text` for the request number `n`; answers the code if that is refused.
fn ask(keys: &UsedKeys, clock: &Clock, key_id: ApiKeyId, text: &str, n: u64) -> Result<Claim, &'static str> {
    let scope = scope_of(key_id, text.as_bytes());
    keys.claim(scope, BODY, key_id, id(n), clock.now()).map_err(|refusal| refusal.code)
}

fn code(asked: &Result<Claim, &'static str>) -> &'static str {
    asked.as_ref().err().copied().unwrap_or("claimed")
}

#[test]
fn a_key_in_flight_is_in_progress_and_free_after_a_failure() {
    let (keys, clock) = (UsedKeys::default(), clock());
    let first = ask(&keys, &clock, KEY, "k", 1).unwrap();
    // However long it takes: what is in flight does not run out.
    clock.advance(2 * LIFETIME_MS);
    let refusal = keys.claim(first.scope, BODY, KEY, id(2), clock.now()).unwrap_err();
    assert_eq!((refusal.status, refusal.code), (409, "request_in_progress"));
    assert_eq!(refusal.retry_after_s, Some(1));
    assert!(refusal.message.contains(&id(1).to_string()), "{refusal}");
    drop(first);
    assert_eq!(code(&ask(&keys, &clock, KEY, "k", 3)), "claimed");
}

#[test]
fn a_kept_key_is_used_for_a_day_from_the_arrival() {
    let (keys, clock) = (UsedKeys::default(), clock());
    let claim = ask(&keys, &clock, KEY, "k", 1).unwrap();
    let scope = claim.scope;
    clock.advance(1_000);
    claim.keep(clock.now());
    clock.advance(LIFETIME_MS - 1_001);
    let refusal = keys.claim(scope, BODY, KEY, id(2), clock.now()).unwrap_err();
    assert_eq!((refusal.status, refusal.code, refusal.retry_after_s), (409, "idempotency_key_used", None));
    assert!(refusal.message.contains(&id(1).to_string()), "{refusal}");
    clock.advance(1);
    let again = ask(&keys, &clock, KEY, "k", 3).unwrap();
    // Tidying up after the first one leaves the second alone.
    ask(&keys, &clock, KEY, "other", 4).unwrap().keep(clock.now());
    assert_eq!(code(&ask(&keys, &clock, KEY, "k", 5)), "request_in_progress");
    again.keep(clock.now());
    assert_eq!(code(&ask(&keys, &clock, KEY, "k", 6)), "idempotency_key_used");
    assert_eq!(keys.lock().count, 2);
}

#[test]
fn another_body_is_another_request_in_flight_and_used() {
    let (keys, clock) = (UsedKeys::default(), clock());
    let claim = ask(&keys, &clock, KEY, "k", 1).unwrap();
    let scope = claim.scope;
    let other = || keys.claim(scope, [2; 32], KEY, id(2), clock.now()).unwrap_err();
    assert_eq!((other().status, other().code), (422, "idempotency_key_reused"));
    claim.keep(clock.now());
    assert_eq!((other().status, other().code), (422, "idempotency_key_reused"));
}

#[test]
fn x33_the_same_header_of_two_api_keys_is_two_keys() {
    let (keys, clock) = (UsedKeys::default(), clock());
    let _mine = ask(&keys, &clock, KEY, "k", 1).unwrap();
    assert_eq!(code(&ask(&keys, &clock, ApiKeyId(8), "k", 2)), "claimed");
    // Id and header cannot run into each other either.
    assert_ne!(scope_of(ApiKeyId(1), b"23"), scope_of(ApiKeyId(12), b"3"));
}

#[test]
fn a_flood_of_one_caller_makes_room_at_his_own_expense() {
    let (keys, clock) = (UsedKeys::remembering(4), clock());
    ask(&keys, &clock, ApiKeyId(8), "quiet", 1).unwrap().keep(clock.now());
    let _open = ask(&keys, &clock, KEY, "open", 2).unwrap();
    for n in 10..40 {
        ask(&keys, &clock, KEY, &n.to_string(), n).unwrap().keep(clock.now());
    }
    assert_eq!(code(&ask(&keys, &clock, ApiKeyId(8), "quiet", 50)), "idempotency_key_used");
    assert_eq!(code(&ask(&keys, &clock, KEY, "open", 51)), "request_in_progress");
    for n in 37..40 {
        assert_eq!(code(&ask(&keys, &clock, KEY, &n.to_string(), 52)), "idempotency_key_used", "{n}");
    }
    assert_eq!(code(&ask(&keys, &clock, KEY, "36", 53)), "claimed", "the oldest is forgotten");
    let memory = keys.lock();
    assert_eq!((memory.count, memory.uses.len()), (4, 5));
}

#[test]
fn what_has_run_out_is_forgotten_before_what_has_not() {
    let (keys, clock) = (UsedKeys::remembering(3), clock());
    ask(&keys, &clock, ApiKeyId(8), "old", 1).unwrap().keep(clock.now());
    clock.advance(LIFETIME_MS);
    for n in 10..13 {
        ask(&keys, &clock, KEY, &n.to_string(), n).unwrap().keep(clock.now());
    }
    for n in 10..13 {
        assert_eq!(code(&ask(&keys, &clock, KEY, &n.to_string(), 20)), "idempotency_key_used", "{n}");
    }
    assert!(!keys.lock().used.contains_key(&ApiKeyId(8)), "an idle caller costs nothing");
}

#[test]
fn the_books_bring_a_used_key_back_and_nonsense_is_skipped() {
    let (keys, clock) = (UsedKeys::default(), clock());
    let scope = scope_of(KEY, b"k");
    let row = |idempotency_key: String, created_at| UsedKey {
        key_id: KEY,
        idempotency_key,
        request_id: id(1),
        created_at,
    };
    let text = format!("{}:{}", hex::encode(scope), hex::encode(BODY));
    let now = clock.now();
    keys.lock().remember(&row(text, now.plus_ms(1 - LIFETIME_MS)), now);
    for nonsense in ["", ":", "ab:cd", "no digest"] {
        keys.lock().remember(&row(nonsense.to_owned(), now), now);
    }
    assert_eq!(keys.lock().uses.len(), 1);
    let refusal = keys.claim(scope, BODY, KEY, id(2), now).unwrap_err();
    assert_eq!(refusal.code, "idempotency_key_used");
    assert!(refusal.message.contains(&id(1).to_string()), "{refusal}");
    assert_eq!(keys.claim(scope, [2; 32], KEY, id(3), now).unwrap_err().code, "idempotency_key_reused");
    clock.advance(1);
    assert_eq!(code(&ask(&keys, &clock, KEY, "k", 4)), "claimed");
}
