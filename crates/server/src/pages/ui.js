// What is held, running and failed, asked from the API every few seconds while the page is seen.

const PERIOD_MS = 3000;
const TOKEN = "holotype.token";
const element = (id) => document.getElementById(id);

class Refused extends Error {}
class Unknown extends Error {}

async function ask(path, options = {}) {
  const token = sessionStorage.getItem(TOKEN);
  const headers = { ...options.headers, ...(token ? { Authorization: `Bearer ${token}` } : {}) };
  const response = await fetch(path, { ...options, headers, cache: "no-store" });
  if (response.status === 401) throw new Unknown("This server wants to know who you are.");
  if (response.status === 403) throw new Refused("Not allowed");
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.detail ?? response.statusText);
  return answer;
}

// What the signed-in user may not see is shown as a dash.
const askIfAllowed = (path, options) =>
  ask(path, options).catch((error) => {
    if (error instanceof Refused) return null;
    throw error;
  });

const count = (filter) =>
  ask("/api/v1/datapoints/count", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ filter }),
  });

function bytes(number) {
  const units = ["bytes", "KiB", "MiB", "GiB", "TiB", "PiB"];
  let step = 0;
  while (number >= 1024 && step < units.length - 1) [number, step] = [number / 1024, step + 1];
  return `${step ? number.toFixed(1) : number} ${units[step]}`;
}

const when = (text) => (text ? new Date(text).toLocaleString() : "");

// Everything shown is set as text, never as markup: labels and values come from instruments and strangers.
function cell(content, className = "") {
  const td = document.createElement("td");
  td.className = className;
  td.append(content);
  if (typeof content === "string") td.title = content;
  return td;
}

function fill(id, rows, empty, columns) {
  const body = element(id);
  if (rows.length === 0) {
    const td = cell(empty, "faint");
    td.colSpan = columns;
    rows = [[td]];
  }
  body.replaceChildren(...rows.map((cells) => {
    const tr = document.createElement("tr");
    tr.append(...cells);
    return tr;
  }));
}

function figure(id, text, small = "", className = "") {
  const dd = element(id);
  dd.className = className;
  dd.replaceChildren(text);
  if (small) {
    const line = document.createElement("small");
    line.textContent = small;
    dd.append(line);
  }
}

function bar(job) {
  const progress = document.createElement("progress");
  progress.max = 1;
  if (job.state !== "queued") progress.value = job.progress;
  progress.setAttribute("aria-label", `Progress of ${job.kind}`);
  const box = document.createElement("span");
  box.append(progress, ` ${job.message ?? ""}`);
  return box;
}

function summary(datapoint) {
  const text = "value" in datapoint ? JSON.stringify(datapoint.value) : (datapoint.path ?? "");
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}

function show({ who, health, held, total, store, jobs, failed }) {
  element("who").textContent = `signed in as ${who.name}`;
  const broken = health.checks.filter((check) => !check.ok);
  figure("health", health.healthy ? "good" : "impaired", broken.map((check) => `${check.name}: ${check.detail}`).join("; "),
    health.healthy ? "good" : "bad");
  figure("datapoints", total.count.toLocaleString());
  figure("store", store ? bytes(store.bytes) : "–", store ? `in ${store.blobs.toLocaleString()} ${store.blobs === 1 ? "blob" : "blobs"}` : "");
  figure("under-way", jobs.length.toLocaleString());
  figure("failed-count", failed.length.toLocaleString(), "", failed.length ? "bad" : "");
  fill("running", jobs.map((job) => [cell(job.kind), cell(job.state), cell(bar(job)), cell(when(job.created_at), "time")]),
    "Nothing is under way.", 4);
  fill("failed", failed.map((job) => [cell(job.kind), cell(job.error ?? "", "bad"), cell(when(job.finished_at), "time")]),
    "Nothing has failed.", 3);
  fill("held", held.items.map((datapoint) => [
    cell(datapoint.label ?? "–"), cell(datapoint.data_type), cell(summary(datapoint), "value"),
    cell(datapoint.data_timestamp, "time"), cell(datapoint._id, "path"),
  ]), "Nothing is held yet. `holotype datapoint submit` keeps a value.", 5);
}

async function refresh() {
  const jobsIn = (state) => ask(`/api/v1/jobs?state=${state}&limit=50`).then((page) => page.items);
  const [who, health, held, total, store, running, cancelling, queued, failed] = await Promise.all([
    ask("/api/v1/whoami"), ask("/api/v1/health"), ask("/api/v1/datapoints?limit=20&sort=-sequence"), count(null),
    askIfAllowed("/api/v1/store"), jobsIn("running"), jobsIn("cancelling"), jobsIn("queued"), jobsIn("failed"),
  ]);
  show({ who, health, held, total, store, jobs: [...running, ...cancelling, ...queued], failed });
}

// Told once when it changes, so that a screen reader is not interrupted by every refresh.
function notice(text, bad = false) {
  const line = element("notice");
  if (line.textContent !== text) line.textContent = text;
  line.className = bad ? "bad" : "faint";
}

let timer;

async function turn() {
  clearTimeout(timer);
  try {
    await refresh();
    element("content").hidden = false;
    element("sign-in").hidden = true;
    notice("Live: refreshed every few seconds.");
  } catch (error) {
    if (error instanceof Unknown) {
      const wrong = sessionStorage.getItem(TOKEN) !== null;
      sessionStorage.removeItem(TOKEN);
      element("content").hidden = true;
      element("sign-in").hidden = false;
      notice(wrong ? "That token is not known here, or no longer." : error.message, wrong);
      element("token").focus();
      return;
    }
    notice(`The server does not answer: ${error.message}`, true);
  }
  if (!document.hidden) timer = setTimeout(turn, PERIOD_MS);
}

element("sign-in").addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem(TOKEN, element("token").value.trim());
  element("token").value = "";
  turn();
});
document.addEventListener("visibilitychange", () => document.hidden || turn());
turn();
