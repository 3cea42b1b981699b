//! A renderer for logs: one line an epoch, nothing a batch.

mod readings;
mod time;

#[cfg(test)]
mod tests;

use std::{
    error::Error,
    fmt::Display,
    io::{IsTerminal, Stdout, Write, stdout},
    time::Instant,
};

use burn::train::{
    Interrupter, Interruption, LearnerSummary,
    logger::{EvaluationProgressLogger, TrainingProgressLogger},
    metric::MetricDefinition,
    renderer::{
        EvaluationName, MetricState, MetricsRenderer, MetricsRendererEvaluation, MetricsRendererTraining,
        default_renderer,
    },
};
use readings::Readings;

/// The event that burn-train logs for every batch.
const BATCH_EVENT: &str = "Iteration";

/// burn-train's dashboard where standard output is a terminal and the feature `tui` is on, else [`LogRenderer`].
///
/// `checkpoint` is the epoch that the training resumes from, if it does.
pub fn renderer(interrupter: Interrupter, checkpoint: Option<usize>) -> Box<dyn MetricsRenderer> {
    if cfg!(feature = "tui") && stdout().is_terminal() {
        default_renderer(interrupter, checkpoint)
    } else {
        Box::new(LogRenderer::new(stdout()).watching(interrupter))
    }
}

/// One line an epoch: numeric metrics of both splits, time passed and time left.
///
/// ```text
/// epoch  3/20 | train: Loss 0.412, Accuracy 87.20 % | valid: Loss 0.510, Accuracy 84.10 % | 12 s, 1 min 08 s left
/// ```
///
/// Early ends say why, as far as the [interrupter](Self::watching) knows. Events other than that of a batch have a line
/// each. What cannot be written is dropped: a full disk under a log does not end a training.
#[derive(Debug)]
pub struct LogRenderer<W = Stdout> {
    out: W,
    every: usize,
    interrupter: Option<Interrupted>,
    label: String,
    definitions: Vec<MetricDefinition>,
    /// Of the training: when it started, the first epoch, the epoch that runs, the last one.
    started: Instant,
    first: usize,
    epoch: usize,
    last: usize,
    train: Readings,
    valid: Readings,
    /// The line of an epoch that is not one of those to print; it is if the training ends there.
    held_back: Option<String>,
    test: Readings,
    test_name: String,
}

/// An interrupter that can be printed for debugging.
struct Interrupted(Interrupter);

impl std::fmt::Debug for Interrupted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Interrupter").field(&self.0.should_stop()).finish()
    }
}

impl<W: Write> LogRenderer<W> {
    /// Lines for every epoch.
    pub fn new(out: W) -> Self {
        Self {
            out,
            every: 1,
            interrupter: None,
            label: String::new(),
            definitions: Vec::new(),
            started: Instant::now(),
            first: 1,
            epoch: 1,
            last: 0,
            train: Readings::default(),
            valid: Readings::default(),
            held_back: None,
            test: Readings::default(),
            test_name: String::new(),
        }
    }

    /// A line for every so many epochs, and for the last one.
    pub fn every(self, epochs: usize) -> Self {
        // clamp: every 0 epochs is every epoch
        Self { every: epochs.max(1), ..self }
    }

    /// With the handle that knows why a training ended early.
    pub fn watching(self, interrupter: Interrupter) -> Self {
        Self { interrupter: Some(Interrupted(interrupter)), ..self }
    }

    fn say(&mut self, line: impl Display) {
        let _ = writeln!(self.out, "{line}").and_then(|()| self.out.flush());
    }

    /// What both splits say of the epoch that runs, and forgets it.
    fn epoch_line(&mut self) -> String {
        let width = self.last.to_string().len();
        let mut line = format!("{}epoch {:width$}/{}", self.label, self.epoch, self.last);
        for (split, readings) in [("train", &mut self.train), ("valid", &mut self.valid)] {
            let readings = std::mem::take(readings);
            if !readings.is_empty() {
                line += &format!(" | {split}: {}", readings.text(&self.definitions));
            }
        }
        line
    }

    fn with_times(&self, line: &str) -> String {
        let elapsed = self.started.elapsed();
        let (done, total) = (self.epoch + 1 - self.first, self.last + 1 - self.first);
        match time::left(elapsed, done, total).filter(|_| done < total) {
            Some(left) => format!("{line} | {}, {} left", time::text(elapsed), time::text(left)),
            None => format!("{line} | {}", time::text(elapsed)),
        }
    }

    /// Why the training ended before its last epoch.
    fn early_end(&self) -> String {
        let after = format!("after epoch {}", self.epoch - 1);
        let interrupter = self.interrupter.as_ref().map(|Interrupted(interrupter)| interrupter);
        if let Some(error) = interrupter.and_then(Interrupter::error) {
            return format!("failed {after}: {error}");
        }
        match interrupter.and_then(Interrupter::interruption) {
            Some(Interruption { reason: Some(reason) }) => format!("stopped {after}: {reason}"),
            Some(_) => format!("stopped {after}"),
            None => format!("stopped early {after}"),
        }
    }

    fn summarize(&mut self, summary: Option<LearnerSummary>) {
        if let Some(summary) = summary {
            self.say(summary);
        }
    }
}

impl<W: Write + Send + Sync> TrainingProgressLogger for LogRenderer<W> {
    fn start(&mut self, epochs: usize, first: usize, _items: Option<usize>, label: Option<&str>) {
        self.label = label.map(|label| format!("{label}: ")).unwrap_or_default();
        (self.started, self.first, self.epoch, self.last) = (Instant::now(), first, first, epochs);
        (self.train, self.valid, self.held_back) = Default::default();
    }

    fn start_split(&mut self, _split: &str, _items: usize) {}

    fn update_split(&mut self, _items: usize) {}

    fn end_split(&mut self) {}

    fn update_epoch(&mut self, epoch: usize) {
        self.epoch = epoch;
        let line = self.epoch_line();
        let line = self.with_times(&line);
        if epoch.is_multiple_of(self.every) {
            self.say(line);
            self.held_back = None;
        } else {
            self.held_back = Some(line);
        }
        self.epoch = epoch + 1;
    }

    fn end(&mut self) {
        if let Some(line) = self.held_back.take() {
            self.say(line);
        }
        if !self.train.is_empty() {
            let line = self.epoch_line();
            self.say(format!("{line} | not finished"));
        }
        if self.epoch <= self.last {
            let line = format!("{}{}", self.label, self.early_end());
            self.say(line);
        }
    }

    fn log_event_training(&mut self, event: String) {
        if event != BATCH_EVENT {
            self.say(event);
        }
    }
}

impl<W: Write + Send + Sync> MetricsRendererTraining for LogRenderer<W> {
    fn update_train(&mut self, state: MetricState) {
        self.train.add(state);
    }

    fn update_valid(&mut self, state: MetricState) {
        self.valid.add(state);
    }

    fn on_train_end(&mut self, summary: Option<LearnerSummary>) -> Result<(), Box<dyn Error>> {
        self.summarize(summary);
        Ok(())
    }
}

impl<W: Write + Send + Sync> EvaluationProgressLogger for LogRenderer<W> {
    fn start_global_progress(&mut self, _tests: usize) {}

    fn start_test(&mut self, name: &str, _items: usize) {
        (self.test_name, self.test) = (name.to_string(), Readings::default());
    }

    fn update_test_progress(&mut self, _items: usize) {}

    fn end_test(&mut self) {
        let line = format!("test {}: {}", self.test_name, self.test.text(&self.definitions));
        self.say(line);
    }

    fn end_global_progress(&mut self) {}

    fn log_event_evaluation(&mut self, event: String) {
        if event != BATCH_EVENT {
            self.say(event);
        }
    }
}

impl<W: Write + Send + Sync> MetricsRendererEvaluation for LogRenderer<W> {
    fn update_test(&mut self, _name: EvaluationName, state: MetricState) {
        self.test.add(state);
    }

    fn on_test_end(&mut self, summary: Option<LearnerSummary>) -> Result<(), Box<dyn Error>> {
        self.summarize(summary);
        Ok(())
    }
}

impl<W: Write + Send + Sync> MetricsRenderer for LogRenderer<W> {
    fn manual_close(&mut self) {}

    fn register_metric(&mut self, definition: MetricDefinition) {
        if self.definitions.iter().all(|known| known.metric_id != definition.metric_id) {
            self.definitions.push(definition);
        }
    }
}
