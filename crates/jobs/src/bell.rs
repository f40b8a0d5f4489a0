//! What makes a worker look into the queue: a call from this process, or the passing of time.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::stream::{Stream, StreamExt};
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval_at};
use tokio_stream::wrappers::{IntervalStream, WatchStream};

/// A stream that rings, and goes on listening while it rings.
///
/// apalis asks its stream once per poll of the worker. Any other stream, having answered, would listen again only when it is asked again; if
/// the fetch under way ends empty in that very poll, nobody asks, and the worker sleeps until its next heartbeat.
pub(crate) struct Bell<S>(S);

/// A bell that rings when `called` changes, and every `period`.
pub(crate) fn bell(
    called: watch::Receiver<u64>,
    period: Duration,
) -> Bell<impl Stream<Item = ()> + Unpin + Send + Sync> {
    let mut ticks = interval_at(Instant::now() + period, period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let calls = WatchStream::from_changes(called).map(drop);
    Bell(tokio_stream::StreamExt::merge(calls, IntervalStream::new(ticks).map(drop)))
}

impl<S: Stream<Item = ()> + Unpin> Stream for Bell<S> {
    type Item = ();

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<()>> {
        let mut rang = false;
        loop {
            match self.0.poll_next_unpin(cx) {
                Poll::Ready(Some(())) => rang = true,
                Poll::Ready(None) if !rang => return Poll::Ready(None),
                Poll::Pending if !rang => return Poll::Pending,
                Poll::Ready(None) | Poll::Pending => return Poll::Ready(Some(())),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    use super::*;

    #[derive(Default)]
    struct Woken(AtomicUsize);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn rings<S: Stream<Item = ()> + Unpin>(bell: &mut Bell<S>, woken: &Arc<Woken>) -> bool {
        bell.poll_next_unpin(&mut Context::from_waker(&Arc::clone(woken).into())).is_ready()
    }

    #[tokio::test]
    async fn a_bell_that_has_rung_listens_without_being_asked_again() {
        let (caller, called) = watch::channel(0);
        let (mut bell, woken) = (bell(called, Duration::from_secs(3600)), Arc::new(Woken::default()));
        assert!(!rings(&mut bell, &woken));
        for call in 1..4 {
            let before = woken.0.load(Ordering::SeqCst);
            caller.send(2 * call).unwrap();
            caller.send(2 * call + 1).unwrap();
            assert!(woken.0.load(Ordering::SeqCst) > before, "call {call} was not heard");
            assert!(rings(&mut bell, &woken));
        }
        assert!(!rings(&mut bell, &woken), "many calls are one ring");
    }

    #[tokio::test]
    async fn time_rings_again_and_again() {
        let (_caller, called) = watch::channel(0);
        let (mut bell, woken) = (bell(called, Duration::from_millis(10)), Arc::new(Woken::default()));
        for round in 0..4 {
            let before = woken.0.load(Ordering::SeqCst);
            assert!(rings(&mut bell, &woken) || round == 0, "it was woken for nothing in round {round}");
            while woken.0.load(Ordering::SeqCst) == before {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    }
}
