//! Gets what the machine does not have: Debian packages by apt, Kafka's jars by Maven, npm
//! packages. Says what it installs, and in one sentence what to do when it cannot.

use super::term::Step;
use super::{folder, term};
use anyhow::{Context, bail};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tokio::process::Command;
use tokio::sync::Mutex;

/// The Apache Kafka release that the development machine runs.
pub const KAFKA: &str = "4.1.0";
const POM: &str = include_str!("../../kafka/pom.xml");

/// Is the program on the path (or at the given place)?
#[must_use]
pub fn has(program: &str) -> bool {
    if program.contains('/') {
        return Path::new(program).exists();
    }
    std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|p| p.join(program).exists()))
}

/// Installs Debian packages, unless `program` is there already.
///
/// # Errors
/// A sentence that names the package and the reason.
pub async fn debian(program: &str, packages: &[&str]) -> anyhow::Result<()> {
    // apt holds one lock for the machine: one install at a time.
    static APT: Mutex<bool> = Mutex::const_new(false);
    if has(program) {
        return Ok(());
    }
    let mut updated = APT.lock().await;
    let list = packages.join(" ");
    if !has("apt-get") || !nix::unistd::getuid().is_root() {
        bail!(
            "{program} is missing: install {list} (apt-get needs root), or give its URL in the environment"
        );
    }
    if packages.contains(&"postgresql") {
        keep_apt_from_starting_a_cluster()?;
    }
    if !*updated {
        let step = Step::long("reading Debian's package lists");
        quiet(Command::new("apt-get").args(["update", "-q"]))
            .await
            .context("apt-get update failed")?;
        *updated = true;
        step.done("");
    }
    let step = Step::long(&format!("installing {list} (Debian)"));
    let install = ["install", "-y", "-q", "--no-install-recommends"];
    let mut apt = Command::new("apt-get");
    apt.args(install).args(packages).env("DEBIAN_FRONTEND", "noninteractive");
    quiet(&mut apt).await.with_context(|| format!("cannot install {list}"))?;
    step.done("");
    if !has(program) {
        bail!("{list} was installed, but {program} is not there");
    }
    Ok(())
}

/// Debian's package would start a server of its own on port 5432.
fn keep_apt_from_starting_a_cluster() -> anyhow::Result<()> {
    let folder = Path::new("/etc/postgresql-common");
    std::fs::create_dir_all(folder)?;
    let file = folder.join("createcluster.conf");
    if !file.exists() {
        std::fs::write(file, "create_main_cluster = false\n")?;
    }
    Ok(())
}

/// Kafka's jars from Maven Central, once for a checkout.
///
/// # Errors
/// When Maven or the registry cannot be had.
pub async fn kafka() -> anyhow::Result<PathBuf> {
    let folder = folder::target().join(format!("kafka-{KAFKA}"));
    let libs = folder.join("libs");
    if folder.join("complete").exists() {
        return Ok(libs);
    }
    debian("java", &["openjdk-17-jre-headless"]).await?;
    debian("mvn", &["maven"]).await?;
    let step = Step::long(&format!("fetching Apache Kafka {KAFKA} (Maven Central)"));
    std::fs::create_dir_all(&folder)?;
    std::fs::write(folder.join("pom.xml"), POM)?;
    let mut maven = Command::new("mvn");
    maven
        .args(["-q", "-B", "dependency:copy-dependencies", "-DoutputDirectory=libs"])
        .current_dir(&folder);
    quiet(&mut maven).await.context("cannot fetch Apache Kafka from Maven Central")?;
    std::fs::write(folder.join("complete"), "")?;
    step.done("");
    Ok(libs)
}

/// The widget: npm packages, then the build, when its sources are newer than what was built.
///
/// # Errors
/// When npm cannot be had or the build fails.
pub async fn widget() -> anyhow::Result<()> {
    let folder = folder::root().join("web-widget");
    if !folder.join("package.json").exists() {
        return Ok(());
    }
    debian("npm", &["nodejs", "npm"]).await?;
    let lock = folder.join("package-lock.json");
    if newest(&lock) > newest(&folder.join("node_modules/.package-lock.json")) {
        let step = Step::long("installing the widget's npm packages");
        quiet(Command::new("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(&folder))
            .await?;
        step.done("");
    }
    let sources = ["src", "demo", "package.json", "vite.config.ts"];
    let newest_source = sources.iter().map(|s| newest(&folder.join(s))).max().unwrap_or(0);
    if newest_source > newest(&folder.join("dist")) {
        let step = Step::long("building the widget");
        quiet(Command::new("npm").args(["run", "build"]).current_dir(&folder)).await?;
        step.done("");
    }
    Ok(())
}

/// Newest change below a path, in Unix milliseconds; 0 when there is nothing.
fn newest(path: &Path) -> u128 {
    let time = |path: &Path| {
        let changed = std::fs::metadata(path).and_then(|m| m.modified()).ok()?;
        changed.duration_since(std::time::UNIX_EPOCH).ok().map(|d| d.as_millis())
    };
    let inside = std::fs::read_dir(path).into_iter().flatten().flatten();
    let children = inside.map(|entry| newest(&entry.path())).max().unwrap_or(0);
    if path.is_dir() { children } else { time(path).unwrap_or(0) }
}

/// Runs a program without its chatter; shows the end of it when it fails.
///
/// # Errors
/// When the program fails.
pub async fn quiet(command: &mut Command) -> anyhow::Result<()> {
    let output = command.stdin(Stdio::null()).output().await.context("cannot start it")?;
    if output.status.success() {
        return Ok(());
    }
    for stream in [&output.stdout, &output.stderr] {
        let text = String::from_utf8_lossy(stream);
        let lines: Vec<&str> = text.lines().collect();
        lines
            .iter()
            .skip(lines.len().saturating_sub(25))
            .for_each(|l| term::line(&format!("       | {l}")));
    }
    bail!("it ended with {}", output.status)
}
