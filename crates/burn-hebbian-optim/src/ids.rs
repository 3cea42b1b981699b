//! Parameters with new identities.

use burn::{
    module::{Module, ModuleMapper, Param, ParamId},
    tensor::{Bool, Int, Tensor},
};

/// `module` with new ids for all its parameters: clones of a layer, and parts that one record was loaded into, otherwise
/// are one parameter to an optimizer.
///
/// Running statistics keep their ids, and clones share them: initialize norms by themselves.
///
/// ```
/// use burn::{nn::LinearConfig, tensor::Device};
/// use burn_hebbian_optim::fresh_ids;
///
/// let layer = LinearConfig::new(4, 4).init(&Device::flex());
/// let other = fresh_ids(layer.clone());
/// assert_ne!(layer.weight.id, other.weight.id);
/// ```
pub fn fresh_ids<M: Module>(module: M) -> M {
    module.map(&mut Fresh)
}

struct Fresh;

impl ModuleMapper for Fresh {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        // a leaf of its own in the autodiff graph, too
        let require_grad = param.is_require_grad();
        let (_, values, mapper) = param.consume();
        let values =
            if values.is_autodiff() { values.detach().set_require_grad(require_grad) } else { values };
        Param::from_mapped_value(ParamId::new(), values, mapper)
    }

    fn map_int<const D: usize>(&mut self, param: Param<Tensor<D, Int>>) -> Param<Tensor<D, Int>> {
        let (_, values, mapper) = param.consume();
        Param::from_mapped_value(ParamId::new(), values, mapper)
    }

    fn map_bool<const D: usize>(&mut self, param: Param<Tensor<D, Bool>>) -> Param<Tensor<D, Bool>> {
        let (_, values, mapper) = param.consume();
        Param::from_mapped_value(ParamId::new(), values, mapper)
    }
}
