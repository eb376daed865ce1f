// The filter above the list of devices: hides those that have not all of its words, and counts.

import { hasWords } from "./words.js";

export class DeviceFilter {
  constructor(list) {
    this.list = list;
    this.input = document.getElementById("device-filter");
    this.count = document.getElementById("device-count");
    this.input.addEventListener("input", () => this.apply());
    this.apply();
  }

  /** Once more, for a list that was renewed. */
  apply() {
    const devices = [...this.list.querySelectorAll("[data-device]")];
    const filter = this.input.value.trim();
    for (const device of devices) device.hidden = !hasWords(device.textContent, filter);
    this.count.textContent = filter === "" ? summary(devices) : `${devices.filter((device) => !device.hidden).length} of ${devices.length} match`;
  }
}

function summary(devices) {
  const online = devices.filter((device) => device.querySelector(".is-online")).length;
  return devices.length === 0 ? "" : `${devices.length} in all, ${online} online`;
}
