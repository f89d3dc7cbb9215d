// Defines <order-tracking>.
import { OrderTracking } from "./elements/order-tracking/order-tracking.component.js";

if (!customElements.get("order-tracking")) customElements.define("order-tracking", OrderTracking);

export { OrderTracking };
