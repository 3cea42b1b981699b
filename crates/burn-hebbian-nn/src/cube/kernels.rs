//! Kernels: what a rule makes of the responses, and the sums of rows that go with it.

use burn_cubecl::cubecl::{self, prelude::*};

/// Energies below this count as zero, as everywhere.
const MIN_ENERGY: f32 = 1e-30;

/// Below all responses.
const LOWEST: f32 = f32::MIN;

/// The neuron of a unit that has found none.
const NOBODY: i64 = 0xFFFF_FFFF;

/// The stages of a rule and the shape of a cube of units: what a kernel is compiled for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Plan {
    pub(super) similarity: Compared,
    pub(super) relu: bool,
    pub(super) competition: Competing,
    pub(super) gate: Gated,
    /// Coefficients are weighted by what they are, and these weights summed.
    pub(super) weighted: bool,
    pub(super) decay: Decay,
    /// Activities are written beside the coefficients.
    pub(super) activity: bool,
    /// Units that share a patch, a power of two; neighbors of a neuron.
    pub(super) lanes: usize,
    /// Patches of a cube.
    pub(super) patches: usize,
    /// Neighboring units take neighboring neurons, not neighboring patches.
    pub(super) lanes_first: bool,
}

/// How responses are scaled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Compared {
    Dot,
    /// By the norm of the weights.
    Projection,
    /// By both norms.
    Cosine,
    /// `(cos + 1) / 2`, to a power of 1 or 2.
    Raised {
        squared: bool,
    },
}

/// Which neurons learn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Competing {
    All,
    Activity,
    /// The so many largest.
    Winners(usize),
    Softmax,
    SignedSoftmax,
}

/// From outcome and activity to the coefficient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Gated {
    One,
    Outcome,
    Product,
    Difference,
}

/// What is summed for the diagonal of `K`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Decay {
    None,
    Coefficients,
    Magnitudes,
    /// Coefficients times activities.
    Products,
}

impl Plan {
    pub(super) fn units(&self) -> usize {
        self.lanes * self.patches
    }

    pub(super) fn sums(&self) -> bool {
        self.weighted || self.decay != Decay::None
    }

    fn competes(&self) -> bool {
        !matches!(self.competition, Competing::All | Competing::Activity)
    }

    fn softens(&self) -> bool {
        matches!(self.competition, Competing::Softmax | Competing::SignedSoftmax)
    }

    /// Winners that are looked for, one after the other; a signed softmax has one.
    fn winners(&self) -> usize {
        match self.competition {
            Competing::Winners(count) => count,
            Competing::SignedSoftmax => 1,
            _ => 0,
        }
    }

    pub(super) fn reads_energy(&self) -> bool {
        matches!(self.similarity, Compared::Cosine | Compared::Raised { .. })
    }

    pub(super) fn reads_norms(&self) -> bool {
        self.similarity != Compared::Dot
    }
}

/// Where the values of a patch lie: how far images, neurons and positions are from the next.
#[derive(CubeType, CubeLaunch, Clone, Copy)]
pub(super) struct Steps {
    pub(super) image: u32,
    pub(super) neuron: u32,
    pub(super) position: u32,
}

/// Sizes, and the numbers of a rule that do not change what is compiled.
#[derive(CubeType, CubeLaunch, Clone, Copy)]
pub(super) struct Sizes {
    /// Images times positions.
    pub(super) patches: u32,
    pub(super) positions: u32,
    pub(super) groups: u32,
    /// In a group.
    pub(super) neurons: u32,
    /// Tiles of patches that a cube takes, one after the other.
    pub(super) rounds: u32,
    /// One over the temperature of a softmax.
    pub(super) sharpness: f32,
    /// What losers get.
    pub(super) losers: f32,
}

/// A patch; beyond the last, the last once more.
#[derive(CubeType, Clone, Copy)]
struct Patch {
    image: u32,
    position: u32,
    /// `1 / ‖x‖`, if something reads it.
    inverse_norm: f32,
}

/// `1 / ‖v‖` of a vector with `‖v‖² = energy`; large but finite for an all-zero one.
#[cube]
fn inverse_norm(energy: f32) -> f32 {
    let energy = select(energy < MIN_ENERGY, MIN_ENERGY, energy);
    1.0 / f32::sqrt(energy)
}

#[cube]
fn patch_at(q: u32, group: u32, energy: &Tensor<f32>, sizes: &Sizes, #[comptime] plan: Plan) -> Patch {
    let last = sizes.patches - 1;
    let q = select(q < last, q, last);
    let image = q / sizes.positions;
    let position = q % sizes.positions;
    let mut norm = 1.0f32;
    if comptime!(plan.reads_energy()) {
        let at = (image * sizes.groups + group) * sizes.positions + position;
        norm = inverse_norm(energy[at as usize]);
    }
    Patch { image, position, inverse_norm: norm }
}

#[cube]
fn place(patch: &Patch, group: u32, neuron: u32, steps: &Steps, sizes: &Sizes) -> usize {
    let neuron = group * sizes.neurons + neuron;
    (patch.image * steps.image + neuron * steps.neuron + patch.position * steps.position) as usize
}

/// How alike a neuron and a patch are.
#[cube]
fn compared(dot: f32, patch: &Patch, norms: &Tensor<f32>, neuron: u32, #[comptime] plan: Plan) -> f32 {
    let mut s = dot;
    if comptime!(plan.reads_norms()) {
        s *= norms[neuron as usize];
    }
    if comptime!(plan.reads_energy()) {
        s *= patch.inverse_norm;
    }
    match comptime!(plan.similarity) {
        Compared::Raised { squared } => {
            let base = 0.5 * s + 0.5;
            if comptime!(squared) { base * base } else { base }
        }
        _ => s,
    }
}

#[cube]
fn activity(s: f32, #[comptime] plan: Plan) -> f32 {
    if comptime!(plan.relu) { select(s < 0.0, f32::new(0.0), s) } else { s }
}

/// The sum of what the lanes of a patch hold; every unit of a cube takes part.
#[cube]
fn summed(value: f32, room: &mut Shared<[f32]>, patch: u32, lane: u32, #[comptime] lanes: usize) -> f32 {
    let first = patch * lanes as u32;
    room[(first + lane) as usize] = value;
    sync_cube();
    #[unroll]
    for halving in 0..comptime!(lanes.trailing_zeros()) {
        let step = comptime!(lanes as u32 >> (halving + 1));
        if lane < step {
            let other = room[(first + lane + step) as usize];
            room[(first + lane) as usize] += other;
        }
        sync_cube();
    }
    let sum = room[first as usize];
    sync_cube();
    sum
}

/// A value and the neuron that has it.
#[derive(CubeType, Clone, Copy)]
struct Place {
    value: f32,
    neuron: u32,
}

/// The largest that the lanes of a patch hold, of equal ones that of the first neuron.
#[cube]
fn largest(
    mine: Place,
    values: &mut Shared<[f32]>,
    neurons: &mut Shared<[u32]>,
    patch: u32,
    lane: u32,
    #[comptime] lanes: usize,
) -> Place {
    let first = patch * lanes as u32;
    let at = (first + lane) as usize;
    values[at] = mine.value;
    neurons[at] = mine.neuron;
    sync_cube();
    #[unroll]
    for halving in 0..comptime!(lanes.trailing_zeros()) {
        let step = comptime!(lanes >> (halving as usize + 1));
        if lane < step as u32 {
            let value = values[at + step];
            let neuron = neurons[at + step];
            let own = values[at];
            if value > own || (value == own && neuron < neurons[at]) {
                values[at] = value;
                neurons[at] = neuron;
            }
        }
        sync_cube();
    }
    let found = Place { value: values[first as usize], neuron: neurons[first as usize] };
    sync_cube();
    found
}

/// From responses to coefficients, patch by patch, and what is summed of them, neuron by neuron.
///
/// Cubes `[chunks, groups]`; `sums: [chunks, 2, groups · neurons]` are the diagonal of `K` and the mass.
#[cube(launch)]
#[allow(clippy::too_many_arguments)] // a kernel's buffers
pub(super) fn teach(
    dot: &Tensor<f32>,
    energy: &Tensor<f32>,
    norms: &Tensor<f32>,
    coefficients: &mut Tensor<f32>,
    activities: &mut Tensor<f32>,
    sums: &mut Tensor<f32>,
    seen: Steps,
    written: Steps,
    sizes: Sizes,
    #[comptime] plan: Plan,
) {
    let lanes = comptime!(plan.lanes as u32);
    let width = comptime!(plan.patches as u32);
    let mut patch = UNIT_POS % width;
    let mut lane = UNIT_POS / width;
    if comptime!(plan.lanes_first) {
        patch = UNIT_POS / lanes;
        lane = UNIT_POS % lanes;
    }
    let group = CUBE_POS_Y;
    let neurons = sizes.neurons;
    let row = group * neurons;
    let mut values = Shared::<[f32]>::new_slice(plan.units());
    let mut places = Shared::<[u32]>::new_slice(plan.units());

    for round in 0..sizes.rounds {
        let start = (CUBE_POS_X * sizes.rounds + round) * width;
        let q = start + patch;
        let here = patch_at(q, group, energy, &sizes, plan);

        // the winner whose value all others are compared with; of several, the last
        let mut top = 0.0f32;
        let mut last_value = 0.0f32;
        let mut last_neuron = 0u32;
        if comptime!(plan.competes()) {
            let rounds = comptime!(plan.winners().max(1));
            for winner in 0..rounds as u32 {
                let mut value = f32::new(LOWEST);
                let mut neuron = u32::new(NOBODY);
                let mut k = lane;
                while k < neurons {
                    let at = place(&here, group, k, &seen, &sizes);
                    let s = compared(dot[at], &here, norms, row + k, plan);
                    let after = winner == 0 || s < last_value || (s == last_value && k > last_neuron);
                    if after && (s > value || neuron == u32::new(NOBODY)) {
                        value = s;
                        neuron = k;
                    }
                    k += lanes;
                }
                let mine = Place { value, neuron };
                let found = largest(mine, &mut values, &mut places, patch, lane, plan.lanes);
                last_value = found.value;
                last_neuron = found.neuron;
                if winner == 0 {
                    top = last_value;
                }
            }
        }
        let mut share = 1.0f32;
        if comptime!(plan.softens()) {
            let mut sum = 0.0f32;
            let mut k = lane;
            while k < neurons {
                let at = place(&here, group, k, &seen, &sizes);
                let s = compared(dot[at], &here, norms, row + k, plan);
                sum += f32::exp((s - top) * sizes.sharpness);
                k += lanes;
            }
            share = 1.0 / summed(sum, &mut values, patch, lane, plan.lanes);
        }

        if q < sizes.patches {
            let mut k = lane;
            while k < neurons {
                let s = compared(dot[place(&here, group, k, &seen, &sizes)], &here, norms, row + k, plan);
                let y = activity(s, plan);
                let z = match comptime!(plan.competition) {
                    Competing::All => f32::new(1.0),
                    Competing::Activity => y,
                    Competing::Winners(_) => {
                        let won = s > last_value || (s == last_value && k <= last_neuron);
                        select(won, f32::new(1.0), sizes.losers)
                    }
                    Competing::Softmax => f32::exp((s - top) * sizes.sharpness) * share,
                    Competing::SignedSoftmax => {
                        let soft = f32::exp((s - top) * sizes.sharpness) * share;
                        select(k == last_neuron, soft, -soft)
                    }
                };
                let g = match comptime!(plan.gate) {
                    Gated::One => f32::new(1.0),
                    Gated::Outcome => z,
                    Gated::Product => z * y,
                    Gated::Difference => z - y,
                };
                let at = place(&here, group, k, &written, &sizes);
                coefficients[at] = if comptime!(plan.weighted) { g * f32::abs(g) } else { g };
                if comptime!(plan.activity) {
                    activities[at] = y;
                }
                k += lanes;
            }
        }

        if comptime!(plan.sums()) {
            sync_cube();
            let all = sizes.groups * neurons;
            let mut k = UNIT_POS;
            while k < neurons {
                let mut decay = 0.0f32;
                let mut mass = 0.0f32;
                for p in 0..width {
                    if start + p < sizes.patches {
                        let there = patch_at(start + p, group, energy, &sizes, plan);
                        let c = coefficients[place(&there, group, k, &written, &sizes)];
                        decay += match comptime!(plan.decay) {
                            Decay::None => f32::new(0.0),
                            Decay::Coefficients => c,
                            Decay::Magnitudes => f32::abs(c),
                            Decay::Products => {
                                let response = dot[place(&there, group, k, &seen, &sizes)];
                                c * activity(compared(response, &there, norms, row + k, plan), plan)
                            }
                        };
                        if comptime!(plan.weighted) {
                            mass += f32::sqrt(f32::abs(c));
                        }
                    }
                }
                let at = (CUBE_POS_X * 2 * all + row + k) as usize;
                let mass_at = at + all as usize;
                if round == 0 {
                    sums[at] = decay;
                    sums[mass_at] = mass;
                } else {
                    sums[at] += decay;
                    sums[mass_at] += mass;
                }
                k += comptime!(plan.units() as u32);
            }
            sync_cube();
        }
    }
}

/// `[rows, columns]` → `[columns]`, the sum of the rows.
#[cube(launch)]
pub(super) fn add_rows(values: &Tensor<f32>, sums: &mut Tensor<f32>, rows: u32, columns: u32) {
    let column = ABSOLUTE_POS as u32;
    if column < columns {
        let mut sum = 0.0f32;
        for row in 0..rows {
            sum += values[(row * columns + column) as usize];
        }
        sums[column as usize] = sum;
    }
}

/// `1 / ‖w_k‖` of weights `[groups, before, neurons, after]`, a cube a neuron.
#[cube(launch)]
pub(super) fn weight_norms(
    weights: &Tensor<f32>,
    norms: &mut Tensor<f32>,
    before: u32,
    neurons: u32,
    after: u32,
    #[comptime] units: usize,
) {
    let group = CUBE_POS_Y;
    let neuron = CUBE_POS_X;
    let mut room = Shared::<[f32]>::new_slice(units);
    let mut energy = 0.0f32;
    let mut tap = UNIT_POS;
    while tap < before * after {
        let (b, a) = (tap / after, tap % after);
        let w = weights[(((group * before + b) * neurons + neuron) * after + a) as usize];
        energy += w * w;
        tap += comptime!(units as u32);
    }
    let energy = summed(energy, &mut room, u32::from_int(0), UNIT_POS, units);
    if UNIT_POS == 0 {
        norms[(group * neurons + neuron) as usize] = inverse_norm(energy);
    }
}
