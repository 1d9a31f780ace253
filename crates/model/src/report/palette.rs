//! Which colour and mark a class wears, and which ink can be read on a heat cell.

use serde::{Deserialize, Serialize};

/// The kinds of use that have a colour and a mark; everything else is grey.
///
/// A class wears its kind's colour whatever its rank, so that it looks the same in every report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Any other, or not known.
    #[default]
    Other,
    /// Video on demand, streaming.
    Video,
    /// Web browsing.
    Web,
    /// Voice and video calls.
    Voice,
    /// Games.
    Game,
    /// Chat, messages.
    Chat,
    /// File transfer.
    File,
    /// Games that are rendered elsewhere.
    CloudGame,
}

/// Beginnings of words that name a kind; the first that matches wins.
const WORDS: [(&str, Kind); 17] = [
    ("cloud game", Kind::CloudGame),
    ("cloud gaming", Kind::CloudGame),
    ("voice", Kind::Voice),
    ("voip", Kind::Voice),
    ("call", Kind::Voice),
    ("conferenc", Kind::Voice),
    ("game", Kind::Game),
    ("gaming", Kind::Game),
    ("chat", Kind::Chat),
    ("messag", Kind::Chat),
    ("video", Kind::Video),
    ("stream", Kind::Video),
    ("file", Kind::File),
    ("transfer", Kind::File),
    ("download", Kind::File),
    ("web", Kind::Web),
    ("brows", Kind::Web),
];

impl Kind {
    /// The kind that a name speaks of.
    #[must_use]
    pub fn of(name: &str) -> Self {
        let letter = |c: char| if c.is_alphanumeric() { c } else { ' ' };
        let name = format!(" {}", name.to_lowercase()).chars().map(letter).collect::<String>();
        let begins = |word: &str| name.contains(&format!(" {word}"));
        WORDS.iter().find(|(word, _)| begins(word)).map_or(Self::Other, |&(_, kind)| kind)
    }

    /// Number of the colour in the style sheet and of the mark; 0 is grey.
    pub(super) fn slot(self) -> u8 {
        match self {
            Self::Other => 0,
            Self::Video => 1,
            Self::Web => 2,
            Self::Voice => 3,
            Self::Game => 4,
            Self::Chat => 5,
            Self::File => 6,
            Self::CloudGame => 7,
        }
    }
}

type Rgb = [u8; 3];

/// The colours that a heat cell is made of, as in the style sheet.
struct Theme {
    pane: Rgb,
    ink: Rgb,
    bad: Rgb,
    paper: Rgb,
}

const LIGHT: Theme = Theme {
    pane: [255, 255, 255],
    ink: [0x16, 0x19, 0x1e],
    bad: [0xb9, 0x2c, 0x1c],
    paper: [255, 255, 255],
};
const DARK: Theme = Theme {
    pane: [0x0b, 0x0e, 0x13],
    ink: [0xe9, 0xed, 0xf3],
    bad: [0xff, 0x7a, 0x6b],
    paper: [0x0b, 0x0e, 0x13],
};

/// What fills a cell of a confusion matrix.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Fill {
    Right,
    Wrong,
}

/// How opaque a cell of this share is, from 0 to 1: small shares can still be seen.
pub(super) fn opacity(share: f64) -> f64 {
    if share > 0.0 { 0.05 + 0.95 * share.min(1.0).powf(0.7) } else { 0.0 }
}

/// Classes that turn the digits of a cell to paper colour where ink would be harder to read: `l` in the light theme, `d` in the dark.
pub(super) fn digits(fill: Fill, opacity: f64) -> &'static str {
    let turn = |theme: &Theme| {
        let colour = match fill {
            Fill::Right => theme.ink,
            Fill::Wrong => theme.bad,
        };
        let mix = |channel: usize| {
            opacity * f64::from(colour[channel]) + (1.0 - opacity) * f64::from(theme.pane[channel])
        };
        let cell = luminance([mix(0), mix(1), mix(2)]);
        contrast(cell, luminance(theme.paper.map(f64::from)))
            > contrast(cell, luminance(theme.ink.map(f64::from)))
    };
    match (turn(&LIGHT), turn(&DARK)) {
        (true, true) => " l d",
        (true, false) => " l",
        (false, true) => " d",
        (false, false) => "",
    }
}

/// Contrast of two luminances, from 1 to 21.
///
/// # Reference
/// WCAG 2.2, "contrast ratio".
fn contrast(a: f64, b: f64) -> f64 {
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

/// WCAG 2.2, "relative luminance", of channels from 0 to 255.
fn luminance(rgb: [f64; 3]) -> f64 {
    let linear = |channel: f64| {
        let c = channel / 255.0;
        if c <= 0.040_45 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * linear(rgb[0]) + 0.7152 * linear(rgb[1]) + 0.0722 * linear(rgb[2])
}

#[cfg(test)]
mod tests {
    use super::*;

    const STYLE: &str = include_str!("style.css");

    /// A colour of the style sheet: `nth` 0 is the light one, 1 the dark one.
    fn token(name: &str, nth: usize) -> Rgb {
        let value =
            STYLE.split(&format!("--{name}:#")).nth(nth + 1).unwrap_or_else(|| panic!("no {name}"));
        let channel = |at: usize| u8::from_str_radix(&value[at..at + 2], 16).unwrap();
        [channel(0), channel(2), channel(4)]
    }

    fn ratio(a: Rgb, b: Rgb) -> f64 {
        contrast(luminance(a.map(f64::from)), luminance(b.map(f64::from)))
    }

    #[test]
    fn the_style_sheet_can_be_read() {
        for theme in [0, 1] {
            for paper in ["bg", "surface", "raised"].map(|name| token(name, theme)) {
                for ink in ["ink", "ink-2", "ink-3", "accent", "ok", "warn", "bad"] {
                    let ratio = ratio(token(ink, theme), paper);
                    assert!(ratio >= 4.5, "{ink} in theme {theme}: {ratio}");
                }
                for slot in 0..8 {
                    let ratio = ratio(token(&format!("c{slot}"), theme), paper);
                    assert!(ratio >= 3.0, "class colour {slot} in theme {theme}: {ratio}");
                }
            }
        }
    }

    #[test]
    fn the_cells_are_of_the_style_sheet() {
        for (theme, nth) in [(LIGHT, 0), (DARK, 1)] {
            assert_eq!((theme.ink, theme.bad), (token("ink", nth), token("bad", nth)));
            let pane = if nth == 0 { "surface" } else { "bg" };
            assert_eq!((theme.pane, theme.paper), (token(pane, nth), token(pane, nth)));
        }
    }

    #[test]
    fn the_digits_of_every_cell_can_be_read() {
        for (fill, theme) in [
            (Fill::Right, &LIGHT),
            (Fill::Right, &DARK),
            (Fill::Wrong, &LIGHT),
            (Fill::Wrong, &DARK),
        ] {
            for step in 0..=100 {
                let opacity = opacity(f64::from(step) / 100.0);
                let colour = if fill == Fill::Right { theme.ink } else { theme.bad };
                let mix = |c: usize| {
                    opacity * f64::from(colour[c]) + (1.0 - opacity) * f64::from(theme.pane[c])
                };
                let letter = if theme.ink == LIGHT.ink { 'l' } else { 'd' };
                let digits =
                    if digits(fill, opacity).contains(letter) { theme.paper } else { theme.ink };
                let ratio =
                    contrast(luminance([mix(0), mix(1), mix(2)]), luminance(digits.map(f64::from)));
                // Between two inks no grey can have more than the root of their contrast: about 4.2 here at its middle.
                assert!(ratio >= 4.0, "{step} %: {ratio}");
            }
        }
    }

    #[test]
    fn a_kind_is_read_from_a_name() {
        let cases = [
            ("Video on demand", Kind::Video),
            ("video_call", Kind::Voice),
            ("Cloud-Game", Kind::CloudGame),
            ("game", Kind::Game),
            ("VoIP", Kind::Voice),
            ("File transfer", Kind::File),
            ("Web", Kind::Web),
            ("recall", Kind::Other),
            ("Network", Kind::Other),
            ("", Kind::Other),
        ];
        for (name, kind) in cases {
            assert_eq!(Kind::of(name), kind, "{name}");
        }
    }
}
