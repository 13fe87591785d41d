/** Marks: what a person keeps and rejects, an asset at a time; kept in this browser, and exported. */
import { cards, head } from "./data.js";

/** @typedef {{mark: string, note: string}} Marked */

const PLACE = `batchgen:marks:${head.batch}`;
/** What the page was written with, by asset. @type {Map<string, Marked>} */
const written = new Map();
/** What was marked here since. @type {Map<string, Marked>} */
const here = new Map();
/** @type {[string, Marked | undefined][][]} */
const done = [];
/** @type {(() => void)[]} */
const heard = [];
const NONE = { mark: "", note: "" };
let isKept = true;

for (const { asset } of cards) {
  if (asset.asset && (asset.mark || asset.note)) {
    written.set(asset.asset, { mark: asset.mark ?? "", note: asset.note ?? "" });
  }
}
load();

/** Read what this browser kept; what the page knows by now is dropped. */
function load() {
  here.clear();
  try {
    const kept = JSON.parse(localStorage.getItem(PLACE) ?? "{}");
    for (const [asset, one] of Object.entries(kept)) {
      const mark = { mark: String(one?.mark ?? ""), note: String(one?.note ?? "") };
      if (!same(mark, written.get(asset) ?? NONE)) here.set(asset, mark);
    }
  } catch {
    isKept = false; // the browser keeps nothing for this page: marks last until it is closed
  }
}

/**
 * @param {Marked} one
 * @param {Marked} other
 */
function same(one, other) {
  return one.mark === other.mark && one.note === other.note;
}

function keep() {
  try {
    localStorage.setItem(PLACE, JSON.stringify(Object.fromEntries(here)));
    isKept = true;
  } catch {
    isKept = false;
  }
  for (const one of heard) one();
}

addEventListener("storage", (event) => { // marked in another window
  if (event.key !== PLACE) return;
  load();
  for (const one of heard) one();
});

/** Call a function whenever a mark has changed. @param {() => void} act */
export function whenMarked(act) {
  heard.push(act);
}

/** @param {Card} card @returns {Marked} */
export function markedOf({ asset }) {
  return (asset.asset && (here.get(asset.asset) ?? written.get(asset.asset))) || NONE;
}

/** Return a card's mark: `kept`, `rejected` or nothing. @param {Card} card */
export const markOf = (card) => markedOf(card).mark;

/**
 * Mark cards; a mark that all of them have is taken back.
 * @param {Card[]} some
 * @param {string} mark
 * @returns {string} what they have now
 */
export function mark(some, mark) {
  const able = some.filter((card) => card.asset.asset);
  const now = able.every((card) => markOf(card) === mark) ? "" : mark;
  change(able.map((card) => [card, { ...markedOf(card), mark: now }]));
  return now;
}

/**
 * @param {Card} card
 * @param {string} note
 */
export function annotate(card, note) {
  if (note !== markedOf(card).note) change([[card, { ...markedOf(card), note }]]);
}

/** @param {[Card, Marked][]} wanted */
function change(wanted) {
  if (!wanted.length) return;
  done.push(wanted.map(([{ asset }]) => [asset.asset ?? "", here.get(asset.asset ?? "")]));
  for (const [{ asset }, one] of wanted) put(asset.asset ?? "", one);
  keep();
}

/**
 * @param {string} asset
 * @param {Marked | undefined} one
 */
function put(asset, one) {
  if (!one || same(one, written.get(asset) ?? NONE)) here.delete(asset);
  else here.set(asset, one);
}

/** Take back the last change; returns the assets that it was of. */
export function undo() {
  const last = done.pop() ?? [];
  for (const [asset, before] of last) put(asset, before);
  if (last.length) keep();
  return last.map(([asset]) => asset);
}

/** How many changes can be taken back. */
export const undoable = () => done.length;

/** How many marks and notes the journal does not know. */
export const unsaved = () => here.size;

/** Whether marks stay when the page is closed. */
export const areKept = () => isKept;

/** Count cards by their marks. */
export function countMarks() {
  const count = { kept: 0, rejected: 0 };
  for (const card of cards) {
    const one = markOf(card);
    if (one === "kept" || one === "rejected") count[one] += 1;
  }
  return count;
}

/** Return all marks, and those that were taken back here, as `batchgen mark --from` reads them. */
export function exported() {
  const marks = [];
  for (const card of cards) {
    const asset = card.asset.asset ?? "", one = markedOf(card);
    if (one.mark || one.note || (asset && here.has(asset))) {
      marks.push({ asset_id: asset, job: card.job.id, mark: one.mark || "none", note: one.note });
    }
  }
  return { format: "batchgen/marks@1", batch: head.batch, marks };
}

/** Give the marks to the browser as a file. */
export function download() {
  const text = `${JSON.stringify(exported(), null, 1)}\n`;
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  link.download = "marks.json";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
