//! Test bodies with all layers forced to one form.

use std::cell::Cell;

use burn_hebbian::nn::forms::{CorrelationForm, Forms, RecurrenceForm};

std::thread_local! {
    static FORCED: Cell<Forms> = const { Cell::new(Forms { correlation: None, recurrence: None }) };
}

/// The forms that layers of the tests are built with on this thread.
pub fn forced() -> Forms {
    FORCED.get()
}

/// Runs `body` with the layers that it builds forced to these forms.
pub fn with_forced<R>(forms: Forms, body: impl FnOnce() -> R) -> R {
    struct Restore(Forms);
    impl Drop for Restore {
        fn drop(&mut self) {
            FORCED.set(self.0);
        }
    }
    let _restore = Restore(FORCED.replace(forms));
    body()
}

/// Every form of both sums, by name: each correlation with one of the recurrences, each recurrence at least once.
pub fn all() -> Vec<(String, Forms)> {
    let recurrence = RecurrenceForm::ALL.into_iter().cycle();
    let pairs = CorrelationForm::ALL.into_iter().zip(recurrence);
    let forms = |(correlation, recurrence)| {
        (
            format!("{correlation:?}_{recurrence:?}"),
            Forms { correlation: Some(correlation), recurrence: Some(recurrence) },
        )
    };
    pairs.map(forms).collect()
}
