//! One record of each source that is read well, as a beginning for what is not: the seeds that the
//! fuzzer begins with too.

macro_rules! seeds {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../../fuzz/seeds/", $name, "/good")))),*]
    };
}

/// Source and record.
pub(super) const SAMPLES: &[(&str, &str)] = seeds![
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
