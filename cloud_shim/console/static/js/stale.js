// The notice that the device has not what the editor holds: another version, or no such function any more.

export class StaleNotice {
  /** `open` and `over` are called when the person chooses. */
  constructor(open, over) {
    this.element = document.getElementById("stale");
    this.text = document.getElementById("stale-text");
    this.load = document.getElementById("stale-load");
    this.keep = document.getElementById("stale-keep");
    this.load.addEventListener("click", () => open());
    this.keep.addEventListener("click", () => over());
  }

  get shown() {
    return !this.element.hidden;
  }

  show(device, opened, given, dirty) {
    const text = `${device} was given v${given} meanwhile; the editor holds v${opened}${dirty ? ", with your changes" : ""}.`;
    this.#show(text, dirty ? `Open v${given}, drop my changes` : `Open v${given}`, "Deploy mine over it");
  }

  /** The function is no longer on the device, and the editor holds changes to it. */
  removed(device, name) {
    this.#show(`${name} was removed from ${device} meanwhile; the editor holds your changes to it.`, "Close it, drop my changes", "Deploy it again");
  }

  hide() {
    this.element.hidden = true;
  }

  // The same once more leaves the elements alone: they may have the focus, and an alert is read out again.
  #show(text, load, keep) {
    if (this.shown && this.text.textContent === text) return;
    this.text.textContent = text;
    this.load.textContent = load;
    this.keep.textContent = keep;
    this.element.hidden = false;
  }
}
