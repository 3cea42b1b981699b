//! The kernels on tensors of the CubeCL backend: how they are cut into cubes.

use burn::tensor::Shape;
use burn_cubecl::{
    cubecl::{client::Client, prelude::*},
    kernel::into_contiguous,
    ops::{
        numeric::empty_device_contiguous_dtype, permute_nchw_to_nhwc_shape, permute_nhwc_to_nchw, reshape,
    },
    tensor::CubeTensor,
};
use burn_hebbian_core::{Activation, Competition, Gate, Recurrence, Similarity, WeightLayout};

use super::kernels::{self, Compared, Competing, Decay, Gated, Plan, SizesLaunch, StepsLaunch};
use crate::fused::Pointwise;

/// Units of a cube, at most; a power of two.
const UNITS: usize = 256;

/// Cubes that hold sums of their own, at most; they are added one after the other.
const CHUNKS: usize = 256;

/// Coefficients, activities and sums of rows, see [`kernels::teach`].
pub(super) fn teach(
    dot: CubeTensor,
    energy: CubeTensor,
    w: CubeTensor,
    rule: &Pointwise,
    layout: &WeightLayout,
) -> [CubeTensor; 3] {
    let dot = evenly_spaced(dot);
    let dims = dot.meta.shape().to_vec();
    let [images, positions] = [dims[0], dims[2..].iter().product()];
    let seen = steps(&dot);
    let places = Places { patches: images * positions, positions, neurons_lie_together: seen.neuron == 1 };
    let client = dot.client.clone();
    let plan = plan(rule, layout, &places, &client);
    let tiles = places.patches.div_ceil(plan.patches);
    let chunks = tiles.min(CHUNKS);
    let rounds = tiles.div_ceil(chunks);
    let chunks = tiles.div_ceil(rounds);

    let norms = if plan.reads_norms() { weight_norms(&w, layout) } else { w.clone() };
    // what is not read is not copied
    let energy = if plan.reads_energy() { into_contiguous(energy) } else { energy };
    let coefficients = like(&dot);
    let activities = if plan.activity { like(&dot) } else { empty(&dot, [1]) };
    let rows = if plan.sums() { chunks } else { 1 };
    let columns = 2 * layout.total_neurons();
    let sums = empty(&dot, [rows, columns]);
    let written = steps(&coefficients);
    let [patches, positions, groups, neurons, rounds] =
        [places.patches, positions, layout.groups, layout.neurons, rounds].map(count);
    let (sharpness, losers) = match rule.competition {
        Competition::Softmax { temperature } | Competition::SignedSoftmax { temperature } => {
            ((temperature as f32).recip(), 0.0)
        }
        Competition::KWinners { losers, .. } => (1.0, losers as f32),
        _ => (1.0, 0.0),
    };
    let sizes = SizesLaunch::new(patches, positions, groups, neurons, rounds, sharpness, losers);
    kernels::teach::launch(
        &client,
        CubeCount::Static(count(chunks), groups, 1),
        CubeDim::new_1d(count(plan.units())),
        dot.into_tensor_arg(),
        energy.into_tensor_arg(),
        norms.into_tensor_arg(),
        coefficients.clone().into_tensor_arg(),
        activities.clone().into_tensor_arg(),
        sums.clone().into_tensor_arg(),
        seen.launch(),
        written.launch(),
        sizes,
        plan,
    );
    let activities = if plan.activity { activities } else { coefficients.clone() };
    let sums = if rows == 1 { sums } else { add_rows(sums, rows, columns) };
    [coefficients, activities, reshape(sums, Shape::from(vec![2, layout.total_neurons()]))]
}

/// The plan of a kernel for a rule: what is compiled.
fn plan(rule: &Pointwise, layout: &WeightLayout, places: &Places, client: &Client) -> Plan {
    let units = units(client, UNITS);
    let neurons = layout.neurons.next_power_of_two();
    // with few patches, more units a patch
    let most = if places.patches < UNITS { units } else { units.min(64) };
    let lanes = if places.neurons_lie_together {
        neurons.min(most)
    } else {
        let patches = places.positions.next_power_of_two().min(32).min(units);
        neurons.min(units / patches)
    };
    Plan {
        similarity: match rule.similarity {
            Similarity::Projection => Compared::Projection,
            Similarity::Cosine => Compared::Cosine,
            Similarity::RaisedCosine { power } => Compared::Raised { squared: power == 2.0 },
            _ => Compared::Dot,
        },
        relu: rule.activation == Activation::Relu,
        competition: match rule.competition {
            Competition::Activity => Competing::Activity,
            Competition::KWinners { k, .. } => Competing::Winners(k),
            Competition::Softmax { .. } => Competing::Softmax,
            Competition::SignedSoftmax { .. } => Competing::SignedSoftmax,
            _ => Competing::All,
        },
        gate: match rule.gate {
            Gate::Competition => Gated::Outcome,
            Gate::Hebb => Gated::Product,
            Gate::Difference => Gated::Difference,
            _ => Gated::One,
        },
        weighted: rule.has_mass(),
        decay: match rule.recurrence {
            Recurrence::Instar => Decay::Coefficients,
            Recurrence::SignedInstar => Decay::Magnitudes,
            Recurrence::Oja => Decay::Products,
            _ => Decay::None,
        },
        activity: rule.recurrence().is_some(),
        lanes,
        patches: units / lanes,
        lanes_first: places.neurons_lie_together,
    }
}

/// Units of a cube: so many, or as many as the device has; a power of two.
fn units(client: &Client, most: usize) -> usize {
    // clamp: a device has one at least
    let units = most.min(client.properties().hardware.max_units_per_cube as usize).max(1);
    if units.is_power_of_two() { units } else { units.next_power_of_two() / 2 }
}

/// Where the values of a layer's responses lie.
struct Places {
    patches: usize,
    positions: usize,
    /// Neighboring values are of neighboring neurons.
    neurons_lie_together: bool,
}

/// How far values are from the next.
struct Steps {
    image: usize,
    neuron: usize,
    position: usize,
}

impl Steps {
    fn launch(&self) -> StepsLaunch {
        StepsLaunch::new(count(self.image), count(self.neuron), count(self.position))
    }
}

/// Of a tensor `[n, neurons, …]` whose positions are [evenly spaced](evenly_spaced).
fn steps(tensor: &CubeTensor) -> Steps {
    let strides = tensor.meta.strides();
    let position = if strides.len() > 2 { strides[strides.len() - 1] } else { 1 };
    Steps { image: strides[0], neuron: strides[1], position }
}

/// The same values, with one distance between all neighboring positions.
fn evenly_spaced(tensor: CubeTensor) -> CubeTensor {
    let (shape, strides) = (tensor.meta.shape(), tensor.meta.strides());
    let even = (3..shape.num_dims()).all(|axis| strides[axis - 1] == strides[axis] * shape[axis]);
    if even { tensor } else { into_contiguous(tensor) }
}

/// Room for values like these, with neighbors as they are: what is computed from channels that lie last is read so.
fn like(tensor: &CubeTensor) -> CubeTensor {
    let shape = tensor.meta.shape().clone();
    if shape.num_dims() > 2 && steps(tensor).neuron == 1 {
        return permute_nhwc_to_nchw(room(tensor, permute_nchw_to_nhwc_shape(shape)));
    }
    room(tensor, shape)
}

fn empty<const D: usize>(like: &CubeTensor, dims: [usize; D]) -> CubeTensor {
    room(like, Shape::from(dims))
}

fn room(like: &CubeTensor, shape: Shape) -> CubeTensor {
    empty_device_contiguous_dtype(like.client.clone(), like.device.clone(), shape, like.dtype)
}

/// `1 / ‖w_k‖`, `[groups · neurons]`.
fn weight_norms(w: &CubeTensor, layout: &WeightLayout) -> CubeTensor {
    let norms = empty(w, [layout.total_neurons()]);
    let w = into_contiguous(w.clone());
    let units = units(&w.client, 64);
    let [groups, before, neurons, after] = layout.dims().map(count);
    kernels::weight_norms::launch(
        &w.client.clone(),
        CubeCount::Static(neurons, groups, 1),
        CubeDim::new_1d(count(units)),
        w.into_tensor_arg(),
        norms.clone().into_tensor_arg(),
        before,
        neurons,
        after,
        units,
    );
    norms
}

/// The sum of the rows.
fn add_rows(values: CubeTensor, rows: usize, columns: usize) -> CubeTensor {
    let sums = empty(&values, [columns]);
    let units = units(&values.client, 64);
    kernels::add_rows::launch(
        &values.client.clone(),
        CubeCount::Static(count(columns.div_ceil(units)), 1, 1),
        CubeDim::new_1d(count(units)),
        values.into_tensor_arg(),
        sums.clone().into_tensor_arg(),
        count(rows),
        count(columns),
    );
    sums
}

/// As a kernel counts.
fn count(size: usize) -> u32 {
    u32::try_from(size).expect("sizes are checked before a kernel is chosen")
}
