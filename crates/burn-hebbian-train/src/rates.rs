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

use crate::course::{Course, CourseError};

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
    course: &Course,
    plans: &[BoundPlan],
    base: impl Fn(&RangeInclusive<usize>) -> LrSchedulerConfig,
) -> Result<ModuleLrScheduler, CourseError> {
    let of_the_rest = course.phases().iter().map(&base).collect();
    let mut rates = ModuleLrScheduler::new(PhasedRate::new(course, of_the_rest)?);
    let paths = plans.first().map(|plan| plan.report().parameters).unwrap_or_default();
    for (path, _) in paths {
        let own = |(plan, epochs): (&BoundPlan, _)| plan.rate(&path).unwrap_or_else(|| base(epochs));
        let configs = plans.iter().zip(course.phases()).map(own).collect();
        rates = rates.with_group(ParamGroup::from_path(&path), PhasedRate::new(course, configs)?);
    }
    Ok(rates)
}

/// One schedule a phase; that of the phase that runs steps.
#[derive(Clone)]
struct PhasedRate {
    course: Course,
    phases: Vec<ModuleLrScheduler>,
}

impl PhasedRate {
    fn new(course: &Course, configs: Vec<LrSchedulerConfig>) -> Result<Self, CourseError> {
        let schedule = |(config, epochs): (LrSchedulerConfig, &RangeInclusive<usize>)| {
            let refused = |reason| RateError { epochs: epochs.clone(), reason };
            Ok(ModuleLrSchedulerConfig::new(config).init().map_err(refused)?)
        };
        let phases = configs.into_iter().zip(course.phases()).map(schedule);
        Ok(Self { course: course.clone(), phases: phases.collect::<Result<_, CourseError>>()? })
    }
}

impl LrScheduler for PhasedRate {
    fn step(&mut self) -> f64 {
        self.phases[self.course.now()].step().base()
    }

    fn to_record(&self) -> LrSchedulerRecord {
        let join = |record: LrSchedulerRecord, (number, phase): (usize, &ModuleLrScheduler)| {
            record.with_record(&number.to_string(), phase.to_record())
        };
        self.phases.iter().enumerate().fold(LrSchedulerRecord::new(), join)
    }

    fn load_record(&mut self, record: LrSchedulerRecord) {
        for (number, phase) in self.phases.iter_mut().enumerate() {
            *phase = phase.clone().load_record(record.record(&number.to_string()));
        }
    }
}
