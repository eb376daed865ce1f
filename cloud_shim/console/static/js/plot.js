// The plot: lux as a line, each output's level as bands behind it, marks where a new version took over.
//
// A board without a light sensor has no line: then each output has a lane of its own, as high as there is room.
//
// Histories are kept here and bounded; drawing happens at most once per frame, and once a second while nothing
// comes in, so that a silence is seen as a gap that grows.

import uPlot from "../vendor/uplot.js";
import { luxOf } from "./fields.js";
import { clock, lux } from "./format.js";
import { perFrame } from "./frame.js";
import { History } from "./history.js";
import { inWords } from "./outputs.js";
import { Takeovers, bands, decades, fromZero, line, powers } from "./series.js";

const CAPACITY = 12000;
const FLOOR = 0.1; // lux; the TSL2561 resolves no less
const HEIGHT = 260;
const LANES_HEIGHT = 140;
const LANE = 22; // pixels for the name of an output, when several stand under one line
const STRIP = 4;
const MOST_LANES = 6;

export class Plot {
  /** `outputs` is told of each record and state before this is. `element` says whether there is light to be shown. */
  constructor(element, hover, outputs) {
    this.element = element;
    this.hover = hover;
    this.outputs = outputs;
    this.light = element.dataset.light === "true";
    this.height = this.light ? HEIGHT : LANES_HEIGHT;
    this.online = true;
    this.readings = new History(CAPACITY);
    this.marks = new History(100);
    this.takeovers = new Takeovers();
    this.window = 60;
    this.log = true;
    this.heard = performance.now();
    this.chart = null;
    this.draw = perFrame(() => this.#draw());
    new ResizeObserver(() => this.#resize()).observe(element);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.rebuild());
    setInterval(() => this.draw(), 1000);
    setInterval(() => this.#describe(), 5000);
  }

  record(record) {
    if (record.kind === "reading") this.readings.push(record.time, luxOf(record));
    else if (record.kind === "decision") this.#decision(record);
    else if (record.kind !== "output") return;
    this.heard = performance.now();
    this.draw();
  }

  device(device) {
    this.online = device.online;
    this.draw();
  }

  show(window, log) {
    const other = log !== this.log;
    this.window = window;
    this.log = log;
    if (other) this.rebuild();
    else this.draw();
  }

  /** Makes the chart anew: its scales and colours are fixed when it is made. */
  rebuild() {
    this.chart?.destroy();
    this.chart = null;
    this.draw();
  }

  #decision(record) {
    const taken = this.takeovers.see(record.function, record.version);
    if (taken !== null) this.marks.push(record.time, taken);
  }

  // The device's clock, carried on by ours since it last spoke: the two need not agree. Where nothing is read, a device
  // has nothing to say for long, and ours has to do.
  #now() {
    if (!this.readings.length) return this.#last() === null || this.online ? Date.now() / 1000 : this.#last();
    return this.#last() + Math.min(this.window, (performance.now() - this.heard) / 1000);
  }

  // When the newest of what is shown was so; null for nothing.
  #last() {
    const times = [this.readings, ...this.outputs.histories.map(([, history]) => history)].map((each) => each.lastTime ?? -Infinity);
    const last = Math.max(...times);
    return last === -Infinity ? null : last;
  }

  // Of a device that is away nobody knows more than it said.
  #known(end) {
    return this.online ? end : Math.min(end, this.#last() ?? end);
  }

  #draw() {
    if (this.#last() === null || !this.element.clientWidth) return;
    this.chart ??= this.#make();
    const end = this.#now();
    this.chart.batch(() => {
      this.chart.setData(line(this.readings, end - this.window, this.log ? FLOOR : -Infinity), false);
      this.chart.setScale("x", { min: end - this.window, max: end });
    });
    this.element.dataset.points = this.readings.length;
  }

  #make() {
    document.getElementById("plot-empty")?.remove();
    const colours = palette();
    return new uPlot(options(this, colours), [[], []], this.element);
  }

  #resize() {
    if (this.chart) this.chart.setSize({ width: this.element.clientWidth, height: this.height });
    else this.draw();
  }

  #describe() {
    if (this.#last() === null) return;
    const [, values] = line(this.readings, this.#now() - this.window);
    const known = values.filter((value) => value !== null);
    const outputs = this.outputs.held?.map(inWords).join(", ") || "outputs unknown";
    const range = known.length ? `from ${lux(Math.min(...known))} to ${lux(Math.max(...known))} lux, now ${lux(this.readings.last)}` : "no readings";
    const title = this.light ? `Light over the last ${this.window} seconds: ${range}` : `Outputs over the last ${this.window} seconds`;
    this.element.setAttribute("aria-label", `${title}; ${outputs}`);
  }

  /** Called by uPlot before the line is drawn. */
  drawBehind(chart, colours) {
    const shown = this.outputs.histories.filter(([, history]) => this.#wasKnown(history)).slice(0, MOST_LANES);
    const { top, height } = chart.bbox;
    // One output has all the height for its own, above a strip; of several each has a lane.
    const lane = this.light ? Math.min(height, LANE * devicePixelRatio) : height / Math.max(1, shown.length);
    chart.ctx.save();
    shown.forEach(([pin, history], at) => {
      const bottom = top + height - lane * (shown.length - 1 - at);
      const whole = this.light && shown.length === 1;
      this.#drawLane(chart, colours, history, whole ? [top, height] : [bottom - lane, lane]);
      if (!whole) this.#nameLane(chart, colours, pin, bottom - lane);
    });
    chart.ctx.restore();
  }

  // Whether anything of it is in the window.
  #wasKnown(history) {
    const from = Math.max(0, history.from(this.#now() - this.window) - 1);
    return history.values.slice(from).some((level) => level !== null);
  }

  #drawLane(chart, colours, history, [top, height]) {
    const { left, width } = chart.bbox;
    const end = this.#now();
    const x = (time) => Math.min(left + width, Math.max(left, chart.valToPos(time, "x", true)));
    const strip = STRIP * devicePixelRatio;
    for (const [from, to] of bands(history, end - this.window, this.#known(end))) {
      chart.ctx.fillStyle = colours.band;
      chart.ctx.fillRect(x(from), top, Math.max(1, x(to) - x(from)), height);
      chart.ctx.fillStyle = colours.strip;
      chart.ctx.fillRect(x(from), top + height - strip, Math.max(1, x(to) - x(from)), strip);
    }
  }

  #nameLane(chart, colours, pin, top) {
    chart.ctx.fillStyle = colours.text;
    chart.ctx.font = `600 ${11 * devicePixelRatio}px ${colours.font}`;
    chart.ctx.textBaseline = "top";
    chart.ctx.textAlign = "left";
    chart.ctx.fillText(pin, chart.bbox.left + 4 * devicePixelRatio, top + 2 * devicePixelRatio);
  }

  /** Called by uPlot after the line is drawn. */
  drawMarks(chart, colours) {
    const { left, top, width, height } = chart.bbox;
    const ctx = chart.ctx;
    const ratio = devicePixelRatio;
    ctx.save();
    ctx.strokeStyle = colours.mark;
    ctx.fillStyle = colours.mark;
    ctx.lineWidth = ratio;
    ctx.font = `600 ${11 * ratio}px ${colours.font}`;
    ctx.textBaseline = "top";
    for (let at = this.marks.from(chart.scales.x.min); at < this.marks.length; at += 1) {
      const x = Math.round(chart.valToPos(this.marks.times[at], "x", true)) + 0.5;
      const label = this.marks.values[at];
      ctx.setLineDash([4 * ratio, 3 * ratio]);
      ctx.beginPath();
      ctx.moveTo(x, top);
      ctx.lineTo(x, top + height);
      ctx.stroke();
      const fits = x + 6 * ratio + ctx.measureText(label).width < left + width;
      ctx.textAlign = fits ? "left" : "right";
      ctx.fillText(label, fits ? x + 5 * ratio : x - 5 * ratio, top + 4 * ratio);
    }
    ctx.restore();
  }

  showHover(chart) {
    const at = chart.cursor.idx;
    const value = at === null || at === undefined ? null : chart.data[1][at];
    this.hover.textContent = value === null || value === undefined ? "" : `${clock(chart.data[0][at])}  ${lux(value)} lux`;
  }
}

function palette() {
  const style = getComputedStyle(document.documentElement);
  const get = (name) => style.getPropertyValue(name).trim();
  return {
    line: get("--ink"),
    text: get("--muted"),
    grid: get("--line"),
    band: get("--on-band"),
    strip: get("--amber-glow"),
    mark: get("--accent-text"),
    font: get("--sans"),
  };
}

function options(plot, colours) {
  const axis = { stroke: colours.text, font: `12px ${colours.font}`, grid: { stroke: colours.grid, width: 1 }, ticks: { show: false } };
  return {
    width: plot.element.clientWidth,
    height: plot.height,
    padding: [8, 28, 0, 0],
    legend: { show: false },
    cursor: { drag: { x: false, y: false }, points: { size: 7 }, y: false },
    scales: {
      x: { time: false, auto: false },
      y: plot.log ? { distr: 3, range: (_, low, high) => decades(low, high) } : { range: (_, low, high) => fromZero(high) },
    },
    axes: [
      { ...axis, space: 90, size: 28, values: (_, ticks) => ticks.map((tick) => (Number.isInteger(tick) ? clock(tick) : "")) },
      { ...axis, show: plot.light, size: 56, values: (_, ticks) => ticks.map(lux), ...(plot.log && { splits: (_, __, low, high) => powers(low, high), filter: (_, ticks) => ticks }) },
    ],
    series: [{}, { stroke: colours.line, width: 1.75, points: { show: false }, spanGaps: false }],
    hooks: {
      drawAxes: [(chart) => plot.drawBehind(chart, colours)],
      drawSeries: [(chart) => plot.drawMarks(chart, colours)],
      setCursor: [(chart) => plot.showHover(chart)],
    },
  };
}
