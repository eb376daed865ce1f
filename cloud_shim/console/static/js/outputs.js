// The level of each output, as the board tells it: now, and over time. Pure.
//
// A board of an earlier release tells none, and then nothing is known. No level is made up: what the board is not sure
// of is null, and so is the time between two runs of it.

import { History } from "./history.js";

const CAPACITY = 4000;
// Two messages of one change may come in either order, but not further apart than this. In seconds.
const RACE = 5;

export class Outputs {
  #held = null;
  #histories = new Map();
  #boot = null;
  #last = null;

  /** [{pin, level, since, function}, …] by pin, of each output that a function holds; null when the board does not tell. */
  get held() {
    if (this.#held === null) return null;
    return [...this.#held].map(([pin, each]) => ({ pin, ...each })).sort((a, b) => (a.pin < b.pin ? -1 : 1));
  }

  /** [pin, History of levels] of each output that anything is known of, by pin. */
  get histories() {
    return [...this.#histories].sort(([a], [b]) => (a < b ? -1 : 1));
  }

  /** Any record of the board; true when it tells of an output. */
  record(record) {
    if (record.stream === "telemetry") this.#follow(record);
    if (record.kind !== "output" || typeof record.pin !== "string") return false;
    const level = levelOf(record.level);
    const history = this.#history(record.pin);
    if (!history.length && typeof record.before === "boolean") history.push(0, record.before);
    history.push(record.time, level);
    if (this.#held?.has(record.pin) || level !== null) {
      this.#held ??= new Map();
      this.#keep(record.pin, { level, since: record.time, function: String(record.function) });
    }
    return true;
  }

  /** What the board says of itself. It has the last word about which outputs are held. */
  device(device) {
    const told = device.reported?.outputs;
    if (told === null || typeof told !== "object") {
      this.#held = null;
      return;
    }
    const before = this.#held ?? new Map();
    this.#held = new Map([...before].filter(([pin]) => Object.hasOwn(told, pin)));
    for (const [pin, each] of Object.entries(told)) {
      const now = { level: levelOf(each.level), since: Number(each.since), function: String(each.function) };
      this.#keep(pin, now);
      const history = this.#history(pin);
      if (history.last !== now.level && !(history.lastTime > now.since)) history.push(now.since, now.level);
    }
  }

  #keep(pin, now) {
    const before = this.#held.get(pin);
    const older = before && now.since < before.since && before.since - now.since < RACE;
    if (!older) this.#held.set(pin, now);
  }

  #history(pin) {
    if (!this.#histories.has(pin)) this.#histories.set(pin, new History(CAPACITY));
    return this.#histories.get(pin);
  }

  // Another run of the board: what was so at the end of the last one is known up to its last word, and no further.
  #follow(record) {
    if (this.#boot !== null && record.boot !== this.#boot) {
      for (const history of this.#histories.values()) if ((history.last ?? null) !== null) history.push(this.#last, null);
    }
    this.#boot = record.boot;
    this.#last = Math.max(record.time, this.#last ?? record.time);
  }
}

/** "led on", "relay off", "fan unknown". */
export function inWords(output) {
  return `${output.pin} ${output.level === null ? "unknown" : output.level ? "on" : "off"}`;
}

function levelOf(value) {
  return typeof value === "boolean" ? value : null;
}
