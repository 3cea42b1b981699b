//! What local layers respond in a forward pass.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use burn::{
    module::{Module, ModuleMapper, ParamId},
    tensor::Tensor,
};
use burn_hebbian_core::{Activity, Factors, LocalRule, RuleError, Signals, Similarity, Sums};
use burn_hebbian_nn::observe::{GradientFlow, LayerInfo, Pass, Selection, with_seats};

use super::{Wins, layers::local_layers};

/// The responses of one layer, summed up.
#[derive(Debug, Clone)]
pub(super) struct Responses {
    pub(super) wins: Wins,
    count: usize,
    /// `Σ y`, `[1, k]`.
    sum: Tensor<2>,
    /// `Σ y yᵀ`, `[k, k]`.
    products: Tensor<2>,
}

impl Responses {
    fn new(wins: Wins, y: &Tensor<2>) -> Self {
        let sum = y.clone().sum_dim(0);
        Self { wins, count: y.dims()[0], sum, products: y.clone().transpose().matmul(y.clone()) }
    }

    fn add(&mut self, responses: Tensor<4>) {
        self.wins.add(responses.clone());
        let y = samples(responses);
        self.count += y.dims()[0];
        self.sum = self.sum.clone() + y.clone().sum_dim(0);
        self.products = self.products.clone() + y.clone().transpose().matmul(y);
    }

    /// `E[y yᵀ] − ȳ ȳᵀ`, `[k, k]`.
    pub(super) fn covariance(&self) -> Tensor<2> {
        let mean = self.sum.clone().div_scalar(self.count as f64);
        self.products.clone().div_scalar(self.count as f64) - mean.clone().transpose().matmul(mean)
    }
}

/// `[n, groups, neurons, positions] -> [n · positions, groups · neurons]`.
fn samples(responses: Tensor<4>) -> Tensor<2> {
    let [n, groups, neurons, positions] = responses.dims();
    let neurons = groups * neurons;
    responses.reshape([n, neurons, positions]).swap_dims(1, 2).reshape([n * positions, neurons])
}

type Heard = HashMap<ParamId, Responses>;

/// The responses of the local layers of `model` that `forward` reaches through the copy that it is given, by the id of their
/// weights. Nothing is learned, and nothing moves. A layer responds by the rule that a plan bound it to, or by its own.
pub(super) fn responses<M: Module, R>(model: &M, forward: impl FnOnce(&M) -> R) -> Heard {
    let heard = Arc::new(Mutex::new(Heard::new()));
    let layer = |layer: LayerInfo| {
        let similarity = similarity(layer.learns_by.as_deref().or(layer.rule.as_deref()));
        let rule = Arc::new(Hearing { weight: layer.weight, similarity, heard: heard.clone() });
        Selection { rule, flow: GradientFlow::Block, backprop: false }
    };
    let layers = local_layers(model).into_iter().map(layer).collect();
    let (copy, _) = with_seats(Arc::new(Listener { layers }), || model.clone().map(&mut Unchanged));
    drop(forward(&copy));
    std::mem::take(&mut heard.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Leaves all parameters as they are.
struct Unchanged;

impl ModuleMapper for Unchanged {}

/// What neurons compete by under a rule: the similarity of a composition, the responses of any other.
fn similarity(rule: Option<&dyn LocalRule>) -> Similarity {
    rule.map_or(Similarity::Dot, LocalRule::similarity)
}

/// Has every layer hear itself in the place of learning.
struct Listener {
    /// By the place of the layer.
    layers: Vec<Selection>,
}

impl Pass for Listener {
    fn selection(&self, place: usize) -> Option<Selection> {
        self.layers.get(place).cloned()
    }

    fn signals(&self, _place: usize) -> Signals {
        Signals::none()
    }

    fn report(&self, _place: usize, _sums: Sums) {}

    fn refuse(&self, _place: usize, _reason: RuleError) {}

    fn report_running(&self, _id: ParamId, _shift: Tensor<1>) {}
}

/// A rule that hears and does not learn.
#[derive(Debug)]
struct Hearing {
    weight: ParamId,
    similarity: Similarity,
    heard: Arc<Mutex<Heard>>,
}

impl LocalRule for Hearing {
    fn factors(&self, activity: &Activity) -> Factors {
        let responses = activity.similarity(&self.similarity);
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        match heard.get_mut(&self.weight) {
            Some(known) => known.add(responses),
            None => {
                let first = Responses::new(Wins::of(responses.clone()), &samples(responses));
                heard.insert(self.weight, first);
            }
        }
        let mut nothing = Factors::new(activity.dot());
        nothing.coefficients = None; // no correlation with the input
        nothing
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::{
        module::Param,
        nn::{Linear, LinearConfig},
        tensor::Device,
    };
    use burn_hebbian_core::Rule;
    use burn_hebbian_nn::Local;
    use burn_hebbian_optim::Plan;

    /// Neurons `(1, 0)` and `(0, 10)`.
    fn layer() -> Local<Linear> {
        let mut linear = LinearConfig::new(2, 2).with_bias(false).init(&Device::flex());
        linear.weight = Param::from_data([[1.0, 0.0], [0.0, 10.0]], &Device::flex());
        Local::new(linear)
    }

    fn patterns() -> Tensor<2> {
        Tensor::from_data([[1.0, 0.5], [0.0, 2.0], [3.0, 0.2]], &Device::flex())
    }

    fn heard(layer: &Local<Linear>, forward: impl FnOnce(&Local<Linear>)) -> Responses {
        responses(layer, forward).remove(&layer.layer().weight.id).unwrap()
    }

    #[test]
    fn neurons_compete_by_the_similarity_of_their_rule() {
        let layer = layer();
        let dot = heard(&layer, |layer| drop(layer.forward(patterns())));
        assert_eq!(dot.wins.counts(), [1, 2]);
        let cosine = Rule::swta().with_similarity(Similarity::Cosine);
        let own = layer.clone().with_rule(cosine.clone());
        assert_eq!(heard(&own, |own| drop(own.forward(patterns()))).wins.counts(), [2, 1]);
        let plan = Plan::new().local("weight", cosine);
        let (bound, _) = plan.bind(layer.clone()).unwrap();
        assert_eq!(heard(&bound, |bound| drop(bound.forward(patterns()))).wins.counts(), [2, 1]);
        assert_eq!(heard(&layer, |layer| drop(layer.forward(patterns()))).wins.counts(), [1, 2]);
    }

    #[test]
    fn passes_add_up() {
        let layer = layer();
        let once = heard(&layer, |layer| drop(layer.forward(patterns())));
        let twice = heard(&layer, |layer| {
            for part in patterns().split_with_sizes(vec![1, 2], 0) {
                layer.forward(part);
            }
        });
        assert_eq!(once.wins, twice.wins);
        let covariance =
            |responses: &Responses| responses.covariance().into_data().iter().collect::<Vec<f64>>();
        let expected =
            super::super::covariance(layer.forward(patterns())).into_data().iter().collect::<Vec<f64>>();
        for of in [covariance(&once), covariance(&twice)] {
            assert!(
                of.iter().zip(&expected).all(|(value, expected)| (value - expected).abs() < 1e-4),
                "{of:?}"
            );
        }
    }
}
