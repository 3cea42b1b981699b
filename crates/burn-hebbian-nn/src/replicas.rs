//! Sums over the replicas of a model that train in parallel, each on its own part of a batch.

use std::{
    fmt,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use burn::tensor::Tensor;

/// Adds up what the replicas of a model hold.
///
/// Every replica calls [`sum`](Self::sum) with its own part, all of them in the same order, and each gets the same
/// sum back on its own device.
pub trait AllReduce: fmt::Debug + Send + Sync {
    /// The sum of all parts.
    ///
    /// # Errors
    ///
    /// If the replicas cannot be reached, or do not agree.
    fn sum(&self, part: Tensor<1>) -> Result<Tensor<1>, ReduceError>;
}

/// A sum over replicas that did not come about.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ReduceError {
    /// Fewer than one replica.
    #[error("replicas: a sum needs at least one of them, got {0}")]
    Replicas(usize),
    /// Replicas that did not come.
    #[error(
        "replicas: {arrived} of {expected} came within {seconds} s; every replica must run every step, so that the last \
         batch must reach all of them"
    )]
    Missing {
        /// Those that came.
        arrived: usize,
        /// Those there are.
        expected: usize,
        /// The time they waited.
        seconds: f64,
    },
    /// Parts that do not belong together.
    #[error("replicas: parts of different lengths, {0:?}; do all replicas run the same model?")]
    Lengths(Vec<usize>),
    /// A device whose backend has no collective operations.
    #[error("replicas: {device} has no collective operations; Burn has them on CUDA alone")]
    NoCollectives {
        /// The device.
        device: String,
    },
}

/// Replicas in one process, each on a thread of its own: as burn-train's multi-device training runs them.
///
/// Parts are added in the order in which they arrive: with more than two replicas the last digit may differ from run
/// to run.
pub struct InProcess {
    replicas: usize,
    patience: Duration,
    round: Mutex<Round>,
    changed: Condvar,
}

/// One sum in the making.
#[derive(Default)]
struct Round {
    parts: Vec<Tensor<1>>,
    sum: Option<Tensor<1>>,
    /// Replicas that have not taken the sum yet.
    waiting: usize,
    broken: Option<ReduceError>,
}

impl InProcess {
    /// For so many replicas.
    ///
    /// # Errors
    ///
    /// If there are none.
    pub fn new(replicas: usize) -> Result<Self, ReduceError> {
        if replicas == 0 {
            return Err(ReduceError::Replicas(replicas));
        }
        let (round, changed) = (Mutex::default(), Condvar::new());
        Ok(Self { replicas, patience: Duration::from_secs(60), round, changed })
    }

    /// How long a replica waits for the others; 60 s without this.
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// Waits as long as `others` are to come.
    fn wait<'a>(
        &self,
        round: MutexGuard<'a, Round>,
        others: impl Fn(&Round) -> bool,
    ) -> Result<MutexGuard<'a, Round>, ReduceError> {
        let waited = self
            .changed
            .wait_timeout_while(round, self.patience, |round| round.broken.is_none() && others(round));
        let (mut round, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
        if timeout.timed_out() {
            let missing = ReduceError::Missing {
                arrived: round.parts.len(),
                expected: self.replicas,
                seconds: self.patience.as_secs_f64(),
            };
            return Err(self.give_up(&mut round, missing));
        }
        match &round.broken {
            Some(error) => Err(error.clone()),
            None => Ok(round),
        }
    }

    /// Nobody waits for a sum that will not come.
    fn give_up(&self, round: &mut Round, error: ReduceError) -> ReduceError {
        self.changed.notify_all();
        round.broken.insert(error).clone()
    }
}

impl AllReduce for InProcess {
    fn sum(&self, part: Tensor<1>) -> Result<Tensor<1>, ReduceError> {
        let device = part.device();
        let round = self.round.lock().unwrap_or_else(PoisonError::into_inner);
        let mut round = self.wait(round, |round| round.waiting > 0)?;
        round.parts.push(part);
        if round.parts.len() == self.replicas {
            let parts = std::mem::take(&mut round.parts);
            match add(parts) {
                Ok(sum) => (round.sum, round.waiting) = (Some(sum), self.replicas),
                Err(error) => return Err(self.give_up(&mut round, error)),
            }
            self.changed.notify_all();
        }
        let mut round = self.wait(round, |round| round.sum.is_none())?;
        let sum = round.sum.clone().expect("waited for");
        round.waiting -= 1;
        if round.waiting == 0 {
            round.sum = None;
            self.changed.notify_all();
        }
        Ok(sum.to_device(&device))
    }
}

/// The sum of parts, on the device of the first.
fn add(parts: Vec<Tensor<1>>) -> Result<Tensor<1>, ReduceError> {
    let lengths: Vec<usize> = parts.iter().map(|part| part.dims()[0]).collect();
    if lengths.iter().any(|length| *length != lengths[0]) {
        return Err(ReduceError::Lengths(lengths));
    }
    let device = parts[0].device();
    let sum = parts.into_iter().reduce(|sum, part| sum + part.to_device(&device));
    Ok(sum.expect("there is at least one replica"))
}

impl fmt::Debug for InProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&format!("InProcess({} replicas)", self.replicas))
    }
}
