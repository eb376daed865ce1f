// Calls a function by hand: an event as one of its triggers would give it, its result, and how long that took.

import { ApiError, call } from "./api.js";
import { errorText, seconds } from "./format.js";

const CALL = "lamplight.call";

export class Call {
  #function = null;
  #examples = [];

  constructor(device) {
    this.device = device;
    this.data = document.getElementById("call-data");
    this.type = document.getElementById("call-type");
    this.result = document.getElementById("call-result");
    this.send = document.getElementById("call-send");
    this.effect = document.getElementById("call-effect");
    this.type.addEventListener("change", () => this.#exampleChosen());
    document.getElementById("call-form").addEventListener("submit", (event) => this.#submitted(event));
  }

  /** `name` is null for no function. */
  choose(name) {
    if (name !== this.#function) this.#show("idle", "The handler’s result appears here.");
    this.#function = name;
    this.send.disabled = name === null;
    document.getElementById("call-title").textContent = name === null ? "Call the function" : `Call ${name}`;
    this.effect.textContent = "";
  }

  /** What the release that is open takes and drives: {examples, outputs} as the API tells them. */
  offer({ examples = [], outputs = [] }) {
    const same = JSON.stringify(examples) === JSON.stringify(this.#examples);
    this.#examples = examples;
    this.effect.textContent = outputs.length
      ? `It runs on the device and drives its real ${outputs.length === 1 ? "output" : "outputs"} ${outputs.join(", ")}.`
      : "It runs on the device. It drives no output.";
    if (same) return;
    this.type.replaceChildren(...examples.map(({ type }, at) => new Option(inWords(type, at, examples), String(at))));
    this.#exampleChosen();
  }

  #exampleChosen() {
    const example = this.#examples[Number(this.type.value)];
    if (example) this.data.value = JSON.stringify(example.data, null, 2);
  }

  async #submitted(event) {
    event.preventDefault();
    if (this.send.hasAttribute("aria-disabled")) return;
    this.send.setAttribute("aria-disabled", "true");
    this.#show("busy", "Calling…");
    const began = performance.now();
    try {
      const type = this.#examples[Number(this.type.value)]?.type ?? CALL;
      const answer = await call(this.device, this.#function, parsed(this.data.value, this.#examples[0]?.data), type);
      this.#show("ok", told(answer.result, (performance.now() - began) / 1000));
    } catch (error) {
      this.#show("bad", errorText(error, "\n"));
    } finally {
      this.send.removeAttribute("aria-disabled");
    }
  }

  #show(tone, text) {
    this.result.dataset.tone = tone;
    this.result.textContent = text;
  }
}

function told(result, took) {
  const after = `after ${seconds(took)}`;
  if (result === null) return `Done ${after}; the handler returned nothing (None).`;
  return `Returned ${after}:\n${JSON.stringify(result, null, 2)}`;
}

// Two triggers of one kind are told apart by their number.
function inWords(type, at, examples) {
  if (type === CALL) return "plain call";
  const alike = examples.filter((each) => each.type === type);
  const name = type.replace("lamplight.", "").replaceAll(".", " ");
  return alike.length > 1 ? `${name} ${alike.indexOf(examples[at]) + 1}` : name;
}

function parsed(text, example) {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ApiError("The event data is not JSON", error.message, `Write for example ${JSON.stringify(example ?? null)}`);
  }
}
