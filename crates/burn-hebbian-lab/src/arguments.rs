//! Numbers of a command line that make a run.

use std::str::FromStr;

/// A whole number of at least 1, for clap's `value_parser`: of seeds, epochs, images.
///
/// # Errors
///
/// If it is something else.
pub fn positive<T: FromStr + PartialOrd + From<u8>>(text: &str) -> Result<T, String> {
    let number = text.parse().ok().filter(|number| *number >= T::from(1));
    number.ok_or_else(|| "must be a whole number of at least 1".to_string())
}

/// A share above 0 and up to 1.
///
/// # Errors
///
/// If it is something else.
pub fn share(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|number| *number > 0.0 && *number <= 1.0);
    number.ok_or_else(|| "must be above 0 and at most 1".to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_make_no_run_are_refused() {
        assert_eq!(positive::<usize>("3"), Ok(3));
        assert_eq!(positive::<u64>("18446744073709551615"), Ok(u64::MAX));
        for text in ["0", "-1", "1.5", "", "18446744073709551616"] {
            assert!(positive::<u64>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn shares_lie_above_0_and_up_to_1() {
        assert_eq!((share("0.25"), share("1")), (Ok(0.25), Ok(1.0)));
        for text in ["0", "1.01", "-0.5", "NaN", "inf", ""] {
            assert!(share(text).is_err(), "{text}");
        }
    }
}
