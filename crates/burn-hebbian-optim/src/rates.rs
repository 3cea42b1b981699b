//! Schedules of Burn's as parts of other schedules.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use burn::lr_scheduler::{
    LrScheduler, LrSchedulerConfig, LrSchedulerRecord,
    module_lr_scheduler::{ModuleLrScheduler, ModuleLrSchedulerConfig},
};

use crate::PlanError;

/// The rate that a step is given, as a schedule.
#[derive(Debug, Clone, Default)]
pub(crate) struct Given(Arc<AtomicU64>);

impl Given {
    pub(crate) fn set(&self, rate: f64) {
        self.0.store(rate.to_bits(), Relaxed);
    }
}

impl LrScheduler for Given {
    fn step(&mut self) -> f64 {
        f64::from_bits(self.0.load(Relaxed))
    }

    fn to_record(&self) -> LrSchedulerRecord {
        LrSchedulerRecord::new()
    }

    fn load_record(&mut self, _record: LrSchedulerRecord) {}
}

/// The schedule of an entry.
#[derive(Clone)]
pub(crate) struct Scheduled(ModuleLrScheduler);

impl Scheduled {
    pub(crate) fn new(rate: &LrSchedulerConfig, pattern: &str) -> Result<Self, PlanError> {
        let refused = |reason| PlanError::Rate { pattern: pattern.to_string(), reason };
        ModuleLrSchedulerConfig::new(rate.clone()).init().map(Self).map_err(refused)
    }
}

impl LrScheduler for Scheduled {
    fn step(&mut self) -> f64 {
        self.0.step().base()
    }

    fn to_record(&self) -> LrSchedulerRecord {
        self.0.to_record()
    }

    fn load_record(&mut self, record: LrSchedulerRecord) {
        self.0 = self.0.clone().load_record(record);
    }
}
