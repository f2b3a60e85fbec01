//! What is seen while a network trains: a bar on a terminal, otherwise a line for each epoch. All of it goes to stderr.

use crate::checkpoint::Epoch;
use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal;
use std::time::{Duration, Instant};

/// The state of the bar, or of what replaces it.
pub struct Progress {
    bar: Option<ProgressBar>,
    epochs: usize,
    /// Samples in an epoch.
    samples: usize,
    score: &'static str,
    begun: Instant,
    /// Samples seen since then.
    seen: usize,
    /// Samples still to come.
    left: usize,
    shown: Instant,
}

/// The bar is not drawn more often.
const REDRAW: Duration = Duration::from_millis(66);

impl Progress {
    /// For `epochs` epochs of so many samples, `done` samples of which were seen in an earlier run.
    pub fn new(epochs: usize, samples: usize, done: usize, score: &'static str) -> Progress {
        let total = epochs * samples;
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(total as u64).with_position(done as u64);
            let style = "{prefix} [{bar:30}] {msg}";
            bar.set_style(ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar
        });
        let now = Instant::now();
        let left = total.saturating_sub(done);
        Progress { bar, epochs, samples, score, begun: now, seen: 0, left, shown: now - REDRAW }
    }
    /// A batch of so many samples is done in an epoch counted from 0, whose mean loss so far is `loss`.
    pub fn batch(&mut self, epoch: usize, samples: usize, loss: f64) {
        self.seen += samples;
        self.left = self.left.saturating_sub(samples);
        let Some(bar) = &self.bar else { return };
        if self.shown.elapsed() >= REDRAW {
            self.shown = Instant::now();
            bar.set_prefix(format!("epoch {:>2}/{}", epoch + 1, self.epochs));
            bar.set_message(format!("loss {loss:.4}  {}", self.pace()));
            bar.set_position((self.epochs * self.samples).saturating_sub(self.left) as u64);
        }
    }
    /// An epoch is done.
    pub fn epoch(&mut self, number: usize, e: &Epoch) {
        // Samples that a dropped last batch left out.
        self.left = self.epochs.saturating_sub(number) * self.samples;
        let name = self.score;
        let mut line = format!(
            "epoch {number:>2}/{}  train loss {:.4}  {name} {:.4}{}  test loss {:.4}  {name} {:.4}  lr {:.2e}",
            self.epochs,
            e.train_loss,
            e.train_score,
            e.validation_loss.map(|loss| format!("  validation loss {loss:.4}")).unwrap_or_default(),
            e.test_loss,
            e.test_score,
            e.lr
        );
        match &self.bar {
            Some(bar) => bar.println(line),
            None => {
                line += &format!("  {}", self.pace());
                eprintln!("{line}");
            }
        }
    }
    /// The bar goes away.
    pub fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
    fn pace(&self) -> String {
        let rate = self.seen as f64 / self.begun.elapsed().as_secs_f64().max(1e-9);
        if self.seen == 0 {
            return String::new();
        }
        format!("{}/s  {} left", short(rate), time(self.left as f64 / rate))
    }
}

/// `950`, `12.3k`, `1.2M`.
fn short(rate: f64) -> String {
    match rate {
        r if r < 1e4 => format!("{r:.0}"),
        r if r < 1e6 => format!("{:.1}k", r / 1e3),
        r => format!("{:.1}M", r / 1e6),
    }
}

/// `0.4s`, `42s`, `3m05s`, `2h07m`.
fn time(seconds: f64) -> String {
    let s = seconds.round() as u64;
    match s {
        0..10 => format!("{seconds:.1}s"),
        10..60 => format!("{s}s"),
        60..3600 => format!("{}m{:02}s", s / 60, s % 60),
        _ => format!("{}h{:02}m", s / 3600, s / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_and_times_are_short() {
        assert_eq!([949.6, 12_340.0, 1.25e6].map(short), ["950", "12.3k", "1.2M"]);
        assert_eq!([0.44, 41.7, 185.0, 7625.0].map(time), ["0.4s", "42s", "3m05s", "2h07m"]);
    }
}
