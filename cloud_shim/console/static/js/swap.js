// htmx renews a fragment only where it differs, so that a selection, the focus and a screen reader are left in peace.

export function skipUnchanged() {
  const last = new WeakMap();
  document.body.addEventListener("htmx:beforeSwap", (event) => {
    const { target, serverResponse } = event.detail;
    if (last.get(target) === serverResponse) event.detail.shouldSwap = false;
    else if (event.detail.shouldSwap) last.set(target, serverResponse);
  });
}
