//! What the developer sees on the terminal.

use std::io::Write;
use std::time::Instant;

/// Prints one line. A closed terminal is no reason to stop.
pub fn line(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// A piece of work that takes a while: says when it begins (if it is a long one), and when it
/// is done and how long it took.
pub struct Step {
    what: String,
    started: Instant,
}

impl Step {
    /// Begins quietly.
    #[must_use]
    pub fn quiet(what: &str) -> Self {
        Self { what: what.to_owned(), started: Instant::now() }
    }

    /// Begins with a line, for what takes more than a few seconds.
    #[must_use]
    pub fn long(what: &str) -> Self {
        line(&format!("  ...  {what}"));
        Self::quiet(what)
    }

    /// Ends well.
    pub fn done(self, detail: &str) {
        let seconds = self.started.elapsed().as_secs_f64();
        let detail = if detail.is_empty() { String::new() } else { format!(" {detail}") };
        line(&format!("  ok   {}{detail}  ({seconds:.1} s)", self.what));
    }
}
