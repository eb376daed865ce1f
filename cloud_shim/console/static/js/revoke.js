// Shuts a device out, after a person has confirmed it in a dialog that says what it means.

import { revoke } from "./api.js";
import { errorText } from "./format.js";

export class Revoke {
  constructor(device) {
    this.device = device;
    this.dialog = document.getElementById("revoke");
    this.failure = document.getElementById("revoke-failure");
    this.confirm = document.getElementById("revoke-confirm");
    // The button that opens it is renewed with the device's state.
    document.body.addEventListener("click", (event) => {
      if (event.target.closest("[data-revoke]")) this.#open();
    });
    document.getElementById("revoke-cancel").addEventListener("click", () => this.dialog.close());
    this.confirm.addEventListener("click", () => this.#revoke());
  }

  #open() {
    this.failure.textContent = "";
    this.dialog.showModal();
  }

  async #revoke() {
    this.confirm.disabled = true;
    try {
      await revoke(this.device);
      this.dialog.close();
      document.body.dispatchEvent(new CustomEvent("lamplight:device"));
    } catch (error) {
      this.failure.textContent = errorText(error);
    } finally {
      this.confirm.disabled = false;
    }
  }
}
