// What a record says of the light. Pure. A device is not trusted to send the right types: what does not fit is null.

/** The lux of a reading, or null. */
export function luxOf(record) {
  return typeof record.lux === "number" && Number.isFinite(record.lux) ? record.lux : null;
}
