//! Alternatives timed against each other.

use std::time::Instant;

use anyhow::Result;
use burn::tensor::Device;

/// Something to time.
pub(super) type Work<'a> = Box<dyn FnMut() -> Result<()> + 'a>;

/// The median times of alternatives in seconds.
///
/// In every round each runs once, so that what disturbs the machine disturbs all of them; one more round warms up.
pub(super) fn medians(rounds: usize, device: &Device, work: &mut [Work]) -> Result<Vec<f64>> {
    let mut times = vec![Vec::with_capacity(rounds); work.len()];
    for round in 0..=rounds {
        for (times, work) in times.iter_mut().zip(&mut *work) {
            let start = Instant::now();
            work()?;
            device.sync()?;
            if round > 0 {
                times.push(start.elapsed().as_secs_f64());
            }
        }
    }
    Ok(times.into_iter().map(median).collect())
}

/// The middle value, the upper of two; 0 of none.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    #[test]
    fn alternatives_take_turns() {
        let order = RefCell::new(vec![]);
        let mut work = ["a", "b"].map(|name| -> Work {
            let order = &order;
            Box::new(move || {
                order.borrow_mut().push(name);
                Ok(())
            })
        });
        assert_eq!(medians(2, &Device::flex(), &mut work).unwrap().len(), 2);
        assert_eq!(*order.borrow(), ["a", "b", "a", "b", "a", "b"]);
    }

    #[test]
    fn the_middle_counts() {
        assert_eq!(median(vec![9.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![4.0, 3.0]), 4.0);
    }
}
