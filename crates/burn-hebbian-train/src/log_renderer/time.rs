//! How long something took or will take, for a person to read.

use std::time::Duration;

/// `7 s`, `3 min 05 s` or `2 h 04 min`.
pub(super) fn text(duration: Duration) -> String {
    let seconds = duration.as_secs_f64().round() as u64;
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    match (hours, minutes) {
        (0, 0) => format!("{seconds} s"),
        (0, _) => format!("{minutes} min {:02} s", seconds % 60),
        _ => format!("{hours} h {minutes:02} min"),
    }
}

/// What is left at the pace of `done` of `total` in `elapsed`; nothing is known before anything is done.
pub(super) fn left(elapsed: Duration, done: usize, total: usize) -> Option<Duration> {
    (done > 0).then(|| elapsed.mul_f64(total.saturating_sub(done) as f64 / done as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_largest_units_are_named() {
        let texts = [0, 7, 60, 185, 3600, 7440].map(|seconds| text(Duration::from_secs(seconds)));
        assert_eq!(texts, ["0 s", "7 s", "1 min 00 s", "3 min 05 s", "1 h 00 min", "2 h 04 min"]);
    }

    #[test]
    fn what_is_left_follows_the_pace() {
        let minute = Duration::from_secs(60);
        assert_eq!(left(minute, 2, 6), Some(2 * minute));
        assert_eq!(left(minute, 6, 6), Some(Duration::ZERO));
        assert_eq!(left(minute, 0, 6), None);
    }
}
