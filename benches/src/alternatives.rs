//! Alternatives timed against each other in one process.

use std::time::Instant;

/// How much longer than the best alternative a choice may take.
pub const ALLOWED: f64 = 1.1;

/// What a bench was asked for, `[ROUNDS [NAME]]`: so many rounds, 15 by default, of what has the name in its own.
///
/// # Panics
///
/// If the rounds are no number.
pub fn asked() -> (usize, String) {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let rounds = arguments.next().map_or(15, |rounds| rounds.parse().expect("a number of rounds"));
    (rounds, arguments.next().unwrap_or_default())
}

/// The median times of alternatives in seconds.
///
/// In every round each runs once, so that what disturbs the machine disturbs all of them; one more round warms up.
pub fn medians(rounds: usize, alternatives: &[impl Fn()]) -> Vec<f64> {
    let mut times = vec![Vec::with_capacity(rounds); alternatives.len()];
    for round in 0..=rounds {
        for (times, alternative) in times.iter_mut().zip(alternatives) {
            let start = Instant::now();
            alternative();
            if round > 0 {
                times.push(start.elapsed().as_secs_f64());
            }
        }
    }
    times.into_iter().map(median).collect()
}

/// The middle value, the upper of two.
///
/// # Panics
///
/// If there is none.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
