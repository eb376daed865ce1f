// The shim's HTTP API (docs/api.md) as functions. Every failure becomes an ApiError with words for a person.

export class ApiError extends Error {
  constructor(what, why = "", remedy = "", status = 0) {
    super(what);
    this.what = what;
    this.why = why;
    this.remedy = remedy;
    this.status = status;
  }
}

const device = (name) => `/api/devices/${encodeURIComponent(name)}`;
const source = (name, fn) => `${device(name)}/functions/${encodeURIComponent(fn)}/source`;

export const getDevice = (name) => ask("GET", device(name));
export const getSource = (name, fn) => ask("GET", source(name, fn));
export const postSource = (name, fn, files) => ask("POST", source(name, fn), { files });
export const rollback = (name) => ask("POST", `${device(name)}/rollback`, {});
export const retry = (name, release) => ask("POST", `${device(name)}/deploy`, { ...release, retry: true });
export const revoke = (name) => ask("POST", `${device(name)}/revoke`, {});
export const chooseBoard = (name, hardware) => ask("POST", `${device(name)}/board`, { hardware });
export const renameBoard = (name, board, newName) => ask("POST", `${device(name)}/rename`, { board, name: newName });
export const acceptClaim = (claim) => ask("POST", `/api/claims/${encodeURIComponent(claim)}/accept`, {});
export const rejectClaim = (claim) => ask("POST", `/api/claims/${encodeURIComponent(claim)}/reject`, {});
export const call = (name, fn, data, type) => ask("POST", `${device(name)}/functions/${encodeURIComponent(fn)}/call`, { data, type });
export const getHealth = () => ask("GET", "/api/health");
export const getSim = (name) => ask("GET", `/api/sim/${encodeURIComponent(name)}`);
export const setSim = (name, change) => ask("POST", `/api/sim/${encodeURIComponent(name)}`, change);
export const streamUrl = (name) => `/api/stream?${new URLSearchParams({ device: name })}`;

/** Records of one device, oldest first: the last `limit`, or those after the id `after`. `query` may narrow by stream. */
export async function getRecords(name, query) {
  return (await ask("GET", `/api/records?${new URLSearchParams({ device: name, ...query })}`)).records;
}

async function ask(method, path, body) {
  const options = { method, headers: { Accept: "application/json" } };
  if (body !== undefined) {
    options.headers["Content-Type"] = "application/json";
    options.body = JSON.stringify(body);
  }
  let answer;
  try {
    answer = await fetch(path, options);
  } catch {
    throw new ApiError("The shim did not answer", "The connection to it failed", "Check that it is running, then try again");
  }
  return await parsed(answer);
}

async function parsed(answer) {
  let body = null;
  try {
    body = await answer.json();
  } catch {
    // Not JSON: answered below, by the status.
  }
  if (answer.ok && body !== null) return body;
  const error = body?.error ?? {};
  throw new ApiError(error.what ?? `The shim answered with status ${answer.status}`, error.why, error.remedy, answer.status);
}
