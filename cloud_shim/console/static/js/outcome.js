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
  const failures = (device.failed ?? []).map(({ generation, state, reason }) => ({ generation, state, reason }));
  const reported = device.reported;
  if (!reported) return failures;
  const updates = reported.update ? [reported.update] : [];
  if (reported.update?.state === "IDLE" || !reported.update) updates.push({ generation: reported.generation, state: "COMMITTED" });
  const reverted = Object.entries(reported.failed ?? {}).filter(([number]) => Number(number) !== reported.update?.generation);
  return [...failures, ...reverted.map(([number, reason]) => ({ generation: Number(number), state: "REVERTED", reason })), ...updates.filter((each) => each.state !== "IDLE")];
}

/** What DEVICE is asked for goes on as another generation, when something else in it failed. */
export function continued(outcome, device) {
  const generation = goesOn(device, outcome.generation);
  if (generation === outcome.generation) return outcome;
  return { ...begun(`something else failed: now generation ${generation}`), generation };
}

/** The generation that has what `generation` of DEVICE asked for: another one, when something else in it failed. */
export function goesOn(device, generation) {
  const next = device.continued?.[String(generation)];
  return next === undefined ? generation : goesOn(device, next);
}

/** The release that failed on DEVICE and can be tried once more, preferably that of the function `name`; or null. */
export function failedRelease(device, name) {
  const failed = (device.failed ?? []).filter((each) => each.version > 0);
  const chosen = failed.find((each) => each.kind === "function" && each.name === name) ?? failed.at(-1);
  return chosen ? { kind: chosen.kind, name: chosen.name, version: chosen.version } : null;
}

/** The functions that DEVICE is asked for, or that failed there and are still to be corrected: versions by name. */
export function asked(device) {
  const versions = Object.fromEntries(Object.entries(device.desired.functions).map(([name, each]) => [name, each.version]));
  for (const each of device.failed ?? []) {
    if (each.kind === "function" && each.version > 0) versions[each.name] = each.version;
  }
  return versions;
}

function advanced(outcome, state, took) {
  if (ORDER.indexOf(state) <= ORDER.indexOf(outcome.state)) return outcome;
  if (state === "COMMITTED") return { ...outcome, state, tone: "ok", text: "", steps: [...outcome.steps, `committed in ${took}`] };
  return { ...outcome, state, text: "", steps: [...outcome.steps, STEPS[state]] };
}
