//! What a step is made of: sums of local layers, gradients, and how running statistics are to move.

use std::sync::Arc;

use burn::optim::GradientsParams;
use burn_hebbian_core::Sums;

use crate::{
    BoundPlan, UpdateError,
    bind::{Assignment, Parameter, Role},
    ranks::by_rank,
    running::Shifts,
};

/// What one or several forward passes taught: all that a step needs.
///
/// Passes over parts of a batch [add up](Self::merge) exactly, whatever the rule divides by; gradients of backprop add up as
/// they are, as in Burn.
///
/// ```
/// # use burn::{nn::{Initializer, LinearConfig}, optim::SgdConfig, tensor::{Device, Tensor}};
/// # use burn_hebbian_core::{Rule, Signals};
/// # use burn_hebbian_nn::Local;
/// # use burn_hebbian_optim::Plan;
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let device = Device::flex();
/// # let one = LinearConfig::new(1, 1).with_bias(false).with_initializer(Initializer::Ones);
/// # let plan = Plan::new().local(".*", Rule::hebb());
/// # let (net, mut optim) = plan.init(Local::new(one.init(&device)), SgdConfig::new())?;
/// // w = 1; y x = 1, and 9 for each of two images
/// let learn = |x| optim.observe(&net, Signals::none(), |net| net.forward(x));
/// let (_, few) = learn(Tensor::<2>::from_data([[1.0]], &device))?;
/// let (_, more) = learn(Tensor::<2>::from_data([[3.0], [3.0]], &device))?;
///
/// let updates = few.local_only().merge(more.local_only())?;
/// assert_eq!(updates.parameters(), ["weight"]);
/// let net = optim.step(1.0, net, updates)?;
/// let mean = (1.0 + 9.0 + 9.0) / 3.0;
/// let moved = net.layer().weight.val().into_scalar::<f32>() - 1.0;
/// assert!((moved - mean).abs() < 1e-5);
/// # Ok(()) }
/// ```
#[must_use = "nothing is learned until `step` gets the updates"]
#[derive(Debug)]
pub struct Updates {
    pub(crate) plan: BoundPlan,
    pub(crate) assignment: Arc<Assignment>,
    pub(crate) learned: Learned,
    pub(crate) demands: Demands,
}

/// Sums of local layers, by their place.
#[derive(Debug, Default)]
pub(crate) struct SumsByPlace(Vec<Option<Sums>>);

impl SumsByPlace {
    pub(crate) fn holds(&self, place: usize) -> bool {
        self.0.get(place).is_some_and(Option::is_some)
    }

    pub(crate) fn take(&mut self, place: usize) -> Option<Sums> {
        self.0.get_mut(place)?.take()
    }

    pub(crate) fn add(&mut self, place: usize, sums: Sums) {
        if place >= self.0.len() {
            self.0.resize_with(place + 1, || None);
        }
        let known = &mut self.0[place];
        *known = Some(match known.take() {
            Some(known) => known.merge(sums),
            None => sums,
        });
    }

    fn merge(&mut self, other: Self) {
        for (place, sums) in other.0.into_iter().enumerate() {
            if let Some(sums) = sums {
                self.add(place, sums);
            }
        }
    }

    pub(crate) fn left(&self) -> usize {
        self.0.iter().flatten().count()
    }
}

/// What passes taught.
#[derive(Debug)]
pub(crate) struct Learned {
    pub(crate) sums: SumsByPlace,
    /// Gradients of backprop, and [packed](Shifts::packed) shifts, by the ids of the parameters.
    pub(crate) grads: GradientsParams,
}

/// What a step insists on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Demands {
    /// That every local layer has sums.
    pub(crate) sums: bool,
    /// That every parameter that learns by backprop has a gradient.
    pub(crate) gradients: bool,
}

impl Updates {
    pub(crate) fn new(
        plan: BoundPlan,
        assignment: Arc<Assignment>,
        sums: SumsByPlace,
        shifts: Shifts,
        mut grads: GradientsParams,
        backward: bool,
    ) -> Self {
        for (id, shift) in shifts.packed() {
            let Some(parameter) = assignment.running(id) else { continue };
            by_rank!(parameter.shape.len(), D => {
                let mut dims = [1; D];
                dims[0] = shift.dims()[0];
                grads.register::<D>(id, shift.reshape(dims));
            });
        }
        let learned = Learned { sums, grads };
        Self { plan, assignment, learned, demands: Demands { sums: true, gradients: backward } }
    }

    /// Both together, as those of one batch.
    ///
    /// # Errors
    ///
    /// If they are of two models or two bindings of a plan.
    pub fn merge(mut self, mut other: Self) -> Result<Self, UpdateError> {
        if !self.plan.is_same(&other.plan) || self.assignment.key != other.assignment.key {
            return Err(UpdateError::Foreign { what: "updates to merge".to_string() });
        }
        self.learned.sums.merge(other.learned.sums);
        let (grads, others) = (&mut self.learned.grads, &mut other.learned.grads);
        for parameter in &self.assignment.parameters {
            by_rank!(parameter.shape.len(), D => {
                let Some(more) = others.remove::<D>(parameter.id) else { continue };
                let sum = match grads.remove::<D>(parameter.id) {
                    Some(known) => known + more,
                    None => more,
                };
                grads.register::<D>(parameter.id, sum);
            });
        }
        let Demands { sums, gradients } = self.demands;
        self.demands =
            Demands { sums: sums && other.demands.sums, gradients: gradients || other.demands.gradients };
        Ok(self)
    }

    /// Lets the step leave out local layers that no pass has reached, and parameters without a gradient; without this such
    /// a step is refused, but for what the plan calls [optional](crate::Entry::optional).
    pub fn partial(mut self) -> Self {
        self.demands = Demands { sums: false, gradients: false };
        self
    }

    /// As Burn's gradients, for trainers that hand these to
    /// [`BoundPlan::optimize`]: burn-train's do, and add them up over micro-batches and devices.
    ///
    /// Sums of local layers in them have shapes of their own: an optimizer of Burn's refuses them.
    pub fn into_grads(self) -> GradientsParams {
        let Learned { mut sums, mut grads } = self.learned;
        for (place, layer) in self.assignment.learning() {
            let weight = &self.assignment.parameters[layer.weight];
            let sums = sums.take(place);
            by_rank!(weight.shape.len(), D => {
                let gradient = grads.remove::<D>(weight.id).filter(|_| layer.mixes_backprop());
                if sums.is_some() || gradient.is_some() {
                    grads.register::<D>(weight.id, layer.pack(sums, gradient));
                }
            });
        }
        grads
    }

    /// The paths of the parameters that anything is in them for, in the model's order.
    pub fn parameters(&self) -> Vec<&str> {
        let Learned { sums, grads } = &self.learned;
        let holds = |parameter: &&Parameter| match parameter.role {
            Role::Local(place) if sums.holds(place) => true,
            _ => by_rank!(parameter.shape.len(), D => grads.get::<D>(parameter.id).is_some()),
        };
        self.assignment.parameters.iter().filter(holds).map(|parameter| parameter.path.as_str()).collect()
    }

    /// The local layers that the passes have reached, in the model's order.
    pub fn reached(&self) -> Vec<&str> {
        let reached = self.assignment.learning().filter(|(place, _)| self.learned.sums.holds(*place));
        reached.map(|(_, layer)| layer.path.as_str()).collect()
    }
}
