//! The service speaks TLS with a certificate that is given, and with its successor once that is there.

use std::sync::Arc;
use std::time::Duration;

use ureq::tls::{Certificate, RootCerts, TlsConfig};

use crate::service::{Service, until};
use crate::support::Place;

/// Writes a certificate for this machine and its key; the certificate.
fn certificate(place: &Place) -> String {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    // The key first: a certificate with another's key cannot be used, and is not.
    place.write("key.pem", made.signing_key.serialize_pem());
    place.write("certificate.pem", made.cert.pem());
    made.cert.pem()
}

/// Who trusts this certificate and no other.
fn trusting(certificate: &str) -> ureq::Agent {
    let certificate = Certificate::from_pem(certificate.as_bytes()).unwrap();
    let roots = RootCerts::Specific(Arc::new(vec![certificate]));
    let tls = TlsConfig::builder().root_certs(roots).build();
    let config = ureq::Agent::config_builder()
        .tls_config(tls)
        .timeout_global(Some(Duration::from_secs(10)))
        .build();
    config.new_agent()
}

const ARGS: [&str; 8] = [
    "--store",
    "sqlite:data",
    "--blobs",
    "data",
    "--tls-certificate",
    "certificate.pem",
    "--tls-key",
    "key.pem",
];

#[test]
fn it_speaks_tls_and_takes_a_renewed_certificate() {
    let place = Place::new();
    let first = certificate(&place);
    let service = Service::start(&place, &ARGS, &[]);
    let url = service.url().replace("127.0.0.1", "localhost");
    assert!(url.starts_with("https://"), "{url}");
    let page = format!("{url}/readyz");
    assert_eq!(trusting(&first).get(&page).call().unwrap().status(), 200);
    // Who speaks plainly gets no answer that could be taken for one.
    let plain = page.replace("https", "http");
    assert!(!ureq::get(&plain).call().is_ok_and(|answer| answer.status() == 200));

    let second = certificate(&place);
    until("the new certificate", || trusting(&second).get(&page).call().ok());
    assert!(trusting(&first).get(&page).call().is_err(), "the old one is not shown any more");
    // One that cannot be used changes nothing.
    place.write("certificate.pem", "no certificate");
    std::thread::sleep(Duration::from_secs(7));
    assert_eq!(trusting(&second).get(&page).call().unwrap().status(), 200);
    assert!(service.process.log().contains("cannot be used"), "{}", service.process.log());
}

#[test]
fn a_certificate_that_is_none_is_told_at_the_start() {
    let place = Place::new();
    certificate(&place);
    place.write("key.pem", "no key");
    let mut args = vec!["serve", "--bind", "127.0.0.1:0"];
    args.extend(ARGS);
    let run = place.run(&args);
    assert_eq!(run.status, 1, "{}", run.err);
    assert!(run.err.contains("certificate.pem") && run.err.contains("key.pem"), "{}", run.err);
}
