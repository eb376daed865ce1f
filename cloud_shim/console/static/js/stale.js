// The notice that the device was given another version than the one in the editor: open that, or deploy over it.

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
    if (this.shown && this.text.textContent === text) return;
    this.text.textContent = text;
    this.load.textContent = dirty ? `Open v${given}, drop my changes` : `Open v${given}`;
    this.keep.textContent = "Deploy mine over it";
    this.element.hidden = false;
  }

  hide() {
    this.element.hidden = true;
  }
}
