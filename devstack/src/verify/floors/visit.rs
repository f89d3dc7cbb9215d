//! Walks through a file: what it uses, how long it and its functions are.

use super::crate_map::CrateMap;
use super::{MAX_FILE, MAX_FUNCTION};
use std::path::Path;
use syn::spanned::Spanned;
use syn::visit::Visit;

/// What was found in all files.
#[derive(Default)]
pub(super) struct Findings {
    pub(super) breaches: Vec<String>,
    files: Vec<usize>,
    functions: Vec<usize>,
}

impl Findings {
    pub(super) fn file(&mut self, map: &CrateMap, file: &Path, text: &str, parsed: &syn::File) {
        let (name, own) = (map.name(file), map.module(file));
        let test_file = own.last().is_some_and(|last| last == "tests");
        let lines = length(text, parsed);
        if !test_file {
            self.files.push(lines);
            if lines > MAX_FILE {
                self.breaches.push(format!("{name}: {lines} lines, at most {MAX_FILE}"));
            }
            let mut walk = Walk { map, name: &name, own, findings: self };
            walk.visit_file(parsed);
        }
    }

    /// "files: median 96, longest 230 lines; functions: …"
    pub(super) fn figures(&self) -> String {
        let figure = |all: &[usize]| {
            let mut sorted = all.to_vec();
            sorted.sort_unstable();
            let median = sorted.get(sorted.len() / 2).copied().unwrap_or(0);
            (sorted.len(), median, sorted.last().copied().unwrap_or(0))
        };
        let (files, file_median, file_most) = figure(&self.files);
        let (functions, median, most) = figure(&self.functions);
        format!(
            "0 breaches; {files} files: median {file_median}, longest {file_most} lines; \
             {functions} functions: median {median}, longest {most}"
        )
    }
}

/// Lines of a file up to its tests.
fn length(text: &str, parsed: &syn::File) -> usize {
    let tests = parsed.items.iter().find_map(|item| match item {
        syn::Item::Mod(module) if is_test(&module.attrs) => Some(module.span().start().line),
        _ => None,
    });
    tests.map_or_else(|| text.lines().count(), |line| line.saturating_sub(1))
}

fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let cfg_test = attribute.path().is_ident("cfg")
            && attribute.parse_args::<syn::Path>().is_ok_and(|path| path.is_ident("test"));
        cfg_test || attribute.path().is_ident("test")
    })
}

struct Walk<'a> {
    map: &'a CrateMap,
    name: &'a str,
    own: Vec<String>,
    findings: &'a mut Findings,
}

impl Walk<'_> {
    /// `crate::a::b`, `super::c`: is that above us?
    fn uses(&mut self, path: &[String], line: usize) {
        let target = match path.first().map(String::as_str) {
            Some("crate") => path[1..].to_vec(),
            Some("super") => {
                let ups = path.iter().take_while(|part| *part == "super").count();
                let base = self.own.len().saturating_sub(ups);
                self.own[..base].iter().chain(&path[ups..]).cloned().collect()
            }
            _ => return,
        };
        if self.map.is_above(&self.own, &target) {
            self.findings.breaches.push(format!(
                "{}:{line} uses {}, which is declared above",
                self.name,
                path.join("::")
            ));
        }
    }

    fn tree(&mut self, tree: &syn::UseTree, prefix: &mut Vec<String>, line: usize) {
        match tree {
            syn::UseTree::Path(path) => {
                prefix.push(path.ident.to_string());
                self.tree(&path.tree, prefix, line);
                prefix.pop();
            }
            syn::UseTree::Group(group) => {
                for item in &group.items {
                    self.tree(item, prefix, line);
                }
            }
            syn::UseTree::Name(syn::UseName { ident })
            | syn::UseTree::Rename(syn::UseRename { ident, .. }) => {
                prefix.push(ident.to_string());
                self.uses(prefix, line);
                prefix.pop();
            }
            syn::UseTree::Glob(_) => self.uses(prefix, line),
        }
    }

    fn function(&mut self, name: &syn::Ident, span: proc_macro2::Span) {
        let lines = span.end().line - span.start().line + 1;
        self.findings.functions.push(lines);
        if lines > MAX_FUNCTION {
            let line = span.start().line;
            self.findings.breaches.push(format!(
                "{}:{line} function {name} has {lines} lines, at most {MAX_FUNCTION}",
                self.name
            ));
        }
    }
}

impl<'ast> Visit<'ast> for Walk<'_> {
    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        if !is_test(&module.attrs) {
            syn::visit::visit_item_mod(self, module);
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        if !is_test(&item.attrs) {
            self.tree(&item.tree, &mut Vec::new(), item.span().start().line);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let parts: Vec<String> =
            path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        self.uses(&parts, path.span().start().line);
        syn::visit::visit_path(self, path);
    }

    fn visit_item_fn(&mut self, function: &'ast syn::ItemFn) {
        if !is_test(&function.attrs) {
            self.function(&function.sig.ident, function.span());
            syn::visit::visit_item_fn(self, function);
        }
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        self.function(&function.sig.ident, function.span());
        syn::visit::visit_impl_item_fn(self, function);
    }
}
