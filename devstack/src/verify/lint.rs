//! Format, lints, floors.

use super::floors;
use super::report::Report;
use crate::host::folder;
use crate::host::term::Step;
use crate::run::build::cargo;

pub(super) async fn run(report: &mut Report) {
    report.program("format", cargo().args(["fmt", "--all", "--check"])).await;
    let clippy = ["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"];
    report.program("lints", cargo().args(clippy)).await;
    let step = Step::quiet("floors");
    report.check(step, "floors", floors::check(&folder::root()));
}
