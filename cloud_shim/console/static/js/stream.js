// Everything a device sends, once each and in order, to one listener: what is already stored, then what comes.
//
// The browser's EventSource reconnects by itself and names the last id it has. Where it gives up (the shim answered
// with an error, or was away for long) this opens a new one and fetches what was missed.

import { getDevice, getRecords, streamUrl } from "./api.js";
import { Seen } from "./seen.js";

const RETRY = 2000;
const PAGE = 1000;

export class Stream {
  #seen = new Seen(20000);
  #after = null;
  #waiting = null;
  #ready = false;
  #known = true;

  /** `listener` has record(RECORD), device(DEVICE) and connected(boolean, known): see banner.js. */
  constructor(name, listener) {
    this.name = name;
    this.listener = listener;
  }

  /** `queries` say which stored records to begin with, as for getRecords. */
  async start(queries) {
    this.queries = queries;
    this.#open();
  }

  #open() {
    this.#waiting = [];
    const source = new EventSource(streamUrl(this.name));
    source.addEventListener("open", () => this.#opened(source));
    source.addEventListener("record", (event) => this.#arrived(JSON.parse(event.data)));
    source.addEventListener("device", (event) => this.listener.device(JSON.parse(event.data)));
    source.addEventListener("error", () => this.#failed(source));
  }

  async #opened(source) {
    try {
      await this.#catchUp();
    } catch {
      source.close();
      this.#failed(source);
      return;
    }
    this.#known = true;
    this.listener.connected(true);
  }

  // What came over the stream meanwhile waits, so that the listener gets everything in order.
  async #catchUp() {
    this.#waiting ??= [];
    const stored = this.#ready ? await this.#missed() : await this.#stored();
    const device = await getDevice(this.name);
    const waiting = this.#waiting ?? [];
    this.#waiting = null;
    this.#ready = true;
    [...stored, ...waiting].sort((a, b) => a.id - b.id).forEach((record) => this.#give(record));
    this.listener.device(device);
  }

  async #stored() {
    return (await Promise.all(this.queries.map((query) => getRecords(this.name, query)))).flat();
  }

  async #missed() {
    const found = [];
    let after = this.#after;
    for (;;) {
      const page = await getRecords(this.name, after === null ? { limit: PAGE } : { after, limit: PAGE });
      found.push(...page);
      if (page.length < PAGE || after === null) return found;
      after = page.at(-1).id;
    }
  }

  #arrived(record) {
    if (this.#waiting === null) this.#give(record);
    else this.#waiting.push(record);
  }

  #give(record) {
    if (!this.#seen.add(`${record.boot}/${record.seq}`)) return;
    this.#after = record.id;
    this.listener.record(record);
  }

  // An EventSource does not say why it was refused; another request does.
  async #ask() {
    try {
      await getDevice(this.name);
      this.#known = true;
    } catch (error) {
      this.#known = error.status !== 401;
      if (!this.#known) this.listener.connected(false, false);
    }
  }

  #failed(source) {
    this.listener.connected(false, this.#known);
    if (source.readyState !== EventSource.CLOSED) return;
    this.#ask();
    setTimeout(() => this.#open(), RETRY);
  }
}
