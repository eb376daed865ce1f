// Whether a text has all the words that a person filters by. Pure.

export function hasWords(text, filter) {
  const among = text.toLowerCase();
  return filter.toLowerCase().split(/\s+/).every((word) => among.includes(word));
}
