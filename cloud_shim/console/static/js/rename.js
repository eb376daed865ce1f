// Gives a board that is kept out of a device's name a name of its own, in a dialog that asks for it.

import { renameBoard } from "./api.js";
import { Question } from "./question.js";

export class Rename {
  constructor(device) {
    this.question = new Question("rename");
    this.name = document.getElementById("rename-name");
    // The buttons that open it are renewed with the device's state.
    document.body.addEventListener("click", (event) => {
      const button = event.target.closest("[data-rename]");
      if (button) this.#open(button.dataset);
    });
    document.getElementById("rename-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.question.carryOut(() => renameBoard(device, this.fingerprint, this.name.value));
    });
  }

  #open({ rename, board }) {
    this.fingerprint = rename;
    document.getElementById("rename-board").textContent = board;
    document.getElementById("rename-fingerprint").textContent = rename;
    this.name.value = "";
    this.question.open();
  }
}
