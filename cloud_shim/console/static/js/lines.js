// Records as lines of the log. Pure: text in, text out; whoever shows it must treat it as text.

import { hasWords } from "./words.js";

const ERRORS = new Set(["crashed", "timeout", "memory", "REVERTED", "REJECTED"]);
const LEVELS = new Set(["debug", "info", "warning", "error"]);

/** {time, level, source, text} of a record, or null for one that is no line (readings, decisions). */
export function toLine(record) {
  return Object.hasOwn(MAKERS, record.kind) ? { time: record.time, ...MAKERS[record.kind](record) } : null;
}

/** Whether `line` has every word of `filter` in it, ignoring case. */
export function matches(line, filter) {
  return hasWords(`${line.level} ${line.source} ${line.text}`, filter);
}

const severity = (what) => (ERRORS.has(what) ? "error" : "info");
const named = (record) => (record.function ? `${record.function}${record.version ? ` v${record.version}` : ""}` : "agent");

const MAKERS = {
  log: (record) => ({ level: LEVELS.has(record.level) ? record.level : "info", source: named(record), text: record.text }),
  worker: (record) => ({
    level: severity(record.what),
    source: named(record),
    text: `worker ${record.what}${record.detail ? `: ${record.detail}` : ""}`,
  }),
  update: (record) => ({
    level: severity(record.state),
    source: "update",
    text: `generation ${record.generation} ${String(record.state).toLowerCase()}${record.reason ? `: ${record.reason}` : ""}`,
  }),
  sensor: (record) => ({
    level: record.ok ? "info" : "warning",
    source: `sensor ${record.sensor}`,
    text: record.ok ? "answers again" : record.error,
  }),
  dropped: (record) => ({
    level: "warning",
    source: named(record),
    text: `${record.count} records of ${record.stream} are lost: the board had no room for them`,
  }),
  publish: (record) => ({ level: "info", source: named(record), text: `published ${record.topic}: ${JSON.stringify(record.data)}` }),
};
