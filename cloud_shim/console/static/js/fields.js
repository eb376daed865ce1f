// What a record says of light and lamp. Pure. A device is not trusted to send the right types: what does not fit is null.

/** The lux of a reading, or null. */
export function luxOf(record) {
  return typeof record.lux === "number" && Number.isFinite(record.lux) ? record.lux : null;
}

/** Whether the LED is on after a decision, or null where it does not say. */
export function ledOf(record) {
  const level = record.pins?.led;
  return typeof level === "boolean" ? level : null;
}
