//! Each violation of money is found, and sound rows are left alone.

use types::limits::LimitName;
use types::price::{PriceSource, PriceSpec, PriceState, Rates};
use types::quota::ScopeKind;
use types::request::{Attempt, AttemptOutcome, Outcome, RequestRecord, TokenUsage};
use types::{CredentialId, Money, ProviderId, Timestamp};

use super::{Violation, check_counter, check_covered, check_figures, check_limit, check_row};
use crate::budget::{Amounts, Figures, Reading, Rule, Scope, Span};
use crate::price::{Factors, Priced, cost};
use crate::record::blank;

fn nano(amount: i64) -> Money {
    Money::from_nano(amount).unwrap()
}

fn row() -> RequestRecord {
    let usage = TokenUsage { input: 1000, output: 10, ..TokenUsage::default() };
    let rates = Rates {
        input_per_million_usd: Some(nano(3_000_000)),
        output_per_million_usd: Some(nano(15_000_000)),
        ..Rates::default()
    };
    let spec = PriceSpec { rates, ..PriceSpec::default() };
    let price = Priced { model: "m", source: PriceSource::Manual, spec: &spec };
    let factors = Factors { multiplier: "0.5".parse().unwrap(), ..Factors::default() };
    let cost = cost(price, &usage, None, true, factors);
    let id = "00000000-0000-7000-8000-000000000001".parse().unwrap();
    let mut row = blank(id, Timestamp(0));
    row.set_usage(usage);
    row.outcome = Outcome::Ok;
    row.provider_id = Some(ProviderId(1));
    row.price_state = PriceState::Priced;
    (row.cost_usd, row.base_cost_usd, row.provider_cost_usd) = (cost.billed, cost.base, cost.provider);
    row.bill = Some(Box::new(cost.bill));
    row
}

#[test]
fn inv_06_a_record_that_differs_from_its_bill_is_found() {
    assert_eq!(check_row(&row()), []);
    let waived = RequestRecord { cost_usd: Money::ZERO, ..row() };
    assert_eq!(check_row(&waived), []);
    for wrong in [
        RequestRecord { cost_usd: row().cost_usd.plus(nano(1)), ..row() },
        RequestRecord { base_cost_usd: Money::ZERO, ..row() },
        RequestRecord { provider_cost_usd: Money::ZERO, ..row() },
    ] {
        let found = check_row(&wrong);
        assert!(matches!(found[..], [Violation::BillDiffers { .. }]), "{found:?}");
        let shown = types::books::Violation::from(found[0].clone());
        assert_eq!((shown.invariant.as_str(), shown.subject), ("INV-6", wrong.request_id.to_string()));
    }
}

#[test]
fn inv_11_a_silent_zero_and_a_cost_without_a_price_are_found() {
    let zero = RequestRecord {
        price_state: PriceState::None,
        cost_usd: Money::ZERO,
        base_cost_usd: Money::ZERO,
        provider_cost_usd: Money::ZERO,
        bill: None,
        ..row()
    };
    assert_eq!(check_row(&zero), [Violation::NotPriced(zero.request_id)]);
    assert_eq!(check_row(&RequestRecord { price_state: PriceState::Unpriced, ..zero.clone() }), []);
    assert_eq!(check_row(&RequestRecord { price_state: PriceState::Free, ..zero }), []);
    let unpriced = RequestRecord { price_state: PriceState::Unpriced, bill: None, ..row() };
    assert!(matches!(check_row(&unpriced)[..], [Violation::CostWithoutPrice { .. }]));
}

#[test]
fn inv_03_an_invoice_above_the_books_is_found() {
    let failed = Attempt {
        provider_id: ProviderId(1),
        provider_name: String::new(),
        credential_id: CredentialId(1),
        credential_name: String::new(),
        status_code: None,
        outcome: AttemptOutcome::TimedOut,
        reason: None,
        started_ms: 0,
        duration_ms: 0,
        first_byte_ms: None,
        provider_cost_usd: nano(7),
        class: None,
        commit: None,
        model: None,
        head_ms: None,
        pause_ms: 0,
        hedge: false,
        rectified: Vec::new(),
        translation: None,
    };
    let mut row = row();
    let answered = Attempt { provider_cost_usd: row.provider_cost_usd, ..failed.clone() };
    row.attempts = vec![failed, answered];
    let booked = row.provider_cost_usd.plus(nano(7));
    assert_eq!(check_covered(&row, booked), None);
    assert!(check_covered(&row, booked.plus(nano(1))).is_some());
}

#[test]
fn inv_04_05_and_16_figures_that_do_not_agree_are_found() {
    let scope = Scope { kind: ScopeKind::User, id: 3 };
    let held = Amounts { worst: nano(5), estimate: nano(4) };
    let figures =
        |open| Figures { scope, total: Money::ZERO, worst: held.worst, estimate: held.estimate, open };
    assert_eq!(check_figures(&[figures(held)]), []);
    assert_eq!(check_figures(&[figures(Amounts::default())]).len(), 1);
    let rule = Rule { name: LimitName::Total, limit: nano(10), hard: true, span: Span::Always };
    let reading = |used| Reading {
        name: LimitName::Total,
        used: nano(used),
        reserved: nano(5),
        since: None,
        resets_at: None,
    };
    assert_eq!(check_limit(scope, &rule, &reading(5)), None);
    let over = check_limit(scope, &rule, &reading(6)).unwrap();
    assert_eq!((over.invariant(), over.subject()), ("INV-5", "user 3".to_owned()));
    assert_eq!(check_limit(scope, &Rule { hard: false, ..rule }, &reading(6)), None);
    assert_eq!(check_counter(scope, nano(1), nano(1)), None);
    assert!(check_counter(scope, nano(1), nano(2)).is_some());
}
