//! Test bodies with all layers forced to one form.

use std::cell::Cell;

use burn_hebbian::prelude::*;

std::thread_local! {
    static FORCED: Cell<Forms> = const { Cell::new(Forms { correlation: None, mixing: None }) };
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
    let mixing = MixingForm::ALL.into_iter().cycle();
    let pairs = CorrelationForm::ALL.into_iter().zip(mixing);
    let forms = |(correlation, mixing)| {
        (
            format!("{correlation:?}_{mixing:?}"),
            Forms { correlation: Some(correlation), mixing: Some(mixing) },
        )
    };
    pairs.map(forms).collect()
}
