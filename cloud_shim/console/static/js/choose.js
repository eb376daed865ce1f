// Chooses which of several boards with one name is the device.

import { chooseBoard } from "./api.js";
import { errorText } from "./format.js";

export class Choose {
  constructor(device) {
    this.device = device;
    // The buttons are renewed with the device's state.
    document.body.addEventListener("click", (event) => {
      const button = event.target.closest("[data-choose]");
      if (button) this.#choose(button);
    });
  }

  async #choose(button) {
    button.disabled = true;
    try {
      await chooseBoard(this.device, button.dataset.choose);
      document.body.dispatchEvent(new CustomEvent("lamplight:device"));
    } catch (error) {
      document.querySelector("[data-choose-failure]").textContent = errorText(error);
      button.disabled = false;
    }
  }
}
