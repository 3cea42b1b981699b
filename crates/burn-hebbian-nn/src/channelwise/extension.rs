//! The passes as operations of flex.

use burn::{
    backend::{Backend, Dispatch, backend_extension, tensor::FloatTensor},
    tensor::Tensor,
};

use super::{rows::Affine, steps::Steps};
use crate::fused::{LinearSums, Products};

/// Means, then variances.
pub(super) fn statistics<const D: usize>(x: Tensor<D>) -> Tensor<1> {
    Tensor::from_dispatch(<Dispatch as Channelwise>::channel_statistics(x.into_dispatch()))
}

pub(super) fn apply<const D: usize>(x: Tensor<D>, affine: Affine, added: Option<Tensor<D>>) -> Tensor<D> {
    let x = x.into_dispatch();
    Tensor::from_dispatch(match added {
        Some(added) => <Dispatch as Channelwise>::channel_affine_onto(x, added.into_dispatch(), affine),
        None => <Dispatch as Channelwise>::channel_affine(x, affine),
    })
}

pub(super) fn flag(sums: Tensor<1>, steps: Steps) -> Tensor<1> {
    Tensor::from_dispatch(<Dispatch as Channelwise>::descent_flag(sums.into_dispatch(), steps))
}

pub(super) fn descend<const D: usize>(
    weight: Tensor<D>,
    sums: Tensor<1>,
    steps: Steps,
    rate: f32,
) -> Tensor<D> {
    let (weight, sums) = (weight.into_dispatch(), sums.into_dispatch());
    Tensor::from_dispatch(<Dispatch as Channelwise>::descend(weight, sums, steps, rate))
}

pub(super) fn linear_flag(sums: LinearSums, steps: Steps) -> Tensor<1> {
    let LinearSums { products, x, w, taught } = sums;
    let [x, w, taught] = [x.into_dispatch(), w.into_dispatch(), taught.into_dispatch()];
    Tensor::from_dispatch(<Dispatch as Channelwise>::linear_flag(x, w, taught, products, steps))
}

pub(super) fn descend_linear<const D: usize>(
    weight: Tensor<D>,
    sums: LinearSums,
    steps: Steps,
    rate: f32,
) -> Tensor<D> {
    let LinearSums { products, x, w, taught } = sums;
    let [weight, x] = [weight.into_dispatch(), x.into_dispatch()];
    let [w, taught] = [w.into_dispatch(), taught.into_dispatch()];
    let descended = <Dispatch as Channelwise>::descend_linear(weight, x, w, taught, products, steps, rate);
    Tensor::from_dispatch(descended)
}

#[backend_extension(Flex: cfg(feature = "flex"))]
trait Channelwise: Backend {
    fn channel_statistics(x: FloatTensor<Self>) -> FloatTensor<Self>;

    fn channel_affine(x: FloatTensor<Self>, affine: Affine) -> FloatTensor<Self>;

    fn channel_affine_onto(
        x: FloatTensor<Self>,
        added: FloatTensor<Self>,
        affine: Affine,
    ) -> FloatTensor<Self>;

    fn descent_flag(sums: FloatTensor<Self>, steps: Steps) -> FloatTensor<Self>;

    fn descend(
        weight: FloatTensor<Self>,
        sums: FloatTensor<Self>,
        steps: Steps,
        rate: f32,
    ) -> FloatTensor<Self>;

    fn linear_flag(
        x: FloatTensor<Self>,
        w: FloatTensor<Self>,
        taught: FloatTensor<Self>,
        products: Products,
        steps: Steps,
    ) -> FloatTensor<Self>;

    fn descend_linear(
        weight: FloatTensor<Self>,
        x: FloatTensor<Self>,
        w: FloatTensor<Self>,
        taught: FloatTensor<Self>,
        products: Products,
        steps: Steps,
        rate: f32,
    ) -> FloatTensor<Self>;
}

#[cfg(feature = "flex")]
mod flex {
    use burn::{
        backend::{Flex, tensor::FloatTensor},
        tensor::TensorData,
    };

    use burn_hebbian_core::WeightLayout;

    use super::{
        super::{
            rows::{self, Affine, Images},
            steps::{self, Steps},
        },
        Channelwise, Products,
    };

    type Values = FloatTensor<Flex>;

    impl Channelwise for Flex {
        fn channel_statistics(x: Values) -> Values {
            let x = by_image(x);
            let found = rows::statistics(images(&x), sizes(&x));
            let count = found.len();
            Values::from_data(TensorData::new(found, [count]))
        }

        fn channel_affine(x: Values, affine: Affine) -> Values {
            run(x, None, &affine)
        }

        fn channel_affine_onto(x: Values, added: Values, affine: Affine) -> Values {
            run(x, Some(slice(&contiguous(added))), &affine)
        }

        fn descent_flag(sums: Values, by: Steps) -> Values {
            let flag = steps::flag(slice(&contiguous(sums)), &by);
            Values::from_data(TensorData::from([flag]))
        }

        fn descend(weight: Values, sums: Values, by: Steps, rate: f32) -> Values {
            let sums = contiguous(sums);
            let mut weight = whole(contiguous(weight));
            steps::descend(weight.storage_mut(), slice(&sums), &by, rate);
            weight
        }

        fn linear_flag(x: Values, w: Values, taught: Values, products: Products, by: Steps) -> Values {
            let [x, w, taught] = [x, w, taught].map(contiguous);
            let [x, w, taught] = [&x, &w, &taught].map(slice);
            let bounds = products.bounds(x, taught);
            let of_bounds = Steps { layout: WeightLayout { before: 1, ..by.layout }, ..by.clone() };
            let mut flag = steps::flag(&bounds, &of_bounds);
            if flag.is_nan() {
                flag = steps::flag(&products.values(x, w, taught), &by);
            }
            Values::from_data(TensorData::from([flag]))
        }

        fn descend_linear(
            weight: Values,
            x: Values,
            w: Values,
            taught: Values,
            products: Products,
            by: Steps,
            rate: f32,
        ) -> Values {
            let [x, taught] = [x, taught].map(contiguous);
            let same = match (weight.as_slice::<f32>(), w.as_slice::<f32>()) {
                (Some(weight), Some(w)) => std::ptr::eq(weight, w),
                _ => false,
            };
            if !same {
                // the layer has other weights by now: the sums are of those that it had
                let sums = products.values(slice(&x), slice(&contiguous(w)), slice(&taught));
                let mut weight = whole(contiguous(weight));
                steps::descend(weight.storage_mut(), &sums, &by, rate);
                return weight;
            }
            // or else the weight would be copied, being held by two
            drop(w);
            let mut weight = whole(weight);
            products.descend(
                weight.storage_mut(),
                slice(&x),
                slice(&taught),
                #[inline(always)]
                |run, weights, sums| by.lower(run, weights, sums, rate),
            );
            weight
        }
    }

    /// In place where nobody else holds the values.
    fn run(x: Values, added: Option<&[f32]>, affine: &Affine) -> Values {
        let mut x = by_image(x);
        let sizes = sizes(&x);
        if x.is_unique() && x.is_contiguous() && x.storage::<f32>().len() == sizes.iter().product::<usize>() {
            rows::apply(x.storage_mut(), None, added, sizes, affine);
            return x;
        }
        let mut results = vec![0.0; sizes.iter().product::<usize>()];
        rows::apply(&mut results, Some(images(&x)), added, sizes, affine);
        Values::from_data(TensorData::new(results, x.layout().shape().clone()))
    }

    /// With storage that holds nothing else.
    fn whole(x: Values) -> Values {
        match slice(&x).len() == x.storage::<f32>().len() {
            true => x,
            false => Values::from_data(TensorData::new(slice(&x).to_vec(), x.layout().shape().clone())),
        }
    }

    /// With rows in succession within an image; images may lie apart, as of a tensor of which these are some channels.
    fn by_image(x: Values) -> Values {
        let strides = x.layout().strides();
        let mut expected = 1;
        let inner = x.layout().shape().iter().zip(strides).skip(1).rev();
        let in_succession = inner.into_iter().all(|(length, stride)| {
            let fits = *length == 1 || *stride == expected;
            expected *= *length as isize;
            fits
        });
        if in_succession && strides[0] >= 0 { x } else { x.to_contiguous() }
    }

    fn images(x: &Values) -> Images<'_> {
        let layout = x.layout();
        Images { values: &x.storage()[layout.start_offset()..], step: layout.strides()[0] as usize }
    }

    fn contiguous(x: Values) -> Values {
        if x.is_contiguous() { x } else { x.to_contiguous() }
    }

    fn slice(x: &Values) -> &[f32] {
        x.as_slice().expect("contiguous values of f32")
    }

    /// Images, channels, positions.
    fn sizes(x: &Values) -> [usize; 3] {
        let shape = x.layout().shape();
        [shape[0], shape[1], shape[2..].iter().product()]
    }
}
