//! How latencies are told.

/// `p50`, `p99` and the longest, in milliseconds; sorts them.
pub(crate) fn line(times: &mut [f64]) -> String {
    times.sort_by(f64::total_cmp);
    let (half, most) = (at(times, 500), at(times, 990));
    let longest = times.last().copied().unwrap_or(f64::NAN);
    format!("p50 {half:.1} ms, p99 {most:.1} ms, longest {longest:.1} ms; {} of them", times.len())
}

/// The value that this many per thousand do not exceed, of sorted ones.
pub(crate) fn at(sorted: &[f64], per_mille: usize) -> f64 {
    sorted.get(sorted.len() * per_mille / 1000).copied().unwrap_or(f64::NAN)
}
