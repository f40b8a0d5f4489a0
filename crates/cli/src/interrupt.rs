//! Ctrl-C, and the signal by which services are ended.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Signals that ask the process to end.
pub(crate) struct Interrupts {
    interrupt: Signal,
    terminate: Signal,
}

impl Interrupts {
    /// From now on these signals end nothing by themselves; they are waited for.
    pub(crate) fn listen() -> io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// Returns at the next one.
    pub(crate) async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }

    /// Does `end` at the next one, and returns at the one after it.
    pub(crate) async fn next_twice(&mut self, end: impl FnOnce()) {
        self.next().await;
        tracing::info!("ending after what is under way; another signal ends at once");
        end();
        self.next().await;
    }
}
