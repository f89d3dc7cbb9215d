//! `docs/grafana.json` asks for metrics that there are.

use super::report::Report;
use crate::host::folder;
use crate::host::term::Step;
use anyhow::{Context, ensure};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;

/// Where metrics are named, and what their names begin with.
const SERVICES: [(&str, &str); 4] = [
    ("aggregator/src", "aggregator_"),
    ("realtime-gateway/src", "gateway_"),
    ("notifier/src", "notifier_"),
    ("service-kit/src", "http_"),
];

pub(super) fn run(report: &mut Report) {
    let step = Step::quiet("dashboard");
    let result = check();
    report.check(step, "dashboard", result);
}

fn check() -> anyhow::Result<String> {
    let text = std::fs::read_to_string(folder::root().join("docs/grafana.json"))?;
    let asked = asked(&serde_json::from_str(&text)?)?;
    for name in &asked {
        let place = SERVICES.iter().find(|(_, prefix)| name.starts_with(prefix));
        let (source, _) = place.with_context(|| format!("{name} is no metric of ours"))?;
        let named = contains(&folder::root().join(source), &format!("\"{name}\""))?;
        ensure!(named, "nobody counts {name}");
    }
    Ok(format!("asks for {} metrics, which are all there", asked.len()))
}

/// The metrics that the panels ask for, without what a histogram adds to its name.
fn asked(dashboard: &Value) -> anyhow::Result<BTreeSet<String>> {
    let panels = dashboard["panels"].as_array().context("no panels")?;
    let targets = panels.iter().filter_map(|panel| panel["targets"].as_array()).flatten();
    let expressions = targets.filter_map(|target| target["expr"].as_str());
    let words = expressions.flat_map(|e| e.split(|c: char| !c.is_ascii_alphanumeric() && c != '_'));
    let ours = |word: &&str| SERVICES.iter().any(|(_, prefix)| word.starts_with(prefix));
    let plain = |word: &str| {
        let word = word.strip_suffix("_bucket").unwrap_or(word);
        word.strip_suffix("_count").unwrap_or(word).to_owned()
    };
    Ok(words.filter(ours).map(plain).collect())
}

fn contains(folder: &Path, word: &str) -> anyhow::Result<bool> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let found = if path.is_dir() {
            contains(&path, word)?
        } else {
            std::fs::read_to_string(&path).is_ok_and(|text| text.contains(word))
        };
        if found {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_off_expressions() {
        let dashboard = serde_json::json!({"panels": [{"targets": [
            {"expr": "histogram_quantile(0.9, sum by (le) (rate(gateway_x_seconds_bucket[5m])))"},
            {"expr": "sum (rate(aggregator_y_total{a=\"b\"}[5m]))"}]}, {"type": "row"}]});
        let names: Vec<String> = asked(&dashboard).unwrap().into_iter().collect();
        assert_eq!(names, ["aggregator_y_total", "gateway_x_seconds"]);
    }
}
