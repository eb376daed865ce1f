// How far a deployment or rollback got: a value that grows with what the shim and the device say of it. Pure.

import { toTry } from "./format.js";

const ORDER = ["", "VERIFIED", "FETCHING", "STAGED", "TRIAL", "COMMITTED"];
const STEPS = { VERIFIED: "verified", FETCHING: "fetching", STAGED: "checked", TRIAL: "trial" };
const FAILED = {
  REVERTED: "Reverted: the version before runs again",
  REJECTED: "Rejected by the device: nothing was changed",
};

/** The outcome right after the button was pressed; `first` is the first step's name. */
export function begun(first) {
  return { generation: null, steps: [first], state: "", tone: "busy", text: "", reason: "" };
}

/** The shim accepted it as `generation`; `step` says so in words. An offline device takes it later, which `note` says. */
export function accepted(outcome, generation, step, note = "") {
  return { ...outcome, generation, steps: [step], text: note };
}

/** The device said `update` ({generation, state, reason}) of it, `took` after the press ("0.8 s"). */
export function told(outcome, update, took) {
  if (outcome.generation === null || outcome.tone !== "busy") return outcome;
  if (update.generation > outcome.generation) {
    return { ...outcome, tone: "idle", text: `Overtaken by generation ${update.generation}` };
  }
  if (update.generation < outcome.generation) return outcome;
  if (Object.hasOwn(FAILED, update.state)) {
    return { ...outcome, state: update.state, tone: "bad", steps: [...outcome.steps, update.state.toLowerCase()], text: FAILED[update.state], reason: update.reason ?? "" };
  }
  return advanced(outcome, update.state, took);
}

/** The API refused it, or did not answer: `error` has what, why and remedy. */
export function failed(outcome, error) {
  const reason = [error.why, toTry(error.remedy)].filter(Boolean).join("\n");
  return { ...outcome, tone: "bad", steps: [], text: error.what ?? String(error), reason };
}

/** What DEVICE says of generations, as updates in the form that `told` takes. */
export function updatesOf(device) {
  const reported = device.reported;
  if (!reported) return [];
  const updates = reported.update ? [reported.update] : [];
  if (reported.update?.state === "IDLE" || !reported.update) updates.push({ generation: reported.generation, state: "COMMITTED" });
  const reverted = Object.entries(reported.failed ?? {}).filter(([number]) => Number(number) !== reported.update?.generation);
  return [...reverted.map(([number, reason]) => ({ generation: Number(number), state: "REVERTED", reason })), ...updates.filter((each) => each.state !== "IDLE")];
}

/** Whether what DEVICE is asked for was refused or reverted there, so that only a retry has it tried once more. */
export function refused(device) {
  const { desired, reported } = device;
  if (!reported || desired.generation === reported.generation) return false;
  const update = reported.update;
  const said = update?.generation === desired.generation && Object.hasOwn(FAILED, update.state);
  return said || Object.hasOwn(reported.failed ?? {}, String(desired.generation));
}

/**
 * A release of what DEVICE is asked for, preferably of the function `name`, null when it is asked for none.
 * To deploy it again is to try all of it again.
 */
export function releaseOf(device, name) {
  const { functions, models } = device.desired;
  const [kind, among] = Object.keys(functions).length ? ["function", functions] : ["model", models];
  const chosen = Object.hasOwn(among, name) ? name : Object.keys(among)[0];
  if (chosen === undefined) return null;
  return { kind, name: chosen, version: among[chosen].version };
}

function advanced(outcome, state, took) {
  if (ORDER.indexOf(state) <= ORDER.indexOf(outcome.state)) return outcome;
  if (state === "COMMITTED") return { ...outcome, state, tone: "ok", text: "", steps: [...outcome.steps, `committed in ${took}`] };
  return { ...outcome, state, text: "", steps: [...outcome.steps, STEPS[state]] };
}
