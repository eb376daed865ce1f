// The present light and the lamp, big. Shows the newest reading and decision, at most once per frame.

import { ledOf, luxOf } from "./fields.js";
import { lux } from "./format.js";
import { perFrame } from "./frame.js";

export class Readout {
  #reading = null;
  #led = null;
  #fault = "";
  #offline = false;

  constructor() {
    this.draw = perFrame(() => this.#draw());
  }

  record(record) {
    if (record.kind === "reading") this.#reading = record;
    else if (record.kind === "decision") this.#led = ledOf(record) ?? this.#led;
    else return;
    this.draw();
  }

  device(device) {
    const sensors = Object.entries(device.reported?.sensors ?? {});
    this.#fault = sensors.filter(([, health]) => !health.ok).map(([name, health]) => `Sensor ${name}: ${health.error}`).join(" ");
    this.#offline = !device.online;
    this.draw();
  }

  #draw() {
    const stale = this.#offline || this.#fault !== "";
    document.getElementById("lux").textContent = lux(this.#reading && luxOf(this.#reading));
    document.querySelector(".readout").dataset.stale = String(stale);
    const lamp = document.getElementById("lamp");
    const state = this.#led === null ? "unknown" : this.#led ? "on" : "off";
    lamp.dataset.on = state;
    document.getElementById("lamp-text").textContent = `LED ${state}`;
    const note = document.getElementById("light-note");
    if (note.textContent !== this.#note()) note.textContent = this.#note();
  }

  #note() {
    if (this.#offline) return this.#reading ? "The device is offline: this is the last it sent." : "The device is offline.";
    if (this.#fault !== "") return this.#fault;
    return this.#reading?.saturated ? "The sensor is saturated: it is brighter than this." : "";
  }
}
