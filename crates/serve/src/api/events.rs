//! What changes, as server-sent events: each job as it is now, in the order of changes, so that nothing is missed however long one was away.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::extract::{Extension, State as With};
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::Stream;
use serde::Deserialize;
use utoipa::IntoParams;

use super::extract::Query;
use super::jobs::JobView;
use super::refusals::Usual;
use super::{App, Asking, Shared};
use crate::auth::Scope;
use crate::job::{Job, JobId};
use crate::problem::Problem;
use crate::work::told;

/// The route.
pub(crate) const PATH: &str = "/v1/events";
/// Changes read at a time.
const BATCH: usize = 100;
/// A watcher that hears nothing from the store looks all the same.
const LOOK: Duration = Duration::from_secs(2);
/// Changes of one job are told at most so often.
const PACE: Duration = Duration::from_millis(100);

static OPEN: AtomicUsize = AtomicUsize::new(0);

/// One of the streams that may be open.
struct Place;

impl Place {
    fn take(most: usize) -> Option<Self> {
        let more = |open: usize| (open < most).then_some(open + 1);
        OPEN.fetch_update(Ordering::AcqRel, Ordering::Acquire, more).is_ok().then_some(Self)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        OPEN.fetch_sub(1, Ordering::AcqRel);
    }
}

/// What to follow.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct Topics {
    /// `jobs` (without saying), or `jobs/ID`, with commas between them.
    topics: Option<String>,
    /// Changes after this revision, as `Last-Event-ID` says it for browsers; without either, from now on.
    since: Option<u64>,
}

/// What changes, as it changes: events with the job as it is now, whose ids are its revisions.
///
/// A browser's EventSource resumes by itself with `Last-Event-ID`. A job that changed several times meanwhile comes once.
#[utoipa::path(
    get,
    path = "/v1/events",
    tag = "events",
    params(
        Topics,
        ("Last-Event-ID" = Option<String>, Header, description = "The id of the last event that was seen"),
    ),
    responses(
        (status = 200, description = "A stream without an end", content_type = "text/event-stream", body = String),
        Usual,
    ),
    security(("key" = []))
)]
pub(crate) async fn follow(
    With(app): Shared,
    Extension(asking): Extension<Asking>,
    Query(topics): Query<Topics>,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let caller = asking.caller()?;
    caller.check(Scope::Jobs)?;
    let last = match headers.get("last-event-id") {
        None => topics.since,
        Some(id) => Some(id.to_str().ok().and_then(|id| id.parse().ok()).ok_or_else(|| {
            Problem::bad_request(
                "Last-Event-ID is a number: the id of the last event that was seen.",
            )
        })?),
    };
    let mut ids = Vec::new();
    let bad = || Problem::bad_request("The topics are jobs, and jobs/ID with the id of a job.");
    for topic in topics.topics.as_deref().unwrap_or("jobs").split(',').filter(|t| !t.is_empty()) {
        match topic.split_once('/') {
            None if topic == "jobs" => ids.clear(),
            Some(("jobs", id)) => ids.push(id.parse::<JobId>().map_err(|_| bad())?),
            _ => return Err(bad()),
        }
    }
    let most = app.limits.streams;
    let place = Place::take(most).ok_or_else(|| {
        let told = format!("{most} streams of events are open, which is as many as may be. Close one, or come back.");
        Problem::too_many(told).after(10)
    })?;
    let revision = app.store.revision();
    // A place beyond the end is one of another store, which was here before.
    let latest = app.store.latest().await?;
    let since = last.map_or(latest, |last| last.min(latest));
    let follower = Follower {
        ends: app.ends.clone(),
        app,
        owner: caller.sees(),
        ids,
        since,
        revision,
        waiting: VecDeque::new(),
        greets: true,
        _place: place,
    };
    let stream = futures_util::stream::unfold(follower, |mut follower| async move {
        follower.next().await.map(|event| (Ok(event), follower))
    });
    Ok(Sse::new(stream).keep_alive(KeepAlive::new().interval(Duration::from_secs(15))))
}

struct Follower {
    app: Arc<App>,
    owner: Option<String>,
    ids: Vec<JobId>,
    since: u64,
    revision: tokio::sync::watch::Receiver<u64>,
    ends: tokio::sync::watch::Receiver<bool>,
    waiting: VecDeque<Job>,
    greets: bool,
    _place: Place,
}

impl Follower {
    /// The next event; `None` when the process ends, so that a stream without an end does not hold it up.
    async fn next(&mut self) -> Option<Event> {
        if std::mem::take(&mut self.greets) {
            // Whoever comes without an id knows from here where to go on.
            return Some(Event::default().event("hello").id(self.since.to_string()).data("{}"));
        }
        loop {
            if *self.ends.borrow() {
                return None;
            }
            if let Some(job) = self.waiting.pop_front() {
                self.since = job.revision;
                if !self.wants(&job) {
                    continue;
                }
                let view = JobView::of(&self.app, &job);
                let event = Event::default().event("job").id(job.revision.to_string());
                return event.json_data(view).ok();
            }
            let seen = *self.revision.borrow_and_update();
            match self.app.store.changes(self.since, BATCH).await {
                Ok(jobs) => self.waiting.extend(jobs),
                Err(error) => tracing::warn!(error = told(&error), "changes could not be read"),
            }
            if !self.waiting.is_empty() {
                continue;
            }
            tokio::select! {
                _ = self.revision.wait_for(|now| *now != seen) => {}
                () = tokio::time::sleep(LOOK) => {}
                _ = self.ends.wait_for(|ends| *ends) => return None,
            }
            tokio::time::sleep(PACE).await;
        }
    }

    fn wants(&self, job: &Job) -> bool {
        let own = self.owner.as_ref().is_none_or(|owner| *owner == job.owner);
        own && (self.ids.is_empty() || self.ids.contains(&job.id))
    }
}
