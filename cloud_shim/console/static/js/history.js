// A bounded list of values over time, oldest dropped first. Pure.
//
// Times are seconds of the device's clock, in order. A value that is a little early (two threads of the device raced)
// is put in its place; one that is far early means that the device's clock was set back, and what lay after it goes.

const RACE = 5;

export class History {
  constructor(capacity) {
    this.capacity = capacity;
    this.times = [];
    this.values = [];
  }

  get length() {
    return this.times.length;
  }

  get last() {
    return this.values.at(-1);
  }

  get lastTime() {
    return this.times.at(-1);
  }

  push(time, value) {
    let at = this.length;
    while (at > 0 && this.times[at - 1] > time) at -= 1;
    if (at < this.length && this.lastTime - time > RACE) this.#cut(at);
    if (at === this.length) {
      this.times.push(time);
      this.values.push(value);
    } else {
      this.times.splice(at, 0, time);
      this.values.splice(at, 0, value);
    }
    this.#bound();
  }

  /** The index of the first value at or after `time`. */
  from(time) {
    let low = 0;
    let high = this.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.times[middle] < time) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #cut(length) {
    this.times.length = length;
    this.values.length = length;
  }

  // Drops in bulk, so that a full history costs no move of every value at each push.
  #bound() {
    if (this.length <= this.capacity * 1.25) return;
    const excess = this.length - this.capacity;
    this.times.splice(0, excess);
    this.values.splice(0, excess);
  }
}
