//! What a form orders.

use flowgait_model::answers::{AnswerParams, Answers};
use utoipa::ToSchema;

use crate::api::upload::Received;
use crate::api::{App, samples};
use crate::order::{Content, FitOrder, Format, Order, PredictOrder, SimulateOrder};
use crate::problem::Problem;

/// The fields of a job's form.
#[derive(ToSchema)]
#[allow(dead_code, reason = "only describes the form")]
pub(crate) struct JobForm {
    /// CSV, Parquet, JSONL or ARFF, plain, gzip or zstd; or a capture, which is metered first.
    #[schema(value_type = Option<String>, format = Binary)]
    file: Option<Vec<u8>>,
    /// predict, fit: instead of a file, the made traffic of `/v1/samples`.
    sample: Option<String>,
    /// predict (without saying), fit or simulate.
    kind: Option<String>,
    /// predict: the model, `NAME[@VERSION|@ALIAS]`; without one the usual one (`/v1/about` says which).
    model: Option<String>,
    /// predict: csv, jsonl or parquet.
    format: Option<Format>,
    /// predict: add the confidence and the three likeliest classes.
    proba: Option<bool>,
    /// predict: few columns instead of all of the input's.
    only_predictions: Option<bool>,
    /// predict: 'unknown' where the confidence is below this.
    reject: Option<f32>,
    /// predict: 'unknown' where an answer is more doubtful than all but this share.
    unknown: Option<f64>,
    /// predict: add a set of labels that misses the true one in no more than this share.
    conformal: Option<f64>,
    /// predict: the answer as after so many packets.
    after: Option<usize>,
    /// fit, simulate: the name that the model gets in the registry.
    name: Option<String>,
    /// fit: the column with the labels.
    label: Option<String>,
    /// fit: the column that says which rows belong together.
    group: Option<String>,
    /// fit: the column with the category of each label.
    category: Option<String>,
    /// fit: auto, forest, extra-trees, boost, linear, cnn, mlp and so on.
    estimator: Option<String>,
    /// fit: how many trees.
    trees: Option<u32>,
    /// fit: how deep they may be.
    depth: Option<u32>,
    /// fit: columns to leave out, with commas between them.
    drop: Option<String>,
    /// fit: identity columns to learn from all the same, with commas between them.
    keep: Option<String>,
    /// fit: the seed.
    seed: Option<u64>,
    /// fit: the alias that is to stand for the model.
    promote: Option<String>,
    /// simulate: the federation, as in federation.toml.
    configuration: Option<String>,
}

/// What a form orders.
pub(crate) async fn order(app: &App, form: &mut Received) -> Result<Order, Problem> {
    samples::fill(app, form).await?;
    match form.take("kind").as_deref() {
        None | Some("predict") => predict_order(app, form).await,
        Some("fit") => fit_order(form),
        Some("simulate") => simulate_order(form),
        Some(_) => Err(Problem::bad_request("The field 'kind' takes predict, fit or simulate.")),
    }
}

pub(crate) fn no_file() -> Problem {
    Problem::bad_request("The form has no field 'file' with a table or a capture.")
}

async fn predict_order(app: &App, form: &mut Received) -> Result<Order, Problem> {
    let reference = form.take("model");
    let model = app.models.get(reference.as_deref()).await?;
    let format = match form.take("format").as_deref() {
        None | Some("csv") => Format::Csv,
        Some("jsonl") => Format::Jsonl,
        Some("parquet") => Format::Parquet,
        Some(_) => {
            return Err(Problem::bad_request("The field 'format' takes csv, jsonl or parquet."));
        }
    };
    let unknown = form.number("unknown")?;
    let answers = AnswerParams {
        proba: form.flag("proba")?,
        only_predictions: form.flag("only_predictions")?,
        reject: form.number("reject")?.or(model.reject.filter(|_| unknown.is_none())),
        unknown,
        conformal: form.number("conformal")?,
        after: form.number("after")?,
    };
    form.none_left(
        "file, sample, kind, model, format, proba, only_predictions, reject, unknown, conformal, after",
    )?;
    Answers::new(&model.model, answers).map_err(crate::Error::from)?;
    let input = form.upload.clone().ok_or_else(no_file)?;
    Ok(Order::Predict(PredictOrder { input, model: model.pinned(), answers, format }))
}

fn fit_order(form: &mut Received) -> Result<Order, Problem> {
    let input = form.upload.clone().ok_or_else(no_file)?;
    if input.content == Content::Capture {
        return Err(Problem::bad_input(
            "A capture has no labels: meter it first (flowgait meter --labels or --label-by), and send the table.",
        ));
    }
    let name = form.take("name").ok_or_else(|| {
        Problem::bad_request("The field 'name' is missing: what the model is to be called.")
    })?;
    check_new_name(&name)?;
    let label = form.take("label").ok_or_else(|| {
        Problem::bad_request("The field 'label' is missing: the column that says what each row is.")
    })?;
    let mut flags = vec![("--label".to_owned(), label)];
    for field in ["group", "category", "estimator"] {
        if let Some(value) = form.take(field) {
            flags.push((format!("--{field}"), value));
        }
    }
    for field in ["seed", "trees", "depth"] {
        if let Some(value) = form.number::<u64>(field)? {
            flags.push((format!("--{field}"), value.to_string()));
        }
    }
    for field in ["drop", "keep"] {
        for column in form.take(field).unwrap_or_default().split(',').filter(|c| !c.is_empty()) {
            flags.push((format!("--{field}"), column.trim().to_owned()));
        }
    }
    let promote = form.take("promote");
    if let Some(alias) = &promote {
        check_name(alias)?;
    }
    form.none_left("file, sample, kind, name, label, group, category, estimator, trees, depth, drop, keep, seed, promote")?;
    Ok(Order::Fit(FitOrder { input, name, flags, promote }))
}

pub(crate) fn check_name(name: &str) -> Result<(), Problem> {
    use flowgait_model::registry::{Reference, Which};
    let is_name = name.parse::<Reference>().is_ok_and(|r| r.which == Which::Unsaid);
    if is_name {
        return Ok(());
    }
    let name = name.chars().take(64).collect();
    Err(crate::Error::from(flowgait_model::Error::ModelName { name }).into())
}

/// Refuses the name of a model that is to come, before it is made.
fn check_new_name(name: &str) -> Result<(), Problem> {
    flowgait_model::registry::check_new_name(name).map_err(|error| crate::Error::from(error).into())
}

pub(crate) fn simulate_order(form: &mut Received) -> Result<Order, Problem> {
    let configuration = form.take("configuration").unwrap_or_default();
    let name = form.take("name");
    if let Some(name) = &name {
        check_new_name(name)?;
    }
    form.none_left("file, kind, configuration, name")?;
    let rounds = check_configuration(&configuration, form.upload.is_some())?;
    if let Some(input) = &form.upload
        && input.content == Content::Capture
    {
        return Err(Problem::bad_input(
            "A federation learns from a table with labels, not from a capture.",
        ));
    }
    Ok(Order::Simulate(SimulateOrder { configuration, input: form.upload.clone(), rounds, name }))
}

/// A federation's rounds. Files of this machine are nothing that a caller may name.
fn check_configuration(text: &str, has_table: bool) -> Result<u64, Problem> {
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
        Problem::bad_input(format!("The configuration is no TOML: {}.", error.message()))
    })?;
    if let Some(data) = table.get("data").and_then(toml::Value::as_table)
        && let Some(named) = ["tables", "labels"].into_iter().find(|key| {
            data.get(*key).is_some_and(|v| match v {
                toml::Value::String(text) => !text.is_empty(),
                toml::Value::Array(list) => !list.is_empty(),
                _ => true,
            })
        })
    {
        return Err(Problem::bad_input(format!(
            "The configuration names files of this side (data.{named}): send the table as 'file', and leave that out."
        )));
    }
    let mut federation: flowgait_federate::federation::Federation = toml::from_str(text)
        .map_err(|error| Problem::bad_input(format!("The configuration: {}.", error.message())))?;
    if has_table {
        // As it will be once the worker has fetched it.
        federation.data.tables = vec!["upload".into()];
    }
    let bad = |error| Problem::bad_input(format!("The configuration: {error}."));
    federation.check().map_err(bad)?;
    Ok(federation.rounds)
}
