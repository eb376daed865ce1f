// The simulated board's light: slider and the two switches. One request at a time; of what is set meanwhile, the last counts.

import { getSim, setSim } from "./api.js";
import { errorText, lux } from "./format.js";
import { toLux, toPosition } from "./scale.js";

const RENEW = 2000;

export class Sim {
  #pending = null;
  #busy = false;

  constructor(device) {
    this.device = device;
    this.slider = document.getElementById("sim-lux");
    this.value = document.getElementById("sim-value");
    this.switches = { covered: document.getElementById("sim-covered"), unplugged: document.getElementById("sim-unplugged") };
    this.error = document.getElementById("sim-error");
    this.slider.addEventListener("input", () => this.#slid());
    for (const [name, button] of Object.entries(this.switches)) button.addEventListener("click", () => this.#toggled(name, button));
    setInterval(() => this.#renew(), RENEW);
    this.#renew();
  }

  #slid() {
    this.#label(toLux(Number(this.slider.value)));
    this.#set({ lux: toLux(Number(this.slider.value)) });
  }

  #toggled(name, button) {
    const on = button.getAttribute("aria-checked") !== "true";
    button.setAttribute("aria-checked", String(on));
    this.#set({ [name]: on });
  }

  #set(change) {
    this.#pending = { ...this.#pending, ...change };
    if (!this.#busy) this.#send();
  }

  async #send() {
    this.#busy = true;
    try {
      while (this.#pending !== null) {
        const change = this.#pending;
        this.#pending = null;
        this.#show(await setSim(this.device, change));
      }
    } catch (error) {
      this.#failed(error);
    } finally {
      this.#busy = false;
    }
  }

  // Another hand may have set the light: the command line, or a second window.
  async #renew() {
    if (this.#busy || document.hidden) return;
    try {
      const world = await getSim(this.device);
      if (!this.#busy) this.#show(world);
    } catch (error) {
      this.#failed(error);
    }
  }

  #show(world) {
    this.error.textContent = "";
    this.slider.disabled = false;
    for (const [name, button] of Object.entries(this.switches)) {
      button.disabled = false;
      if (this.#pending?.[name] === undefined) button.setAttribute("aria-checked", String(world[name]));
    }
    if (this.#pending?.lux !== undefined) return;
    if (toLux(Number(this.slider.value)) !== world.lux) this.slider.value = String(toPosition(world.lux));
    this.#label(world.lux);
  }

  #label(value) {
    this.value.textContent = `${lux(value)} lux`;
    this.slider.setAttribute("aria-valuetext", `${lux(value)} lux`);
  }

  #failed(error) {
    this.#pending = null;
    this.error.textContent = errorText(error);
  }
}
