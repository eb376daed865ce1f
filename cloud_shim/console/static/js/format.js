// Numbers, times and what to try as text. Pure.

/** Lux with about three significant digits: "0.4", "38.2", "214", "9,870". */
export function lux(value) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  const digits = value < 1 ? 2 : value < 100 ? 1 : 0;
  return value.toLocaleString("en", { minimumFractionDigits: 0, maximumFractionDigits: digits });
}

/** The local time of day of `seconds` since 1970: "14:03:09", with milliseconds on request. */
export function clock(seconds, milliseconds = false) {
  const date = new Date(seconds * 1000);
  const pad = (number, width = 2) => String(number).padStart(width, "0");
  const text = `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}`;
  return milliseconds ? `${text}.${pad(date.getMilliseconds(), 3)}` : text;
}

/** The day of `seconds` since 1970 in local time: "2026-11-28". */
export function day(seconds) {
  const date = new Date(seconds * 1000);
  const pad = (number) => String(number).padStart(2, "0");
  return `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`;
}

/** A moment as one would say it now: "14:03:09" of today, "2026-11-27 14:03:09" of another day. */
export function moment(seconds, now = Date.now() / 1000) {
  return day(seconds) === day(now) ? clock(seconds) : `${day(seconds)} ${clock(seconds)}`;
}

/** What to try, as the command line puts it: "Try: deploy the model first". Empty when there is nothing to try. */
export function toTry(remedy) {
  if (!remedy) return "";
  return `Try: ${/^[A-Z][a-z]/.test(remedy) ? remedy[0].toLowerCase() + remedy.slice(1) : remedy}`;
}

/** An error for a person: what happened, why, and what to try. */
export function errorText(error, between = ". ") {
  return [error.what ?? String(error), error.why, toTry(error.remedy)].filter(Boolean).join(between);
}

/** A duration in seconds with one digit below ten: "0.8 s", "12 s". */
export function seconds(value) {
  return value < 9.95 ? `${value.toFixed(1)} s` : `${Math.round(value)} s`;
}
