//! Names of metrics: those that dashboard, alerts and chart use are those of `docs/METRICS.md`, and each of them is shown.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{File, Finding, table_below};

const LIST: &str = "docs/METRICS.md";
const DASHBOARDS: &str = "deploy/grafana/dashboards/";
const PREFIX: &str = "flowgait_";
const KINDS: [&str; 3] = ["counter", "gauge", "histogram"];
/// What a histogram is made of.
const PARTS: [&str; 3] = ["_bucket", "_sum", "_count"];
/// Labels that Prometheus adds to everything it scrapes.
const SCRAPED: [&str; 4] = ["instance", "job", "namespace", "pod"];

/// A row of the list.
struct Metric<'a> {
    line: usize,
    kind: &'a str,
    labels: Vec<&'a str>,
}

pub fn check(files: &[File]) -> Vec<Finding> {
    let Some(list) = files.iter().find(|file| file.path == LIST) else {
        return Vec::new();
    };
    let (metrics, mut findings) = read_list(list);
    let deployed = || files.iter().filter(|file| file.path.starts_with("deploy/"));
    for file in deployed() {
        for (at, line) in file.lines() {
            let wrong = mentions(line).filter_map(|mention| mention.wrong(&metrics));
            findings.extend(wrong.map(|what| Finding::new(&file.path, at, what)));
        }
    }
    let dashboards: Vec<&File> =
        deployed().filter(|file| file.path.starts_with(DASHBOARDS) && file.is("json")).collect();
    findings.extend(dashboards.iter().flat_map(|file| check_panels(file)));
    for (name, metric) in &metrics {
        let shows = |file: &&File| {
            let mut lines = file.lines().flat_map(|(_, line)| mentions(line));
            lines.any(|mention| mention.is(name, metric))
        };
        if !dashboards.is_empty() && !dashboards.iter().any(shows) {
            findings.push(Finding::new(LIST, metric.line, format!("no panel shows `{name}`")));
        }
    }
    findings
}

fn read_list(list: &File) -> (BTreeMap<&str, Metric<'_>>, Vec<Finding>) {
    let (mut metrics, mut findings) = (BTreeMap::new(), Vec::new());
    for (line, cells) in table_below(list, "Names") {
        let [name, kind, labels, _unit, meaning] = cells[..] else {
            findings.push(Finding::new(LIST, line, "a metric has five cells"));
            continue;
        };
        let name = name.trim_matches('`');
        let mut complain = |what: &str| {
            findings.push(Finding::new(LIST, line, format!("`{name}` {what}")));
        };
        if !name.starts_with(PREFIX) {
            complain("does not begin with `flowgait_`");
        }
        if !KINDS.contains(&kind) {
            complain("is no counter, gauge or histogram");
        }
        if (kind == "counter") != name.ends_with("_total") {
            complain("must end in `_total` if, and only if, it is a counter");
        }
        if meaning.is_empty() {
            complain("has no meaning");
        }
        let labels = labels.split(',').map(|label| label.trim().trim_matches('`')).collect();
        if metrics.insert(name, Metric { line, kind, labels }).is_some() {
            complain("is listed twice");
        }
    }
    (metrics, findings)
}

/// A metric's name in a text, and the names of the labels that are asked for in braces behind it.
struct Mention<'a> {
    name: &'a str,
    labels: Vec<&'a str>,
}

impl Mention<'_> {
    fn is(&self, name: &str, metric: &Metric<'_>) -> bool {
        let part = self.name.strip_prefix(name);
        part.is_some_and(|part| {
            part.is_empty() || metric.kind == "histogram" && PARTS.contains(&part)
        })
    }

    fn wrong(&self, metrics: &BTreeMap<&str, Metric<'_>>) -> Option<String> {
        let Some((name, metric)) = metrics.iter().find(|(name, metric)| self.is(name, metric))
        else {
            return Some(format!("`{}` is not in {LIST}", self.name));
        };
        let is_known = |label: &&str| {
            metric.labels.contains(label)
                || SCRAPED.contains(label)
                || *label == "le" && self.name.ends_with("_bucket")
        };
        let label = self.labels.iter().find(|label| !is_known(label))?;
        Some(format!("`{name}` has no label `{label}` in {LIST}"))
    }
}

fn mentions(line: &str) -> impl Iterator<Item = Mention<'_>> {
    line.match_indices(PREFIX).filter_map(|(at, _)| {
        if line[..at].ends_with(is_of_name) {
            return None;
        }
        let name = leading_name(&line[at..]);
        let braces =
            line[at + name.len()..].strip_prefix('{').and_then(|rest| rest.split_once('}'));
        let labels = braces.map_or_else(Vec::new, |(inside, _)| {
            let asked = inside.split(',').map(str::trim_start);
            // What follows a comma inside a quoted value has no operator behind it.
            let named = asked.map(|part| (leading_name(part), part));
            let named = named.filter(|(label, part)| part[label.len()..].starts_with(['=', '!']));
            named.map(|(label, _)| label).collect()
        });
        // `flowgait_queue_…` in prose means several.
        (!name.ends_with('_')).then_some(Mention { name, labels })
    })
}

fn is_of_name(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_'
}

fn leading_name(text: &str) -> &str {
    text.find(|character| !is_of_name(character)).map_or(text, |end| &text[..end])
}

/// A panel that nobody can read without its author.
fn check_panels(file: &File) -> Vec<Finding> {
    let dashboard = match serde_json::from_str::<Value>(file.text.as_deref().unwrap_or_default()) {
        Ok(dashboard) => dashboard,
        Err(error) => return vec![Finding::new(&file.path, error.line(), error.to_string())],
    };
    let panels = dashboard["panels"].as_array().map_or(&[][..], Vec::as_slice);
    let mut findings = Vec::new();
    for panel in panels.iter().filter(|panel| panel["type"] != "row") {
        let places = ["/title", "/description", "/fieldConfig/defaults/unit"];
        let said = |place: &&&str| {
            panel.pointer(place).and_then(Value::as_str).is_some_and(|text| !text.is_empty())
        };
        for place in places.iter().filter(|place| !said(place)) {
            let what = format!("panel {} ({}) has no {place}", panel["id"], panel["title"]);
            findings.push(Finding::new(&file.path, 1, what));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::{file, read_project};
    use super::*;
    use crate::project;

    const HEAD: &str = "# Metrics\n\n## Names\n\n| name | kind | labels | unit | meaning |\n| - | - | - | - | - |\n";
    const ROWS: &str = "| `flowgait_jobs` | gauge | `state` | jobs | x |\n| `flowgait_a_seconds` | histogram | `kind`, `route` | s | x |\n";

    fn found(rows: &str, path: &str, text: &str) -> Vec<String> {
        let list = file(LIST, &format!("{HEAD}{rows}"));
        let findings = check(&[list, file(path, text)]);
        findings.into_iter().map(|finding| finding.what).collect()
    }

    fn check_alert(text: &str, expected: &[&str]) {
        assert_eq!(found(ROWS, "deploy/prometheus/alerts.yaml", text), expected, "{text}");
    }

    #[test]
    fn names_outside_the_list_are_found() {
        check_alert("max(flowgait_jobs) > 0", &[]);
        check_alert("rate(flowgait_a_seconds_bucket[5m])", &[]);
        check_alert("flowgait_job", &["`flowgait_job` is not in docs/METRICS.md"]);
        check_alert("flowgait_jobs_sum", &["`flowgait_jobs_sum` is not in docs/METRICS.md"]);
        check_alert("of flowgait_queue_… and my_flowgait_x", &[]);
    }

    #[test]
    fn labels_outside_the_list_are_found() {
        check_alert(r#"flowgait_jobs{state="dead", job=~"a,b"}"#, &[]);
        check_alert(r#"flowgait_a_seconds_bucket{le="1", kind!=\"fit\"}"#, &[]);
        check_alert(
            r#"flowgait_jobs{kind=\"fit\"}"#,
            &["`flowgait_jobs` has no label `kind` in docs/METRICS.md"],
        );
        check_alert(
            r#"flowgait_a_seconds_sum{le="1"}"#,
            &["`flowgait_a_seconds` has no label `le` in docs/METRICS.md"],
        );
    }

    #[test]
    fn a_metric_without_a_panel_and_a_panel_without_words_are_found() {
        let panel = r#"{"panels": [{"type": "row"}, {"id": 3, "type": "stat", "title": "Jobs", "description": "",
            "fieldConfig": {"defaults": {"unit": "short"}}, "targets": [{"expr": "flowgait_jobs"}]}]}"#;
        let what = found(ROWS, "deploy/grafana/dashboards/x.json", panel);
        let expected =
            [r#"panel 3 ("Jobs") has no /description"#, "no panel shows `flowgait_a_seconds`"];
        assert_eq!(what, expected);
        assert_eq!(found(ROWS, "deploy/grafana/dashboards/x.json", "{").len(), 3);
    }

    #[test]
    fn rows_that_name_no_metric_are_found() {
        let rows = "| `jobs_total` | gauge | – | jobs | |\n| `flowgait_x` | sum |\n";
        let what = found(rows, "README.md", "");
        let expected = [
            "`jobs_total` does not begin with `flowgait_`",
            "`jobs_total` must end in `_total` if, and only if, it is a counter",
            "`jobs_total` has no meaning",
            "a metric has five cells",
        ];
        assert_eq!(what, expected);
    }

    #[test]
    fn what_is_deployed_uses_the_list_and_shows_all_of_it() {
        let files = read_project(&project::root()).expect("the project can be read");
        let list = files.iter().find(|file| file.path == LIST).expect("the list is there");
        assert!(read_list(list).0.len() >= 18, "the table was not found");
        let dashboards = files.iter().filter(|file| file.path.starts_with(DASHBOARDS)).count();
        assert!(dashboards > 0, "no dashboard was found");
        assert_eq!(check(&files), []);
    }
}
