//! Learning rates that follow the phases of a plan.

use std::ops::RangeInclusive;

use burn::{
    lr_scheduler::{
        LrScheduler, LrSchedulerConfig, LrSchedulerRecord,
        module_lr_scheduler::{ModuleLrScheduler, ModuleLrSchedulerConfig},
    },
    module::{Module, ParamGroup},
};

use burn_hebbian_optim::PlanError;

use crate::course::{Course, CourseError, Phase};

/// A schedule that Burn refuses.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("learning rate in epochs {} to {}: {reason}", epochs.start(), epochs.end())]
pub struct RateError {
    epochs: RangeInclusive<usize>,
    reason: String,
}

/// One group a parameter, since who has a rate of its own differs between phases; `base` for all others.
pub(crate) fn rates<M: Module>(
    course: &Course,
    model: &M,
    base: impl Fn(&RangeInclusive<usize>) -> LrSchedulerConfig,
) -> Result<ModuleLrScheduler, CourseError> {
    let mut rates = ModuleLrScheduler::new(PhasedRate::new(course, |phase| Ok(base(&phase.epochs)))?);
    for (path, _) in course.plan(0).report(model)?.parameters {
        let own = |phase: &Phase| Ok(phase.plan.rate(&path)?.unwrap_or_else(|| base(&phase.epochs)));
        rates = rates.with_group(ParamGroup::from_path(&path), PhasedRate::new(course, own)?);
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
    fn new(
        course: &Course,
        config: impl Fn(&Phase) -> Result<LrSchedulerConfig, PlanError>,
    ) -> Result<Self, CourseError> {
        let schedule = |phase: &Phase| {
            let refused = |reason| RateError { epochs: phase.epochs.clone(), reason };
            Ok(ModuleLrSchedulerConfig::new(config(phase)?).init().map_err(refused)?)
        };
        let phases = course.phases().iter().map(schedule).collect::<Result<_, CourseError>>()?;
        Ok(Self { course: course.clone(), phases })
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
