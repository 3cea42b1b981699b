//! A linear layer on plain tensors, to try rules on.

use alloc::format;

use burn::tensor::{Device, Tensor, TensorData};

use crate::{
    Activity, Factors, LayerView, LocalRule, RecurrenceMask, Reduction, RuleError, Signals, Span, Sums,
    WeightLayout, Weighted, precision::whole,
};

/// A linear layer on plain tensors, and the inputs it saw: to try rules on, and to test rules of your own.
///
/// A step here comes to the same as one of a real layer by plain ascent at rate 1. Nothing is trained: the view stays as it
/// is, and a step answers with what it would change.
///
/// ```
/// use burn::tensor::Device;
/// use burn_hebbian_core::{DenseView, Rule, Signals};
///
/// // one neuron w = (1, 0) sees x = (1, 1)
/// let layer = DenseView::from_data([[1.0, 0.0]], [[1.0, 1.0]], &Device::flex());
/// let y = layer.activity(Signals::none()).dot();
/// y.into_data().assert_eq(&[[[[1.0]]]].into(), false);
///
/// let update = layer.update(&Rule::oja(), Signals::none()).unwrap();
/// update.into_data().assert_eq(&[[0.0, 1.0]].into(), false); // y (x − y w)
/// ```
#[derive(Debug, Clone)]
pub struct DenseView {
    weight: Tensor<2>,
    inputs: Tensor<2>,
    bias: Option<Tensor<1>>,
    state: Option<Tensor<1>>,
    given: Option<(Tensor<2>, Span)>,
}

/// What a step of rate 1 changes in a [`DenseView`].
///
/// ```
/// # use burn::tensor::{Device, Tolerance};
/// use burn_hebbian_core::{DenseView, Rule, Signals};
/// # let device = Device::flex();
///
/// // y = 2; the threshold of BCM starts at 0 and runs a tenth of the way to y² = 4
/// let layer = DenseView::from_data([[1.0, 0.0]], [[2.0, 1.0]], &device);
/// let step = layer.step(&Rule::bcm(), Signals::none()).unwrap();
/// step.weight.into_data().assert_eq(&[[8.0, 4.0]].into(), false); // y (y − θ) x
/// let later = layer.with_state(step.state.unwrap()).update(&Rule::bcm(), Signals::none()).unwrap();
/// later.into_data().assert_approx_eq::<f32>(&[[6.4, 3.2]].into(), Tolerance::default());
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct DenseStep {
    /// What is added to the weight, `[neurons, fan_in]`.
    pub weight: Tensor<2>,
    /// What is added to the bias, `[neurons]`, by a rule that learns it.
    pub bias: Option<Tensor<1>>,
    /// The state that the step leaves, of a rule that keeps one.
    pub state: Option<Tensor<1>>,
}

impl DenseView {
    /// A layer of a weight `[neurons, fan_in]` that saw `inputs`, `[images, fan_in]`.
    ///
    /// # Panics
    ///
    /// If the inputs are not of the weight's fan-in.
    pub fn new(weight: Tensor<2>, inputs: Tensor<2>) -> Self {
        let ([_, fan_in], [_, width]) = (weight.dims(), inputs.dims());
        assert!(fan_in == width, "dense view: inputs have {width} values, neurons {fan_in} weights");
        let [weight, inputs] = [weight, inputs].map(|values| whole(values.inner()));
        Self { weight, inputs, bias: None, state: None, given: None }
    }

    /// A layer of numbers: a row a neuron, and a row an image.
    ///
    /// # Panics
    ///
    /// If these are no matrices, or the inputs are not of the weight's fan-in.
    pub fn from_data(weight: impl Into<TensorData>, inputs: impl Into<TensorData>, device: &Device) -> Self {
        Self::new(Tensor::from_data(weight, device), Tensor::from_data(inputs, device))
    }

    /// With a bias, `[neurons]`.
    pub fn with_bias(mut self, bias: Tensor<1>) -> Self {
        self.bias = Some(whole(bias.inner()));
        self
    }

    /// With responses `[images, neurons]` that are given from outside, spikes over time, in the place of its own.
    ///
    /// # Panics
    ///
    /// If these are not one for each input and neuron.
    pub fn with_responses(mut self, responses: Tensor<2>, span: Span) -> Self {
        let (expected, got) = ([self.inputs.dims()[0], self.weight.dims()[0]], responses.dims());
        assert!(got == expected, "dense view: expected responses of {expected:?}, got {got:?}");
        self.given = Some((whole(responses.inner()), span));
        self
    }

    /// With the state that a rule left; without this, steps start from the rule's
    /// [`initial_state`](LocalRule::initial_state).
    pub fn with_state(mut self, state: Tensor<1>) -> Self {
        self.state = Some(whole(state.inner()));
        self
    }

    /// What the layer saw, as a rule sees it.
    ///
    /// It has a state only [if one was given](Self::with_state).
    pub fn activity(&self, signals: Signals) -> Activity<'_> {
        let (responses, span) = match &self.given {
            None => (self.respond_with(self.weight()), None),
            Some((given, span)) => (given.clone().unsqueeze_dims(&[1, 3]), Some(*span)),
        };
        let seen = Activity::new(responses, signals, self).with_state(self.state.clone()).learning();
        match span {
            None => seen,
            Some(span) => seen.with_span(span),
        }
    }

    /// What a step of rate 1 adds to the weight, `[neurons, fan_in]`.
    ///
    /// # Errors
    ///
    /// As [`step`](Self::step).
    pub fn update(&self, rule: &dyn LocalRule, signals: Signals) -> Result<Tensor<2>, RuleError> {
        Ok(self.step(rule, signals)?.weight)
    }

    /// What a step of rate 1 changes: weight, bias and the rule's state.
    ///
    /// # Errors
    ///
    /// A [`RuleError`] if the rule cannot train this layer or learn by these signals, if there are no inputs, or if lengths
    /// of state and statistics are not those that the rule states.
    pub fn step(&self, rule: &dyn LocalRule, signals: Signals) -> Result<DenseStep, RuleError> {
        let layout = self.layout();
        self.check(rule, &signals)?;
        let signals = match &self.given {
            None => signals,
            Some((_, span)) => signals.over(*span, self.inputs.dims()[0])?,
        };
        let state = self.state_for(rule)?;
        let factors = rule.factors(&self.activity(signals).with_state(state.clone()));
        let Sums { numerator, mass, statistics } = self.sum(rule, factors)?;
        let finish = rule.finish();
        let mut finished = finish.apply(layout.view(numerator.into_values()), mass, &self.weight(), &layout);
        if finish.bounds.range().is_some() {
            finished = finish.bounds.hold(self.weight() + finished) - self.weight();
        }
        let bias = self.bias.clone().filter(|_| rule.learns_bias());
        Ok(DenseStep {
            weight: finished.reshape(self.weight.dims()),
            bias: bias.map(|bias| rule.bias_update(bias, statistics.clone(), &layout)),
            state: state.map(|state| rule.next_state(state, statistics, &layout)),
        })
    }

    fn check(&self, rule: &dyn LocalRule, signals: &Signals) -> Result<(), RuleError> {
        let (layout, images) = (self.layout(), self.inputs.dims()[0]);
        rule.check(&layout)?;
        rule.check_signals(signals, &layout)?;
        if images == 0 {
            return Err(RuleError::Custom("nothing can be learned from no inputs".into()));
        }
        match &self.given {
            Some((_, span)) => rule.check_span(span)?,
            None if rule.learns_from_spikes() => return Err(RuleError::SpikesMissing),
            None => rule.check_images(signals, images)?,
        }
        if rule.needs_bias() && self.bias.is_none() {
            return Err(RuleError::Custom("this rule learns the bias: give one by `with_bias`".into()));
        }
        Ok(())
    }

    /// The state that a step starts with.
    fn state_for(&self, rule: &dyn LocalRule) -> Result<Option<Tensor<1>>, RuleError> {
        let Some(initial) = rule.initial_state(&self.layout()) else { return Ok(None) };
        let Some(state) = self.state.clone() else {
            let options = (&self.weight.device(), self.weight.dtype());
            return Ok(Some(Tensor::from_data(initial.as_slice(), options)));
        };
        same_len("state", state.dims()[0], initial.len())?;
        Ok(Some(state))
    }

    /// What the rule makes of the activity, summed over the inputs.
    fn sum(&self, rule: &dyn LocalRule, factors: Factors) -> Result<Sums, RuleError> {
        let layout = self.layout();
        let images = self.inputs.dims()[0];
        let by_neuron = |c: Tensor<4>| c.reshape([images, layout.neurons]).transpose(); // [k, n]
        let mut numerator = match factors.coefficients {
            Some(c) => layout.view(by_neuron(c).matmul(self.inputs.clone())),
            None => self.weight().zeros_like(),
        };
        for Weighted { coefficients, by } in factors.weighted {
            let correlation = layout.view(by_neuron(coefficients).matmul(self.inputs.clone()));
            numerator = numerator + by.of(self.weight()) * correlation;
        }
        if let Some(offset) = factors.offset {
            numerator = numerator + offset.reshape([1, 1, layout.neurons, 1]);
        }
        if let Some(decay) = factors.decay {
            numerator = numerator - layout.scale_neurons(self.weight(), decay);
        }
        if let Some(matrix) = factors.matrix {
            let k = by_neuron(matrix.left).matmul(by_neuron(matrix.right).transpose());
            let k = match matrix.mask {
                RecurrenceMask::Full => k,
                RecurrenceMask::LowerTriangle => k.tril(0),
            };
            numerator = numerator - layout.recurrence_product(self.weight(), k.unsqueeze());
        }
        if let Some(taps) = factors.taps {
            let decay = taps.reshape([1, images]).matmul(self.inputs.clone()); // [1, fan_in]
            numerator = numerator - self.weight() * decay.unsqueeze();
        }
        let mass = match rule.finish().reduction {
            Reduction::Sum => None,
            Reduction::Mean => {
                Some(Tensor::full([1], images as f64, (&self.weight.device(), self.weight.dtype())))
            }
            Reduction::Weighted => {
                let mass = factors.mass.ok_or_else(|| {
                    RuleError::Custom(
                        "a weighted reduction divides by Factors::with_mass_of, got none".into(),
                    )
                })?;
                Some(mass.reshape([layout.neurons]))
            }
        };
        let statistics = factors.statistics.as_ref().map_or(0, |statistics| statistics.dims()[0]);
        same_len("statistics", statistics, rule.statistics_len(&layout))?;
        Ok(Sums::new(numerator.reshape([layout.num_elements()]), mass, factors.statistics))
    }
}

impl LayerView for DenseView {
    fn layout(&self) -> WeightLayout {
        let [neurons, after] = self.weight.dims();
        WeightLayout { groups: 1, before: 1, neurons, after }
    }

    fn patch_energy(&self) -> Tensor<4> {
        self.inputs.clone().square().sum_dim(1).reshape([-1, 1, 1, 1])
    }

    fn weight(&self) -> Tensor<4> {
        self.layout().view(self.weight.clone())
    }

    fn bias(&self) -> Option<Tensor<1>> {
        self.bias.clone()
    }

    fn respond_with(&self, weight: Tensor<4>) -> Tensor<4> {
        let ([images, _], [neurons, fan_in]) = (self.inputs.dims(), self.weight.dims());
        let weight = weight.reshape([neurons, fan_in]);
        self.inputs.clone().matmul(weight.transpose()).reshape([images, 1, neurons, 1])
    }
}

/// Refuses what has another length than the rule states.
fn same_len(name: &str, len: usize, expected: usize) -> Result<(), RuleError> {
    if len == expected {
        return Ok(());
    }
    Err(RuleError::Custom(format!("{name}: the rule states {expected} values, got {len}")))
}
