// The present light and the outputs, big. Shows the newest reading, and each output as the board tells it.

import { luxOf } from "./fields.js";
import { lux, moment } from "./format.js";
import { perFrame } from "./frame.js";
import { inWords } from "./outputs.js";

export class Readout {
  #reading = null;
  #fault = "";
  #offline = false;
  #seen = null;

  /** `outputs` is told of each record and state before this is. */
  constructor(outputs) {
    this.outputs = outputs;
    this.list = document.getElementById("outputs");
    this.bulb = document.getElementById("bulb");
    this.draw = perFrame(() => this.#draw());
  }

  record(record) {
    if (record.kind === "reading") this.#reading = record;
    else if (record.kind !== "output") return;
    this.draw();
  }

  device(device) {
    const sensors = Object.entries(device.reported?.sensors ?? {});
    this.#fault = sensors.filter(([, health]) => !health.ok).map(([name, health]) => `Sensor ${name}: ${health.error}`).join(" ");
    this.#offline = !device.online;
    this.#seen = device.last_seen;
    this.draw();
  }

  #draw() {
    const light = document.getElementById("lux");
    if (light) {
      light.textContent = lux(this.#reading && luxOf(this.#reading));
      light.parentElement.dataset.stale = String(this.#offline || this.#fault !== "");
    }
    this.list.dataset.stale = String(this.#offline);
    this.#drawOutputs(this.outputs.held);
    const note = document.getElementById("light-note");
    if (note.textContent !== this.#note()) note.textContent = this.#note();
  }

  #drawOutputs(held) {
    if (held === null || !held.length) {
      const text = held === null ? "Outputs unknown" : "No function drives an output";
      if (this.list.textContent !== text) this.list.replaceChildren(item("none", text));
      return;
    }
    const shown = [...this.list.children];
    if (shown.map((each) => each.dataset.pin).join() !== held.map((each) => each.pin).join()) {
      this.list.replaceChildren(...held.map((each) => this.#lamp(each.pin)));
    }
    held.forEach((each, at) => this.#show(this.list.children[at], each));
  }

  #lamp(pin) {
    const lamp = item("lamp", "");
    lamp.dataset.pin = pin;
    lamp.append(this.bulb.content.cloneNode(true), document.createElement("span"));
    return lamp;
  }

  #show(lamp, output) {
    lamp.dataset.on = output.level === null ? "unknown" : output.level ? "on" : "off";
    const text = this.#offline && output.level !== null ? `${output.pin} was ${output.level ? "on" : "off"}` : inWords(output);
    lamp.title = `Driven by ${output.function}, ${output.level === null ? "unknown" : "so"} since ${moment(output.since)}`;
    if (lamp.lastElementChild.textContent !== text) lamp.lastElementChild.textContent = text;
  }

  #note() {
    if (this.#offline) return this.#seen === null ? "The device was never seen." : `Offline since ${moment(this.#seen)}: this is the last it sent.`;
    if (this.#fault !== "") return this.#fault;
    return this.#reading?.saturated ? "The sensor is saturated: it is brighter than this." : "";
  }
}

function item(name, text) {
  const element = document.createElement("li");
  element.className = name;
  element.textContent = text;
  return element;
}
