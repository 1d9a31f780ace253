//! Bodies that nobody reads to their end are read a little further: whoever is told in the midst of sending that it is too much or not
//! allowed could otherwise find the connection broken, and never read why.
//!
//! # Reference
//! RFC 9112, 9.6: a server that closes with octets unread makes the other side's system throw away the answer.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, BodyDataStream, Bytes, HttpBody as _};
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use futures_util::{Stream, StreamExt as _};

/// Once nothing comes for so long, the other side has read its answer or never will.
const QUIET: Duration = Duration::from_millis(250);
/// However much comes, it ends after so long.
const LONGEST: Duration = Duration::from_secs(5);

/// Has the body of a request read further when it is dropped before its end.
pub(crate) async fn lingering(request: Request, next: Next) -> Response {
    let request = request.map(|body| {
        if body.is_end_stream() {
            return body;
        }
        Body::from_stream(Rest(Some(body.into_data_stream())))
    });
    next.run(request).await
}

/// A body, as long as it has not ended.
struct Rest(Option<BodyDataStream>);

impl Stream for Rest {
    type Item = Result<Bytes, axum::Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(body) = &mut self.0 else { return Poll::Ready(None) };
        let next = body.poll_next_unpin(context);
        if matches!(next, Poll::Ready(None | Some(Err(_)))) {
            self.0 = None;
        }
        next
    }
}

impl Drop for Rest {
    fn drop(&mut self) {
        let (Some(mut body), Ok(runtime)) = (self.0.take(), tokio::runtime::Handle::try_current())
        else {
            return;
        };
        runtime.spawn(tokio::time::timeout(LONGEST, async move {
            while let Ok(Some(Ok(_))) = tokio::time::timeout(QUIET, body.next()).await {}
        }));
    }
}
