//! The recurrence over neurons, `K · W` with `K_kj = Σ left_k right_j` over patches.

use burn::tensor::Tensor;
use burn_hebbian_core::{MatrixRecurrence, RecurrenceMask, WeightLayout};

use crate::forms::RecurrenceForm;

/// Neurons that the blockwise forms take at a time: few enough to save half of a triangle, enough for a product.
const BLOCK: usize = 128;

/// `Σ_j K_kj w_j` for a weight `[groups, before, neurons, after]`, in the same shape.
///
/// Without a form, in the [cheapest](RecurrenceForm::cheapest).
pub fn recurrence_product(
    layout: &WeightLayout,
    weight: Tensor<4>,
    matrix: MatrixRecurrence,
    form: Option<RecurrenceForm>,
) -> Tensor<4> {
    let form = form.unwrap_or_else(|| RecurrenceForm::cheapest(layout, &matrix));
    let triangular = matrix.mask == RecurrenceMask::LowerTriangle;
    match form {
        RecurrenceForm::Triangle if triangular => by_rows(layout, weight, |w| triangle(&matrix, w)),
        RecurrenceForm::Accumulated if triangular => {
            by_rows(layout, weight, |w| accumulated_triangle(&matrix, w))
        }
        RecurrenceForm::Accumulated => by_rows(layout, weight, |w| accumulated(&matrix, w)),
        _ => layout.recurrence_product(weight, gram(matrix)),
    }
}

/// `Σ_j K_kj w_j` for a `K` that is there already, `[groups, neurons, neurons]` and masked.
pub(crate) fn recurrence_product_by(
    layout: &WeightLayout,
    weight: Tensor<4>,
    k: Tensor<3>,
    mask: RecurrenceMask,
) -> Tensor<4> {
    if mask != RecurrenceMask::LowerTriangle || layout.neurons <= BLOCK {
        return layout.recurrence_product(weight, k);
    }
    let rows = |w: Tensor<3>| {
        let block = |(start, count)| {
            let k = k.clone().narrow(1, start, count).narrow(2, 0, start + count);
            k.matmul(w.clone().narrow(1, 0, start + count))
        };
        Tensor::cat(blocks(layout.neurons).map(block).collect(), 1)
    };
    by_rows(layout, weight, rows)
}

impl RecurrenceForm {
    /// The form with the fewest multiplications: all of them spend their time in products of matrices.
    #[doc(hidden)]
    pub fn cheapest(layout: &WeightLayout, matrix: &MatrixRecurrence) -> Self {
        let [n, _, _, positions] = matrix.left.dims();
        let cost = |form: &Self| multiplications(*form, matrix.mask, n * positions, layout);
        Self::ALL.into_iter().min_by_key(cost).unwrap_or(Self::Gram)
    }
}

/// How many numbers a form multiplies per column of the weight, groups left out.
fn multiplications(
    form: RecurrenceForm,
    mask: RecurrenceMask,
    patches: usize,
    layout: &WeightLayout,
) -> usize {
    let (neurons, fan_in) = (layout.neurons, layout.fan_in());
    let block = BLOCK.min(neurons);
    match (form, mask) {
        (RecurrenceForm::Accumulated, RecurrenceMask::LowerTriangle) => {
            2 * patches * neurons * fan_in + neurons * block * (patches + fan_in)
        }
        (RecurrenceForm::Accumulated, _) => 2 * patches * neurons * fan_in,
        (RecurrenceForm::Triangle, RecurrenceMask::LowerTriangle) => {
            neurons * (neurons + block) / 2 * (patches + fan_in)
        }
        _ => neurons * neurons * (patches + fan_in),
    }
}

/// `K`, masked: `[groups, neurons, neurons]`.
fn gram(matrix: MatrixRecurrence) -> Tensor<3> {
    let [_, _, neurons, positions] = matrix.left.dims();
    let product = if positions < neurons {
        // [n, g, k, p] → [g, k, n·p]: one product a group, K² values once
        patches(matrix.left).matmul(patches(matrix.right).swap_dims(1, 2))
    } else {
        // one product an image: nothing is copied, and K² ≤ k·p
        matrix.left.matmul(matrix.right.swap_dims(2, 3)).sum_dim(0).squeeze_dim(0)
    };
    match matrix.mask {
        RecurrenceMask::LowerTriangle => product.tril(0),
        _ => product,
    }
}

/// `f` of the weight as the rows of one matrix a group, `[groups, neurons, fan-in]`.
///
/// Of a linear layer these rows are views of columns.
fn by_rows(layout: &WeightLayout, weight: Tensor<4>, f: impl FnOnce(Tensor<3>) -> Tensor<3>) -> Tensor<4> {
    let [groups, before, neurons, after] = layout.dims();
    let rows = if after == 1 {
        weight.reshape([groups, before, neurons]).swap_dims(1, 2)
    } else {
        weight.swap_dims(1, 2).reshape([groups, neurons, before * after])
    };
    let mixed = f(rows);
    if after == 1 {
        return mixed.swap_dims(1, 2).reshape([groups, before, neurons, after]);
    }
    mixed.reshape([groups, neurons, before, after]).swap_dims(1, 2)
}

/// `Σ_{j ≤ k} K_kj w_j`, the rows of `K` up to the diagonal, some neurons at a time.
fn triangle(matrix: &MatrixRecurrence, w: Tensor<3>) -> Tensor<3> {
    let (left, right) = (patches(matrix.left.clone()), patches(matrix.right.clone()));
    let block = |(start, count)| {
        let seen = right.clone().narrow(1, 0, start + count);
        let k = left.clone().narrow(1, start, count).matmul(seen.swap_dims(1, 2));
        k.tril(start as i64).matmul(w.clone().narrow(1, 0, start + count))
    };
    Tensor::cat(blocks(w.dims()[1]).map(block).collect(), 1)
}

/// `left · (rightᵀ w)`.
fn accumulated(matrix: &MatrixRecurrence, w: Tensor<3>) -> Tensor<3> {
    let (left, right) = (patches(matrix.left.clone()), patches(matrix.right.clone()));
    left.matmul(right.swap_dims(1, 2).matmul(w))
}

/// `Σ_{j ≤ k} K_kj w_j`: what earlier blocks of neurons reconstruct of each patch is accumulated, within a block `K`
/// serves.
fn accumulated_triangle(matrix: &MatrixRecurrence, w: Tensor<3>) -> Tensor<3> {
    let (left, right) = (patches(matrix.left.clone()), patches(matrix.right.clone()));
    let mut reconstruction: Option<Tensor<3>> = None; // [g, patches, fan-in]
    let block = |(start, count)| {
        let [left, right, w] = [&left, &right, &w].map(|rows| rows.clone().narrow(1, start, count));
        let k = left.clone().matmul(right.clone().swap_dims(1, 2)).tril(0);
        let within = k.matmul(w.clone());
        let before = reconstruction.take();
        let mixed = match before.clone() {
            Some(before) => within + left.matmul(before),
            None => within,
        };
        let more = right.swap_dims(1, 2).matmul(w);
        reconstruction = Some(before.map_or(more.clone(), |before| before + more));
        mixed
    };
    Tensor::cat(blocks(w.dims()[1]).map(block).collect(), 1)
}

/// First neuron and size of every block.
fn blocks(neurons: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..neurons).step_by(BLOCK).map(move |start| (start, BLOCK.min(neurons - start)))
}

/// `[n, g, k, p]` → `[g, k, n·p]`.
fn patches(values: Tensor<4>) -> Tensor<3> {
    let [n, groups, neurons, positions] = values.dims();
    values.permute([1, 2, 0, 3]).reshape([groups, neurons, n * positions])
}
