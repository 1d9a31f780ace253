//! One cell of a table, and the number or the text that it holds.

use std::borrow::Cow;

/// A cell as its source gives it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cell<'a> {
    Missing,
    Text(&'a str),
    Integer(i64),
    Float(f32),
    Double(f64),
    Integers(&'a [i64]),
}

/// What a cell is as a number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Number {
    Value(f32),
    Missing,
    /// Beyond what 32 bits hold, or infinite as written: taken as missing, and counted.
    Infinite,
    /// Not a number at all.
    Not,
}

impl<'a> Cell<'a> {
    pub(crate) fn number(&self) -> Number {
        match *self {
            Cell::Missing => Number::Missing,
            Cell::Text(text) => number(text),
            Cell::Integer(value) => Number::Value(value as f32),
            Cell::Float(value) => finite(value),
            Cell::Double(value) => finite(value as f32),
            Cell::Integers(_) => Number::Not,
        }
    }

    /// The cell as text, `None` when it is missing.
    pub(crate) fn text(&self) -> Option<Cow<'a, str>> {
        match *self {
            Cell::Missing => None,
            Cell::Text(text) => {
                let text = text.trim();
                (!is_missing(text)).then_some(Cow::Borrowed(text))
            }
            _ => {
                let mut text = String::new();
                self.write(&mut text);
                (!text.is_empty()).then_some(Cow::Owned(text))
            }
        }
    }

    /// Appends the cell as it stands in a CSV file, before quotes.
    pub(crate) fn write(&self, text: &mut String) {
        match *self {
            Cell::Missing => {}
            Cell::Text(value) => text.push_str(value),
            Cell::Integer(value) => text.push_str(itoa::Buffer::new().format(value)),
            Cell::Float(value) if value.is_finite() => {
                text.push_str(zmij::Buffer::new().format_finite(value));
            }
            Cell::Double(value) if value.is_finite() => {
                text.push_str(zmij::Buffer::new().format_finite(value));
            }
            Cell::Float(_) | Cell::Double(_) => {}
            Cell::Integers(values) => {
                for (index, &value) in values.iter().enumerate() {
                    if index > 0 {
                        text.push(' ');
                    }
                    text.push_str(itoa::Buffer::new().format(value));
                }
            }
        }
    }

    /// The cell as a time, in microseconds since 1970.
    pub(crate) fn time_micros(&self) -> Option<i64> {
        match *self {
            Cell::Text(text) => match text.trim().parse() {
                Ok(value) => Some(whole(value)),
                Err(_) => flowgait_flow::label::time_micros(text).map(rescale),
            },
            Cell::Integer(value) => Some(whole(value)),
            Cell::Double(value) => {
                let micros = (value * 1e6).round();
                (micros.abs() < 9e18).then_some(rescale(micros as i64))
            }
            Cell::Float(value) => Cell::Double(value.into()).time_micros(),
            Cell::Missing | Cell::Integers(_) => None,
        }
    }
}

/// A whole number of seconds, milliseconds, microseconds or nanoseconds, as [`rescale`] tells them apart.
fn whole(value: i64) -> i64 {
    match value.unsigned_abs() {
        0..100_000_000_000 => value * 1_000_000,
        100_000_000_000..100_000_000_000_000 => value * 1_000,
        100_000_000_000_000..100_000_000_000_000_000 => value,
        _ => value / 1_000,
    }
}

/// Seconds since 1970 are below 10^11 until the year 5138; larger numbers are milliseconds, microseconds or nanoseconds.
fn rescale(micros: i64) -> i64 {
    match micros.unsigned_abs() / 1_000_000 {
        0..100_000_000_000 => micros,
        100_000_000_000..100_000_000_000_000 => micros / 1_000,
        _ => micros / 1_000_000,
    }
}

/// A list cell's integers, one after the other; `None` for a part that is none. As ours (`40 -1400`) and as other tools print
/// them (`[40, -1400]`, `40;-1400`).
pub(crate) fn integers(text: &str) -> impl Iterator<Item = Option<i64>> + '_ {
    let text = text.trim();
    let inside = text.strip_prefix(['[', '(']).and_then(|text| text.strip_suffix([']', ')']));
    inside
        .unwrap_or(text)
        .split([' ', '\t', ',', ';'])
        .filter(|part| !part.is_empty())
        .map(|part| part.parse().ok())
}

/// Whether a text is a list of integers: in brackets, or two or more. Two with a comma between are a number with a decimal comma.
pub(crate) fn is_list(text: &str) -> bool {
    let mut count = 0;
    let whole = integers(text).inspect(|_| count += 1).all(|part| part.is_some());
    let least = if text.contains(',') { 3 } else { 2 };
    whole && (count >= least || text.trim_start().starts_with(['[', '(']))
}

/// Whether a text is one number with spaces between its thousands, as well as a list: `1 102`, `12 345 678`.
pub(crate) fn is_spaced_number(text: &str) -> bool {
    let mut parts = text.trim().split(' ');
    let digits = |part: &str| part.bytes().all(|octet| octet.is_ascii_digit());
    let first = parts.next().unwrap_or_default();
    let first = first.strip_prefix('-').unwrap_or(first);
    let begins = (1..=3).contains(&first.len()) && digits(first) && !first.starts_with('0');
    begins && parts.all(|part| part.len() == 3 && digits(part))
}

/// Whether a cell that reads like this has no value, whatever its column holds.
pub(crate) fn is_missing(text: &str) -> bool {
    matches!(text, "" | "?" | "NA") || text.eq_ignore_ascii_case("nan")
}

/// Whether a cell that reads like this has no value in a column of numbers. As text, `none` may well be one.
pub(crate) fn is_missing_number(text: &str) -> bool {
    const WORDS: [&str; 6] = ["nan", "na", "n/a", "#n/a", "null", "none"];
    matches!(text, "" | "?" | "-") || WORDS.iter().any(|word| text.eq_ignore_ascii_case(word))
}

fn finite(value: f32) -> Number {
    if value.is_finite() {
        Number::Value(value)
    } else if value.is_nan() {
        Number::Missing
    } else {
        Number::Infinite
    }
}

fn number(text: &str) -> Number {
    if let Some(value) = plain(text.as_bytes()) {
        return Number::Value(value);
    }
    let text = text.trim();
    if is_missing_number(text) {
        return Number::Missing;
    }
    text.parse().map_or(Number::Not, finite)
}

/// Powers of ten that are whole numbers of 53 bits.
const TENS: [f64; 16] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];

/// Most cells are a sign, digits and perhaps a point among them, which need no general parser. As it gives it to the last bit, or none.
///
/// Up to 15 digits are a whole number of 53 bits, so its quotient by a power of ten is rounded once (W. D. Clinger, "How to read floating
/// point numbers accurately", 1990). To round that again to 24 bits is the same as to do so at once unless it lies midway between two.
fn plain(octets: &[u8]) -> Option<f32> {
    let (is_negative, rest) = match octets {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, octets),
    };
    // A point and digits.
    if rest.is_empty() || rest.len() >= TENS.len() {
        return None;
    }
    let (mut digits, mut point) = (0_u64, None);
    for (at, octet) in rest.iter().enumerate() {
        let digit = octet.wrapping_sub(b'0');
        if digit <= 9 {
            digits = digits * 10 + u64::from(digit);
        } else if *octet == b'.' && point.is_none() {
            point = Some(at);
        } else {
            return None;
        }
    }
    let behind = point.map_or(0, |at| rest.len() - at - 1);
    // A point and nothing else.
    if point.is_some() && rest.len() == 1 {
        return None;
    }
    let value = digits as f64 / TENS[behind];
    const MIDWAY: u64 = 1 << 28;
    if value.to_bits() & (2 * MIDWAY - 1) == MIDWAY {
        return None;
    }
    let value = value as f32;
    Some(if is_negative { -value } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Number) {
        assert_eq!(Cell::Text(text).number(), expected, "'{text}'");
    }

    #[test]
    fn numbers() {
        check("12", Number::Value(12.0));
        check("-7", Number::Value(-7.0));
        check(" 1.5 ", Number::Value(1.5));
        check("-0", Number::Value(-0.0));
        check("1e3", Number::Value(1000.0));
        check("16777217", Number::Value(16_777_216.0));
        check("999999999", Number::Value(1e9));
        check("12345678901234567890", Number::Value(12_345_678_901_234_567_890.0));
        for text in ["", "  ", "NaN", "nan", "?", "NA", "na", "N/A", "n/a", "#N/A"] {
            check(text, Number::Missing);
        }
        for text in ["null", "NULL", "None", "none", "-", " - "] {
            check(text, Number::Missing);
        }
        for text in ["inf", "-Infinity", "1e39"] {
            check(text, Number::Infinite);
        }
        for text in ["no", "12a", "--", "1,5", "1 102", "0x10", "true", "--1"] {
            check(text, Number::Not);
        }
    }

    #[test]
    fn plain_numbers_are_those_of_the_general_parser() {
        // Midway between two of 24 bits, and a point in every place.
        for text in
            ["16777217", "8388608.5", "-8388609.5", "0.5", ".5", "5.", "-.0", "-0", "000.100"]
        {
            let expected: f32 = text.parse().unwrap();
            if let Some(value) = plain(text.as_bytes()) {
                assert_eq!(value.to_bits(), expected.to_bits(), "{text}");
            }
            check(text, Number::Value(expected));
        }
        for text in ["", ".", "-", "-.", "1..2", "1.2.3", "+1", "1e3", "1234567890123456"] {
            assert_eq!(plain(text.as_bytes()), None, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn all_plain_numbers_are(text in "-?[0-9]{0,8}\\.?[0-9]{0,7}") {
            let expected = text.parse::<f32>().ok();
            if let Some(value) = plain(text.as_bytes()) {
                proptest::prop_assert_eq!(Some(value.to_bits()), expected.map(f32::to_bits));
            } else if let Some(value) = expected {
                let is_long = text.trim_start_matches('-').len() >= TENS.len();
                // Midway between two of 24 bits, so it is neither.
                let is_rounded = f64::from(value) != text.parse::<f64>().unwrap();
                proptest::prop_assert!(is_long || is_rounded);
            }
        }
    }

    #[test]
    fn numbers_with_spaces_between_their_thousands() {
        for (text, expected) in [
            ("1 102", true),
            ("-12 345 678", true),
            ("100 200", true),
            ("40 1400", false),
            ("40 -140", false),
            ("0 100", false),
            ("1 2", false),
            ("[1 102]", false),
            ("1200 100", false),
        ] {
            assert_eq!(is_spaced_number(text), expected, "{text}");
        }
    }

    #[test]
    fn words_that_are_missing_as_numbers_may_be_text() {
        assert_eq!(Cell::Text("none").text().as_deref(), Some("none"));
        assert_eq!(Cell::Text("-").text().as_deref(), Some("-"));
        assert_eq!(Cell::Text("NA").text(), None);
    }

    #[test]
    fn times_in_any_unit() {
        for cell in [
            Cell::Text("1581113120.474299"),
            Cell::Text("2020-02-07T22:05:20.474299Z"),
            Cell::Double(1_581_113_120.474_299),
            Cell::Text("1581113120474299"),
            Cell::Integer(1_581_113_120_474_299),
        ] {
            assert_eq!(cell.time_micros(), Some(1_581_113_120_474_299), "{cell:?}");
        }
        assert_eq!(Cell::Text("1581113120474").time_micros(), Some(1_581_113_120_474_000));
        assert_eq!(Cell::Text("yesterday").time_micros(), None);
    }
}
