//! Who buys, and where it goes. All of them are made up.

use serde_json::{Value, json};

/// A customer.
#[derive(Debug, Clone)]
pub struct Person {
    /// Customer number.
    pub id: String,
    /// Name.
    pub name: &'static str,
    /// `vi` or `en`.
    pub locale: &'static str,
    /// Province.
    pub province: &'static str,
    /// The post offices on the way.
    pub stops: [&'static str; 2],
}

const NAMES: [(&str, &str); 8] = [
    ("Trần Thị Bích", "vi"),
    ("Nguyễn Văn Đức", "vi"),
    ("Lê Hoàng Anh", "vi"),
    ("Phạm Thị Hương Giang", "vi"),
    ("Emma Clarke", "en"),
    ("Võ Quốc Khánh", "vi"),
    ("Đặng Thuỳ Dương", "vi"),
    ("Daniel Weber", "en"),
];

const PLACES: [(&str, [&str; 2]); 5] = [
    ("Đà Nẵng", ["Kho Hoà Vang", "Bưu cục Hải Châu"]),
    ("Hà Nội", ["Kho Đông Anh", "Bưu cục Cầu Giấy"]),
    ("Cần Thơ", ["Kho Bình Thuỷ", "Bưu cục Ninh Kiều"]),
    ("Hải Phòng", ["Kho An Dương", "Bưu cục Lê Chân"]),
    ("Lâm Đồng", ["Kho Đức Trọng", "Bưu cục Đà Lạt"]),
];

impl Person {
    /// A customer by number: the same number is the same person.
    #[must_use]
    pub fn number(number: u32) -> Self {
        let place = number as usize;
        let (name, locale) = NAMES[place % NAMES.len()];
        let (province, stops) = PLACES[place % PLACES.len()];
        Self { id: format!("C-{number}"), name, locale, province, stops }
    }

    /// The same person in another language, under another number.
    #[must_use]
    pub fn speaking(mut self, locale: &'static str, id: String) -> Self {
        (self.locale, self.id) = (locale, id);
        self
    }

    /// The address that letters go to.
    #[must_use]
    pub fn email(&self) -> String {
        format!("{}@example.com", self.id.to_lowercase())
    }

    /// As the shop's order system describes a customer.
    #[must_use]
    pub fn record(&self) -> Value {
        json!({"id": self.id, "name": self.name, "email": self.email(), "phone": "0901234567",
               "locale": self.locale, "time_zone": "Asia/Ho_Chi_Minh"})
    }
}
