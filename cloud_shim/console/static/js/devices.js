// The page of all devices: htmx renews the list; this says so when the shim is out of reach.

import { showConnection } from "./banner.js";
import { skipUnchanged } from "./swap.js";

skipUnchanged();
document.body.addEventListener("htmx:afterRequest", (event) => showConnection(event.detail.successful));
