//! The house's own rules: floors without circles, short files, short functions.
//!
//! In each `lib.rs` (and in each folder's parent file) the modules are declared lowest floor
//! first; a file may use a module of its own crate only if that is declared above its own. What
//! stands inside macros is not looked into.

mod crate_map;
mod visit;

use anyhow::Context;
use crate_map::CrateMap;
use std::path::{Path, PathBuf};
use visit::Findings;

/// Longest file, without its tests.
pub const MAX_FILE: usize = 300;
/// Longest function.
pub const MAX_FUNCTION: usize = 60;

/// Checks all crates of the checkout. The figures for the report when nothing is wrong.
///
/// # Errors
/// Every breach, a line each.
pub fn check(root: &Path) -> anyhow::Result<String> {
    let mut findings = Findings::default();
    for entry in std::fs::read_dir(root)?.flatten() {
        let source = entry.path().join("src");
        if source.join("lib.rs").exists() {
            check_crate(&source, &mut findings)?;
        }
    }
    anyhow::ensure!(findings.breaches.is_empty(), "\n{}", findings.breaches.join("\n"));
    Ok(findings.figures())
}

fn check_crate(source: &Path, findings: &mut Findings) -> anyhow::Result<()> {
    let map = CrateMap::read(source)?;
    for file in map.files() {
        let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
        let parsed = syn::parse_file(&text).with_context(|| file.display().to_string())?;
        findings.file(&map, file, &text, &parsed);
    }
    Ok(())
}

/// Every Rust file below a folder, sorted.
fn rust_files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)?.flatten() {
        let path = entry.path();
        if path.is_dir() {
            files.extend(rust_files(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Plants a crate `a` (floors `low`, `high` with the folder `high/{one,two}`) and checks it.
    fn plant(files: &[(&str, &str)]) -> Result<String, String> {
        static NEXT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let number = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let root = std::env::temp_dir().join(format!("floors-{}-{number}", std::process::id()));
        let source = root.join("a/src");
        std::fs::create_dir_all(source.join("high")).unwrap();
        let base = [
            ("lib.rs", "pub mod low; pub mod high;"),
            ("low.rs", ""),
            ("high.rs", "mod one; mod two;"),
            ("high/one.rs", ""),
            ("high/two.rs", ""),
        ];
        for (name, text) in base.iter().chain(files) {
            std::fs::write(source.join(name), text).unwrap();
        }
        let result = check(&root).map_err(|error| format!("{error:#}"));
        std::fs::remove_dir_all(&root).unwrap();
        result
    }

    #[test]
    fn looking_down_is_allowed() {
        assert!(
            plant(&[
                ("high.rs", "mod one; mod two; use crate::low::X;"),
                ("high/two.rs", "use super::one::Y;")
            ])
            .is_ok()
        );
    }

    #[test]
    fn looking_up_is_a_breach_however_it_is_written() {
        for text in [
            "use crate::high::X;",
            "fn f() { crate::high::g(); }",
            "use super::high::X;",
            "use crate::{high::X};",
        ] {
            let breach = plant(&[("low.rs", text)]).unwrap_err();
            assert!(breach.contains("low.rs:1") && breach.contains("high"), "{text}: {breach}");
        }
    }

    #[test]
    fn a_folder_has_floors_too() {
        for text in ["use super::two::X;", "use crate::high::two::X;", "fn f(_: super::two::X) {}"]
        {
            assert!(plant(&[("high/one.rs", text)]).unwrap_err().contains("one.rs"), "{text}");
        }
        let up =
            plant(&[("low.rs", "pub mod deep;"), ("high/one.rs", "use super::super::low::X;")]);
        assert!(up.is_ok(), "down by way of super is allowed: {up:?}");
    }

    #[test]
    fn tests_may_look_anywhere() {
        assert!(plant(&[("low.rs", "#[cfg(test)] mod tests { use crate::high::X; }")]).is_ok());
    }

    #[test]
    fn long_files_and_functions_are_breaches() {
        let long = "// line\n".repeat(MAX_FILE + 1);
        assert!(plant(&[("low.rs", &long)]).unwrap_err().contains("lines"));
        let body = format!("fn f() {{\n{}}}", "let _ = 1;\n".repeat(MAX_FUNCTION));
        assert!(plant(&[("low.rs", &body)]).unwrap_err().contains("function f"));
        let tests = format!("#[cfg(test)]\nmod tests {{\n{}}}", "// line\n".repeat(MAX_FILE));
        assert!(plant(&[("low.rs", &tests)]).is_ok());
    }
}
