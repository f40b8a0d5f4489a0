//! Bars on a terminal for long work: bytes, rate, time left.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::plain;

const STEPS: u64 = 1000;

/// Bytes on their way. Cheap to clone; all clones move the same bar.
#[derive(Debug, Clone)]
pub(crate) struct Transfer(ProgressBar);

impl Transfer {
    pub(crate) fn new(watched: bool, what: &str, total: Option<u64>) -> Self {
        let template = match total {
            Some(_) => "{prefix} [{bar:30}] {binary_bytes} of {binary_total_bytes}, {binary_bytes_per_sec}, {eta} left",
            None => "{prefix} {spinner} {binary_bytes}, {binary_bytes_per_sec}",
        };
        Self(bar(watched, what, total, template))
    }

    /// Says that so many more bytes have moved.
    pub(crate) fn moved(&self, bytes: u64) {
        self.0.inc(bytes);
    }

    /// Says that there is so much more to move than was known.
    pub(crate) fn expect(&self, bytes: u64) {
        self.0.inc_length(bytes);
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        self.0.finish_and_clear();
    }
}

/// Work that says how far it is.
#[derive(Debug)]
pub(crate) struct Bar(ProgressBar);

impl Bar {
    pub(crate) fn new(watched: bool, what: &str) -> Self {
        Self(bar(watched, what, Some(STEPS), "{prefix} [{bar:30}] {percent} %, {eta} left  {wide_msg}"))
    }

    /// Shows how much is done, 0 to 1, and what is being done.
    pub(crate) fn set(&self, fraction: f64, message: Option<&str>) {
        let done = (fraction.clamp(0.0, 1.0) * STEPS as f64) as u64;
        self.0.set_position(done);
        if let Some(message) = message {
            self.0.set_message(plain(message));
        }
    }

    /// Does `write` without the bar in its way.
    pub(crate) fn aside(&self, write: impl FnOnce()) {
        self.0.suspend(write);
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        self.0.finish_and_clear();
    }
}

fn bar(watched: bool, what: &str, total: Option<u64>, template: &str) -> ProgressBar {
    if !watched {
        return ProgressBar::with_draw_target(total, ProgressDrawTarget::hidden());
    }
    let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("=> "));
    }
    bar.set_prefix(plain(what));
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_drawn_when_nobody_watches() {
        let transfer = Transfer::new(false, "sending", Some(10));
        transfer.moved(4);
        assert!(transfer.0.is_hidden());
        assert_eq!(transfer.0.position(), 4);
    }

    #[test]
    fn the_templates_are_valid() {
        for template in [
            "{prefix} [{bar:30}] {binary_bytes} of {binary_total_bytes}, {binary_bytes_per_sec}, {eta} left",
            "{prefix} {spinner} {binary_bytes}, {binary_bytes_per_sec}",
            "{prefix} [{bar:30}] {percent} %, {eta} left  {wide_msg}",
        ] {
            assert!(ProgressStyle::with_template(template).is_ok(), "{template}");
        }
    }
}
