//! The widget: types, unit tests, size, and the page in a real browser against the stack.

use super::report::Report;
use crate::host::folder;
use crate::host::install;
use crate::host::term::Step;
use tokio::process::Command;

pub(super) async fn run(report: &mut Report) {
    let folder = folder::root().join("web-widget");
    if let Err(error) = install::debian("chromium", &["chromium", "fonts-dejavu-core"]).await {
        return report.check(Step::quiet("browser"), "browser", Err(error));
    }
    for script in ["check", "test", "size", "browser"] {
        let mut npm = Command::new("npm");
        npm.args(["run", "--silent", script]).current_dir(&folder).kill_on_drop(true);
        report.program(&format!("widget: {script}"), &mut npm).await;
    }
}
