//! Figures of many rounds, beside those of another server, and whether they are what is wanted.

use devstack::host::term;

/// How a goal that is not reached is marked.
const MISSED: &str = "**missed**";

/// What is wanted of a figure.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Goal {
    /// Nothing: it is printed for whoever wants to know.
    None,
    /// At most so much.
    AtMost(f64),
    /// At most so many times the other server's.
    Ratio(f64),
    /// Both.
    Both(f64, f64),
}

/// One figure of one run.
#[derive(Debug, Clone)]
pub(crate) struct Figure {
    pub(crate) name: String,
    pub(crate) unit: &'static str,
    pub(crate) value: f64,
    pub(crate) goal: Goal,
}

/// A figure.
pub(crate) fn figure(
    name: impl Into<String>,
    unit: &'static str,
    value: f64,
    goal: Goal,
) -> Figure {
    Figure { name: name.into(), unit, value, goal }
}

/// A figure of all rounds.
struct Row {
    name: String,
    unit: &'static str,
    goal: Goal,
    ours: Vec<f64>,
    theirs: Vec<f64>,
}

/// All figures.
#[derive(Default)]
pub(crate) struct Table {
    rows: Vec<Row>,
}

impl Table {
    /// Adds the figures of a run.
    pub(crate) fn add(&mut self, figures: Vec<Figure>, ours: bool) {
        for figure in figures {
            let at = self.rows.iter().position(|row| row.name == figure.name);
            let at = at.unwrap_or_else(|| {
                let Figure { name, unit, goal, .. } = figure.clone();
                self.rows.push(Row { name, unit, goal, ours: Vec::new(), theirs: Vec::new() });
                self.rows.len() - 1
            });
            let row = &mut self.rows[at];
            if ours { row.ours.push(figure.value) } else { row.theirs.push(figure.value) }
        }
    }

    /// Whether every goal is reached, as far as there is something to compare with.
    pub(crate) fn holds(&self) -> bool {
        !self.rows.iter().any(|row| row.verdict().contains(MISSED))
    }

    /// Prints the median and the spread of each.
    pub(crate) fn print(&self) {
        term::line("\n| figure | unit | Milepost | Centrifugo | ratio | goal |");
        term::line("| --- | --- | --- | --- | --- | --- |");
        for row in &self.rows {
            term::line(&row.text());
        }
    }
}

impl Row {
    fn text(&self) -> String {
        let ratio = self.ratio().map_or("–".to_owned(), |ratio| format!("{ratio:.2}"));
        let (ours, theirs) = (spread(&self.ours), spread(&self.theirs));
        let (name, unit, goal) = (&self.name, self.unit, self.verdict());
        format!("| {name} | {unit} | {ours} | {theirs} | {ratio} | {goal} |")
    }

    fn ratio(&self) -> Option<f64> {
        let theirs = median(&self.theirs)?;
        (theirs > 0.0).then_some(median(&self.ours)? / theirs)
    }

    fn verdict(&self) -> String {
        let said = |holds: bool| if holds { "holds" } else { MISSED };
        let most = |most: f64| {
            let held = median(&self.ours).is_some_and(|ours| ours <= most);
            format!("≤ {most}: {}", said(held))
        };
        let ratio = |most: f64| match self.ratio() {
            Some(ratio) => format!("ratio ≤ {most}: {}", said(ratio <= most)),
            None => format!("ratio ≤ {most}: not compared"),
        };
        match self.goal {
            Goal::None => "–".to_owned(),
            Goal::AtMost(value) => most(value),
            Goal::Ratio(value) => ratio(value),
            Goal::Both(value, times) => format!("{}; {}", most(value), ratio(times)),
        }
    }
}

fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let (upper, lower) = (sorted.get(sorted.len() / 2)?, sorted.get((sorted.len() - 1) / 2)?);
    Some(f64::midpoint(*upper, *lower))
}

/// `median (lowest–highest)`.
fn spread(values: &[f64]) -> String {
    let Some(middle) = median(values) else {
        return "–".to_owned();
    };
    let lowest = values.iter().copied().fold(f64::INFINITY, f64::min);
    let highest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if values.len() == 1 {
        return short(middle);
    }
    format!("{} ({}–{})", short(middle), short(lowest), short(highest))
}

fn short(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 || value.fract() == 0.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_goal_is_held_against_the_median() {
        let mut table = Table::default();
        for (ours, theirs) in [(1.0, 4.0), (9.0, 2.0), (2.0, 4.0)] {
            let goal = Goal::Both(2.0, 0.4);
            table.add(vec![figure("x", "µs", ours, goal)], true);
            table.add(vec![figure("x", "µs", theirs, goal)], false);
        }
        let text = table.rows[0].text();
        assert_eq!(
            text,
            "| x | µs | 2 (1–9) | 4 (2–4) | 0.50 | ≤ 2: holds; ratio ≤ 0.4: **missed** |"
        );
    }
}
