// Whether the shim can sign a release. Without the key nothing can be deployed from here: the page says so beforehand.

import { getHealth } from "./api.js";

export class Keys {
  #lacking = false;

  /** `changed` is called when it is another way than before. Looked at now, and whenever the page is returned to. */
  constructor(changed) {
    this.changed = changed;
    this.text = document.getElementById("no-keys");
    addEventListener("focus", () => this.#look());
    this.#look();
  }

  /** Whether the key that signs releases is elsewhere. */
  get lacking() {
    return this.#lacking;
  }

  async #look() {
    let health;
    try {
      health = await getHealth();
    } catch {
      // The banner says that the shim does not answer; a deployment would say why.
      return;
    }
    this.#lacking = health.signs_releases === false;
    this.text.hidden = !this.#lacking;
    this.text.textContent = this.#lacking
      ? "Deploy is off: the key that signs releases was moved to a developer’s machine. Save the files there and run lamplight deploy FOLDER. What was released before can still be rolled back to."
      : "";
    this.changed();
  }
}
