// What the tests ask of a page from within it. Prepended to a script by browser.Page.probe.

/** Whether anything makes the page wider than the screen. */
function tooWide() {
  return document.documentElement.scrollWidth > innerWidth;
}

/** The controls that a screen reader could not name. */
function unnamed() {
  return [...document.querySelectorAll("button, select, input, textarea, a[href]")]
    .filter((e) => !e.closest("[hidden]") && !e.textContent.trim() && !e.labels?.length && !e.ariaLabel)
    .map((e) => e.outerHTML);
}

/** How many pixels of the plot are painted. */
function painted() {
  const canvas = document.querySelector("#plot canvas");
  if (canvas === null) return 0;
  const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  let count = 0;
  for (let at = 3; at < pixels.length; at += 4) if (pixels[at]) count += 1;
  return count;
}

/** The sum of all layout shifts that no input caused, as Chromium scores them. */
function shifts(done) {
  const score = (entries) => entries.filter((e) => !e.hadRecentInput).reduce((sum, e) => sum + e.value, 0);
  new PerformanceObserver((list) => done(score(list.getEntries()))).observe({ type: "layout-shift", buffered: true });
  // With no shift at all the observer is not called.
  setTimeout(() => done(0), 500);
}

/** The texts whose contrast is below WCAG's 4.5:1, with what it is. */
function faint() {
  const linear = (v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  const numbers = (colour) => colour.match(/[\d.]+/g).slice(0, 3).map(Number);
  const opacity = (e) => (e === null ? 1 : Number(getComputedStyle(e).opacity) * opacity(e.parentElement));
  const luminance = (colour) => {
    const [r, g, b] = colour.map((v) => linear(v / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const surface = (e) => {
    const colour = getComputedStyle(e).backgroundColor;
    return colour === "rgba(0, 0, 0, 0)" ? surface(e.parentElement) : colour;
  };
  const contrast = (e) => {
    const behind = numbers(surface(e));
    const seen = numbers(getComputedStyle(e).color).map((v, at) => behind[at] + (v - behind[at]) * opacity(e));
    const [low, high] = [luminance(seen), luminance(behind)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  };
  const exempt = ":disabled, noscript, .cm-activeLine, .cm-activeLineGutter";
  const hasText = (e) => [...e.childNodes].some((n) => n.nodeType === Node.TEXT_NODE && n.textContent.trim());
  return [...document.querySelectorAll("main *, header *")]
    .filter((e) => hasText(e) && e.checkVisibility() && !e.closest(exempt))
    .map((e) => [e.textContent.trim().slice(0, 40), contrast(e)])
    .filter(([, ratio]) => ratio < 4.5);
}

/** How many pixels of the plot have the colour of an output that is on. */
function amber() {
  const canvas = document.querySelector("#plot canvas");
  if (canvas === null) return 0;
  const wanted = getComputedStyle(document.documentElement).getPropertyValue("--amber-glow").trim();
  const [r, g, b] = [1, 3, 5].map((at) => parseInt(wanted.slice(at, at + 2), 16));
  const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  let count = 0;
  for (let at = 0; at < pixels.length; at += 4) if (pixels[at] === r && pixels[at + 1] === g && pixels[at + 2] === b) count += 1;
  return count;
}

/** The texts of the readout that are written over one another. */
function overwritten() {
  const boxes = [...document.querySelectorAll("#lux, .lamp, #light-note")]
    .filter((e) => e.textContent.trim())
    .map((e) => [e.textContent.trim().slice(0, 40), e.getBoundingClientRect()]);
  const meet = (a, b) => a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1;
  return boxes.flatMap(([text, box], at) => boxes.slice(at + 1).filter(([, o]) => meet(box, o)).map(([o]) => [text, o]));
}
