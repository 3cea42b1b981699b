//! Readings of all local layers of a model.

use std::collections::{BTreeMap, HashMap};

use burn::{
    module::{Module, ParamId},
    tensor::Tensor,
};

use super::{
    LocalWeight, Quantity, effective_rank, eigenvalues, local_weights, norms, participation_ratio,
    responses::{Responses, responses},
    singular_values, unit_distance, update_ratio,
};

/// What was read of one layer.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerReading {
    /// The layer, as a plan calls it.
    pub layer: String,
    /// What was read. What has no finite value is left out, such as the rank of a weight that is not finite.
    pub values: BTreeMap<Quantity, f64>,
}

/// Reads the local layers of a model, and remembers their weights for how far they moved until the next reading.
///
/// A reading waits for the device. It costs a singular value decomposition of every weight on the host, and of the responses'
/// covariance where it is given patterns: a fraction of a second a layer of a thousand neurons.
///
/// ```
/// use burn::{nn::LinearConfig, tensor::{Device, Tensor}};
/// use burn_hebbian_nn::Local;
/// use burn_hebbian_lab::diagnostics::{Diagnostics, Quantity};
///
/// let layer = Local::new(LinearConfig::new(4, 3).init(&Device::flex()));
/// let mut diagnostics = Diagnostics::new();
/// let patterns = Tensor::<2>::ones([5, 4], &Device::flex());
/// let readings = diagnostics.read_with(&layer, |layer| layer.forward(patterns));
/// assert_eq!(readings[0].layer, "weight");
/// assert!(readings[0].values[&Quantity::Dead] > 0.6, "patterns that are all alike have one winner");
/// ```
#[derive(Debug, Clone, Default)]
pub struct Diagnostics {
    /// The weights at the last reading, by layer: ids change when a record is loaded.
    before: HashMap<String, Tensor<2>>,
}

impl Diagnostics {
    /// Before the first reading.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads the weights of all local layers, in the model's order.
    pub fn read<M: Module>(&mut self, model: &M) -> Vec<LayerReading> {
        self.read_with(model, |_| ())
    }

    /// Reads weights, and the responses of the layers that `forward` reaches through the copy of the model that it is given;
    /// nothing is learned, and no [`SyncBatchNorm`](burn_hebbian_nn::SyncBatchNorm) moves. Norms of Burn's that train do move:
    /// give a [`valid`](Module::valid) model to keep theirs.
    ///
    /// Neurons compete by the similarity of the rule that a plan bound their layer to, or of the layer's own, without
    /// bias.
    pub fn read_with<M: Module, R>(&mut self, model: &M, forward: impl FnOnce(&M) -> R) -> Vec<LayerReading> {
        let mut heard: HashMap<ParamId, Responses> = responses(model, forward);
        let weights = local_weights(model).into_iter();
        weights
            .map(|LocalWeight { layer, weight, id }| self.reading(layer, weight, heard.remove(&id)))
            .collect()
    }

    fn reading(&mut self, layer: String, weight: Tensor<2>, heard: Option<Responses>) -> LayerReading {
        let before = self.before.insert(layer.clone(), weight.clone());
        let mut values = of_weight(&weight);
        if let Some(before) = before.filter(|before| before.dims() == weight.dims()) {
            values.push((Quantity::UpdateRatio, update_ratio(before.to_device(&weight.device()), weight)));
        }
        if let Some(heard) = heard {
            values.extend(of_responses(&heard));
        }
        let values = values.into_iter().filter(|(_, value)| value.is_finite()).collect();
        LayerReading { layer, values }
    }
}

fn of_weight(weight: &Tensor<2>) -> Vec<(Quantity, f64)> {
    let norms = norms(weight.clone());
    let mut values = vec![
        (Quantity::MeanNorm, norms.mean),
        (Quantity::MinNorm, norms.min),
        (Quantity::MaxNorm, norms.max),
        (Quantity::UnitDistance, unit_distance(weight.clone())),
    ];
    if let Ok(singular) = singular_values(weight.clone()) {
        let squares: Vec<f64> = singular.iter().map(|value| value * value).collect();
        values.push((Quantity::WeightRank, effective_rank(&singular)));
        values.push((Quantity::WeightParticipation, participation_ratio(&squares)));
    }
    values
}

fn of_responses(heard: &Responses) -> Vec<(Quantity, f64)> {
    let mut values = vec![(Quantity::Dead, heard.wins.dead()), (Quantity::WinEntropy, heard.wins.entropy())];
    if let Ok(eigenvalues) = eigenvalues(heard.covariance()) {
        values.push((Quantity::ResponseRank, effective_rank(&eigenvalues)));
        values.push((Quantity::ResponseParticipation, participation_ratio(&eigenvalues)));
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::{
        module::Param,
        nn::{Linear, LinearConfig},
        tensor::Device,
    };
    use burn_hebbian_nn::Local;

    fn layer(weight: [[f32; 2]; 2]) -> Local<Linear> {
        let mut linear = LinearConfig::new(2, 2).with_bias(false).init(&Device::flex());
        linear.weight = Param::from_data(weight, &Device::flex());
        Local::new(linear)
    }

    fn read(diagnostics: &mut Diagnostics, weight: [[f32; 2]; 2]) -> BTreeMap<Quantity, f64> {
        diagnostics.read(&layer(weight)).remove(0).values
    }

    /// Two neurons, one value of the input each.
    #[test]
    fn a_reading_holds_what_the_weights_say_and_how_far_they_moved() {
        let mut diagnostics = Diagnostics::new();
        let first = read(&mut diagnostics, [[2.0, 0.0], [0.0, 2.0]]);
        let expected = [
            (Quantity::MeanNorm, 2.0),
            (Quantity::MinNorm, 2.0),
            (Quantity::MaxNorm, 2.0),
            (Quantity::UnitDistance, 1.0),
            (Quantity::WeightRank, 2.0),
            (Quantity::WeightParticipation, 2.0),
        ];
        assert_eq!(first.keys().copied().collect::<Vec<_>>(), expected.map(|(quantity, _)| quantity));
        assert!(expected.iter().all(|(quantity, value)| (first[quantity] - value).abs() < 1e-6), "{first:?}");
        let second = read(&mut diagnostics, [[1.0, 0.0], [0.0, 1.0]]);
        assert!((second[&Quantity::UpdateRatio] - 0.5).abs() < 1e-6, "{second:?}");
        assert_eq!(read(&mut diagnostics, [[1.0, 0.0], [0.0, 1.0]])[&Quantity::UpdateRatio], 0.0);
    }

    /// The second neuron wins nothing and responds to nothing.
    #[test]
    fn responses_are_read_where_there_are_patterns() {
        let layer = layer([[1.0, 0.0], [1.0, 0.0]]);
        let patterns = Tensor::<2>::from_data([[1.0, 2.0], [0.5, 0.1]], &Device::flex());
        let readings = Diagnostics::new().read_with(&layer, |layer| layer.forward(patterns));
        let values = &readings[0].values;
        assert_eq!((values[&Quantity::Dead], values[&Quantity::WinEntropy]), (0.5, 0.0));
        let rank =
            [Quantity::ResponseRank, Quantity::ResponseParticipation].map(|quantity| values[&quantity]);
        assert!(rank.iter().all(|rank| (rank - 1.0).abs() < 1e-4), "{rank:?}");
    }

    #[test]
    fn what_is_not_finite_is_left_out() {
        let values = read(&mut Diagnostics::new(), [[f32::NAN, 0.0], [0.0, 1.0]]);
        assert!(
            !values.contains_key(&Quantity::MeanNorm) && !values.contains_key(&Quantity::WeightRank),
            "{values:?}"
        );
    }
}
