// The function card: which function is open in which version, and what Deploy, Rollback and Retry do.

import { getDevice, getSource, postSource, retry, rollback } from "./api.js";
import { Editor } from "./editor.js";
import { Keys } from "./keys.js";
import { asked, failedRelease } from "./outcome.js";
import { Progress } from "./progress.js";
import { StaleNotice } from "./stale.js";

const byId = (id) => document.getElementById(id);

export class Code {
  #function = null;
  #opened = null;
  #device = null;
  #known = 0;
  #sent = null;
  #busy = false;
  #reload = false;

  /** `chosen` is called with the name of the function that is open, `offered` with the API's word of its release. */
  constructor(name, chosen, offered) {
    this.name = name;
    this.chosen = chosen;
    this.offered = offered;
    this.keys = new Keys(() => this.#allow());
    this.editor = new Editor(byId("editor"), byId("tabs"), () => this.#edited());
    this.progress = new Progress(byId("outcome"));
    this.stale = new StaleNotice(() => this.#load(), () => this.#deploy(true));
    byId("deploy").addEventListener("click", () => this.#deploy(false));
    byId("rollback").addEventListener("click", () => this.#rollback());
    byId("retry").addEventListener("click", () => this.#retry());
    byId("function").addEventListener("change", (event) => this.#choose(event.target.value));
    addEventListener("beforeunload", (event) => this.editor.dirty && event.preventDefault());
    document.addEventListener("keydown", (event) => this.#key(event));
    byId("deploy-key").textContent = /Mac|iPhone|iPad/.test(navigator.userAgent) ? "⌘S" : "Ctrl S";
  }

  record(record) {
    this.progress.record(record);
  }

  device(device) {
    this.#device = device;
    this.progress.device(device);
    this.#edited();
    const names = Object.keys(asked(device));
    if (this.#removed(device) && !this.editor.dirty) this.#close();
    this.#list(this.#removed(device) ? [...names, this.#function] : names);
    byId("retry").hidden = failedRelease(device, this.#function) === null;
    byId("rollback").disabled = !device.reported || device.desired.generation < 2;
    if (this.#function === null && names.length) this.#choose(names[0]);
    else if (!names.length) byId("editor-empty")?.replaceChildren(nothingYet(this.name));
    this.#compare(device);
  }

  // Whether the function that is open was taken from the device: by another hand, for there is no button for it here.
  #removed(device) {
    return this.#opened !== null && device.desired.generation >= this.#known && !Object.hasOwn(asked(device), this.#function);
  }

  #close() {
    this.#function = null;
    this.#opened = null;
    this.stale.hide();
    this.editor.close("editor-empty");
    byId("deploy").disabled = true;
    this.#edited();
    this.chosen(null);
  }

  #list(names) {
    const select = byId("function");
    const present = [...select.options].map((option) => option.value);
    if (present.join() !== names.join()) select.replaceChildren(...names.map((name) => new Option(name, name, false, name === this.#function)));
    select.hidden = names.length < 2;
    byId("code-title").textContent = names.length === 1 ? names[0] : "Function";
  }

  async #choose(name) {
    if (this.#function !== null && this.editor.dirty && !confirm(`Drop your changes to ${this.#function}?`)) {
      byId("function").value = this.#function;
      return;
    }
    this.#function = name;
    this.#opened = null;
    this.stale.hide();
    byId("deploy").disabled = true;
    byId("function").value = name;
    this.chosen(name);
    await this.#open(name);
  }

  // What the device has now in place of what the editor holds: another version, or no such function.
  #load() {
    if (!this.#removed(this.#device)) {
      this.#open(this.#function);
      return;
    }
    this.#close();
    this.device(this.#device);
  }

  async #open(name) {
    try {
      const source = await getSource(this.name, name);
      if (name !== this.#function) return;
      this.editor.open(source.files);
      this.#opened = source.version;
      this.offered(source);
      // Only now: while the source was on its way, the version before was still the one to compare with.
      this.stale.hide();
      this.#allow();
      this.#edited();
    } catch (error) {
      this.progress.failed(error);
    }
  }

  #edited() {
    if (this.#opened === null) {
      byId("opened").textContent = "";
      return;
    }
    const runs = this.#device?.reported?.functions[this.#function]?.version;
    const other = this.#device?.reported && runs !== this.#opened ? ` · ${runs ? `v${runs} runs` : "not running"}` : "";
    byId("opened").textContent = `v${this.#opened}${this.editor.dirty ? ", changed" : ""}${other}`;
  }

  #key(event) {
    if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "s") return;
    event.preventDefault();
    this.#deploy(false);
  }

  // Desired states from before our own last deployment say nothing about others'.
  #compare(device) {
    if (this.#opened === null || this.#busy || device.desired.generation < this.#known) return false;
    if (this.#removed(device)) {
      this.stale.removed(this.name, this.#function);
      return true;
    }
    const given = asked(device)[this.#function];
    if (given === this.#opened) {
      this.stale.hide();
      return false;
    }
    if (this.#sent === this.#opened && this.progress.tone === "bad") {
      // What was sent from here failed, and was taken back: the editor holds it still, as a change of what runs.
      this.#opened = given;
      this.editor.saved({});
      this.stale.hide();
      this.#edited();
      return false;
    }
    if (this.#reload && !this.editor.dirty) this.#open(this.#function);
    else this.stale.show(this.name, this.#opened, given, this.editor.dirty);
    this.#reload = false;
    return true;
  }

  #allow() {
    byId("deploy").disabled = this.#opened === null || this.keys.lacking;
  }

  async #deploy(over) {
    if (this.#opened === null || this.#busy || this.keys.lacking) return;
    this.#hold(true);
    this.progress.begin("packing");
    try {
      if (over || !(await this.#overtaken())) await this.#send();
    } catch (error) {
      this.progress.failed(error);
    } finally {
      this.#hold(false);
    }
  }

  async #overtaken() {
    this.#device = await getDevice(this.name);
    this.#busy = false;
    const stale = this.#compare(this.#device);
    this.#busy = true;
    if (stale) this.progress.failed({ what: "Not deployed", why: "The device has not the version that you opened. Choose above." });
    return stale;
  }

  async #send() {
    const files = this.editor.files();
    const answer = await postSource(this.name, this.#function, files);
    this.stale.hide();
    this.editor.saved(files);
    this.#opened = this.#sent = answer.version;
    this.#known = answer.generation;
    this.#edited();
    this.progress.accepted(answer.generation, `packed as v${answer.version}`, this.#waits());
  }

  async #rollback() {
    await this.#again("rolling back", "going back", () => rollback(this.name));
  }

  async #retry() {
    await this.#again("trying again", "trying again", () => retry(this.name, failedRelease(this.#device, this.#function)));
  }

  // Has the device run, by what `ask` asks of the shim, something that it was given before.
  async #again(first, then, ask) {
    if (this.#busy) return;
    this.#hold(true);
    this.progress.begin(first);
    try {
      const answer = await ask();
      this.#known = answer.generation;
      this.#reload = true;
      this.progress.accepted(answer.generation, `${then}, as generation ${answer.generation}`, this.#waits());
      this.device(await getDevice(this.name));
    } catch (error) {
      this.progress.failed(error);
    } finally {
      this.#hold(false);
    }
    if (this.#device !== null) this.#compare(this.#device);
  }

  #waits() {
    return this.#device?.online ? "" : `${this.name} is offline: it takes this when it is back.`;
  }

  #hold(busy) {
    this.#busy = busy;
    for (const id of ["deploy", "rollback", "retry"]) byId(id).setAttribute("aria-disabled", String(busy));
  }
}

function nothingYet(device) {
  const fragment = document.createDocumentFragment();
  const commands = document.createElement("pre");
  commands.textContent = `lamplight new hello my-first\nlamplight deploy my-first --device ${device}`;
  fragment.append("No function is deployed. Begin with a starter, in a terminal:", commands);
  fragment.append("hello needs no hardware; blink drives an LED, lamp-api answers requests, night-light needs a light sensor. What is deployed can be edited here.");
  return fragment;
}
