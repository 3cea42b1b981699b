//! What all methods that learn from given states have in common.

use burn::{module::Module, tensor::Tensor};
use burn_hebbian_core::Signals;
use burn_hebbian_optim::{LocalOptimizer, Updates};

use crate::{Chain, FeedbackError};

/// A way to learn from the states of a chain.
///
/// [`learn`](Self::learn) is a whole pass. Where other layers of the model learn in the same pass, from their forward passes or by
/// backprop, observe it by hand, and build the chain from the copy that the closure gets:
///
/// ```
/// # use burn::{module::Module, nn::{Linear, LinearConfig}, optim::SgdConfig, tensor::{Device, Tensor}};
/// # use burn_hebbian_core::{Rule, Signals};
/// # use burn_hebbian_nn::Local;
/// # use burn_hebbian_optim::{LocalTraining, Plan};
/// use burn_hebbian_feedback::{Chain, Method, Settling};
///
/// #[derive(Module, Debug)]
/// struct Net {
///     first: Local<Linear>,
///     output: Local<Linear>,
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let device = Device::flex();
/// # let linear = |i, o| LinearConfig::new(i, o).init(&device);
/// # let net = Net { first: linear(4, 8).into(), output: linear(8, 2).into() };
/// # let (images, targets) = (Tensor::<2>::ones([16, 4], &device), Tensor::<2>::zeros([16, 2], &device));
/// let plan = Plan::new().local("first", Rule::oja()).local("output", LocalTraining::from_given_states());
/// let (net, mut optim) = plan.init(net, SgdConfig::new())?;
/// let (settled, seen) = optim.observe(&net, Signals::none(), |net| {
///     let features = net.first.forward(images);
///     Settling::default().teach(&Chain::new([8]).layer(&net.output), features, targets)
/// })?;
/// settled?;
/// let net = optim.step(0.1, net, seen.local_only())?;
/// # let _ = net;
/// # Ok(()) }
/// ```
pub trait Method {
    /// What it tells about a batch.
    type Report;

    /// Computes the states of a batch, `x: [n, channels, positions…]` with targets `[n, neurons]`, and hands them to the layers of
    /// the chain; those learn if they are observed. On an error no layer is handed anything.
    ///
    /// # Errors
    ///
    /// If chain, batch or settings do not fit, or states do not settle.
    fn teach<const D: usize>(
        &self,
        chain: &Chain,
        x: Tensor<D>,
        targets: Tensor<2>,
    ) -> Result<Self::Report, FeedbackError>;

    /// One observed pass: what the step of the optimizer takes. `chain` builds the chain from the model.
    ///
    /// # Errors
    ///
    /// As [`teach`](Self::teach), and if the pass is refused, or no layer of the chain learns.
    fn learn<M: Module, const D: usize>(
        &self,
        optim: &LocalOptimizer,
        model: &M,
        chain: impl for<'m> FnOnce(&'m M) -> Chain<'m>,
        x: Tensor<D>,
        targets: Tensor<2>,
    ) -> Result<(Self::Report, Updates), FeedbackError> {
        let (report, seen) =
            optim.observe(model, Signals::none(), |model| self.teach(&chain(model), x, targets))?;
        let report = report?;
        let updates = seen.local_only();
        match updates.reached().is_empty() {
            true => Err(FeedbackError::NothingLearned),
            false => Ok((report, updates)),
        }
    }
}
