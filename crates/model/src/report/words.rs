//! Numbers and names as people read them.

use std::fmt;

/// A score with at most three digits: two decimals where those say enough.
///
/// Never rounds up to 1 what is less, nor down to 0 what is more.
#[must_use]
pub fn score(value: f64) -> String {
    match value {
        v if !v.is_finite() => NONE.to_owned(),
        v if v > 0.9995 && v < 1.0 => "> 0.999".to_owned(),
        v if v > 0.0 && v < 0.0005 => "< 0.001".to_owned(),
        v if (0.995..1.0).contains(&v) || (v > 0.0 && v < 0.0995) => format!("{v:.3}"),
        v => signed(v, format!("{:.2}", v.abs())),
    }
}

/// A standard deviation: as many decimals as the score that it stands beside.
pub(super) fn doubt(sd: f64) -> String {
    match sd {
        v if !v.is_finite() => NONE.to_owned(),
        v if v > 0.0 && v < 0.005 => score(v),
        v => format!("{v:.2}"),
    }
}

/// A score with three decimals, for a column of them.
#[must_use]
pub fn exact(value: Option<f64>) -> String {
    match value {
        Some(v) if v.is_finite() => signed(v, format!("{:.3}", v.abs())),
        _ => NONE.to_owned(),
    }
}

/// What stands where there is no number.
pub(super) const NONE: &str = "–";

/// A difference between scores, with its sign.
pub(super) fn gain(value: f64) -> String {
    let digits = exact(Some(value.abs()));
    let nothing = digits.chars().all(|c| matches!(c, '0' | '.'));
    match value {
        v if !v.is_finite() => NONE.to_owned(),
        _ if nothing => digits,
        v if v < 0.0 => format!("−{digits}"),
        _ => format!("+{digits}"),
    }
}

/// A share in percent, as a whole number where that says enough.
#[must_use]
pub fn percent(share: f64) -> String {
    let percent = share * 100.0;
    match percent {
        p if !p.is_finite() => NONE.to_owned(),
        p if p > 0.0 && p < 0.05 => "< 0.1\u{202f}%".to_owned(),
        p if p > 99.95 && p < 100.0 => "> 99.9\u{202f}%".to_owned(),
        p if (p > 0.0 && p < 9.95) || (p > 99.0 && p < 100.0) => {
            format!("{}\u{202f}%", format!("{p:.1}").trim_end_matches(".0"))
        }
        p => format!("{p:.0}\u{202f}%"),
    }
}

/// A count with separators.
#[must_use]
pub fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A count and its noun.
#[must_use]
pub fn counted(value: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(value), if value == 1 { one } else { many })
}

/// A list of names: all of a few, the first three of many.
pub(super) fn list(names: &[&str]) -> String {
    match names {
        [] => NONE.to_owned(),
        [one] => clean(one),
        [first @ .., last] if names.len() <= 4 => {
            let first: Vec<String> = first.iter().map(|name| clean(name)).collect();
            format!("{} and {}", first.join(", "), clean(last))
        }
        _ => {
            let first: Vec<String> = names[..3].iter().map(|name| clean(name)).collect();
            format!("{} and {} more", first.join(", "), names.len() - 3)
        }
    }
}

/// The sign as a sign, not a hyphen.
fn signed(value: f64, digits: String) -> String {
    let nothing = digits.chars().all(|c| matches!(c, '0' | '.'));
    if value < 0.0 && !nothing { format!("−{digits}") } else { digits }
}

/// A name that cannot move the cursor, change colours or turn the line around: such characters are shown as �.
pub(super) fn clean(text: &str) -> String {
    let safe = |c: char| {
        let turns = matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if c.is_control() || turns { '\u{fffd}' } else { c }
    };
    text.chars().map(safe).collect()
}

/// A name of at most `limit` characters; the rest is "…".
pub(super) fn short(text: &str, limit: usize) -> String {
    let text = clean(text);
    if text.chars().count() <= limit {
        return text;
    }
    let mut kept: String = text.chars().take(limit.saturating_sub(1)).collect();
    kept.truncate(kept.trim_end().len());
    kept.push('…');
    kept
}

/// Text inside HTML, in an element or a quoted attribute.
pub struct Text<'a>(pub &'a str);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in clean(self.0).chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                c => fmt::Write::write_char(f, c)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_score_is_never_flattered_by_rounding() {
        let cases = [
            (0.8, "0.80"),
            (0.0213, "0.021"),
            (0.9961, "0.996"),
            (0.99996, "> 0.999"),
            (1.0, "1.00"),
            (0.0, "0.00"),
            (0.00001, "< 0.001"),
            (-0.25, "−0.25"),
            (-0.001, "0.00"),
            (f64::NAN, "–"),
            (12.345, "12.35"),
        ];
        for (value, expected) in cases {
            assert_eq!(score(value), expected);
        }
        assert_eq!(
            (gain(0.02), gain(-0.02), gain(-0.0), gain(0.0001)),
            ("+0.020".into(), "−0.020".into(), "0.000".into(), "0.000".into())
        );
        assert_eq!(exact(None), "–");
    }

    #[test]
    fn counts_and_shares() {
        assert_eq!(
            (count(7), count(1_000), count(1_234_567)),
            ("7".into(), "1,000".into(), "1,234,567".into())
        );
        assert_eq!(
            (percent(0.071), percent(0.99999), percent(1.0)),
            ("7.1\u{202f}%".into(), "> 99.9\u{202f}%".into(), "100\u{202f}%".into())
        );
        assert_eq!(list(&["a", "b", "c", "d", "e"]), "a, b, c and 2 more");
        assert_eq!(
            (list(&["a", "b"]), list(&["a"]), list(&[])),
            ("a and b".into(), "a".into(), "–".into())
        );
    }

    #[test]
    fn hostile_names_stay_names() {
        assert_eq!(Text("<script>\"'&").to_string(), "&lt;script&gt;&quot;&#39;&amp;");
        assert_eq!(clean("a\u{1b}[31mb\u{202e}c\r\n"), "a�[31mb�c��");
        assert_eq!(short("seventeen letters", 9), "seventee…");
        assert_eq!(short("four", 4), "four");
    }
}
