//! A reading as a metric of burn-train.

use std::sync::Arc;

use burn::{
    tensor::TensorReadError,
    train::metric::{
        Metric, MetricAttributes, MetricMetadata, MetricName, Numeric, NumericAttributes, NumericEntry,
        SerializedEntry, format_float,
    },
};

use super::{
    Quantity,
    history::{SharedHistory, lock},
};

/// Digits after the point.
const PRECISION: usize = 4;

/// One quantity of one layer, made by [`Watch::metric`](super::Watch::metric); named as `conv1: dead neurons`.
///
/// burn-train computes metrics on another thread, behind the training: the metric goes by its own count of epochs, so that
/// an epoch's final value is never one of the next.
#[derive(Debug, Clone)]
pub struct WatchMetric {
    name: MetricName,
    history: SharedHistory,
    layer: String,
    quantity: Quantity,
    /// The epoch that is shown.
    epoch: usize,
    /// The last value of it.
    value: Option<f64>,
}

impl WatchMetric {
    pub(super) fn new(history: SharedHistory, layer: &str, quantity: Quantity, trained: usize) -> Self {
        let name = Arc::new(format!("{layer}: {quantity}"));
        Self { name, history, layer: layer.to_string(), quantity, epoch: trained + 1, value: None }
    }

    fn look(&mut self) -> Option<f64> {
        self.value = lock(&self.history).last(&self.layer, self.quantity, self.epoch);
        self.value
    }

    fn entry(&self, serialized: impl FnOnce(f64) -> NumericEntry) -> SerializedEntry {
        let Some(value) = self.value else { return SerializedEntry::not_available(None) };
        let text = format!("epoch {0} - batch {0}", format_float(value, PRECISION));
        SerializedEntry::new(text, serialized(value).serialize())
    }
}

impl Metric for WatchMetric {
    type Input = ();

    fn name(&self) -> MetricName {
        self.name.clone()
    }

    fn attributes(&self) -> MetricAttributes {
        NumericAttributes { unit: None, higher_is_better: self.quantity.higher_is_better() }.into()
    }

    fn update(&mut self, _item: &(), _metadata: &MetricMetadata) -> Result<SerializedEntry, TensorReadError> {
        self.look();
        Ok(self.entry(NumericEntry::Value))
    }

    fn compute(&mut self) -> Result<SerializedEntry, TensorReadError> {
        self.look();
        Ok(self.entry(NumericEntry::Final))
    }

    /// The epoch is over.
    fn clear(&mut self) {
        self.epoch += 1;
        self.value = None;
    }
}

impl Numeric for WatchMetric {
    fn value(&self) -> Option<NumericEntry> {
        self.value.map(NumericEntry::Value)
    }

    fn running_value(&self) -> Option<NumericEntry> {
        self.value()
    }

    fn final_value(&self) -> NumericEntry {
        NumericEntry::Final(self.value.unwrap_or(f64::NAN))
    }
}
