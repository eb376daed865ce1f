// Gives a board that is kept out of a device's name a name of its own, in a dialog that asks for it.

import { renameBoard } from "./api.js";
import { errorText } from "./format.js";

export class Rename {
  constructor(device) {
    this.device = device;
    this.dialog = document.getElementById("rename");
    this.name = document.getElementById("rename-name");
    this.failure = document.getElementById("rename-failure");
    this.confirm = document.getElementById("rename-confirm");
    // The buttons that open it are renewed with the device's state.
    document.body.addEventListener("click", (event) => {
      const button = event.target.closest("[data-rename]");
      if (button) this.#open(button.dataset);
    });
    document.getElementById("rename-cancel").addEventListener("click", () => this.dialog.close());
    document.getElementById("rename-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#rename();
    });
  }

  #open({ rename, board }) {
    this.fingerprint = rename;
    document.getElementById("rename-board").textContent = board;
    document.getElementById("rename-fingerprint").textContent = rename;
    this.name.value = this.failure.textContent = "";
    this.dialog.showModal();
  }

  async #rename() {
    this.confirm.disabled = true;
    try {
      await renameBoard(this.device, this.fingerprint, this.name.value);
      this.dialog.close();
      document.body.dispatchEvent(new CustomEvent("lamplight:device"));
    } catch (error) {
      this.failure.textContent = errorText(error);
    } finally {
      this.confirm.disabled = false;
    }
  }
}
