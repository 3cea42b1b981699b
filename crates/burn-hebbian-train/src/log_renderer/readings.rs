//! What the metrics of one split of an epoch say.

use std::collections::HashMap;

use burn::train::{
    metric::{MetricAttributes, MetricDefinition, MetricId, NumericEntry},
    renderer::MetricState,
};

/// Numbers below this magnitude are written with an exponent.
const SMALL: f64 = 1e-3;

/// The numeric metrics of one split so far.
#[derive(Debug, Default)]
pub(super) struct Readings(HashMap<MetricId, Reading>);

/// A metric so far: the mean of its entries by their counts, unless it has given its final value.
#[derive(Debug, Default)]
struct Reading {
    sum: f64,
    count: usize,
    last: Option<f64>,
}

impl Readings {
    /// Adds what a metric says of one batch, or at the end of the split.
    pub(super) fn add(&mut self, state: MetricState) {
        if let MetricState::Numeric(entry, Some(number)) = state {
            self.0.entry(entry.metric_id).or_default().add(&number);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// `Loss 0.412, Accuracy 87.20 %`, in the order of the definitions.
    pub(super) fn text(&self, definitions: &[MetricDefinition]) -> String {
        let text = |definition: &MetricDefinition| {
            let value = self.0.get(&definition.metric_id)?.value()?;
            Some(format!("{} {}", definition.name, number(value, unit(definition))))
        };
        definitions.iter().filter_map(text).collect::<Vec<_>>().join(", ")
    }
}

impl Reading {
    fn add(&mut self, entry: &NumericEntry) {
        let (value, count) = match entry {
            NumericEntry::Final(value) => {
                self.last = Some(*value);
                return;
            }
            NumericEntry::Value(value) => (*value, 1),
            NumericEntry::Aggregated { aggregated_value, count } => (*aggregated_value, *count),
        };
        self.sum += value * count as f64;
        self.count += count;
    }

    fn value(&self) -> Option<f64> {
        self.last.or_else(|| (self.count > 0).then(|| self.sum / self.count as f64))
    }
}

fn unit(definition: &MetricDefinition) -> Option<&str> {
    match &definition.attributes {
        MetricAttributes::Numeric(attributes) => attributes.unit.as_deref(),
        MetricAttributes::None => None,
    }
}

fn number(value: f64, unit: Option<&str>) -> String {
    match unit {
        Some("%") => format!("{value:.2} %"),
        Some(unit) => format!("{} {unit}", plain(value)),
        None => plain(value),
    }
}

fn plain(value: f64) -> String {
    if value != 0.0 && value.abs() < SMALL { format!("{value:.2e}") } else { format!("{value:.3}") }
}
