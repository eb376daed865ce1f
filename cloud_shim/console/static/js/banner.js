// The banner at the top: shown while the shim is out of reach. It lies over the page and moves nothing.

const LOST = "Connection to the shim lost, retrying. Devices go on without it.";
const SIGNED_OUT = "You are signed out. Run `lamplight console`, and open its link in another tab; this page then goes on.";

/** `known` is false when the shim answers, and no longer knows who is asking. */
export function showConnection(connected, known = true) {
  const banner = document.getElementById("banner");
  banner.textContent = connected ? "" : known ? LOST : SIGNED_OUT;
  banner.hidden = connected;
  document.body.dataset.connected = String(connected);
}
