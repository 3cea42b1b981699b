//! The calm renderer, called as burn-train calls it.

use std::sync::Arc;

use burn::train::{
    checkpoint::CheckpointerError,
    metric::{AccuracyMetric, LossMetric, Metric, MetricEntry, MetricId, NumericEntry, SerializedEntry},
};

use super::*;

fn calm() -> LogRenderer<Vec<u8>> {
    let mut calm = LogRenderer::new(Vec::new());
    let (loss, accuracy) = (LossMetric::new(), AccuracyMetric::new());
    calm.register_metric(MetricDefinition::new(MetricId::new(loss.name()), &loss));
    calm.register_metric(MetricDefinition::new(MetricId::new(accuracy.name()), &accuracy));
    // of the second split
    calm.register_metric(MetricDefinition::new(MetricId::new(loss.name()), &loss));
    calm
}

fn entry(metric: &str, number: NumericEntry) -> MetricState {
    let id = MetricId::new(Arc::new(metric.to_string()));
    let text = SerializedEntry::new("epoch 9 - batch 9".to_string(), "9".to_string());
    MetricState::Numeric(MetricEntry::new(id, text), Some(number))
}

/// The lines without what the clock says.
fn lines<W: AsRef<[u8]>>(calm: &LogRenderer<W>) -> Vec<String> {
    let text = String::from_utf8_lossy(calm.out.as_ref());
    let timeless = |line: &str| match line.rsplit_once(" | ") {
        Some((rest, last)) if last.contains(" s") => rest.to_string(),
        _ => line.to_string(),
    };
    text.lines().map(timeless).collect()
}

/// Two batches of the training split and one of the other.
fn epoch(calm: &mut LogRenderer<Vec<u8>>, number: usize) {
    calm.start_split("train", 6);
    for (loss, count) in [(0.5, 4), (0.2, 2)] {
        calm.update_train(entry("Loss", NumericEntry::Aggregated { aggregated_value: loss, count }));
        calm.update_train(entry("Accuracy", NumericEntry::Value(50.0)));
        calm.update_split(count);
        calm.log_event_training("Iteration".to_string());
    }
    calm.update_train(entry("Accuracy", NumericEntry::Final(62.5)));
    calm.end_split();
    calm.start_split("valid", 3);
    calm.update_valid(entry("Loss", NumericEntry::Final(0.00012)));
    calm.end_split();
    calm.update_epoch(number);
}

#[test]
fn an_epoch_is_one_line_with_the_metrics_of_both_splits() {
    let mut calm = calm();
    calm.start(10, 1, None, None);
    epoch(&mut calm, 1);
    epoch(&mut calm, 2);
    let line =
        |n: usize| format!("epoch {n:2}/10 | train: Loss 0.400, Accuracy 62.50 % | valid: Loss 1.20e-4");
    assert_eq!(lines(&calm), [line(1), line(2)]);
    let text = String::from_utf8(calm.out).unwrap();
    assert!(text.lines().all(|line| line.ends_with(" left")), "{text}");
}

#[test]
fn of_every_third_epoch_and_of_the_last_with_the_label() {
    let mut calm = calm().every(3);
    calm.start(4, 1, None, Some("bottom-1"));
    (1..=4).for_each(|number| epoch(&mut calm, number));
    calm.end();
    let lines = lines(&calm);
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[0].starts_with("bottom-1: epoch 3/4 | ") && lines[1].starts_with("bottom-1: epoch 4/4 | "));
}

#[test]
fn an_early_end_is_told_with_its_reason() {
    let interrupter = Interrupter::new();
    let mut early = calm().every(5).watching(interrupter.clone());
    early.start(20, 1, None, None);
    (1..=2).for_each(|number| epoch(&mut early, number));
    early.end();
    let told = lines(&early);
    assert!(told[0].starts_with("epoch  2/20 | train: "), "the last epoch, though not a fifth one: {told:?}");
    assert_eq!(told[1..], ["stopped early after epoch 2"]);

    let mut midway = calm().watching(interrupter.clone());
    midway.start(20, 3, None, None);
    midway.update_train(entry("Loss", NumericEntry::Value(0.5)));
    interrupter.stop(Some("enough"));
    midway.end();
    assert_eq!(
        lines(&midway),
        ["epoch  3/20 | train: Loss 0.500 | not finished", "stopped after epoch 2: enough"]
    );
}

#[test]
fn an_error_is_told() {
    let interrupter = Interrupter::new();
    let mut calm = calm().watching(interrupter.clone());
    calm.start(20, 1, None, Some("sgd"));
    epoch(&mut calm, 1);
    interrupter.fail(CheckpointerError::Unknown("the disk is full".to_string()));
    calm.end();
    let line = &lines(&calm)[1];
    assert!(line.starts_with("sgd: failed after epoch 1: ") && line.contains("the disk is full"), "{line}");
}

#[test]
fn events_are_printed_but_not_those_of_batches() {
    let mut calm = calm();
    calm.log_event_training("Iteration".to_string());
    calm.log_event_training("the plan's second phase".to_string());
    assert_eq!(lines(&calm), ["the plan's second phase"]);
}

#[test]
fn a_test_is_one_line() {
    let mut calm = calm();
    calm.start_test("digits", 4);
    for (value, count) in [(100.0, 3), (0.0, 1)] {
        let number = NumericEntry::Aggregated { aggregated_value: value, count };
        calm.update_test(EvaluationName::new("digits"), entry("Accuracy", number));
    }
    calm.end_test();
    assert_eq!(lines(&calm), ["test digits: Accuracy 75.00 %"]);
}
