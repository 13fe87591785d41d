/** Search: all words, anywhere in what is known of a card. */
import { cards } from "./data.js";

/** @type {string[]} */
const texts = new Array(cards.length);

/** @param {string} text */
const folded = (text) => text.normalize("NFKC").toLowerCase();

/** @param {Card} card */
function textOf(card) {
  const known = texts[card.at];
  if (known !== undefined) return known;
  const { job, asset } = card;
  const parts = [job.id, job.prompt, job.title, job.model, job.entry, job.error, asset.asset, asset.path, asset.note];
  for (const [name, value] of Object.entries(job.vars ?? {})) parts.push(`${name}=${value}`);
  for (const [name, value] of job.facts ?? []) parts.push(`${name} ${value}`);
  parts.push(...(job.tags ?? []));
  return (texts[card.at] = folded(parts.filter(Boolean).join("\n")));
}

/** Prepare some cards while nobody waits; call it until it returns true. @param {number} until milliseconds */
export function prepare(until) {
  for (const card of cards) {
    if (texts[card.at] === undefined) {
      textOf(card);
      if (performance.now() > until) return false;
    }
  }
  return true;
}

/** Look at a card anew: its note has changed. @param {Card} card */
export function forget(card) {
  delete texts[card.at];
}

/**
 * Return the words of a query; what stands in quotation marks is one.
 * @param {string} query
 */
export function wordsOf(query) {
  return [...folded(query).matchAll(/"([^"]+)"?|(\S+)/g)].map((one) => one[1] ?? one[2]);
}

/**
 * @param {Card} card
 * @param {string[]} words
 */
export function isFound(card, words) {
  if (!words.length) return true;
  const text = textOf(card);
  return words.every((word) => text.includes(word));
}
