//! A bucket behind the S3 protocol, served by the test itself from a folder, that wants signed requests.

use std::path::PathBuf;
use std::sync::Arc;

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;

const BUCKET: &str = "made";
const USER: &str = "somebody";
const SECRET: &str = "something";

/// A server with one bucket; gone with this.
pub struct Bucket {
    folder: tempfile::TempDir,
    address: String,
    _runtime: tokio::runtime::Runtime,
}

impl Bucket {
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join(BUCKET)).unwrap();
        let mut builder = S3ServiceBuilder::new(s3s_fs::FileSystem::new(folder.path()).unwrap());
        builder.set_auth(SimpleAuth::from_single(USER, SECRET));
        let service = builder.build();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let one_at_a_time = Arc::new(tokio::sync::Mutex::new(()));
        runtime.spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let (service, one_at_a_time) = (service.clone(), one_at_a_time.clone());
                let answer = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
                    let (service, one_at_a_time) = (service.clone(), one_at_a_time.clone());
                    async move {
                        // S3 writes "only if nothing is there" in one step. This server looks first and writes then.
                        let _alone = match *request.method() {
                            hyper::Method::PUT => Some(one_at_a_time.lock().await),
                            _ => None,
                        };
                        service.call(request.map(s3s::Body::from)).await
                    }
                });
                tokio::spawn(async move {
                    let server = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
                    let _ = server.serve_connection(TokioIo::new(socket), answer).await;
                });
            }
        });
        Self { folder, address, _runtime: runtime }
    }

    /// What `--blobs` is given.
    pub fn place(&self) -> String {
        format!("s3://{BUCKET}/kept/here")
    }

    /// Where it is and who asks, as the usual tools are told.
    pub fn environment(&self) -> Vec<(String, String)> {
        [
            ("AWS_ENDPOINT_URL", format!("http://{}", self.address)),
            ("AWS_ALLOW_HTTP", "true".to_owned()),
            ("AWS_REGION", "us-east-1".to_owned()),
            ("AWS_ACCESS_KEY_ID", USER.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", SECRET.to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .to_vec()
    }

    /// What lies in it below a name, as paths.
    pub fn files(&self, name: &str) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut folders = vec![self.folder.path().join(BUCKET).join("kept/here").join(name)];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).into_iter().flatten() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    found.push(path);
                }
            }
        }
        found.sort();
        found
    }
}
