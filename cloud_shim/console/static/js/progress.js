// Shows an outcome (outcome.js) under the editor, and feeds it with what the device says.

import { accepted, begun, continued, failed, told, updatesOf } from "./outcome.js";
import { seconds } from "./format.js";

const REMEMBERED = 50;

export class Progress {
  #outcome = null;
  #heard = [];
  #since = 0;

  constructor(element) {
    this.element = element;
  }

  /** Of the outcome that is shown: "busy", "ok", "bad" or "idle"; "" for none. */
  get tone() {
    return this.#outcome?.tone ?? "";
  }

  begin(step) {
    this.#since = performance.now();
    this.#heard = [];
    this.#show(begun(step));
  }

  // The device may be quicker than the shim's answer to us: what it said meanwhile is told again.
  accepted(generation, step, note) {
    this.#show(accepted(this.#outcome, generation, step, note));
    this.#heard.splice(0).forEach(({ update, took }) => this.#tell(update, took));
  }

  failed(error) {
    this.#show(failed(this.#outcome ?? begun(""), error));
  }

  record(record) {
    if (record.kind === "update") this.#hear(record);
  }

  device(device) {
    if (this.#outcome?.generation) this.#goOn(continued(this.#outcome, device));
    updatesOf(device).forEach((update) => this.#hear(update));
  }

  #goOn(next) {
    if (next !== this.#outcome) this.#show(next);
  }

  #hear(update) {
    if (this.#outcome === null) return;
    const took = seconds((performance.now() - this.#since) / 1000);
    if (this.#outcome.generation === null) this.#heard = [...this.#heard, { update, took }].slice(-REMEMBERED);
    else this.#tell(update, took);
  }

  #tell(update, took) {
    const next = told(this.#outcome, update, took);
    if (next !== this.#outcome) this.#show(next);
  }

  #show(outcome) {
    this.#outcome = outcome;
    this.element.dataset.tone = outcome.tone;
    this.element.replaceChildren(...parts(outcome));
  }
}

function parts(outcome) {
  const found = [];
  if (outcome.steps.length) {
    const list = document.createElement("ol");
    list.className = "steps";
    list.append(...outcome.steps.map((step) => text("li", "", step)));
    found.push(list);
  }
  if (outcome.text) found.push(text("p", "outcome-text", outcome.text));
  if (outcome.reason) {
    const reason = text("p", "reason", outcome.reason);
    reason.tabIndex = 0;
    found.push(reason);
  }
  return found;
}

function text(name, className, content) {
  const element = document.createElement(name);
  element.className = className;
  element.textContent = content;
  return element;
}
