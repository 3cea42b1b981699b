//! Numbers of any size, in tables.

/// Digits that count.
const DIGITS: i32 = 5;

/// A number with five digits that count, those before the point never cut.
pub(crate) fn short(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return value.to_string();
    }
    let magnitude = value.abs().log10().floor() as i32;
    let decimals = (DIGITS - 1 - magnitude).clamp(0, 12) as usize;
    let text = format!("{value:.decimals$}");
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_string(),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_digits_count() {
        let shown = [0.999861, 0.0001234567, 7.6, -3.0, 1281167.4, 12.34567, 0.0].map(short);
        assert_eq!(shown, ["0.99986", "0.00012346", "7.6", "-3", "1281167", "12.346", "0"]);
    }
}
