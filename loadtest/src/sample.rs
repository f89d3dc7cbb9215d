//! One record of each source that is read well: the seeds that the fuzzer begins with too.

macro_rules! seeds {
    ($($name:literal),* $(,)?) => {
        &[$(Sample {
            source: $name,
            topic: concat!("source.", $name),
            record: include_str!(concat!("../../fuzz/seeds/", $name, "/good")),
        }),*]
    };
}

/// A good record, of the order `T-1`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sample {
    pub(crate) source: &'static str,
    pub(crate) topic: &'static str,
    pub(crate) record: &'static str,
}

/// Of every source one.
pub(crate) const SAMPLES: &[Sample] = seeds![
    "shop",
    "payment",
    "manufacturing",
    "fulfilment",
    "logistics",
    "ghn",
    "ghtk",
    "viettelpost",
    "ems",
    "nhattin",
    "ghsv",
    "aftership",
    "easypost",
    "17track",
    "shippo",
    "karrio",
    "shopify",
    "woocommerce",
    "printful",
    "printify",
    "gelato",
    "stripe",
    "momo",
    "vnpay",
    "zalopay",
    "cloudevents",
    "debezium",
    "epcis",
];

#[cfg(test)]
mod tests {
    use super::SAMPLES;
    use aggregator::source::Catalog;

    #[test]
    fn every_source_has_a_seed_and_a_target_of_the_fuzzer() {
        let targets = include_str!("../../fuzz/Cargo.toml");
        for name in Catalog::default().names() {
            assert!(SAMPLES.iter().any(|sample| sample.source == name), "{name} has no seed");
            let target = format!("[[bin]]\nname = \"{name}\"\n");
            assert!(targets.contains(&target), "fuzz/Cargo.toml has no {name}");
        }
    }
}
