// A dialog that asks a person before the device is changed, and stays open with the error when the change fails.

import { errorText } from "./format.js";

export class Question {
  constructor(name) {
    this.dialog = document.getElementById(name);
    this.failure = document.getElementById(`${name}-failure`);
    this.confirm = document.getElementById(`${name}-confirm`);
    document.getElementById(`${name}-cancel`).addEventListener("click", () => this.dialog.close());
  }

  open() {
    this.failure.textContent = "";
    this.dialog.showModal();
  }

  // `change` gives a promise; the page then looks at the device again.
  async carryOut(change) {
    this.confirm.disabled = true;
    try {
      await change();
      this.dialog.close();
      document.body.dispatchEvent(new CustomEvent("lamplight:device"));
    } catch (error) {
      this.failure.textContent = errorText(error);
    } finally {
      this.confirm.disabled = false;
    }
  }
}
