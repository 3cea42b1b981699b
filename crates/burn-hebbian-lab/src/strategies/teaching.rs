//! What a rule makes of the responses of a layer, written down without the library's stages.

use std::ops::Range;

use burn::tensor::{
    Tensor,
    activation::{relu, softmax},
};

use super::{BenchRule, Patches};

/// Temperature of SWTA, as in the preset.
const TEMPERATURE: f64 = 0.02;

/// `c`, `r` and `m` of `ΔW_k = Σ_p c_pk (x_p − r_pk) / m_k`.
pub struct Teaching {
    /// `c`, `[patches, neurons]`.
    pub coefficients: Tensor<2>,
    /// What `r` is made of.
    recall: Recall,
    /// `m`, `[neurons, 1]` or `[1, 1]`.
    divisor: Tensor<2>,
}

/// `r_pk`, what neuron `k` recalls of patch `p`; activities are `[patches, neurons]`.
enum Recall {
    /// Nothing.
    Nothing,
    /// `w_k`.
    Own,
    /// `y_pk w_k`.
    Scaled(Tensor<2>),
    /// `Σ_{j≤k} y_pj w_j`.
    Before(Tensor<2>),
}

impl Teaching {
    /// From the responses `dot` of the patches, `[n, neurons, height, width]`, and the weights, `[neurons, fan-in]`.
    pub fn new(rule: BenchRule, patches: &Patches, dot: Tensor<4>, w: &Tensor<2>) -> Self {
        let [n, neurons, height, width] = dot.dims();
        let count = n * height * width;
        let y: Tensor<2> = dot.permute([0, 2, 3, 1]).reshape([count, neurons]);
        let mean = |scale: f64| Tensor::full([1, 1], count as f64 * scale, &y.device());
        let (coefficients, recall, divisor) = match rule {
            BenchRule::Hebb => (y.clone(), Recall::Nothing, mean(1.0)),
            BenchRule::Instar => (y.clone(), Recall::Own, mean(1.0)),
            BenchRule::Oja => (y.clone(), Recall::Scaled(y.clone()), mean(1.0)),
            BenchRule::Hpca => {
                let [_, fan_in] = w.dims();
                let divisor = mean((fan_in as f64).sqrt());
                let y = relu(y);
                (y.clone(), Recall::Before(y), divisor)
            }
            BenchRule::Swta => {
                let z = softmax(raised_cosine(y, patches, w).div_scalar(TEMPERATURE), 1);
                // clamp: a neuron that never wins has no mass
                let mass = z.clone().sum_dim(0).clamp_min(f32::MIN_POSITIVE).transpose();
                (z.clone() * z, Recall::Own, mass)
            }
        };
        Self { coefficients, recall, divisor }
    }

    /// The same for some of the patches.
    pub(super) fn of(&self, patches: Range<usize>) -> Self {
        self.map(|y| y.clone().narrow(0, patches.start, patches.len()))
    }

    /// The same for the patches of one image, each the mean of its like in all images.
    pub(super) fn averaged(&self, images: usize) -> Self {
        self.map(|y| {
            let [patches, neurons] = y.dims();
            let by_image: Tensor<3> = y.clone().reshape([images, patches / images, neurons]);
            by_image.mean_dim(0).squeeze_dim(0)
        })
    }

    /// With `f` of what there is of each patch.
    fn map(&self, f: impl Fn(&Tensor<2>) -> Tensor<2>) -> Self {
        let recall = match &self.recall {
            Recall::Nothing => Recall::Nothing,
            Recall::Own => Recall::Own,
            Recall::Scaled(y) => Recall::Scaled(f(y)),
            Recall::Before(y) => Recall::Before(f(y)),
        };
        Self { coefficients: f(&self.coefficients), recall, divisor: self.divisor.clone() }
    }

    /// `r` for every patch and neuron: `[patches, neurons, fan-in]`, or one for all patches.
    pub(super) fn recalled(&self, w: &Tensor<2>) -> Option<Tensor<3>> {
        let w: Tensor<3> = w.clone().unsqueeze_dim(0);
        let scaled = |y: &Tensor<2>| y.clone().unsqueeze_dim::<3>(2) * w.clone();
        match &self.recall {
            Recall::Nothing => None,
            Recall::Own => Some(w),
            Recall::Scaled(y) => Some(scaled(y)),
            Recall::Before(y) => Some(scaled(y).cumsum(1)),
        }
    }

    /// `Σ_p c_pk r_pk`, `[neurons, fan-in]`, without an `r`; `c` is `[neurons, patches]`.
    pub(super) fn recalled_by_product(&self, c: Tensor<2>, w: &Tensor<2>) -> Option<Tensor<2>> {
        let w = w.clone();
        match &self.recall {
            Recall::Nothing => None,
            Recall::Own => Some(w * c.sum_dim(1)),
            Recall::Scaled(y) => Some(w * (c * y.clone().transpose()).sum_dim(1)),
            Recall::Before(y) => Some(c.matmul(y.clone()).tril(0).matmul(w)),
        }
    }

    /// `ΔW` from the sum over patches, both `[neurons, fan-in]`.
    pub fn finish(&self, sum: Tensor<2>) -> Tensor<2> {
        sum / self.divisor.clone()
    }
}

/// `((cos + 1) / 2)²` of every patch with every neuron, from their products `[patches, neurons]`.
fn raised_cosine(dot: Tensor<2>, patches: &Patches, w: &Tensor<2>) -> Tensor<2> {
    // clamp: what is all zero has no direction
    let norm = |energy: Tensor<2>| energy.clamp_min(1e-30).sqrt();
    let neurons = norm(w.clone().powi_scalar(2).sum_dim(1)).transpose(); // [1, neurons]
    let cosine = dot / norm(patches.energy()) / neurons;
    cosine.add_scalar(1.0).div_scalar(2.0).powi_scalar(2)
}
