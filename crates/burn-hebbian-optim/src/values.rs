//! Numbers in the place of others.

use burn::tensor::Tensor;

/// `values` in the place of `old`: in its shape, type, device and autodiff state.
pub(crate) fn put<const D: usize, const V: usize>(values: Tensor<V>, old: Tensor<D>) -> Tensor<D> {
    let values = values.reshape(old.dims()).cast(old.dtype()).to_device(&old.device().inner());
    match old.gradient_checkpointing_strategy() {
        None => values,
        Some(strategy) => {
            let values = values.autodiff().with_gradient_checkpointing_strategy(strategy);
            values.set_require_grad(old.is_require_grad())
        }
    }
}

/// What `f` makes of values below the autodiff graph, in their autodiff state.
pub(crate) fn within<const D: usize>(values: Tensor<D>, f: impl FnOnce(Tensor<D>) -> Tensor<D>) -> Tensor<D> {
    match values.gradient_checkpointing_strategy() {
        None => f(values),
        Some(strategy) => {
            let requires_grad = values.is_require_grad();
            let values = f(values.inner()).autodiff().with_gradient_checkpointing_strategy(strategy);
            values.set_require_grad(requires_grad)
        }
    }
}
