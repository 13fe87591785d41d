/** In which order cards stand. */
import { cards } from "./data.js";

const SHAPES = ["picture", "video", "audio", "mesh", "text", "file", "absent"];
const LATE = { pending: 2, blocked: 2, running: 1 };

/** @param {Card} card */
const rank = (card) => SHAPES.indexOf(card.asset.shape) * 3 + (LATE[/** @type {keyof LATE} */ (card.job.status)] ?? 0);

/** @type {Record<string, {label: string, by: (a: Card, b: Card) => number}>} */
export const orders = {
  "": { label: "pictures first", by: (a, b) => rank(a) - rank(b) },
  manifest: { label: "manifest", by: () => 0 },
  newest: { label: "newest first", by: (a, b) => (b.job.at ?? "").localeCompare(a.job.at ?? "") },
  dearest: { label: "dearest first", by: (a, b) => (b.job.charged ?? -1) - (a.job.charged ?? -1) },
  cheapest: { label: "cheapest first", by: (a, b) => (a.job.charged ?? Infinity) - (b.job.charged ?? Infinity) },
  slowest: { label: "slowest first", by: (a, b) => (b.job.seconds ?? -1) - (a.job.seconds ?? -1) },
  fastest: { label: "fastest first", by: (a, b) => (a.job.seconds ?? Infinity) - (b.job.seconds ?? Infinity) },
};

/** All cards in an order, worked out once. @type {Map<string, Card[]>} */
const known = new Map();

/** Return all cards in an order. @param {string} name */
export function ordered(name) {
  const key = Object.hasOwn(orders, name) ? name : "";
  let all = known.get(key);
  if (!all) {
    const { by } = orders[key];
    all = [...cards].sort((a, b) => by(a, b) || a.at - b.at || 0);
    known.set(key, all);
  }
  return all;
}
