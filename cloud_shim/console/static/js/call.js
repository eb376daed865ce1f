// Calls a function by hand: JSON in, its result out.

import { ApiError, call } from "./api.js";
import { toTry } from "./format.js";

export class Call {
  #function = null;

  constructor(device) {
    this.device = device;
    this.data = document.getElementById("call-data");
    this.result = document.getElementById("call-result");
    this.send = document.getElementById("call-send");
    document.getElementById("call-form").addEventListener("submit", (event) => this.#submitted(event));
  }

  /** `name` is null for no function. */
  choose(name) {
    this.#function = name;
    this.send.disabled = name === null;
    document.getElementById("call-title").textContent = name === null ? "Call the function" : `Call ${name}`;
  }

  async #submitted(event) {
    event.preventDefault();
    if (this.send.hasAttribute("aria-disabled")) return;
    this.send.setAttribute("aria-disabled", "true");
    this.#show("busy", "Calling…");
    try {
      const answer = await call(this.device, this.#function, parsed(this.data.value));
      this.#show("ok", JSON.stringify(answer.result, null, 2));
    } catch (error) {
      this.#show("bad", [error.what ?? String(error), error.why, toTry(error.remedy)].filter(Boolean).join("\n"));
    } finally {
      this.send.removeAttribute("aria-disabled");
    }
  }

  #show(tone, text) {
    this.result.dataset.tone = tone;
    this.result.textContent = text;
  }
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ApiError("The event data is not JSON", error.message, 'Write for example {"lux": 5}');
  }
}
