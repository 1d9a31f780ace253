//! Spans of requests and jobs, told to an OpenTelemetry collector: the feature `otel`.
//!
//! Where `OTEL_EXPORTER_OTLP_ENDPOINT` names a collector that takes OTLP over HTTP, such as `http://127.0.0.1:4318`, every span goes there;
//! the other variables of OpenTelemetry's specification hold, too (`OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES`, …).

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::SpanExporter;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing_subscriber::Layer;
use tracing_subscriber::registry::LookupSpan;

use crate::output;

/// Where the collector is.
const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";

/// Tells what is left when it is dropped.
#[derive(Default)]
pub struct Telemetry(Option<SdkTracerProvider>);

impl Drop for Telemetry {
    fn drop(&mut self) {
        if let Some(Err(error)) = self.0.as_ref().map(SdkTracerProvider::shutdown) {
            output::warn(&format!("the last spans could not be told to the collector: {error}"));
        }
    }
}

/// A layer that tells spans to the collector, where one is named; to be held until the process ends.
pub fn layer<S>() -> (Option<impl Layer<S>>, Telemetry)
where
    S: tracing::Subscriber + for<'span> LookupSpan<'span>,
{
    if std::env::var_os(ENDPOINT).is_none_or(|endpoint| endpoint.is_empty()) {
        return (None, Telemetry::default());
    }
    let exporter = match SpanExporter::builder().with_http().build() {
        Ok(exporter) => exporter,
        Err(error) => {
            output::warn(&format!(
                "{ENDPOINT} cannot be used, so spans are told to nobody: {error}"
            ));
            return (None, Telemetry::default());
        }
    };
    let resource = Resource::builder().with_service_name("flowgait").build();
    let provider =
        SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build();
    let tracer = provider.tracer("flowgait");
    (Some(tracing_opentelemetry::layer().with_tracer(tracer)), Telemetry(Some(provider)))
}
