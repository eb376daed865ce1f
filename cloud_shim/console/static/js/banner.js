// The banner at the top: shown while the shim is out of reach. It lies over the page and moves nothing.

export function showConnection(connected) {
  const banner = document.getElementById("banner");
  banner.textContent = connected ? "" : "Connection to the shim lost, retrying. Devices go on without it.";
  banner.hidden = connected;
  document.body.dataset.connected = String(connected);
}
