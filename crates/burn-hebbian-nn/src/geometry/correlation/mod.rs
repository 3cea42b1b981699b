//! `Σ c_k x`, the weight gradient of a convolution of any rank, with or without groups, in several forms.

mod cost;
mod gradient;
mod layout;
mod patches;
mod taps;
mod views;

use burn::tensor::Tensor;

pub(crate) use self::cost::Task;
use crate::{forms::CorrelationForm, window::Window};

/// `Σ c_k x` over images and positions, `[groups · neurons, channels / groups, kernel…]`.
///
/// `x: [n, channels, …]` is the input of the convolution, `c: [n, groups · neurons, …]` has the shape of its
/// output. A transposed convolution is the adjoint: the same sum, with `c` as the input and `x` as the
/// output.
pub(super) fn correlate(
    window: &Window,
    x: Tensor<5>,
    c: Tensor<5>,
    form: Option<CorrelationForm>,
) -> Tensor<5> {
    let (task, device) = (Task::new(window, x.dims(), c.dims()), x.device());
    match task.feasible(form.unwrap_or_else(|| task.cheapest(&device))) {
        CorrelationForm::Gradient => gradient::correlate(window, x, c),
        CorrelationForm::Taps => taps::correlate(window, x, c),
        CorrelationForm::Patches | CorrelationForm::Fused => {
            patches::over_images(window, x, c, task.patches_at_once(&device))
        }
        CorrelationForm::Images => patches::by_image(window, x, c, task.patches_at_once(&device)),
        CorrelationForm::Views => views::correlate(window, x, c, task.grids_at_once(&device)),
    }
}
