//! What a service begins with that never had a job: so that its page has something real to show.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::api::{App, jobs, upload};
use crate::auth::Caller;
use crate::job::{JobId, Query};

/// The fields of a form, as `POST /v1/jobs` takes them; nothing is uploaded with it.
pub type Form = BTreeMap<String, String>;

/// Submits these where there is no job yet. What is refused is told in the log: the service itself lacks nothing.
pub(crate) async fn submit(app: &Arc<App>, forms: Vec<Form>) {
    let query = Query { most: 1, ..Query::default() };
    if forms.is_empty() || !matches!(app.store.jobs(&query).await.as_deref(), Ok([])) {
        return;
    }
    for fields in forms {
        if let Err(problem) = one(app, fields).await {
            tracing::warn!(problem = problem.detail, "a first job was refused");
        }
    }
}

async fn one(app: &Arc<App>, fields: Form) -> Result<(), crate::problem::Problem> {
    let id = JobId::new(app.store.now().await?);
    let received = upload::Received { id, fields, upload: None, rows: 0 };
    jobs::take_in(app, &Caller::local(), received, None, jobs::form::order).await?;
    Ok(())
}
