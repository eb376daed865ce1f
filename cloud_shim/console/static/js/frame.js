// Runs a function at most once per animation frame, however often it is asked for.

/** A function that asks for `draw` at the next frame; further asks before it are one. */
export function perFrame(draw) {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      draw();
    });
  };
}
