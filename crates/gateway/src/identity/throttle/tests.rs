//! Attacks against the throttle on a clock that stands still.

use super::*;

const START: Timestamp = Timestamp(1_800_000_000_000);

fn v4(n: u32) -> IpAddr {
    IpAddr::V4(std::net::Ipv4Addr::from_bits(0x0a00_0000 + n))
}

fn admitted(throttle: &Throttle, now: Timestamp, account: Account, ip: IpAddr, trusted: bool) -> bool {
    begin(throttle, now, account, ip, trusted).map(Try::failed).is_ok()
}

fn begin(
    throttle: &Throttle,
    now: Timestamp,
    account: Account,
    ip: IpAddr,
    trusted: bool,
) -> Result<Try<'_>, Problem> {
    match throttle.begin(now, account, ip, trusted, || false)? {
        Begun::Try(attempt) => Ok(attempt),
        Begun::Proven => panic!("the quick check said no"),
    }
}

#[test]
fn x1_brute_force_on_the_admin_token_gets_ten_tries_in_a_minute() {
    let throttle = Throttle::default();
    let tries = (0..600)
        .filter(|n| admitted(&throttle, START.plus_ms(n * 100), Account::Admin, v4(1), false))
        .count();
    assert_eq!(tries, 10);
}

#[test]
fn x2_spraying_from_a_thousand_networks_is_bounded_by_the_account() {
    let throttle = Throttle::default();
    // A try every nine seconds for a day, each from another /24.
    let tries = (0_u32..9_600)
        .filter(|n| {
            let now = START.plus_ms(i64::from(*n) * 9_000);
            admitted(&throttle, now, Account::Admin, v4((n % 1_000) * 256), false)
        })
        .count();
    assert!((90..=150).contains(&tries), "{tries} tries were let through");
}

#[test]
fn x2_the_owner_gets_in_at_once_while_others_attack() {
    let throttle = Throttle::default();
    let owner_at_home = IpAddr::from([127, 0, 0, 1]);
    for n in 0..5_000_u32 {
        let now = START.plus_ms(i64::from(n) * 1_000);
        admitted(&throttle, now, Account::Admin, v4(n * 256), false);
    }
    let now = START.plus_ms(5_000_000);
    assert!(begin(&throttle, now, Account::Admin, v4(7), false).is_err());
    for (ip, trusted) in [(owner_at_home, false), (v4(7), true)] {
        begin(&throttle, now, Account::Admin, ip, trusted).unwrap().succeeded();
    }
}

#[test]
fn x2_no_wait_is_for_good() {
    let throttle = Throttle::default();
    let mut now = START;
    for _ in 0..2_000 {
        admitted(&throttle, now, Account::Admin, v4(1), false);
        now = now.plus_ms(LONGEST_WAIT_MS);
    }
    assert!(admitted(&throttle, now, Account::Admin, v4(1), false));
}

#[test]
fn one_network_cannot_try_one_name_after_another() {
    let throttle = Throttle::default();
    let tries = (0..200)
        .filter(|n| admitted(&throttle, START, Account::Name(format!("user-{n}")), v4(n % 256), false))
        .count();
    assert_eq!(tries, 5);
    assert!(admitted(&throttle, START, Account::Name("other".into()), v4(256), false));
}

#[test]
fn tries_at_the_same_instant_are_counted_before_they_end() {
    let throttle = Throttle::default();
    let running: Vec<_> = (0..100_u32)
        .filter_map(|n| begin(&throttle, START, Account::Admin, v4(n * 256), false).ok())
        .collect();
    assert_eq!(running.len(), 5);
    for attempt in running {
        attempt.not_checked();
    }
    assert!(
        begin(&throttle, START, Account::Admin, v4(1), false).is_ok(),
        "nothing was checked, nothing is counted"
    );
}

#[test]
fn success_clears_the_account_but_not_the_network() {
    let throttle = Throttle::default();
    for _ in 0..4 {
        admitted(&throttle, START, Account::Name("guessed".into()), v4(1), false);
    }
    for _ in 0..20 {
        begin(&throttle, START, Account::Name("mine".into()), v4(1), false).unwrap().succeeded();
    }
    assert!(admitted(&throttle, START, Account::Name("guessed".into()), v4(1), false));
    let problem = begin(&throttle, START, Account::Name("another".into()), v4(2), false).unwrap_err();
    assert_eq!((problem.code.as_str(), problem.status()), ("too_many_attempts", 429));
    assert_eq!(problem.fields.get("retry_after_s").map(String::as_str), Some("1"));
}

#[test]
fn x2_a_script_that_worked_before_keeps_working_under_attack() {
    let throttle = Throttle::default();
    let script = v4(77 * 256);
    let right = |now: Timestamp| throttle.begin(now, Account::Admin, script, false, || true);
    assert!(matches!(right(START), Ok(Begun::Proven)));
    for n in 0..1_000_u32 {
        admitted(&throttle, START.plus_ms(i64::from(n) * 1_000), Account::Admin, v4((n % 70) * 256), false);
    }
    assert!(begin(&throttle, START.plus_ms(1_000_000), Account::Admin, v4(1), false).is_err());
    assert!(matches!(right(START.plus_ms(1_000_000)), Ok(Begun::Proven)));
    // A member's own success opens no lane to the administrator's account.
    begin(&throttle, START, Account::Name("m".into()), v4(1), false).unwrap().succeeded();
    assert!(begin(&throttle, START.plus_ms(1_000_000), Account::Admin, v4(1), false).is_err());
}

#[test]
fn the_quick_check_is_no_way_around_the_wait() {
    let throttle = Throttle::default();
    let mut asked = 0;
    for _ in 0..100 {
        let begun = throttle.begin(START, Account::Admin, v4(1), false, || {
            asked += 1;
            false
        });
        drop(begun);
    }
    assert_eq!(asked, 5);
}

#[test]
fn a_hundred_right_calls_at_once_are_no_failures() {
    let throttle = Throttle::default();
    for _ in 0..100 {
        assert!(matches!(throttle.begin(START, Account::Admin, v4(1), false, || true), Ok(Begun::Proven)));
    }
}

#[test]
fn an_address_has_one_network_however_it_is_written() {
    let same = |a: &str, b: &str| network(a.parse().unwrap()) == network(b.parse().unwrap());
    assert!(same("192.0.2.1", "192.0.2.255"));
    assert!(same("192.0.2.1", "::ffff:192.0.2.7"));
    assert!(!same("192.0.2.1", "192.0.3.1"));
    assert!(same("2001:db8:1:2::1", "2001:db8:1:2:ffff::"));
    assert!(!same("2001:db8:1:2::1", "2001:db8:1:3::1"));
    assert_eq!(Lane::of("::ffff:127.0.0.1".parse().unwrap(), false), Lane::Loopback);
}

#[test]
fn audit_rows_are_bounded_and_say_what_they_left_out() {
    let mut budget = AuditBudget::default();
    let written = (0..100).filter(|_| budget.take(START).is_some()).count();
    assert_eq!(written, 30);
    assert_eq!(budget.take(START.plus_ms(60_000)), Some(70));
    assert_eq!(budget.take(START.plus_ms(60_000)), Some(0));
}
