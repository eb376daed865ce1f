// The live log: bounded, drawn once per frame, in the order of the lines' own times, with the day wherever it changes.
// It follows the newest line until someone scrolls up.
//
// A line that comes late (a board's streams travel apart, and what waited on its disk comes after its restart) is put
// in its place. One that is very late means that the board's clock was set back: it stands where it came.

import { clock, day } from "./format.js";
import { perFrame } from "./frame.js";
import { matches, toLine } from "./lines.js";

const KEPT = 2000;
const SHOWN = 500;
const LATE = 600; // seconds

export class Log {
  #lines = [];
  #fresh = [];
  #filter = "";
  #following = true;
  #unread = 0;

  constructor() {
    this.element = document.getElementById("log");
    this.count = document.getElementById("log-count");
    this.empty = document.getElementById("log-empty");
    this.button = document.getElementById("log-follow");
    this.draw = perFrame(() => this.#draw());
    this.element.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    this.button.addEventListener("click", () => this.#follow());
    document.getElementById("log-filter").addEventListener("input", (event) => this.#search(event.target.value.trim()));
  }

  record(record) {
    const line = toLine(record);
    if (line === null) return;
    insert(this.#lines, line);
    if (this.#lines.length > KEPT * 1.25) this.#lines.splice(0, this.#lines.length - KEPT);
    if (!this.#wanted(line)) return;
    this.#fresh.push(line);
    // A hidden tab has no frames: what is not drawn is bounded, too.
    if (this.#fresh.length > KEPT) this.#fresh.splice(0, this.#fresh.length - SHOWN);
    if (!this.#following) this.#unread += 1;
    this.draw();
  }

  #wanted(line) {
    return this.#filter === "" || matches(line, this.#filter);
  }

  #search(text) {
    this.#filter = text;
    this.element.replaceChildren();
    this.#fresh = this.#lines.filter((line) => this.#wanted(line));
    this.#follow();
  }

  #draw() {
    for (const line of this.#fresh.slice(-SHOWN)) this.#place(row(line));
    this.#fresh = [];
    if (this.#following) {
      this.#trim();
      this.element.scrollTop = this.element.scrollHeight;
    } else if (this.element.childElementCount > SHOWN * 2) this.#trim();
    this.#note();
  }

  #place(row) {
    let before = this.element.lastElementChild;
    const late = before !== null && before.time - row.time < LATE;
    while (late && before !== null && before.time > row.time) before = before.previousElementSibling;
    if (before === null) this.element.prepend(row);
    else before.after(row);
    for (const each of [row, row.nextElementSibling]) if (each) showDay(each);
  }

  // While someone reads further up, nothing is taken away above them; up to twice the number is then kept.
  #trim() {
    while (this.element.childElementCount > SHOWN) this.element.firstElementChild.remove();
    if (this.element.firstElementChild) showDay(this.element.firstElementChild);
  }

  #scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.element;
    this.#following = scrollHeight - scrollTop - clientHeight < 24;
    if (this.#following) this.#unread = 0;
    this.#note();
  }

  #follow() {
    this.#following = true;
    this.#unread = 0;
    this.draw();
  }

  #note() {
    this.button.hidden = this.#following;
    this.button.textContent = this.#unread ? `Paused · ${this.#unread} new below` : "Paused · go to the newest";
    this.empty.hidden = this.element.childElementCount > 0;
    this.empty.textContent = this.#filter === "" ? "No log lines yet" : "No line matches the filter";
    this.count.textContent = this.#filter === "" ? "" : `${this.element.childElementCount} matching`;
  }
}

function row(line) {
  const element = document.createElement("div");
  element.className = "log-line";
  element.dataset.level = line.level;
  element.time = line.time;
  element.append(
    cell("log-time", clock(line.time, true)),
    cell("log-level", line.level),
    cell("log-source", line.source),
    cell("log-text", line.text),
  );
  return element;
}

// The day stands above the first line of it.
function showDay(row) {
  const before = row.previousElementSibling;
  const own = day(row.time);
  if (before !== null && day(before.time) === own) delete row.dataset.day;
  else row.dataset.day = own;
}

function insert(lines, line) {
  let at = lines.length;
  if (at && lines[at - 1].time - line.time < LATE) while (at > 0 && lines[at - 1].time > line.time) at -= 1;
  lines.splice(at, 0, line);
}

function cell(name, text) {
  const element = document.createElement("span");
  element.className = name;
  element.textContent = text;
  return element;
}
