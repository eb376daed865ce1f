// The page of all devices: htmx renews the list; this filters it, says when the shim is out of reach, and lets boards in.

import { acceptClaim, rejectClaim } from "./api.js";
import { showConnection } from "./banner.js";
import { DeviceFilter } from "./devicefilter.js";
import { skipUnchanged } from "./swap.js";

const list = document.getElementById("devices");
const failure = document.getElementById("decision");

const filter = new DeviceFilter(list);

skipUnchanged();
list.addEventListener("htmx:afterSwap", () => filter.apply());
document.body.addEventListener("htmx:afterRequest", (event) => showConnection(event.detail.successful));
list.addEventListener("click", (event) => {
  const button = event.target.closest("[data-decide]");
  if (button && !button.disabled) decide(button);
});

async function decide(button) {
  const claim = button.closest("[data-claim]").dataset.claim;
  button.disabled = true;
  failure.hidden = true;
  try {
    await (button.dataset.decide === "accept" ? acceptClaim(claim) : rejectClaim(claim));
  } catch (error) {
    button.disabled = false;
    failure.textContent = [error.what, error.why, error.remedy].filter(Boolean).join(". ");
    failure.hidden = false;
  }
  list.dispatchEvent(new CustomEvent("lamplight:decided"));
}
