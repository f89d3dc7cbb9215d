// Defines <notification-feed>.
import { NotificationFeed } from "./elements/notification-feed/notification-feed.component.js";

if (!customElements.get("notification-feed")) customElements.define("notification-feed", NotificationFeed);

export { NotificationFeed };
