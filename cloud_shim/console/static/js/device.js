// The page of one device: makes its parts and hands each record and each state to all of them.

import { showConnection } from "./banner.js";
import { Call } from "./call.js";
import { Choose } from "./choose.js";
import { Code } from "./code.js";
import { Log } from "./log.js";
import { Outputs } from "./outputs.js";
import { Plot } from "./plot.js";
import { Readout } from "./readout.js";
import { Rename } from "./rename.js";
import { Revoke } from "./revoke.js";
import { Sim } from "./sim.js";
import { Stream } from "./stream.js";
import { skipUnchanged } from "./swap.js";
import { Values } from "./values.js";

const STORED = [
  { stream: "telemetry", limit: 5000 },
  { stream: "logs", limit: 300 },
  { stream: "events", limit: 100 },
];

function main() {
  const name = document.body.dataset.device;
  const outputs = new Outputs();
  const plot = new Plot(document.getElementById("plot"), document.getElementById("plot-hover"), outputs);
  const readout = new Readout(outputs);
  const log = new Log();
  const values = new Values();
  const call = new Call(name);
  const code = new Code(name, (fn) => call.choose(fn), (source) => call.offer(source));
  if (document.getElementById("sim-lux")) new Sim(name);
  new Revoke(name);
  new Choose(name);
  new Rename(name);
  skipUnchanged();
  choices(plot);

  new Stream(name, {
    record(record) {
      for (const part of [outputs, plot, readout, log, values, code]) part.record(record);
    },
    device(device) {
      for (const part of [outputs, plot, readout, code]) part.device(device);
      document.body.dispatchEvent(new CustomEvent("lamplight:device"));
    },
    connected: showConnection,
  }).start(STORED);
}

function choices(plot) {
  const window = document.getElementById("window");
  const scale = document.getElementById("scale");
  const show = () => plot.show(Number(window.value), scale?.value !== "linear");
  window.addEventListener("change", show);
  scale?.addEventListener("change", show);
  show();
}

main();
