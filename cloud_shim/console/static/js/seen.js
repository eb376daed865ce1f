// Remembers the last keys it was given, and says of each whether it is new. Pure and bounded.

export class Seen {
  #keys = new Set();

  constructor(capacity) {
    this.capacity = capacity;
  }

  /** Whether `key` was not among the last ones. */
  add(key) {
    if (this.#keys.has(key)) return false;
    this.#keys.add(key);
    if (this.#keys.size > this.capacity) this.#keys.delete(this.#keys.values().next().value);
    return true;
  }
}
