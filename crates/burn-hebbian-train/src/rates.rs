//! Learning rates that follow the phases of a plan.

use std::ops::RangeInclusive;

use burn::{
    lr_scheduler::{
        LrScheduler, LrSchedulerConfig, LrSchedulerRecord,
        module_lr_scheduler::{ModuleLrScheduler, ModuleLrSchedulerConfig},
    },
    module::ParamGroup,
};
use burn_hebbian_optim::BoundPlan;

use crate::phases::Phases;

/// A schedule that Burn refuses.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("learning rate in epochs {} to {}: {reason}", epochs.start(), epochs.end())]
pub struct RateError {
    epochs: RangeInclusive<usize>,
    reason: String,
}

/// One group a parameter, since who has a rate of its own differs between phases; `base` for all others. `plans` is the plan
/// in each phase.
pub(crate) fn rates(
    phases: &Phases,
    plans: &[BoundPlan],
    base: impl Fn(&RangeInclusive<usize>) -> LrSchedulerConfig,
) -> Result<ModuleLrScheduler, RateError> {
    let of_the_rest = phases.ranges().iter().map(&base).collect();
    let mut rates = ModuleLrScheduler::new(PhasedRate::new(phases, of_the_rest)?);
    let paths = plans.first().map(|plan| plan.report().parameters).unwrap_or_default();
    for (path, _) in paths {
        let own = |(plan, epochs): (&BoundPlan, _)| plan.rate(&path).unwrap_or_else(|| base(epochs));
        let configs = plans.iter().zip(phases.ranges()).map(own).collect();
        rates = rates.with_group(ParamGroup::from_path(&path), PhasedRate::new(phases, configs)?);
    }
    Ok(rates)
}

/// One schedule a phase; that of the phase that runs steps.
#[derive(Clone)]
struct PhasedRate {
    phases: Phases,
    rates: Vec<ModuleLrScheduler>,
}

impl PhasedRate {
    fn new(phases: &Phases, configs: Vec<LrSchedulerConfig>) -> Result<Self, RateError> {
        let schedule = |(config, epochs): (LrSchedulerConfig, &RangeInclusive<usize>)| {
            let refused = |reason| RateError { epochs: epochs.clone(), reason };
            ModuleLrSchedulerConfig::new(config).init().map_err(refused)
        };
        let rates = configs.into_iter().zip(phases.ranges()).map(schedule);
        Ok(Self { phases: phases.clone(), rates: rates.collect::<Result<_, _>>()? })
    }
}

impl LrScheduler for PhasedRate {
    fn step(&mut self) -> f64 {
        self.rates[self.phases.now()].step().base()
    }

    fn to_record(&self) -> LrSchedulerRecord {
        let join = |record: LrSchedulerRecord, (number, phase): (usize, &ModuleLrScheduler)| {
            record.with_record(&number.to_string(), phase.to_record())
        };
        self.rates.iter().enumerate().fold(LrSchedulerRecord::new(), join)
    }

    fn load_record(&mut self, record: LrSchedulerRecord) {
        for (number, phase) in self.rates.iter_mut().enumerate() {
            *phase = phase.clone().load_record(record.record(&number.to_string()));
        }
    }
}
