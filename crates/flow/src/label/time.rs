//! Times as people write them.

/// Microseconds since 1970 of a time as text: seconds since 1970 with an optional fraction, or ISO 8601 (`2026-11-21T08:00:00.25Z`,
/// `2026-11-21 09:00:00+01:00`; without a zone it is UTC). Digits beyond the microsecond are cut off.
#[must_use]
pub fn time_micros(text: &str) -> Option<i64> {
    let text = text.trim();
    if !text.is_ascii() {
        return None;
    }
    let negative = text.starts_with('-');
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    if !whole.is_empty() && whole.bytes().all(|digit| digit.is_ascii_digit()) {
        let micros = whole.parse::<i64>().ok()?.checked_mul(1_000_000)?;
        let micros = micros.checked_add(fraction_micros(fraction)?)?;
        return Some(if negative { -micros } else { micros });
    }
    iso_micros(text)
}

/// The first six digits behind the point as microseconds.
fn fraction_micros(digits: &str) -> Option<i64> {
    if !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let micros = digits.bytes().take(6).fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0'));
    Some(micros * 10_i64.pow(6 - digits.len().min(6) as u32))
}

fn iso_micros(text: &str) -> Option<i64> {
    let (date, rest) = text.split_at_checked(10)?;
    let time = rest.strip_prefix(['T', 't', ' '])?;
    let [year, month, day] = numbers(date, '-')?;
    let (clock, zone) = match time.find(['Z', 'z', '+', '-']) {
        Some(at) => time.split_at(at),
        None => (time, ""),
    };
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, ""));
    let [hour, minute, second] = numbers(clock, ':')?;
    let days_in_month = match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    let in_range = (1..=12).contains(&month)
        && (1..=days_in_month).contains(&day)
        && hour < 24
        && minute < 60
        && second <= 60;
    if !in_range {
        return None;
    }
    let seconds = days_since_1970(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second;
    Some((seconds - zone_seconds(zone)?) * 1_000_000 + fraction_micros(fraction)?)
}

fn zone_seconds(zone: &str) -> Option<i64> {
    let sign = match zone.bytes().next() {
        None | Some(b'Z' | b'z') => return (zone.len() <= 1).then_some(0),
        Some(b'-') => -1,
        Some(_) => 1,
    };
    let digits: String = zone[1..].chars().filter(|&c| c != ':').collect();
    if !matches!(digits.len(), 2 | 4) || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let (hours, minutes) = digits.split_at(2);
    let minutes = if minutes.is_empty() { 0 } else { minutes.parse().ok()? };
    Some(sign * (hours.parse::<i64>().ok()? * 3_600 + minutes * 60))
}

fn numbers(text: &str, separator: char) -> Option<[i64; 3]> {
    let mut parts = text.split(separator).map(|part| {
        let digits =
            !part.is_empty() && part.len() <= 4 && part.bytes().all(|c| c.is_ascii_digit());
        if digits { part.parse().ok() } else { None }
    });
    let numbers = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(numbers)
}

/// Days from 1970-01-01 to a date of the Gregorian calendar.
///
/// # Reference
/// The years are counted from March, so that the leap day is the last one; 400 years are 146,097 days.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

#[cfg(test)]
mod tests {
    use super::time_micros;

    fn check(text: &str, expected: Option<i64>) {
        assert_eq!(time_micros(text), expected, "{text}");
    }

    #[test]
    fn seconds_since_1970() {
        check("0", Some(0));
        check(" 1581113120.474299 ", Some(1_581_113_120_474_299));
        check("1527730033.936617000", Some(1_527_730_033_936_617));
        check("1.5", Some(1_500_000));
        check("-1.5", Some(-1_500_000));
        for text in ["", ".", "1.x", "1,5", "now", "99999999999999999999", "９"] {
            check(text, None);
        }
    }

    #[test]
    fn iso_8601() {
        // Expected values from `date -u -d … +%s`.
        check("1970-01-01T00:00:00Z", Some(0));
        check("2000-02-29T12:34:56Z", Some(951_827_696_000_000));
        check("2026-11-21T08:00:00.25Z", Some(1_795_248_000_250_000));
        check("2026-11-21 09:00:00+01:00", Some(1_795_248_000_000_000));
        check("2026-11-21T03:30:00-0430", Some(1_795_248_000_000_000));
        check("2026-11-21T08:00:00", Some(1_795_248_000_000_000));
        check("1969-12-31T23:59:59Z", Some(-1_000_000));
        for text in [
            "2026-13-01T00:00:00Z",
            "2025-02-29T00:00:00Z",
            "2026-11-21",
            "2026-11-21T24:00:00Z",
            "2026-11-21T08:00Z",
            "2026-11-21T08:00:00+1",
            "2026-11-21T08:00:00Zx",
            "21/11/2026 08:00:00",
        ] {
            check(text, None);
        }
    }
}
