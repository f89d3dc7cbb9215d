//! What the simulated shop sells.

/// A product.
#[derive(Debug, Clone, Copy)]
pub struct Product {
    /// Article number.
    pub sku: &'static str,
    /// Name.
    pub title: &'static str,
    /// Price in VND.
    pub price: i64,
    /// How it is made: the workshop's stage.
    pub stage: &'static str,
    /// Where it is made.
    pub station: &'static str,
}

const fn product(
    sku: &'static str,
    title: &'static str,
    price: i64,
    stage: &'static str,
    station: &'static str,
) -> Product {
    Product { sku, title, price, stage, station }
}

/// All products.
pub const PRODUCTS: [Product; 6] = [
    product("LAMP-01", "Đèn gỗ khắc tên", 459_000, "ENGRAVING", "Máy laser 2"),
    product("MUG-11", "Cốc in hình gia đình", 189_000, "PRINTING", "Máy in UV 1"),
    product("BOX-07", "Hộp nhạc gỗ khắc lời chúc", 389_000, "ENGRAVING", "Máy laser 1"),
    product("FRAME-03", "Khung ảnh in vải canvas", 329_000, "PRINTING", "Máy in UV 2"),
    product("CLOCK-05", "Đồng hồ treo tường in ảnh", 549_000, "PRINTING", "Máy in UV 1"),
    product("PEN-02", "Bút gỗ khắc tên", 219_000, "ENGRAVING", "Máy laser 1"),
];
