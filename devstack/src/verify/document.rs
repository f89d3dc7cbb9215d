//! Generated documents: what all services can be asked, what they say unasked, the tables of their
//! settings and of their sources.

use super::report::Report;
use super::{example, operation};
use crate::host::folder;
use crate::host::term::Step;
use crate::run::build::binary;
use anyhow::{Context, ensure};
use serde_json::{Map, Value, json};
use tokio::process::Command;

const SERVICES: [&str; 3] = ["aggregator", "realtime-gateway", "notifier"];

/// The documents by their names.
async fn all() -> [(&'static str, anyhow::Result<String>); 4] {
    [
        ("docs/openapi.json", openapi().await),
        ("docs/asyncapi.json", say("realtime-gateway", "asyncapi").await),
        ("docs/configuration.md", configuration().await),
        ("docs/sources.md", say("aggregator", "sources").await),
    ]
}

pub(super) async fn run(report: &mut Report) {
    for (name, made) in all().await {
        let step = Step::quiet(name);
        let result = made.and_then(|text| {
            let known = std::fs::read_to_string(folder::root().join(name)).unwrap_or_default();
            ensure!(
                known == text,
                "it is not what the services say; `cargo devstack docs` writes it anew"
            );
            Ok("is what the services say".to_owned())
        });
        report.check(step, name, result);
    }
}

/// Writes the generated documents.
///
/// # Errors
/// When a service does not describe itself.
pub async fn write() -> anyhow::Result<()> {
    for (name, made) in all().await {
        std::fs::write(folder::root().join(name), made?)?;
    }
    Ok(())
}

async fn say(service: &str, word: &str) -> anyhow::Result<String> {
    let output = Command::new(binary(service)?).arg(word).env_clear().output().await;
    let output = output.with_context(|| format!("{service} is not built"))?;
    ensure!(output.status.success(), "{service} {word} failed");
    Ok(String::from_utf8(output.stdout)?)
}

/// One document: the paths and schemas of all services.
async fn openapi() -> anyhow::Result<String> {
    let mut whole = json!({"openapi": "3.1.0",
        "info": {"title": "Milepost", "version": "1",
            "description": "Reached through a gateway. Errors are RFC 9457 application/problem+json."},
        "security": [{"bearer": []}], "paths": {},
        "components": {"schemas": {}, "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer",
            "description": "A viewer's token, or the key of a back end or an operator."}}}});
    for service in SERVICES {
        let own: Value = serde_json::from_str(&say(service, "openapi").await?)?;
        for place in ["/paths", "/components/schemas"] {
            let from: Map<String, Value> =
                own.pointer(place).and_then(Value::as_object).cloned().unwrap_or_default();
            let into =
                whole.pointer_mut(place).and_then(Value::as_object_mut).context("no such place")?;
            into.extend(from);
        }
    }
    whole["components"]["schemas"]["Problem"] = operation::problem();
    operation::complete(&mut whole);
    let twice = operation::named_twice(&whole);
    ensure!(twice.is_empty(), "operations of one name: {}", twice.join(", "));
    let bare = example::missing(&whole);
    ensure!(bare.is_empty(), "without an example: {}", bare.join(", "));
    let wrong = example::misplaced(&whole);
    ensure!(wrong.is_empty(), "not where they are said to be: {}", wrong.join(", "));
    Ok(format!("{}\n", serde_json::to_string_pretty(&whole)?))
}

async fn configuration() -> anyhow::Result<String> {
    let mut text = "# Settings\n\nGenerated from the services by `cargo devstack docs`. Each setting is an environment \
        variable or the flag of the\nsame name (`HTTP_ADDR` is `--http-addr`). A missing or wrong setting: all problems \
        are named at once, exit code 64.\n"
        .to_owned();
    for service in SERVICES {
        text.push_str(&format!("\n## {service}\n\n{}", say(service, "config").await?));
    }
    Ok(text)
}
