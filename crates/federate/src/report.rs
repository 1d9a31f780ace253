//! A run as people read it: one HTML file that opens without a network.

mod charts;

use std::fmt::Write;

use flowgait_model::report::parts::{
    Pane, Text, count, counted, exact, numbers, score, sentences, shell, table,
};

use crate::baseline::Local;
use crate::measure::{Measured, spread};
use crate::record::Record;

/// Name and version of the page's form.
const FORMAT: &str = "flowgait-federation/1";

/// What a report tells of.
#[derive(Clone, Debug)]
pub struct RunReport<'a> {
    /// What was learnt, in a few words.
    pub title: String,
    /// Words that belong to the title, such as the strategy.
    pub tags: Vec<String>,
    /// Facts below the title.
    pub facts: Vec<String>,
    /// What a reader must know, `true` for what warns.
    pub notes: Vec<(bool, String)>,
    /// How many trees, where a forest was made: it has one record, and no curve.
    pub trees: Option<usize>,
    /// The rounds.
    pub records: &'a [Record],
    /// The class that most rows to learn from have.
    pub majority: Option<&'a Measured>,
    /// One place with all rows.
    pub central: Option<&'a Measured>,
    /// Clients that learn alone.
    pub local: Option<&'a Local>,
    /// What one place and each client alone learn, in a few words.
    pub alike: String,
    /// Names of the clients.
    pub clients: &'a [String],
    /// Names of the classes.
    pub classes: &'a [String],
    /// `[n_clients][n_classes]`: rows that clients learn from.
    pub mix: Vec<Vec<u64>>,
    /// The federation's file.
    pub configuration: String,
}

impl RunReport<'_> {
    /// The page.
    #[must_use]
    pub fn to_html(&self) -> String {
        let mut out = String::from("<div class=\"object\">");
        let _ = write!(out, "<h1>{}</h1>", Text(&self.title));
        for tag in &self.tags {
            let _ = write!(out, "<span class=\"tag\">{}</span>", Text(tag));
        }
        let _ = write!(out, "<p>{}</p></div>", Text(&self.facts.join(" · ")));
        out += &numbers(&self.headline());
        if !self.notes.is_empty() {
            out += &sentences("Before you quote a number", &self.notes);
        }
        out += "<main id=\"main\">";
        let panes = [
            charts::accuracy(self),
            charts::clients(self),
            charts::loss(self),
            charts::privacy(self),
            charts::mix(self),
        ];
        let panes: Vec<Pane> = panes.into_iter().flatten().collect();
        let halves = panes.len().saturating_sub(1);
        for (place, pane) in panes.into_iter().enumerate() {
            // Two stand in a row; one without a neighbour takes the whole of it.
            out += &pane.alone(place + 1 == halves && halves % 2 == 1).html();
        }
        out += &self.beside().wide().html();
        out += &self.card().wide().html();
        out += "</main>";
        shell(&self.title, "Federation", FORMAT, &out)
    }

    fn headline(&self) -> Vec<(String, String, String)> {
        let Some(last) = self.records.last() else { return Vec::new() };
        let text = |value: Option<f64>| value.map_or("–".to_owned(), score);
        let fact =
            |value: String, doubt: &str, name: &str| (value, doubt.to_owned(), name.to_owned());
        let mut facts = vec![
            fact(text(last.f1_macro), "", "macro-F1 of the common model"),
            fact(text(last.accuracy), "", "accuracy of the common model"),
        ];
        let clients = spread(&last.clients);
        facts.push(fact(
            text(clients.map(|[worst, ..]| worst)),
            &clients.map_or(String::new(), |[_, median, _]| format!("median {}", score(median))),
            "accuracy at the worst client",
        ));
        if let Some(own) = last.own.as_deref().and_then(spread) {
            facts.push(fact(score(own[1]), "", "median accuracy of clients' own models"));
        }
        if let Some(backdoor) = last.backdoor {
            facts.push(fact(score(backdoor), "", "of stamped rows answered as the liars want"));
        }
        if let Some(epsilon) = last.epsilon {
            facts.push(fact(format!("{epsilon:.2}"), "", "epsilon spent"));
        }
        let up: u64 = self.records.iter().map(|record| record.octets_up).sum();
        facts.push(fact(megabytes(up), "", "sent by clients in all"));
        if let Some(trees) = self.trees {
            facts.push(fact(count(trees as u64), "", if trees == 1 { "tree" } else { "trees" }));
            return facts;
        }
        let done = self.records.iter().filter(|record| record.is_done).count();
        facts.push(fact(
            count(self.records.len() as u64),
            &if done < self.records.len() { format!("{done} done") } else { String::new() },
            if self.records.len() == 1 { "round" } else { "rounds" },
        ));
        facts
    }

    /// The common model beside what it is held against.
    fn beside(&self) -> Pane {
        let row = |name: &str, scores: [Option<f64>; 2], clients: &[Option<f64>]| {
            let [worst, median, best] = spread(clients).map_or([None; 3], |s| s.map(Some));
            let mut cells = vec![name.to_owned()];
            cells.extend(scores.iter().chain(&[worst, median, best]).map(|value| exact(*value)));
            cells
        };
        let mut rows = Vec::new();
        if let Some(last) = self.records.last() {
            rows.push(row("federated", [last.accuracy, last.f1_macro], &last.clients));
            if let Some(own) = &last.own {
                rows.push(row("clients' own models", [None, None], own));
            }
        }
        let of = |measured: &Measured| {
            [measured.scores.map(|s| s.accuracy), measured.scores.map(|s| s.f1_macro)]
        };
        if let Some(central) = self.central {
            rows.push(row("one place with all rows", of(central), &central.clients));
        }
        if let Some(local) = self.local {
            let scores = [Some(local.accuracy), Some(local.f1_macro)];
            rows.push(row("each client alone", scores, &local.clients));
        }
        if let Some(majority) = self.majority {
            rows.push(row("the most frequent class", of(majority), &majority.clients));
        }
        let heads = ["", "Accuracy", "Macro-F1", "Worst client", "Median client", "Best client"];
        let under = format!(
            "{}; accuracy and macro-F1 on the rows held out for all, the client columns on each client's own",
            self.alike
        );
        Pane::new("Beside one place, and each alone", &under).body(table(&heads, &rows))
    }

    fn card(&self) -> Pane {
        // Line by line: what is escaped loses its line feeds.
        let lines = self.configuration.lines().map(|line| Text(line).to_string());
        let configuration = lines.collect::<Vec<_>>().join("\n");
        Pane::new("How it was run", "federation.toml")
            .body(format!("<div class=\"scroll\"><pre>{configuration}</pre></div>"))
    }

    /// In words, for who cannot see a chart.
    fn rounds(&self) -> String {
        counted(self.records.len() as u64, "round", "rounds")
    }
}

fn megabytes(octets: u64) -> String {
    match octets {
        0..1_000_000 => format!("{:.0} kB", octets as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", octets as f64 / 1e6),
        _ => format!("{:.2} GB", octets as f64 / 1e9),
    }
}
