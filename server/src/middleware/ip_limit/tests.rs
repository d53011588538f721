use std::time::Instant;

use axum::body::Body;
use http::HeaderMap;
use proptest::prelude::*;

use super::*;
use crate::config::TrustProxy;
use types::dialect::Dialect;

const START: i64 = 1_795_000_000_000;

fn settings(per_minute: u32, exempt: &str) -> Settings {
    let mut settings = Settings::default();
    settings.set("limits.ip_per_minute", &per_minute.to_string()).unwrap();
    if !exempt.is_empty() {
        settings.set("limits.ip_exempt", exempt).unwrap();
    }
    settings
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn rl_01_the_101st_request_of_a_minute_is_refused_and_a_minute_later_all_is_well() {
    let (limit, settings) = (IpLimit::default(), Settings::default());
    let from = ip("203.0.113.9");
    for n in 0..100 {
        assert!(limit.admit(from, Timestamp(START + n), &settings).is_none(), "{n}");
    }
    let verdict = limit.admit(from, Timestamp(START + 500), &settings).unwrap();
    assert_eq!((verdict.refusal.status, verdict.refusal.code), (429, "ip_rate_limited"));
    assert!(verdict.refusal.message.contains("Too Many Requests"), "{}", verdict.refusal.message);
    assert_eq!(verdict.refusal.retry_after_s, Some(61));
    let mut response = Response::new(Body::empty());
    verdict.stamp(&mut response);
    let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
    assert_eq!((header("x-ratelimit-limit"), header("x-ratelimit-remaining")), ("100".into(), "0".into()));
    assert_eq!(header("x-ratelimit-reset"), ((START + 61_000) / 1_000).to_string());
    assert!(limit.admit(ip("203.0.113.10"), Timestamp(START + 500), &settings).is_none(), "a neighbour");
    assert!(limit.admit(from, Timestamp(START + 60_000), &settings).is_some());
    // What was refused was not counted: exactly a minute's worth is free again.
    for n in 0..100 {
        assert!(limit.admit(from, Timestamp(START + 61_000), &settings).is_none(), "{n}");
    }
    assert!(limit.admit(from, Timestamp(START + 61_000), &settings).is_some());
    assert_eq!(limit.refused(), 3);
    assert!(limit.metrics().contains("tollgate_ip_refusals_total 3\n"));
}

#[test]
fn rl_01_exempt_networks_and_zero_mean_no_limit() {
    let limit = IpLimit::default();
    let tight = settings(1, "");
    for _ in 0..5 {
        assert!(limit.admit(ip("127.0.0.1"), Timestamp(START), &tight).is_none());
        assert!(limit.admit(ip("::1"), Timestamp(START), &tight).is_none());
        assert!(limit.admit(ip("198.51.100.1"), Timestamp(START), &settings(0, "")).is_none());
    }
    let office = settings(1, "198.51.100.0/24");
    for _ in 0..5 {
        assert!(limit.admit(ip("198.51.100.1"), Timestamp(START), &office).is_none());
    }
    assert!(limit.admit(ip("127.0.0.1"), Timestamp(START), &office).is_none());
    assert!(limit.admit(ip("127.0.0.1"), Timestamp(START), &office).is_some(), "no longer exempt");
}

#[test]
fn rl_04_a_whole_64_counts_as_one_address_and_ipv4_in_ipv6_as_ipv4() {
    let (limit, settings) = (IpLimit::default(), settings(2, ""));
    let now = Timestamp(START);
    assert!(limit.admit(ip("2001:db8::1"), now, &settings).is_none());
    assert!(limit.admit(ip("2001:db8::ffff:1"), now, &settings).is_none());
    assert!(limit.admit(ip("2001:db8::2"), now, &settings).is_some());
    assert!(limit.admit(ip("2001:db8:0:1::2"), now, &settings).is_none(), "another /64");
    assert!(limit.admit(ip("203.0.113.1"), now, &settings).is_none());
    assert!(limit.admit(ip("::ffff:203.0.113.1"), now, &settings).is_none());
    assert!(limit.admit(ip("203.0.113.1"), now, &settings).is_some());
}

#[test]
fn rl_04_memory_is_bounded_and_who_keeps_coming_is_never_forgotten() {
    let (counts, limit) = (Counts::default(), 5);
    let regular = Key::of(ip("203.0.113.9"));
    for _ in 0..limit {
        assert!(counts.count(regular, 0, limit).is_none());
    }
    for n in 0..200_000_u32 {
        counts.count(Key::of(IpAddr::V4(std::net::Ipv4Addr::from(0x0a00_0000 + n))), 1, limit);
        if n % 500 == 0 {
            assert!(counts.count(regular, 1, limit).is_some(), "forgotten after {n}");
        }
    }
    assert!(counts.len() <= 2 * 16 * 1_024, "{}", counts.len());
    assert!(counts.len() >= 16 * 1_000, "never everything at once: {}", counts.len());
}

#[test]
fn rl_03_a_flood_writes_few_rows_and_few_warnings() {
    let (limit, settings) = (IpLimit::default(), settings(1, ""));
    let mut rows = 0;
    for from in 0..50_u32 {
        let from = IpAddr::V4(std::net::Ipv4Addr::from(0xcb00_7100 + from));
        for n in 0..100 {
            let verdict = limit.admit(from, Timestamp(START + n), &settings);
            rows += u64::from(verdict.is_some_and(|verdict| verdict.booked));
        }
    }
    assert_eq!(rows, ROWS_A_SECOND);
    let one = ip("203.0.113.77");
    let booked = |ms: i64| limit.admit(one, Timestamp(START + ms), &settings).is_some_and(|v| v.booked);
    let second: Vec<bool> = [2_000, 2_001, 2_002, 3_000, 3_500].map(booked).to_vec();
    assert_eq!(second, [false, true, false, true, false], "the first is served, then one a second");
}

#[test]
fn rl_03_the_addresses_refused_most_often_are_known_by_name() {
    let (limit, settings) = (IpLimit::default(), settings(1, ""));
    let come = |from: &str, times: i64, at: i64| {
        for n in 0..times {
            limit.admit(ip(from), Timestamp(at + n), &settings);
        }
    };
    come("203.0.113.9", 4, START);
    come("2001:db8:0:1::7", 3, START);
    come("2001:db8:0:1::8", 6, START + 10);
    come("198.51.100.4", 1, START);
    let top: Vec<_> =
        limit.most_refused(Timestamp(START + 20)).into_iter().map(|one| (one.address, one.refused)).collect();
    assert_eq!(top, [("2001:db8:0:1::/64".to_owned(), 8), ("203.0.113.9".to_owned(), 3)]);
    let first = &limit.most_refused(Timestamp(START + 20))[0];
    assert_eq!((first.since, first.latest), (Timestamp(START + 1), Timestamp(START + 15)));
    assert_eq!(limit.refused(), 11);
    assert_eq!(limit.most_refused(Timestamp(START + 2 * Timestamp::DAY_MS)), [], "quiet for a day");
    come("203.0.113.9", 2, START + 3 * Timestamp::DAY_MS);
    let again = limit.most_refused(Timestamp(START + 3 * Timestamp::DAY_MS + 9));
    assert_eq!((again.len(), again[0].refused), (1, 1), "begins anew");
}

#[test]
fn rl_04_the_table_of_the_refused_is_bounded_and_keeps_the_worst() {
    let refused = Refused::default();
    let worst = Key::of(ip("203.0.113.9"));
    for _ in 0..5 {
        refused.count(worst, Timestamp(START));
    }
    for n in 0..5_000_u32 {
        let from = IpAddr::V4(std::net::Ipv4Addr::from(0x0a00_0000 + n));
        refused.count(Key::of(from), Timestamp(START + 1));
    }
    assert_eq!(refused.len(), 256);
    let top = refused.top(Timestamp(START + 2));
    assert_eq!((top.len(), top[0].address.as_str(), top[0].refused), (20, "203.0.113.9", 5));
}

#[test]
fn rl_03_an_address_is_shown_as_it_is_counted() {
    for (address, shown) in [
        ("203.0.113.9", "203.0.113.9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("2001:db8::1", "2001:db8::/64"),
        ("::1", "::/64"),
    ] {
        assert_eq!(Key::of(ip(address)).to_string(), shown);
    }
}

proptest! {
    /// Whatever the times, no 60 seconds see more than the limit, and the wait that is named is enough.
    #[test]
    fn rl_01_no_sixty_seconds_see_more_than_the_limit(
        steps in prop::collection::vec(0_i64..8_000, 1..300),
        most in 1_u32..20,
    ) {
        let (limit, settings) = (IpLimit::default(), settings(most, ""));
        let from = ip("203.0.113.9");
        let mut now = START;
        let mut served: Vec<i64> = Vec::new();
        for step in steps {
            now += step;
            match limit.admit(from, Timestamp(now), &settings) {
                None => served.push(now),
                Some(verdict) => {
                    let wait = i64::try_from(verdict.refusal.retry_after_s.unwrap()).unwrap();
                    prop_assert!((1..=61).contains(&wait));
                    let later = now + wait * 1_000;
                    let then = served.iter().filter(|at| later - **at < 60_000).count();
                    prop_assert!(then < usize::try_from(most).unwrap());
                }
            }
            let window = served.iter().filter(|at| now - **at < 60_000).count();
            prop_assert!(window <= usize::try_from(most).unwrap());
        }
    }

    /// A clock that goes back refuses nobody for longer and lets nobody through twice.
    #[test]
    fn a_clock_that_goes_back_does_not_open_the_gate(back in 0_i64..100_000_000) {
        let (limit, settings) = (IpLimit::default(), settings(3, ""));
        let from = ip("203.0.113.9");
        for _ in 0..3 {
            prop_assert!(limit.admit(from, Timestamp(START), &settings).is_none());
        }
        prop_assert!(limit.admit(from, Timestamp(START - back), &settings).is_some());
        prop_assert!(limit.admit(from, Timestamp(START + 61_000), &settings).is_none());
    }
}

#[test]
fn rl_01_model_paths_the_admin_api_and_sign_in_are_counted_and_pages_are_not() {
    for (target, counted) in [
        ("/v1/messages", true),
        ("/v1beta/models/x:generateContent", true),
        ("/responses", true),
        ("/api/admin/users", true),
        ("/rpc/user/list", true),
        ("/auth/login", true),
        ("/auth/logout", false),
        ("/", false),
        ("/login", false),
        ("/usage", false),
        ("/pkg/tollgate.css", false),
        ("/health", false),
        ("/readyz", false),
        ("/metrics", false),
        ("/live/requests", false),
    ] {
        let uri: Uri = target.parse().unwrap();
        assert_eq!(concerns(Surface::of(&uri, &HeaderMap::new()), &uri), counted, "{target}");
    }
    assert!(concerns(Surface::Model(Dialect::Anthropic), &"/x".parse().unwrap()));
}

#[test]
fn rl_02_the_hint_is_given_once_and_only_where_forwarding_headers_are_ignored() {
    let mut forwarded = HeaderMap::new();
    forwarded.insert("x-forwarded-for", HeaderValue::from_static("198.51.100.7"));
    let peer = ip("10.0.0.2");
    let hint = ProxyHint::default();
    hint.look(peer, &HeaderMap::new(), &TrustProxy::Nobody);
    hint.look(peer, &forwarded, &TrustProxy::PrivatePeers);
    assert!(!hint.was_given());
    hint.look(peer, &forwarded, &TrustProxy::Nobody);
    assert!(hint.was_given());
}

#[test]
fn counting_is_cheap() {
    const ROUNDS: u32 = 200_000;
    let (limit, settings) = (IpLimit::default(), settings(1_000_000, ""));
    let began = Instant::now();
    for n in 0..ROUNDS {
        let from = IpAddr::V4(std::net::Ipv4Addr::from(0xcb00_7100 + n % 64));
        assert!(limit.admit(from, Timestamp(START), &settings).is_none());
    }
    let each = began.elapsed() / ROUNDS;
    println!("one count: {each:?} (debug build: {})", cfg!(debug_assertions));
    // Unoptimised and on a busy machine it may take many times what it takes in a release.
    assert!(each.as_micros() < 50, "{each:?}");
}
