//! What the bench `gpu` measures: the device's matrix products, steps of whole nets, strategies of one layer, and the
//! forms of its sums.

pub mod ceiling;
pub mod device;
pub mod forms;
pub mod nets;
pub mod report;
pub mod strategies;
pub mod timer;

use burn::{
    module::{Module, ModuleMapper, Param},
    tensor::{DType, Device, Distribution, Tensor},
};

use self::{report::Csv, timer::Timer};
use crate::grid::Case;

/// Steps between two looks at whether updates are finite: none of them waits for the device within a timed stretch
/// of less.
pub const CHECK_EVERY: usize = 100;

/// What all parts of the bench share.
#[derive(Debug)]
pub struct Bench {
    /// Where everything runs.
    pub device: Device,
    /// Whether sizes are as published; tiny otherwise, to try the bench itself.
    pub full: bool,
    /// The data types that the device knows, `f32` first.
    pub dtypes: Vec<DType>,
    /// Takes the times.
    pub timer: Timer,
    /// Only cases whose name contains this.
    pub name: String,
    /// All times, one a line.
    pub csv: Csv,
}

impl Bench {
    /// Whether a case is asked for, and there is time left for it.
    pub fn takes(&self, name: &str) -> bool {
        name.contains(&self.name) && self.timer.has_time(name)
    }

    /// Normal values.
    pub fn normal<const D: usize>(&self, dims: [usize; D], dtype: DType) -> Tensor<D> {
        Tensor::<D>::random(dims, Distribution::Normal(0.0, 1.0), &self.device).cast(dtype)
    }

    /// The case at so many images, or a tiny one of the same kind.
    pub fn sized(&self, case: &Case, batch: usize) -> Case {
        if self.full {
            return Case { batch, ..*case };
        }
        let groups = case.groups.min(4);
        let channels = case.channels.map(|all| groups * (all / case.groups).min(4));
        Case { batch: 2, channels, groups, size: case.size.min(8), ..*case }
    }
}

/// Multiplications of a case's forward pass.
pub fn multiplications(case: &Case) -> f64 {
    let size = (case.size + 2 * case.padding - case.kernel) / case.stride + 1;
    let fan_in = case.channels[0] / case.groups * case.kernel.pow(2);
    (case.batch * size.pow(2) * fan_in * case.channels[1]) as f64
}

/// Changes the data type of all parameters.
pub struct Cast(pub DType);

impl Cast {
    /// A model whose parameters have this type.
    pub fn cast<M: Module>(dtype: DType, model: M) -> M {
        if dtype == DType::F32 { model } else { model.map(&mut Self(dtype)) }
    }
}

impl ModuleMapper for Cast {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        param.map(|values| values.cast(self.0))
    }
}
