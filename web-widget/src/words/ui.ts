// Words of the elements themselves.

import type { Language } from "../core/time.js";

const VI = {
  order: "Đơn hàng",
  expected: "Dự kiến giao",
  promised: "Đã hẹn trước hết",
  soon: "sớm",
  parcels: "Kiện hàng",
  parcel: "Kiện",
  track: "Xem tại hãng vận chuyển",
  items: "Trong đơn",
  history: "Lịch sử",
  all: "Xem tất cả",
  fewer: "Thu gọn",
  delivered: "đã giao",
  of: "trên",
  corrected: "đã đính chính",
  reported: "đơn vị vận chuyển báo",
  done: "xong",
  current: "đang ở bước này",
  ahead: "chưa tới",
  loading: "Đang tải đơn hàng…",
  empty: "Đơn vừa được đặt. Tin đầu tiên sẽ hiện ở đây ngay khi có.",
  missing: "Không tìm thấy đơn hàng này.",
  missingHint: "Hãy mở lại liên kết trong thư, hoặc hỏi cửa hàng.",
  reconnecting: "Đang kết nối lại. Thông tin cách đây",
  ended: "Trang này đã hết phiên. Tải lại trang để xem tiếp.",
  live: "Đang cập nhật trực tiếp",
  feed: "Thông báo",
  unread: "chưa đọc",
  readAll: "Đánh dấu đã đọc",
  nothing: "Chưa có thông báo nào.",
  isNew: "mới",
  steps: {
    placed: "Đã đặt",
    confirmed: "Đã xác nhận",
    production: "Đang sản xuất",
    packed: "Đóng gói",
    in_transit: "Đang vận chuyển",
    out_for_delivery: "Đang giao",
    delivered: "Đã giao",
  } as Record<string, string>,
};

const EN: typeof VI = {
  order: "Order",
  expected: "Expected",
  promised: "Promised by",
  soon: "soon",
  parcels: "Parcels",
  parcel: "Parcel",
  track: "See it at the carrier",
  items: "In your order",
  history: "History",
  all: "Show all",
  fewer: "Show fewer",
  delivered: "delivered",
  of: "of",
  corrected: "corrected",
  reported: "the carrier reports",
  done: "done",
  current: "you are here",
  ahead: "to come",
  loading: "Loading your order…",
  empty: "The order was just placed. The first news will show here at once.",
  missing: "This order cannot be found.",
  missingHint: "Open the link in your letter again, or ask the shop.",
  reconnecting: "Connecting again. What you see is from",
  ended: "This page has expired. Load it again to go on.",
  live: "Live",
  feed: "Notifications",
  unread: "unread",
  readAll: "Mark all as read",
  nothing: "No notifications yet.",
  isNew: "new",
  steps: {
    placed: "Ordered",
    confirmed: "Confirmed",
    production: "Being made",
    packed: "Packed",
    in_transit: "On its way",
    out_for_delivery: "Out for delivery",
    delivered: "Delivered",
  },
};

export type Ui = typeof VI;

/** The elements' words. */
export function ui(language: Language): Ui {
  return language === "vi" ? VI : EN;
}

/** `vi` or `en` for a `lang` attribute; the page's language when there is none. */
export function languageOf(lang: string | null): Language {
  const tag = lang || document.documentElement.lang;
  return tag.toLowerCase().startsWith("en") ? "en" : "vi";
}
