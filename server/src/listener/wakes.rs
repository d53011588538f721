//! Wakes that a connection's task gives itself. A request's pieces go through channels of which both ends live in this
//! one task, so nearly every request wakes it while it runs. A scheduler takes that for a task that wants to go on later:
//! it puts it behind all others, and wakes another thread that could take it over. Here the task looks again at once.
//!
//! Wakes from elsewhere (sockets, timers, other tasks) are passed on as they are.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use futures_util::task::AtomicWaker;

/// Looks in a row; whoever wakes himself still more often is put behind the others.
const MOST_LOOKS: usize = 4;

const WAITING: u8 = 0;
const RUNNING: u8 = 1;
const AGAIN: u8 = 2;

/// Stands between a task and what it polls.
#[derive(Debug, Default)]
pub(super) struct Wakes {
    task: AtomicWaker,
    state: AtomicU8,
}

impl Wakes {
    /// Polls, again if something woke the task meanwhile.
    pub(super) fn poll<T>(
        self: &Arc<Self>,
        cx: &mut Context<'_>,
        mut look: impl FnMut(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        self.task.register(cx.waker());
        let waker = Waker::from(Arc::clone(self));
        for _ in 0..MOST_LOOKS {
            self.state.store(RUNNING, Ordering::Release);
            let found = look(&mut Context::from_waker(&waker));
            // Whoever wakes from here on wakes the task itself.
            let before = self.state.swap(WAITING, Ordering::AcqRel);
            if found.is_ready() || before != AGAIN {
                return found;
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let noted = self.state.compare_exchange(RUNNING, AGAIN, Ordering::AcqRel, Ordering::Acquire);
        if noted == Err(WAITING) {
            self.task.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;

    #[derive(Default)]
    struct Counter(AtomicUsize);

    impl Wake for Counter {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Polls with a task that counts how often it is woken; `look` gets the number of the look.
    fn poll<T>(mut look: impl FnMut(usize, &Waker) -> Poll<T>) -> (Poll<T>, usize, usize, Arc<Wakes>) {
        let (wakes, task) = (Arc::<Wakes>::default(), Arc::<Counter>::default());
        let mut looks = 0;
        let found = wakes.poll(&mut Context::from_waker(&Waker::from(Arc::clone(&task))), |cx| {
            looks += 1;
            look(looks, cx.waker())
        });
        (found, looks, task.0.load(Ordering::Relaxed), wakes)
    }

    #[test]
    fn a_task_that_wakes_itself_looks_again_at_once_and_is_not_scheduled() {
        let (found, looks, woken, _) = poll(|look, waker| {
            if look == 1 {
                waker.wake_by_ref();
                waker.wake_by_ref();
            }
            Poll::<()>::Pending
        });
        assert_eq!((found, looks, woken), (Poll::Pending, 2, 0));
    }

    #[test]
    fn what_is_ready_is_not_looked_at_again() {
        let (found, looks, woken, _) = poll(|look, waker| {
            waker.wake_by_ref();
            Poll::Ready(look)
        });
        assert_eq!((found, looks, woken), (Poll::Ready(1), 1, 0));
    }

    #[test]
    fn who_never_stops_waking_himself_lets_others_run() {
        let (found, looks, woken, _) = poll(|_, waker| {
            waker.wake_by_ref();
            Poll::<()>::Pending
        });
        assert_eq!((found, looks, woken), (Poll::Pending, MOST_LOOKS, 1));
    }

    #[test]
    fn a_wake_that_comes_while_the_task_waits_is_passed_on() {
        let (wakes, task) = (Arc::<Wakes>::default(), Arc::<Counter>::default());
        let mut kept = None;
        for round in 1..=3 {
            let found = wakes.poll(&mut Context::from_waker(&Waker::from(Arc::clone(&task))), |cx| {
                kept = Some(cx.waker().clone());
                Poll::<()>::Pending
            });
            assert!(found.is_pending());
            kept.take().unwrap().wake();
            assert_eq!(task.0.load(Ordering::Relaxed), round);
        }
    }

    #[test]
    fn no_wake_is_lost_between_threads() {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let (sender, mut receiver) = tokio::sync::mpsc::channel(4);
        let other = std::thread::spawn(move || (0..20_000).try_for_each(|n| sender.blocking_send(n)));
        let heard = runtime.block_on(async move {
            let (wakes, mut heard) = (Arc::<Wakes>::default(), 0);
            while std::future::poll_fn(|cx| wakes.poll(cx, |cx| receiver.poll_recv(cx))).await.is_some() {
                heard += 1;
            }
            heard
        });
        other.join().unwrap().unwrap();
        assert_eq!(heard, 20_000);
    }
}
