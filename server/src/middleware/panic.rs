//! Turns a panic in a handler into an answer, so that one bad request cannot take its neighbours along.
//! The hook that `telemetry` installs has logged it by then. Panics inside a body's stream end that connection only.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;

/// `None` if the future panicked.
pub async fn catch<T>(future: impl Future<Output = T>) -> Option<T> {
    // The request is gone afterwards and shared state is behind locks that do not poison, so nothing broken is seen.
    AssertUnwindSafe(future).catch_unwind().await.ok()
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    fn explode((): ()) -> i32 {
        panic!("on purpose")
    }

    #[tokio::test]
    async fn a_panic_becomes_none_and_a_value_stays() {
        assert_eq!(super::catch(async { 7 }).await, Some(7));
        assert_eq!(super::catch(std::future::ready(()).map(explode)).await, None);
    }
}
