//! Random sequences of what a user does, against a small model of what must have happened.
//!
//! The model is short: a list of what was committed. Whatever else is done in between, seen or refused, saved and loaded,
//! must leave no trace, at once and for ever: after each action every parameter, statistic and state is what it was, or
//! exactly those have moved that learn; and in the end all is as in a training that knew the committed actions alone.
//!
//! `HEBBIAN_SEQUENCES` is the number of sequences.

use std::{env, thread};

use burn::{
    module::{Module, ModuleMapper, Param},
    nn::{BatchNormConfig, Linear, LinearConfig},
    optim::{AdamConfig, SgdConfig},
    store::ModuleRecord,
    tensor::{DType, Tensor},
};
use burn_hebbian::{
    nn::SyncBatchNorm,
    optim::{
        Entry, PlanError, UpdateError, Updates,
        checkpoint::{Checkpoints, Progress, Training},
    },
    prelude::*,
};
use burn_hebbian_tests::values::{bits, tensor, vec};
use libtest_mimic::Trial;
use proptest::{
    prelude::*,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};

use crate::{device, kind};

pub(crate) fn trials() -> Vec<Trial> {
    kind("sequences", [("what_is_not_committed_leaves_no_trace", sequences as fn())])
}

/// A local layer with state, a norm, a local layer, and one by backprop.
#[derive(Module, Debug)]
struct Small {
    code: Local<Linear>,
    norm: SyncBatchNorm,
    units: Local<Linear>,
    head: Linear,
}

impl Small {
    /// The same weights for the same seed.
    fn new(seed: u64) -> Self {
        let linear = |seed, [d_input, d_output]: [usize; 2]| {
            let mut linear = LinearConfig::new(d_input, d_output).with_bias(false).init(&device());
            linear.weight = Param::from_tensor(tensor::<2>(seed, [d_input, d_output], &device()));
            linear
        };
        Self {
            code: Local::new(linear(seed * 10 + 1, [3, 4])).with_rule(Rule::bcm()),
            norm: SyncBatchNorm::new(BatchNormConfig::new(4).init(&device())),
            units: Local::new(linear(seed * 10 + 2, [4, 3])),
            head: linear(seed * 10 + 3, [3, 2]),
        }
    }

    fn forward(&self, x: Tensor<2>) -> Tensor<1> {
        let x = self.norm.forward(self.code.forward(x));
        self.head.forward(self.units.forward(x)).powi_scalar(2).mean()
    }

    /// What there is, by name.
    fn parts(&self) -> [(&'static str, Vec<u64>); 5] {
        let running = |norm: &SyncBatchNorm| {
            [vec(norm.norm().running_mean.value_sync()), vec(norm.norm().running_var.value_sync())].concat()
        };
        let to_bits = |values: Vec<f64>| values.into_iter().map(f64::to_bits).collect::<Vec<u64>>();
        let [gamma, beta] = [&self.norm.norm().gamma, &self.norm.norm().beta].map(|param| vec(param.val()));
        [
            ("code", bits(&self.code)),
            ("affine", to_bits([gamma, beta].concat())),
            ("running", to_bits(running(&self.norm))),
            ("units", bits(&self.units)),
            ("head", bits(&self.head)),
        ]
    }
}

fn batch(seed: u8) -> Tensor<2> {
    tensor(u64::from(seed), [5, 3], &device())
}

/// `units` lets gradients through, to the norm's γ and β.
fn plan() -> Plan {
    let units = LocalTraining::new(Rule::swta()).passing_gradients();
    Plan::new().with(Entry::local("units", units).at_rate(0.05))
}

#[derive(Debug, Clone, Copy)]
enum Action {
    Step(u8),
    MicroBatches(u8, u8),
    OnThreads(u8),
    /// With an average, a clone and an evaluation run beside the model, in the same pass.
    Beside(u8),
    FreezeCode,
    ThawCode,
    FreezeHead,
    ThawHead,
    Rebind,
    // none of these is to leave a trace
    NotFinite(u8, u8),
    Forgotten(u8),
    Dropped(u8),
    Rehearsal(u8),
    Validation(u8),
    Evaluation(u8),
    CloneTrains(u8),
    SaveAndLoad,
    SaveAndResume,
    OtherModel(u8),
    OtherUpdates(u8),
    Tied,
    Half(u8),
}

impl Action {
    fn commits(self) -> bool {
        use Action::*;
        matches!(
            self,
            Step(_)
                | MicroBatches(..)
                | OnThreads(_)
                | Beside(_)
                | FreezeCode
                | ThawCode
                | FreezeHead
                | ThawHead
                | Rebind
        )
    }

    /// What it comes to.
    fn committed(self) -> Option<Self> {
        match self {
            Self::Beside(seed) | Self::OnThreads(seed) => Some(Self::Step(seed)),
            _ => self.commits().then_some(self),
        }
    }

    fn steps(self) -> bool {
        matches!(self, Self::Step(_) | Self::MicroBatches(..) | Self::OnThreads(_) | Self::Beside(_))
    }
}

fn actions() -> impl Strategy<Value = Vec<Action>> {
    use Action::*;
    let action = prop_oneof![
        4 => any::<u8>().prop_map(Step),
        2 => any::<(u8, u8)>().prop_map(|(one, two)| MicroBatches(one, two)),
        1 => any::<u8>().prop_map(OnThreads),
        2 => any::<u8>().prop_map(Beside),
        1 => Just(FreezeCode),
        1 => Just(ThawCode),
        1 => Just(FreezeHead),
        1 => Just(ThawHead),
        1 => Just(Rebind),
        2 => any::<(u8, u8)>().prop_map(|(seed, bad)| NotFinite(seed, bad)),
        1 => any::<u8>().prop_map(Forgotten),
        1 => any::<u8>().prop_map(Dropped),
        1 => any::<u8>().prop_map(Rehearsal),
        1 => any::<u8>().prop_map(Validation),
        1 => any::<u8>().prop_map(Evaluation),
        1 => any::<u8>().prop_map(CloneTrains),
        1 => Just(SaveAndLoad),
        1 => Just(SaveAndResume),
        1 => any::<u8>().prop_map(OtherModel),
        1 => any::<u8>().prop_map(OtherUpdates),
        1 => Just(Tied),
        1 => any::<u8>().prop_map(Half),
    ];
    prop::collection::vec(action, 1..10)
}

/// A training, and what its user has frozen.
struct World {
    model: Small,
    optim: LocalOptimizer,
    code_frozen: bool,
    head_frozen: bool,
}

impl World {
    fn new() -> Self {
        let (model, optim) = plan().init(Small::new(1), AdamConfig::new()).unwrap();
        Self { model, optim, code_frozen: false, head_frozen: false }
    }

    fn updates(&self, x: Tensor<2>) -> Updates {
        let (loss, seen) =
            self.optim.observe(&self.model, Signals::none(), |model| model.forward(x)).unwrap();
        seen.backward(loss).unwrap()
    }

    fn step(mut self, updates: Updates) -> Self {
        let model = self.optim.step(0.01, self.model, updates).unwrap();
        Self { model, ..self }
    }

    /// What must move in a step; γ and β in all of them, and the statistics.
    fn moves(&self, part: &str) -> bool {
        match part {
            "code" => !self.code_frozen,
            "head" => !self.head_frozen,
            _ => true,
        }
    }

    fn act(self, action: Action) -> Self {
        use Action::*;
        match action {
            Step(seed) => {
                let updates = self.updates(batch(seed));
                self.step(updates)
            }
            MicroBatches(one, two) => {
                let updates = self.updates(batch(one)).merge(self.updates(batch(two))).unwrap();
                self.step(updates)
            }
            OnThreads(seed) => {
                let forward = |model: &Small| {
                    thread::scope(|scope| scope.spawn(|| model.forward(batch(seed))).join().unwrap())
                };
                let (loss, seen) = self.optim.observe(&self.model, Signals::none(), forward).unwrap();
                self.step(seen.backward(loss).unwrap())
            }
            Beside(seed) => {
                let average = self.model.clone().map(&mut Shrink);
                let forward = |copy: &Small| {
                    drop((
                        average.forward(batch(!seed)),
                        copy.clone().forward(batch(!seed)),
                        self.model.forward(batch(!seed)),
                    ));
                    copy.forward(batch(seed))
                };
                let (loss, seen) = self.optim.observe(&self.model, Signals::none(), forward).unwrap();
                self.step(seen.backward(loss).unwrap())
            }
            FreezeCode => {
                let code = self.model.code.freeze();
                Self { model: Small { code, ..self.model }, code_frozen: true, ..self }
            }
            ThawCode => {
                let code = self.model.code.unfreeze();
                Self { model: Small { code, ..self.model }, code_frozen: false, ..self }
            }
            FreezeHead => {
                let head = self.model.head.freeze();
                Self { model: Small { head, ..self.model }, head_frozen: true, ..self }
            }
            ThawHead => {
                let head = self.model.head.unfreeze();
                Self { model: Small { head, ..self.model }, head_frozen: false, ..self }
            }
            Rebind => {
                let (model, optim) = plan().init(self.model, AdamConfig::new()).unwrap();
                Self { model, optim, ..self }
            }
            NotFinite(seed, bad) => self.not_finite(seed, bad),
            Forgotten(seed) => self.forgotten(seed),
            SaveAndLoad => {
                let bytes = self.model.clone().into_record().into_bytes().unwrap();
                let model = self.model.load_record(ModuleRecord::from_bytes(bytes).unwrap());
                Self { model, ..self }
            }
            SaveAndResume => self.resumed(),
            _ => {
                self.look(action);
                self
            }
        }
    }

    fn not_finite(mut self, seed: u8, bad: u8) -> Self {
        let bad = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY][usize::from(bad % 3)];
        let mask = tensor::<2>(u64::from(seed), [5, 3], &device()).greater_elem(0.5);
        let x = batch(seed).mask_fill(mask, bad);
        // a batch without such a value is a batch like any other: it is not stepped
        let finite = vec(x.clone()).iter().all(|value| value.is_finite());
        let updates = self.updates(x);
        if finite {
            return self;
        }
        let refused = self.optim.step(0.01, self.model, updates).expect_err("nothing finite");
        let (model, error) = refused.into_parts();
        assert!(matches!(error, UpdateError::NotFinite { .. }), "{error}");
        Self { model, ..self }
    }

    fn forgotten(mut self, seed: u8) -> Self {
        let outside = |_: &Small| self.model.forward(batch(seed));
        let (_, seen) = self.optim.observe(&self.model, Signals::none(), outside).unwrap();
        let refused = self.optim.step(0.01, self.model, seen.local_only()).expect_err("no layer was reached");
        let (model, error) = refused.into_parts();
        assert!(matches!(error, UpdateError::Unreached { .. }), "{error}");
        Self { model, ..self }
    }

    fn resumed(self) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let checkpoints = Checkpoints::new(folder.path());
        let progress = Progress { seed: 1, epochs: 1 };
        let Self { model, optim, code_frozen, head_frozen } = self;
        let saved = Training { progress, model, optim };
        checkpoints.save(&saved).unwrap();
        // what is frozen is no part of records
        let (model, optim) = plan().init(Small::new(2), AdamConfig::new()).unwrap();
        let Training { mut model, optim, .. } =
            checkpoints.resume(Training { progress: Progress { seed: 1, epochs: 0 }, model, optim }).unwrap();
        if code_frozen {
            model.code = model.code.freeze();
        }
        if head_frozen {
            model.head = model.head.freeze();
        }
        Self { model, optim, code_frozen, head_frozen }
    }

    /// What is done beside the training.
    fn look(&self, action: Action) {
        use Action::*;
        let (model, optim) = (&self.model, &self.optim);
        match action {
            Dropped(seed) => drop(self.updates(batch(seed))),
            Rehearsal(seed) => {
                let report =
                    optim.rehearse(model, Signals::none(), |model| model.forward(batch(seed))).unwrap();
                assert!(report.unreached.is_empty());
            }
            Validation(seed) => {
                let valid = model.valid();
                drop(valid.forward(batch(seed).inner()));
                drop(valid.train().forward(batch(seed)));
            }
            Evaluation(seed) => drop((model.forward(batch(seed)), model.clone().forward(batch(seed)))),
            CloneTrains(seed) => {
                let (clone, mut other) = plan().init(model.clone(), SgdConfig::new()).unwrap();
                let (loss, seen) =
                    other.observe(&clone, Signals::none(), |clone| clone.forward(batch(seed))).unwrap();
                drop(other.step(0.5, clone, seen.backward(loss).unwrap()).unwrap());
            }
            OtherModel(seed) => {
                let observed =
                    optim.observe(&Small::new(3), Signals::none(), |other| other.forward(batch(seed)));
                assert!(matches!(observed.map(drop), Err(UpdateError::NotBound { .. })));
            }
            OtherUpdates(seed) => {
                let (other, others) = plan().init(Small::new(3), SgdConfig::new()).unwrap();
                let (loss, seen) =
                    others.observe(&other, Signals::none(), |other| other.forward(batch(seed))).unwrap();
                let updates = seen.backward(loss).unwrap();
                let refused = optim.clone().step(0.01, model.clone(), updates).expect_err("of another model");
                assert!(matches!(refused.error(), UpdateError::Foreign { .. }), "{refused}");
            }
            Tied => {
                let tied = vec![model.clone(), model.clone()];
                let refused =
                    Plan::new().init(tied, SgdConfig::new()).map(drop).expect_err("one model twice");
                assert!(matches!(refused, PlanError::Tied { .. }), "{refused}");
            }
            Half(seed) => {
                let half = Small::new(4).map(&mut Cast(DType::BF16));
                let (half, mut other) = plan().init(half, SgdConfig::new()).unwrap();
                let x = batch(seed).cast(DType::BF16);
                let (loss, seen) = other.observe(&half, Signals::none(), |half| half.forward(x)).unwrap();
                drop(other.step(0.1, half, seen.backward(loss).unwrap()).unwrap());
            }
            _ => unreachable!("{action:?} is no look"),
        }
    }
}

/// Like an average of weights with zero.
struct Shrink;

impl ModuleMapper for Shrink {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        param.map(|values| values.detach().mul_scalar(0.9))
    }
}

struct Cast(DType);

impl ModuleMapper for Cast {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let require_grad = param.is_require_grad();
        param.map(|values| values.inner().cast(self.0).autodiff().set_require_grad(require_grad))
    }
}

/// One sequence, action by action; what there is in the end.
fn run(actions: &[Action]) -> [(&'static str, Vec<u64>); 5] {
    let mut world = World::new();
    for action in actions {
        let before = world.model.parts();
        world = world.act(*action);
        for ((part, before), (_, after)) in before.into_iter().zip(world.model.parts()) {
            let moves = action.steps() && world.moves(part);
            assert_eq!(before != after, moves, "{part} after {action:?}");
        }
    }
    world.model.parts()
}

fn sequences() {
    let asked = env::var("HEBBIAN_SEQUENCES").ok().and_then(|asked| asked.parse().ok());
    let config = Config { cases: asked.unwrap_or(2000), failure_persistence: None, ..Config::default() };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let result = runner.run(&actions(), |actions| {
        let committed: Vec<Action> = actions.iter().filter_map(|action| action.committed()).collect();
        prop_assert_eq!(run(&actions), run(&committed), "only these are to count: {:?}", committed);
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
}
