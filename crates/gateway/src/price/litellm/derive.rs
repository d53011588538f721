//! What follows from the prices that a list states.
//!
//! Lists state each price in its own field and leave out what their own program works out. Where a price is missing
//! the dearer reading counts. What the list does state is never changed.

use types::Money;
use types::price::{PriceSpec, Rates};

use super::super::classes::{
    AUDIO_INPUT, AUDIO_OUTPUT, CACHE_READ, CACHE_WRITE_1H, CACHE_WRITE_5M, CLASSES, Class, IMAGE_INPUT,
    IMAGE_OUTPUT, INPUT, OUTPUT, REASONING, Tier,
};

/// Classes that are part of input or output, and that class.
const PARTS: [(Class, Class); 5] = [
    (REASONING, OUTPUT),
    (AUDIO_INPUT, INPUT),
    (AUDIO_OUTPUT, OUTPUT),
    (IMAGE_INPUT, INPUT),
    (IMAGE_OUTPUT, OUTPUT),
];
/// Classes that are priced beside fresh input.
const CACHES: [Class; 3] = [CACHE_READ, CACHE_WRITE_5M, CACHE_WRITE_1H];

/// Completes a price.
pub(super) fn complete(spec: &mut PriceSpec) {
    drop_equal_parts(spec);
    let base = spec.rates.clone();
    for tier in Tier::ALL {
        if let Some(rates) = tier.slot(spec) {
            raise_parts(rates, &base);
        }
    }
    let usual = Tier::ALL.map(|tier| tier.of(spec).cloned());
    for long in &mut spec.long_context {
        raise_parts(&mut long.rates, &base);
        let rates = long.rates.clone();
        for (tier, usual) in Tier::ALL.into_iter().zip(&usual) {
            let Some(usual) = usual else { continue };
            let slot = tier.long_slot(long).get_or_insert_default();
            for class in CLASSES {
                // Without this the tier's price for short requests would hold.
                let (Some(long), Some(short)) = ((class.get)(&rates), (class.get)(usual)) else { continue };
                let place = (class.slot)(slot);
                *place = place.or_else(|| ratio(long, short, (class.get)(&base)?));
            }
            if *slot == Rates::default() {
                *tier.long_slot(long) = None;
            }
        }
    }
}

/// Prices of a `fast` mode that a list states as a multiple of the usual ones.
pub(super) fn fast(spec: &mut PriceSpec, micro: u128) {
    let times = |rates: &Rates| {
        let mut dearer = Rates::default();
        for class in CLASSES {
            *(class.slot)(&mut dearer) = (class.get)(rates).and_then(|price| {
                let nano = u128::try_from(price.nano()).ok()?.checked_mul(micro)?.div_ceil(1_000_000);
                Money::from_nano(i64::try_from(nano).ok()?)
            });
        }
        dearer
    };
    if spec.priority.is_none() {
        spec.priority = Some(times(&spec.rates));
        for long in &mut spec.long_context {
            long.priority = Some(times(&long.rates));
        }
    }
}

/// A part that costs the same as its whole needs no price of its own; it would only hide the whole's in a tier.
fn drop_equal_parts(spec: &mut PriceSpec) {
    for (part, whole) in PARTS {
        let same = |rates: &Rates| (part.get)(rates) == (whole.get)(rates);
        if (part.get)(&spec.rates).is_some() && !same(&spec.rates) {
            continue;
        }
        let clean = |rates: &mut Rates| {
            if same(rates) {
                *(part.slot)(rates) = None;
            }
        };
        clean(&mut spec.rates);
        for tier in Tier::ALL {
            tier.slot(spec).iter_mut().for_each(clean);
        }
        for long in &mut spec.long_context {
            clean(&mut long.rates);
            for tier in Tier::ALL {
                tier.long_slot(long).iter_mut().for_each(clean);
            }
        }
    }
}

/// Where a whole is dearer than usual and its part has no price, the part is dearer by the same measure.
fn raise_parts(rates: &mut Rates, base: &Rates) {
    for (part, whole) in PARTS.into_iter().chain(CACHES.map(|cache| (cache, INPUT))) {
        if (part.get)(rates).is_some() {
            continue;
        }
        let (Some(usual), Some(now), Some(own)) = ((whole.get)(base), (whole.get)(rates), (part.get)(base))
        else {
            continue;
        };
        if now > usual {
            *(part.slot)(rates) = ratio(own, now, usual);
        }
    }
}

/// `a × b / c`, rounded up.
fn ratio(a: Money, b: Money, c: Money) -> Option<Money> {
    let [a, b, c] = [a, b, c].map(|money| u128::try_from(money.nano()).unwrap_or_default());
    let nano = a.checked_mul(b)?.checked_add(c.checked_sub(1)?)? / c;
    Money::from_nano(i64::try_from(nano).ok()?)
}
