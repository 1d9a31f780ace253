//! What an answer may be packed by.

use axum::http::{HeaderMap, header};

/// Whether a coding is among what a client takes (RFC 9110, 12.5.3).
pub(crate) fn takes(headers: &HeaderMap, coding: &str) -> bool {
    let all = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|text| text.to_str().ok());
    let mut of_star = false;
    for taken in all.flat_map(|text| text.split(',')) {
        let mut parts = taken.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default().to_ascii_lowercase();
        let weight = parts.find_map(|part| part.strip_prefix("q=")?.parse::<f32>().ok());
        let is_taken = weight.unwrap_or(1.0) > 0.0;
        if name == coding || name.strip_prefix("x-") == Some(coding) {
            return is_taken;
        }
        if name == "*" {
            of_star = is_taken;
        }
    }
    of_star
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_coding_is_for_those_who_take_it() {
        let check = |text: &str, coding: &str, expected: bool| {
            let headers = HeaderMap::from_iter([(header::ACCEPT_ENCODING, text.parse().unwrap())]);
            assert_eq!(takes(&headers, coding), expected, "{coding} of {text}");
        };
        check("gzip", "gzip", true);
        check("gzip", "br", false);
        check("br;q=1.0, GZIP;q=0.5", "gzip", true);
        check("gzip;q=0, *", "gzip", false);
        check("gzip;q=0, *", "br", true);
        check("x-gzip", "gzip", true);
        check("*", "gzip", true);
        check("*;q=0", "gzip", false);
        check("identity", "gzip", false);
        check("", "gzip", false);
        assert!(!takes(&HeaderMap::new(), "gzip"));
    }
}
