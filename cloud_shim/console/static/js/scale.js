// The light slider's scale: its position is the base-10 logarithm of the lux. Pure.

export const LOWEST = 0.1;
export const HIGHEST = 10000;

/** Lux at `position`, to the three digits that one would say. */
export function toLux(position) {
  return Number((10 ** position).toPrecision(3));
}

/** The slider's position for `lux`, held to its ends. */
export function toPosition(lux) {
  return Math.log10(Math.min(HIGHEST, Math.max(LOWEST, lux)));
}
