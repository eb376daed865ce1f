// The last value that each function published under each topic: what the board says of itself besides its light.

import { moment } from "./format.js";
import { perFrame } from "./frame.js";

const MOST = 12;
const LONGEST = 400; // characters

export class Values {
  #known = new Map();

  constructor() {
    this.frame = document.getElementById("published");
    this.list = document.getElementById("values");
    this.draw = perFrame(() => this.#draw());
  }

  record(record) {
    if (record.kind !== "publish") return;
    const name = `${record.function} · ${record.topic}`;
    // The newest is the last: a topic that is no longer published makes room.
    this.#known.delete(name);
    this.#known.set(name, { value: JSON.stringify(record.data ?? null), time: record.time });
    if (this.#known.size > MOST) this.#known.delete(this.#known.keys().next().value);
    this.draw();
  }

  #draw() {
    this.frame.hidden = this.#known.size === 0;
    const rows = [...this.#known].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, { value, time }]) => row(name, value, time));
    this.list.replaceChildren(...rows);
  }
}

function row(name, value, time) {
  const element = document.createElement("div");
  const [term, said, when] = ["dt", "dd", "dd"].map((tag) => document.createElement(tag));
  term.textContent = name;
  said.textContent = value.length > LONGEST ? `${value.slice(0, LONGEST)}…` : value;
  when.className = "when";
  when.textContent = moment(time);
  element.append(term, said, when);
  return element;
}
