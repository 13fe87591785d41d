/** The viewer: one card large with all that is known of it, or two to six side by side. */
import { button, byId, copy, counted, foreign, make, say, shown, sign } from "./dom.js";
import { byKey, head, picture, short, statusWord } from "./data.js";
import { differences, factsOf } from "./facts.js";
import { annotate, mark, markedOf, markOf } from "./marks.js";
import { canZoom, large, link } from "./media.js";
import { strip } from "./strips.js";
import { isZoomed, reset, zoomOn } from "./zoom.js";

export const MOST_SIDE_BY_SIDE = 6;

const dialog = /** @type {HTMLDialogElement} */ (byId("viewer"));
const stages = byId("stages"), panel = byId("panel"), bar = byId("bar");
/** @type {Card[]} */
let now = [];
let active = 0;
/** @type {() => Card[]} */
let around = () => [];
/** @type {(keys: string[]) => void} */
let moved = () => {};

/**
 * @param {() => Card[]} others the cards among which one goes
 * @param {(keys: string[]) => void} act called with what is shown; with nothing when it is closed
 */
export function begin(others, act) {
  around = others;
  moved = act;
  dialog.addEventListener("close", () => { if (now.length) closed(); });
  dialog.addEventListener("cancel", (event) => {
    event.preventDefault();
    close();
  });
  swipes();
}

/** The cards that the viewer shows. */
export const viewed = () => now;

/** The one of them that keys are for. */
export const activeCard = () => now[active] ?? null;

/** Show cards; nothing closes it. @param {string[]} keys */
export function view(keys) {
  const wanted = keys.map((key) => byKey.get(key)).filter((one) => one !== undefined).slice(0, MOST_SIDE_BY_SIDE);
  if (wanted.length === now.length && wanted.every((card, at) => card === now[at])) return;
  if (!wanted.length) {
    if (dialog.open) dialog.close();
    return;
  }
  now = wanted;
  active = 0;
  draw();
  if (!dialog.open) dialog.showModal();
  stages.focus({ preventScroll: true });
}

/** Close the viewer. */
export function close() {
  moved([]);
}

function closed() {
  now = [];
  stages.replaceChildren();
  moved([]);
}

function draw() {
  const isOne = now.length === 1;
  dialog.classList.toggle("several", !isOne);
  dialog.setAttribute("aria-label", isOne ? `Viewer: ${now[0].job.id}` : `${now.length} cards side by side`);
  stages.dataset.count = String(now.length);
  const panes = now.map((card, at) => paneOf(card, at, isOne));
  stages.replaceChildren(...panes.map((one) => one.box));
  zoomOn(panes.filter((one) => canZoom(one.card)).map(({ view: where, content }) => ({ view: where, content })));
  bar.replaceChildren(make("span", "where", where()));
  panel.hidden = !isOne;
  for (const name of ["previous", "next"]) byId(name).hidden = !isOne || around().length < 2;
  if (isOne) {
    panel.replaceChildren(...details(now[0]));
    panel.scrollTop = 0;
  }
  refreshViewer();
}

function where() {
  if (now.length > 1) return `${now.length} side by side`;
  const others = around(), at = others.indexOf(now[0]);
  return at < 0 ? "" : `${shown(at + 1)} of ${shown(others.length)}`;
}

/**
 * @param {Card} card
 * @param {number} at
 * @param {boolean} isOne
 */
function paneOf(card, at, isOne) {
  const content = large(card), inner = make("div", "view", content), box = make("figure", "pane", inner);
  if (!isOne) {
    box.append(make("figcaption", "", foreign("b", "", card.job.id, 80), marksOf(card), facts(at)));
    box.addEventListener("pointerdown", () => activate(at));
  }
  return { card, box, view: inner, content };
}

/** What tells a card from those beside it. @param {number} at */
function facts(at) {
  const list = make("dl", "");
  for (const { name, values } of differences(now)) {
    list.append(make("div", "", make("dt", "", foreign("bdi", "", name, 40)), foreign("dd", "", values[at], 160)));
  }
  return list;
}

/** @param {number} at */
function activate(at) {
  active = at;
  refreshViewer();
}

/** @param {Card} card */
function marksOf(card) {
  if (!card.asset.asset) return null;
  const keep = button("big keep", sign("kept"), "", () => markHere(card, "kept"));
  const reject = button("big reject", sign("rejected"), "", () => markHere(card, "rejected"));
  keep.append("Keep", make("kbd", "", "K"));
  reject.append("Reject", make("kbd", "", "R"));
  const both = make("div", "deeds", keep, reject);
  both.dataset.key = card.key;
  return both;
}

/**
 * @param {Card} card
 * @param {string} wanted
 */
function markHere(card, wanted) {
  say(`${card.job.id} ${mark([card], wanted) || "not marked"}`);
}

/** Show anew what is marked. */
export function refreshViewer() {
  now.forEach((card, at) => {
    const box = stages.children[at];
    if (!(box instanceof HTMLElement)) return;
    box.dataset.mark = markOf(card);
    box.classList.toggle("active", now.length > 1 && at === active);
  });
  for (const deeds of dialog.querySelectorAll(".deeds")) {
    const card = byKey.get(deeds instanceof HTMLElement ? deeds.dataset.key ?? "" : "");
    const one = card ? markOf(card) : "";
    deeds.querySelector(".keep")?.setAttribute("aria-pressed", String(one === "kept"));
    deeds.querySelector(".reject")?.setAttribute("aria-pressed", String(one === "rejected"));
  }
}

/**
 * @param {Card} card
 * @returns {(Node | string)[]}
 */
function details(card) {
  const { job, asset } = card, list = make("dl", "facts");
  for (const [name, value] of factsOf(card)) list.append(make("dt", "", foreign("bdi", "", name)), foreign("dd", "", value));
  const title = foreign("h2", "", job.id), prompt = foreign("p", "full", card.title);
  /** @type {(Node | null)[]} */
  const parts = [title, marksOf(card), card.title === job.id ? null : prompt, ...wrong(card), strip(job, false), list];
  if (asset.asset) parts.splice(2, 0, noteOf(card));
  if (asset.path && !head.alone) parts.push(make("p", "fine", link(asset.path, "open the file")));
  parts.push(earlier(job));
  return parts.filter((one) => one !== null);
}

/** @param {Card} card */
function noteOf(card) {
  const note = make("textarea", "note");
  note.rows = 1;
  note.placeholder = "Add a note";
  note.setAttribute("aria-label", `Note on ${card.job.id}`);
  note.value = markedOf(card).note;
  note.addEventListener("change", () => annotate(card, note.value.trim()));
  return note;
}

/** Why there is no result, and what helps. @param {Card} card */
function wrong({ job }) {
  const said = [];
  if (job.redo) {
    const error = job.redo.error ? `: ${job.redo.error}` : "";
    const stands = `Another one is made of this job (${statusWord(job.redo.status ?? "running")}${error}).`;
    said.push(foreign("p", "why soft", `${stands} This one is current until the other has its files.`));
  }
  if (job.error) said.push(foreign("p", "why", job.error));
  if (job.command) said.push(command(job.command));
  return said;
}

/** A command to type, with a button that copies it. @param {string} text */
export function command(text) {
  const take = button("copy", "copy", "", () => void copy(text, take));
  return make("p", "command", make("code", "", text), take);
}

/** @param {JobData} job */
function earlier(job) {
  if (!job.earlier?.length) return null;
  const list = make("ul", "earlier");
  for (const one of job.earlier) {
    const marks = (one.files ?? []).map((file) => file.mark ?? "").filter(Boolean);
    const about = [statusWord(one.status ?? ""), one.model && one.model !== job.model ? short(one.model) : "", one.facts, marks.join(", ")];
    const item = make("li", "");
    for (const file of one.files ?? []) {
      const to = link(file.path, ""), drawn = picture(file.picture);
      if (drawn) {
        const seen = make("img", drawn.clear ? "clear" : "");
        seen.alt = file.path;
        seen.src = drawn.src;
        to.append(seen);
      } else to.append(file.path.split("/").pop() ?? "file");
      item.append(to);
    }
    const text = about.filter(Boolean).join(", ");
    item.append(make("p", "", foreign("span", "", text), foreign("code", "", one.job_id ?? (one.asset_ids ?? []).join(" "))));
    if (one.prompt && one.prompt !== job.prompt) item.append(foreign("p", "fine", one.prompt, 500));
    list.append(item);
  }
  return make("section", "", make("h3", "", counted(job.earlier.length, "earlier purchase")), list);
}

/** Go on among the cards, or from one to the next of those side by side. @param {number} by */
export function step(by) {
  if (now.length > 1) {
    activate((active + by + now.length) % now.length);
    return;
  }
  const others = around(), at = others.indexOf(now[0]);
  const next = others[(at + by + others.length) % others.length];
  if (next) moved([next.key]);
}

/** Choose one of those side by side, from 1. @param {number} number */
export function pick(number) {
  if (now.length > 1 && now[number - 1]) activate(number - 1);
}

function swipes() {
  let from = NaN, count = 0;
  stages.addEventListener("pointerdown", (event) => {
    count += 1;
    from = event.pointerType === "touch" && now.length === 1 && !isZoomed() && count === 1 ? event.clientX : NaN;
  });
  addEventListener("pointerup", (event) => {
    count = Math.max(0, count - 1);
    const by = event.clientX - from;
    from = NaN;
    if (Math.abs(by) > 60 && !isZoomed()) {
      reset();
      step(by < 0 ? 1 : -1);
    }
  });
  addEventListener("pointercancel", () => { count = Math.max(0, count - 1); from = NaN; });
}
