//! Amounts of money: fixed decimals, so that columns line up; the exact amount as title.

use leptos::prelude::*;
use types::Money;
use types::price::{PriceSource, PriceState};

use super::badge::State;
use crate::format;
use crate::text::{Text, money as m, translator};

/// An amount in a table or a sentence.
pub(crate) fn usd(amount: Money) -> AnyView {
    view! { <span class="usd" title=format!("${}", amount.display())>{format::usd(amount)}</span> }.into_any()
}

/// A price: every digit of it, since prices are short.
pub(crate) fn price(amount: Option<Money>) -> AnyView {
    match amount {
        Some(amount) => format!("${}", amount.display()).into_any(),
        None => view! { <span class="faint">"–"</span> }.into_any(),
    }
}

/// How sure the cost of a request is, where that needs a word.
pub(crate) fn price_state(state: PriceState) -> Option<AnyView> {
    let t = translator();
    let (mood, word) = match state {
        PriceState::None | PriceState::Priced => return None,
        PriceState::Free => ("off", m::P_FREE),
        PriceState::Unpriced => ("warn", m::P_UNPRICED),
        PriceState::DefaultPrice => ("info", m::P_DEFAULT_PRICE),
    };
    Some(view! { <State mood word=t(word)/> }.into_any())
}

/// Words of a price state.
pub(crate) fn state_words(state: PriceState) -> Text {
    match state {
        PriceState::None => m::P_NONE,
        PriceState::Priced => m::P_PRICED,
        PriceState::Free => m::P_FREE,
        PriceState::Unpriced => m::P_UNPRICED,
        PriceState::DefaultPrice => m::P_DEFAULT_PRICE,
    }
}

/// Words of where a price comes from.
pub(crate) fn source_words(source: PriceSource) -> Text {
    match source {
        PriceSource::Default => m::S_DEFAULT,
        PriceSource::Synced => m::S_SYNCED,
        PriceSource::Imported => m::S_IMPORTED,
        PriceSource::Manual => m::S_MANUAL,
    }
}
