//! The HTML file: head, facts, notes, and the panes.

use std::fmt::Write;

use sha2::{Digest, Sha256};

use super::notes::{Weight, notes};
use super::plot::put;
use super::words::{Text, count, counted, doubt, score};
use super::{Evaluation, FORMAT, Kind, Origin, confusion, curves, drift, strips, tables};
use crate::validation::soon_enough;

const STYLE: &str = include_str!("style.css");

/// Sorts tables. Everything can be read without it.
const SCRIPT: &str = include_str!("sort.js");

/// The shapes of the marks, by slot: class colours are never the only sign.
const MARKS: [&str; 8] = [
    "<circle cx=\"5\" cy=\"5\" r=\"3.2\" fill=\"none\" stroke=\"currentColor\" stroke-width=\"1.6\"/>",
    "<rect x=\"1\" y=\"1\" width=\"8\" height=\"8\" rx=\"1\"/>",
    "<circle cx=\"5\" cy=\"5\" r=\"4.2\"/>",
    "<path d=\"M5 .8 9.6 9H.4z\"/>",
    "<path d=\"M5 0l5 5-5 5-5-5z\"/>",
    "<path d=\"M3.4.6h3.2v2.8h2.8v3.2H6.6v2.8H3.4V6.6H.6V3.4h2.8z\"/>",
    "<path d=\"M.4 1h9.2L5 9.2z\"/>",
    "<path d=\"M2.5.7h5L10 5 7.5 9.3h-5L0 5z\"/>",
];

const LOGO: &str = "<svg class=\"logo\" width=\"24\" height=\"16\" viewBox=\"0 0 24 16\" aria-hidden=\"true\"><path d=\"M1.5 2v6M5.5 8v5M9.5 8v8M13.5 5v3M17.5 0v8M21.5 8v4\"/></svg>";

/// A part of the page with a title of its own.
#[derive(Clone, Debug)]
pub struct Pane {
    title: String,
    under: String,
    body: String,
    numbers: String,
    wide: bool,
}

impl Pane {
    /// An empty part; `under` says in small letters what is shown.
    #[must_use]
    pub fn new(title: &str, under: &str) -> Self {
        let (title, under) = (title.to_owned(), under.to_owned());
        Self { title, under, body: String::new(), numbers: String::new(), wide: false }
    }

    /// What it shows, as HTML.
    #[must_use]
    pub fn body(self, body: String) -> Self {
        Self { body, ..self }
    }

    /// The same as a table, as HTML.
    #[must_use]
    pub fn numbers(self, numbers: String) -> Self {
        Self { numbers, ..self }
    }

    /// Across the whole page.
    #[must_use]
    pub fn wide(self) -> Self {
        Self { wide: true, ..self }
    }

    /// Across the whole page where it stands alone in its row.
    #[must_use]
    pub fn alone(self, alone: bool) -> Self {
        if alone { self.wide() } else { self }
    }

    /// The part as HTML.
    #[must_use]
    pub fn html(&self) -> String {
        let wide = if self.wide { " wide" } else { "" };
        let mut out = format!(
            "<section class=\"pane{wide}\"><h2>{} <small>{}</small></h2>{}",
            Text(&self.title),
            Text(&self.under),
            self.body
        );
        if !self.numbers.is_empty() {
            put!(out, "<details><summary>The numbers</summary>{}</details>", self.numbers);
        }
        out + "</section>"
    }
}

/// A table whose first column is a name; the cells are text.
#[must_use]
pub fn table(heads: &[&str], rows: &[Vec<String>]) -> String {
    let mut out = String::from("<div class=\"scroll\"><table class=\"numbers\"><thead><tr>");
    for head in heads {
        put!(out, "<th scope=\"col\">{}</th>", Text(head));
    }
    out += "</tr></thead><tbody>";
    for row in rows {
        out += "<tr>";
        for (place, cell) in row.iter().enumerate() {
            let (open, close) =
                if place == 0 { ("<th scope=\"row\">", "</th>") } else { ("<td>", "</td>") };
            put!(out, "{open}{}{close}", Text(cell));
        }
        out += "</tr>";
    }
    out + "</tbody></table></div>"
}

/// The mark of a class; none in a report in which no class has a kind.
pub(super) fn mark(evaluation: &Evaluation, class: usize) -> String {
    let known = evaluation.classes.iter().any(|class| class.kind != Kind::Other);
    let Some(class) = evaluation.classes.get(class).filter(|_| known) else { return String::new() };
    let slot = class.kind.slot();
    format!(
        "<svg class=\"mark k{slot}\" width=\"10\" height=\"10\" viewBox=\"0 0 10 10\" aria-hidden=\"true\">{}</svg>",
        MARKS[slot as usize]
    )
}

/// A page of its own: what stands in front of everything, and what behind. `kind` is the sort of report, `title` its object.
#[must_use]
pub fn shell(title: &str, kind: &str, format: &str, content: &str) -> String {
    let hash = base64(&Sha256::digest(SCRIPT.as_bytes()));
    let (title, lower) = (Text(title), kind.to_lowercase());
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><meta name=\"color-scheme\" content=\"light dark\"><meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{hash}'\"><title>{title} · flowgait {lower}</title><style>{STYLE}</style></head><body><a class=\"skip\" href=\"#main\">Skip to the charts</a><header class=\"top\">{LOGO}<b>flowgait</b><span>{kind}</span></header>{content}<footer>flowgait {} · {format} · this file needs no network</footer><script>{SCRIPT}</script></body></html>\n",
        env!("CARGO_PKG_VERSION")
    )
}

/// Sentences that a reader needs before the numbers; `true` for those that warn.
#[must_use]
pub fn sentences(heading: &str, sentences: &[(bool, String)]) -> String {
    let heading = Text(heading);
    let mut out =
        format!("<section class=\"notes\" aria-label=\"{heading}\"><h2>{heading}</h2><ul>");
    for (warns, text) in sentences {
        let (class, glyph, word) =
            if *warns { ("warn", "▲", "Mind: ") } else { ("plain", "·", "") };
        put!(
            out,
            "<li class=\"{class}\"><span aria-hidden=\"true\">{glyph}</span><p><span class=\"heard\">{word}</span>{}</p></li>",
            Text(text)
        );
    }
    out + "</ul></section>"
}

/// Up to six numbers to quote: each with its doubt and its name.
#[must_use]
pub fn numbers(facts: &[(String, String, String)]) -> String {
    let mut out = String::from("<div class=\"facts\">");
    for (value, doubt, name) in facts.iter().take(6) {
        put!(
            out,
            "<div><b>{}</b> <span>{}</span><small>{}</small></div>",
            Text(value),
            Text(doubt),
            Text(name)
        );
    }
    out + "</div>"
}

pub(super) fn page(evaluation: &Evaluation) -> String {
    let title = Text(&evaluation.title).to_string();
    let mut out = String::new();
    out += &object(evaluation, &title);
    out += &facts(evaluation);
    let told: Vec<(bool, String)> = notes(evaluation)
        .into_iter()
        .map(|note| (matches!(note.weight, Weight::Warn), note.text))
        .collect();
    out += &sentences("Before you quote a number", &told);
    out += "<main id=\"main\">";
    let panes = [
        Some(confusion::pane(evaluation)),
        Some(curves::calibration(evaluation)),
        curves::packets(evaluation),
        strips::baselines(evaluation),
        Some(curves::refusing(evaluation)),
        curves::unknown(evaluation),
        strips::folds(evaluation),
        strips::features(evaluation),
        Some(tables::scores(evaluation)),
    ];
    out += &drift::pane(evaluation).map_or(String::new(), |pane| pane.html());
    let classes = strips::classes(evaluation).html();
    let mut places = 0;
    for pane in panes.into_iter().flatten() {
        if places == 2 {
            out += &classes;
        }
        out += &pane.html();
        places += 1;
    }
    // Two panes stand in a row; the last one fills what is left of its own.
    out += &tables::card(evaluation).alone(places % 2 == 0).html();
    out += "</main>";
    shell(&evaluation.title, "Evaluation", FORMAT, &out)
}

fn object(evaluation: &Evaluation, title: &str) -> String {
    let made = if evaluation.data.origin == Origin::Made {
        "<span class=\"tag\">made traffic</span>"
    } else {
        ""
    };
    let mut facts = vec![counted(evaluation.scores.rows, "row", "rows")];
    if let Some(groups) = &evaluation.data.groups {
        facts[0] += &format!(" in {} ({})", counted(groups.count, "group", "groups"), groups.by);
    }
    facts.push(counted(evaluation.classes.len() as u64, "class", "classes"));
    if evaluation.data.features > 0 {
        facts.push(counted(evaluation.data.features, "feature", "features"));
    }
    let (folds, seeds) = evaluation.rounds();
    if folds > 0 {
        facts.push(format!(
            "{}, {}",
            counted(folds as u64, "fold", "folds"),
            counted(seeds as u64, "seed", "seeds")
        ));
    }
    if !evaluation.data.source.is_empty() {
        facts.push(evaluation.data.source.clone());
    }
    format!(
        "<div class=\"object\"><h1>{title}</h1><span class=\"tag\">{}</span>{made}<p>{}</p></div>",
        Text(&evaluation.split.words()),
        Text(&facts.join(" · "))
    )
}

/// The numbers to quote, each with its doubt or its rule.
fn facts(evaluation: &Evaluation) -> String {
    let mut facts: Vec<(String, String, String)> = Vec::new();
    let split = evaluation.split.words();
    for (field, name) in [("f1_macro", "macro-F1"), ("accuracy", "accuracy")] {
        let (mean, sd) = evaluation.headline(field);
        let doubt = sd.map_or(String::new(), |sd| format!("± {}", doubt(sd)));
        facts.push((mean.map_or("–".to_owned(), score), doubt, format!("{name}, {split}")));
    }
    if evaluation.spreads.is_empty() {
        let rows = evaluation.scores.rows as f64;
        let (low, high) = crate::metrics::wilson(evaluation.scores.accuracy * rows, rows);
        facts[1].1 = format!("{} – {}", score(low), score(high));
    }
    facts.push((
        score(evaluation.calibration.ece),
        String::new(),
        "calibration error (ECE)".to_owned(),
    ));
    if let Some(unknown) = &evaluation.unknown {
        let alarms = super::words::percent(unknown.score.false_alarms);
        facts.push((
            score(unknown.score.found),
            String::new(),
            format!("unknown found, {alarms} false alarms"),
        ));
    }
    if let Some(soon) = soon_enough(&evaluation.after_packets) {
        let accuracy = score(soon.accuracy.mean);
        facts.push((
            count(u64::from(soon.packets)),
            if soon.packets == 1 { "packet" } else { "packets" }.to_owned(),
            format!("to accuracy {accuracy}, the best within chance"),
        ));
    }
    let weakest = evaluation
        .per_class
        .iter()
        .filter(|class| class.support > 0)
        .map(|class| class.f1)
        .min_by(f64::total_cmp);
    let others = [
        (weakest.map_or("–".to_owned(), score), "F1 of the weakest class"),
        (score(evaluation.scores.log_loss), "log loss, nats"),
        (score(evaluation.scores.top3_accuracy), "among the top 3"),
    ];
    facts.extend(others.into_iter().map(|(value, name)| (value, String::new(), name.to_owned())));
    let mut out = String::new();
    if let Some(whose) = drift::whose_others(evaluation) {
        put!(out, "<p class=\"whose quiet\">Scores {}</p>", Text(&whose));
    }
    out + &numbers(&facts)
}

/// Base64 with padding (RFC 4648, section 4).
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let at = |place: usize| u32::from(three.get(place).copied().unwrap_or(0));
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for place in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * place) & 63) as usize];
            text.push(if place <= three.len() { letter as char } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::STYLE;

    /// The value of a token of the dashboard, light and dark.
    fn token(name: &str) -> [String; 2] {
        let tokens = include_str!("../../../../web/src/look/tokens.css");
        let begin = format!("--{name}: light-dark(");
        let line = tokens.lines().find_map(|line| line.trim().strip_prefix(&begin)).unwrap();
        let (light, dark) = line.trim_end_matches(");").split_once(", ").unwrap();
        [light.to_uppercase(), dark.to_uppercase()]
    }

    #[test]
    fn a_report_wears_the_clothes_of_the_dashboard() {
        let names = ["bg", "surface", "raised", "line", "line-2", "ink", "ink-2", "ink-3"];
        let words = ["accent", "ok", "warn", "bad"];
        let alike = names.iter().chain(&words).map(|name| (name.to_string(), name.to_string()));
        let classes = (0..8).map(|slot| (format!("c{slot}"), format!("class-{slot}")));
        let mut themes = STYLE.split('{').filter(|block| block.starts_with("--bg:"));
        let (light, dark) = (themes.next().unwrap(), themes.next().unwrap());
        for (own, theirs) in alike.chain(classes) {
            let [in_light, in_dark] = token(&theirs);
            assert!(light.contains(&format!("--{own}:{in_light};")), "{own} in light: {in_light}");
            assert!(dark.contains(&format!("--{own}:{in_dark};")), "{own} in dark: {in_dark}");
        }
    }

    #[test]
    fn base64_is_rfc_4648() {
        let cases =
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")];
        for (bytes, text) in cases {
            assert_eq!(super::base64(bytes.as_bytes()), text);
        }
    }
}
