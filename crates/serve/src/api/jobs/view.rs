//! Jobs as they are shown.

use serde::{Deserialize as _, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::api::{App, seconds_now, time_text};
use crate::job::{Job, Progress, Reason, State, Wish};
use crate::order::{Content, Order, PredictResult};

/// A job, as it is shown.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct JobView {
    /// Its id.
    #[schema(example = "019b1e6c-3a0f-7c3e-9d59-0c0f2b0c4f11")]
    id: String,
    /// What kind of work: predict, fit, simulate.
    kind: String,
    /// Where it is in its life.
    state: State,
    /// Which delivery it is on, from 1; 0 before the first.
    attempt: u32,
    /// When it was taken in.
    created: String,
    /// When a worker first had it.
    #[serde(skip_serializing_if = "Option::is_none")]
    started: Option<String>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    ended: Option<String>,
    /// What was uploaded.
    #[serde(skip_serializing_if = "Option::is_none")]
    input: Option<InputView>,
    /// The model that answers, `NAME@VERSION`.
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<String>,
    /// What is asked of the model, and how the answers are written.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    answers: Option<Value>,
    /// Who had its last part.
    #[serde(skip_serializing_if = "Option::is_none")]
    worker: Option<String>,
    /// What the model that comes of it is to be called.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// How far it is, until it ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    progress: Option<Progress>,
    /// What somebody asked of it that it has not done yet: to pause, or to stop.
    #[serde(skip_serializing_if = "Option::is_none")]
    asked: Option<&'static str>,
    /// Why it did not succeed.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Reason>,
    /// What it came to.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    result: Option<Value>,
    /// Where to go from here.
    pub(super) links: Links,
    /// Grows with every change to any job.
    revision: u64,
}

/// What was uploaded.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct InputView {
    name: String,
    octets: u64,
    content: Content,
    rows: u64,
    /// Whether it is known to be made traffic: a sample.
    made: bool,
}

/// Where to go from here.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Links {
    /// The job.
    pub(super) job: String,
    /// What it came to; signed, so that whoever has the link needs no key until it expires.
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<String>,
    /// A federation's rounds.
    #[serde(skip_serializing_if = "Option::is_none")]
    rounds: Option<String>,
    /// A federation's report, once it has ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    report: Option<String>,
}

impl JobView {
    pub(crate) fn of(app: &App, job: &Job) -> Self {
        let order = Order::of(&job.order).ok();
        let upload = order.as_ref().and_then(Order::input);
        let model = match &order {
            Some(Order::Predict(order)) => Some(order.model.clone()),
            _ => None,
        };
        let name = match &order {
            Some(Order::Fit(order)) => Some(order.name.clone()),
            Some(Order::Simulate(order)) => order.name.clone(),
            _ => None,
        };
        let path = format!("/v1/jobs/{}", job.id);
        let has_result = job.state == State::Succeeded && matches!(order, Some(Order::Predict(_)));
        let link = has_result.then(|| {
            let path = format!("{path}/result");
            // Whole minutes, so that the same job is shown with the same link for a while.
            let expires = (seconds_now() + app.limits.link.as_secs()) / 60 * 60 + 60;
            format!("{path}?expires={expires}&signature={}", app.auth.sign(&path, expires))
        });
        Self {
            id: job.id.to_string(),
            kind: job.kind.clone(),
            state: job.state,
            attempt: job.attempt,
            created: time_text(job.created),
            started: job.started.map(time_text),
            ended: job.ended.map(time_text),
            input: upload.map(|upload| InputView {
                name: upload.name.clone(),
                octets: upload.octets,
                content: upload.content,
                rows: job.rows,
                made: upload.made,
            }),
            model,
            answers: order.as_ref().and_then(answers),
            worker: job.worker.clone(),
            name,
            progress: (!job.state.is_end()).then(|| progress(job)),
            asked: (job.wish != Wish::Run && !job.state.is_end()).then(|| job.wish.name()),
            reason: job.reason.clone(),
            result: job.result.as_ref().map(|result| shown(job, result)),
            links: Links { job: path, result: link, ..of_federation(job) },
            revision: job.revision,
        }
    }
}

/// What is asked of the model, of what was asked.
fn answers(order: &Order) -> Option<Value> {
    let Order::Predict(order) = order else { return None };
    let mut answers = serde_json::to_value(order.answers).ok()?;
    let fields = answers.as_object_mut()?;
    fields.retain(|_, value| !value.is_null());
    fields.insert("format".to_owned(), order.format.ending().into());
    Some(answers)
}

/// Where a federation's own things are.
fn of_federation(job: &Job) -> Links {
    let own = |name: &str| format!("/v1/federations/{}/{name}", job.id);
    let is_federation = job.kind == crate::api::federations::KIND;
    Links {
        job: String::new(),
        result: None,
        rounds: is_federation.then(|| own("rounds")),
        report: (is_federation && job.state == State::Succeeded).then(|| own("files/report.html")),
    }
}

/// How far a job is; one in chunks by how many of them are done.
fn progress(job: &Job) -> Progress {
    if job.parts <= 1 {
        return job.progress.clone();
    }
    let chunks = u64::from(job.parts - 2);
    let done = u64::from(job.parts_done.saturating_sub(1)).min(chunks);
    Progress {
        stage: if done == chunks { "joining" } else { "predicting" }.to_owned(),
        done,
        total: Some(chunks),
        unit: "chunks".to_owned(),
        ..Progress::default()
    }
}

/// What a job came to, without what only this program needs.
fn shown(job: &Job, result: &Value) -> Value {
    if job.kind != "predict" {
        return result.clone();
    }
    let Ok(result) = PredictResult::deserialize(result) else { return Value::Null };
    let classes: serde_json::Map<String, Value> = result
        .classes
        .iter()
        .zip(&result.tally.classes)
        .map(|(class, rows)| (class.clone(), (*rows).into()))
        .collect();
    serde_json::json!({
        "rows": result.tally.rows,
        "unknown": result.tally.unknown,
        "empty": result.tally.empty,
        "classes": classes,
        "confidence": result.tally.confidence,
        "model": result.model,
        "format": result.format,
        "octets": result.octets(),
        "notes": result.notes,
    })
}
