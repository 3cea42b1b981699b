//! Steps that show a layer nothing.

use burn::tensor::{Bool, Tensor};

use crate::Activity;

/// How much a pass showed, `[1]`: `Σ |w_k · x|`, 0 if every patch was blank, or if there was none. A statistic: sums of
/// micro-batches and devices add up.
pub(crate) fn signal(activity: &Activity) -> Tensor<1> {
    activity.whole_dot().abs().sum()
}

/// Whether a step showed anything, `[1]`, by its summed signal, the last of `statistics`.
pub(crate) fn saw(statistics: &Tensor<1>) -> Tensor<1, Bool> {
    let len = statistics.dims()[0];
    statistics.clone().narrow(0, len - 1, 1).greater_elem(0.0)
}

/// `next` if the step saw anything, else `state`.
pub(crate) fn unless_blank(state: Tensor<1>, next: Tensor<1>, saw: Tensor<1, Bool>) -> Tensor<1> {
    let len = state.dims()[0];
    state.mask_where(saw.expand([len]), next)
}
