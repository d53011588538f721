//! The pieces that pages are made of. They never call a server function; pages do.

pub(crate) mod adjustments;
pub(crate) mod attempts;
pub(crate) mod availability;
pub(crate) mod badge;
pub(crate) mod chart;
pub(crate) mod confirm;
pub(crate) mod copy;
pub(crate) mod decision;
pub(crate) mod field;
pub(crate) mod flash;
pub(crate) mod grant_card;
pub(crate) mod head;
pub(crate) mod key_table;
pub(crate) mod layout;
pub(crate) mod limit_fields;
pub(crate) mod live_tail;
pub(crate) mod load;
pub(crate) mod obstacles;
pub(crate) mod pager;
pub(crate) mod palette;
pub(crate) mod quota;
pub(crate) mod reason;
pub(crate) mod request_table;
pub(crate) mod routing_words;
pub(crate) mod snippets;
pub(crate) mod test_result;
pub(crate) mod time;
pub(crate) mod usage_lines;
pub(crate) mod usd;

use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use leptos_router::hooks::use_query_map;

use crate::error::AppError;

/// Grows after each change, so that every panel of the page asks again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Refresh(pub(crate) RwSignal<u32>);

impl Refresh {
    /// The counter of this page.
    pub(crate) fn get() -> Self {
        use_context().unwrap_or_else(|| Self(RwSignal::new(0)))
    }
}

/// How many panels of the page wait for data. While there is one, `<main>` says `aria-busy`, for readers of the screen
/// and for whoever must not type into a form that is about to be drawn anew.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Busy(pub(crate) RwSignal<u32>);

impl Busy {
    /// A signal for one panel: it counts while it is `true`, and no longer than its panel lives.
    pub(crate) fn panel() -> RwSignal<bool> {
        let waits = RwSignal::new(false);
        if let Some(Self(count)) = use_context() {
            let counted = StoredValue::new(false);
            let count_as = move |now: bool| {
                if counted.try_get_value().is_some_and(|before| before != now) {
                    let _gone = counted.try_set_value(now);
                    count.try_update(|n| *n = if now { n.saturating_add(1) } else { n.saturating_sub(1) });
                }
            };
            Effect::new(move || count_as(waits.get()));
            on_cleanup(move || count_as(false));
        }
        waits
    }
}

/// Reads a query parameter; empty counts as absent.
pub(crate) fn query(name: &'static str) -> Memo<Option<String>> {
    let map = use_query_map();
    Memo::new(move |_| map.read().get(name).filter(|value| !value.is_empty()))
}

/// Why an action failed, if it did; refreshes the page's panels when it succeeds.
pub(crate) fn failure<S>(action: ServerAction<S>) -> Signal<Option<AppError>>
where
    S: ServerFn<Error = AppError> + Clone + Send + Sync + 'static,
    S::Output: Clone + Send + Sync + 'static,
{
    told(action, Refresh::get(), None, Result::is_ok)
}

/// Like [`failure`], for what changes the thing that the page is about: `own` grows beside the page's counter.
/// Whatever else is done on the page leaves its forms, and what was typed into them, alone.
pub(crate) fn failure_of<S>(action: ServerAction<S>, own: Refresh) -> Signal<Option<AppError>>
where
    S: ServerFn<Error = AppError> + Clone + Send + Sync + 'static,
    S::Output: Clone + Send + Sync + 'static,
{
    told(action, Refresh::get(), Some(own), Result::is_ok)
}

/// Like [`failure`], for what may change a state even if it fails: a vendor that refuses a token has spoken.
pub(crate) fn failure_and_state<S>(action: ServerAction<S>) -> Signal<Option<AppError>>
where
    S: ServerFn<Error = AppError> + Clone + Send + Sync + 'static,
    S::Output: Clone + Send + Sync + 'static,
{
    told(action, Refresh::get(), None, |_| true)
}

fn told<S>(
    action: ServerAction<S>,
    page: Refresh,
    own: Option<Refresh>,
    asks_again: impl Fn(&Result<S::Output, AppError>) -> bool + 'static,
) -> Signal<Option<AppError>>
where
    S: ServerFn<Error = AppError> + Clone + Send + Sync + 'static,
    S::Output: Clone + Send + Sync + 'static,
{
    let value = action.value();
    Effect::new(move || {
        if value.with(|value| value.as_ref().is_some_and(&asks_again)) {
            for counter in [Some(page), own].into_iter().flatten() {
                counter.0.update(|n| *n += 1);
            }
        }
    });
    Signal::derive(move || {
        value.with(|value| value.as_ref().and_then(|result| result.as_ref().err().cloned()))
    })
}
