// Shuts a device out, after a person has confirmed it in a dialog that says what it means.

import { revoke } from "./api.js";
import { Question } from "./question.js";

export class Revoke {
  constructor(device) {
    const question = new Question("revoke");
    // The button that opens it is renewed with the device's state.
    document.body.addEventListener("click", (event) => {
      if (event.target.closest("[data-revoke]")) question.open();
    });
    question.confirm.addEventListener("click", () => question.carryOut(() => revoke(device)));
  }
}
