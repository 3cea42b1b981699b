//! What a training tells: lines of metrics, early stopping.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
};

use burn::{
    data::dataloader::batcher::Batcher,
    tensor::Device,
    train::{
        MetricEarlyStoppingStrategy, StoppingCondition,
        metric::{
            AccuracyMetric, LossMetric,
            store::{Aggregate, Direction, Split},
        },
    },
};
use burn_hebbian::{
    optim::Entry,
    prelude::*,
    train::{Batch, LogRenderer},
};
use libtest_mimic::Trial;

use super::{Run, ToBatch, fresh, hybrid};
use crate::on_flex;

pub(super) fn trials() -> Vec<Trial> {
    vec![
        on_flex("trainer::metrics_reach_the_calm_line", metrics_reach_the_line),
        on_flex("trainer::early_stopping_stops", early_stopping_stops),
    ]
}

/// What is written goes where the test can read it.
#[derive(Clone, Default)]
struct Paper(Arc<Mutex<Vec<u8>>>);

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Paper {
    fn lines(&self) -> Vec<String> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        text.lines().map(ToString::to_string).collect()
    }
}

fn metrics_reach_the_line(device: &Device) {
    let paper = Paper::default();
    let plan = hybrid(Entry::local("net.conv2", Rule::swta()));
    let folder = tempfile::tempdir().unwrap();
    let trained = Run::new(&fresh(device), &plan, 3).launch(folder.path(), |training| {
        training
            .metrics((AccuracyMetric::new(), LossMetric::new()))
            .renderer(Box::new(LogRenderer::new(paper.clone())))
    });
    let lines = paper.lines();
    assert_eq!(lines.len(), 3, "{lines:?}");
    let Batch { input, targets } = ToBatch.batch((100..109).collect(), device);
    let guesses = trained.net.forward(input).argmax(1).squeeze_dim::<1>(1);
    let right: f64 = guesses.equal(targets).int().sum().into_scalar();
    let accuracy = format!("valid: Accuracy {:.2} %, Loss", 100.0 * right / 9.0);
    assert!(
        lines[2].starts_with("epoch 3/3 | train: Accuracy ") && lines[2].contains(&accuracy),
        "{lines:?}"
    );
}

/// At rate 0 nothing improves after the first epoch.
fn early_stopping_stops(device: &Device) {
    let (paper, folder) = (Paper::default(), tempfile::tempdir().unwrap());
    let patience = StoppingCondition::NoImprovementSince { n_epochs: 2 };
    let stopping = MetricEarlyStoppingStrategy::new(
        &LossMetric::new(),
        Aggregate::Mean,
        Direction::Lowest,
        Split::Valid,
        patience,
    );
    let still = Plan::new().with(Entry::backprop(".*").at_rate(0.0));
    let trained = Run::new(&fresh(device), &still, 20).launch(folder.path(), |training| {
        let interrupter = training.interrupter();
        training
            .metrics((LossMetric::new(),))
            .early_stopping(stopping)
            .renderer(Box::new(LogRenderer::new(paper.clone()).watching(interrupter)))
    });
    assert_eq!(trained.epochs, 3);
    assert_eq!(paper.lines()[3], "stopped early after epoch 3");
}
