// What the plot draws, made from the histories. Pure.

const GAP = 3; // seconds without a reading that show as a gap

/** [times, lux] from `start` on, with a null where no reading came for a while. `floor` lifts what a log scale cannot show. */
export function line(history, start, floor = -Infinity) {
  const times = [];
  const values = [];
  let before = null;
  for (let at = Math.max(0, history.from(start) - 1); at < history.length; at += 1) {
    const time = history.times[at];
    const value = history.values[at];
    if (before !== null && time - before > GAP) {
      times.push((before + time) / 2);
      values.push(null);
    }
    times.push(time);
    values.push(value === null ? null : Math.max(floor, value));
    before = time;
  }
  return [times, values];
}

/** [[from, to], …]: when an output was on between `start` and `end`, from the history of its levels. */
export function bands(history, start, end) {
  const found = [];
  let since = null;
  for (let at = Math.max(0, history.from(start) - 1); at < history.length; at += 1) {
    const time = Math.max(start, history.times[at]);
    if (history.values[at] && since === null) since = time;
    if (!history.values[at] && since !== null) {
      found.push([since, time]);
      since = null;
    }
  }
  if (since !== null && since < end) found.push([since, end]);
  return found;
}

/** The y range of a log plot in whole decades, at least two of them. */
export function decades(low, high) {
  if (low === null || high === null || !Number.isFinite(low) || !Number.isFinite(high)) return [1, 1000];
  const bottom = Math.floor(Math.log10(low) + 1e-9);
  const top = Math.ceil(Math.log10(high * 1.05));
  return [10 ** Math.min(bottom, top - 2), 10 ** top];
}

/** The powers of ten from `low` to `high`: where a log plot has its lines. */
export function powers(low, high) {
  const found = [];
  for (let exponent = Math.round(Math.log10(low)); 10 ** exponent <= high * 1.0001; exponent += 1) found.push(10 ** exponent);
  return found;
}

/** The y range of a linear plot: from zero to a little above the highest. */
export function fromZero(high) {
  return [0, Math.max(10, (Number.isFinite(high) && high !== null ? high : 0) * 1.1)];
}

/** Notices when another version of a function makes the decisions: gives "night-light v4", or null. */
export class Takeovers {
  #versions = new Map();

  see(fn, version) {
    const before = this.#versions.get(fn);
    this.#versions.set(fn, version);
    return before !== undefined && before !== version ? `${fn} v${version}` : null;
  }
}
