/** By what cards can be filtered, and how many have each value. */
import { cards, hasChains, jobs, short, statusWord } from "./data.js";
import { markOf } from "./marks.js";
import { isFound } from "./search.js";

const SHAPES = { picture: "pictures", video: "films", audio: "sounds", mesh: "3D models", text: "texts", file: "other files", absent: "without a file" };
const MOST_SHORT = 12; // values of a facet that can be seen at once
const FED = new Set(jobs.flatMap((job) => (job.strip?.steps ?? []).flatMap((step) => step.made.map((one) => one.id))));

/** @param {string} value */
const asIs = (value) => value;
/** @type {readonly string[]} */
const NOTHING = [];

/**
 * @param {string} key
 * @param {string} label
 * @param {Facet["of"]} of
 * @param {(value: string) => string} word
 * @returns {Facet}
 */
function facet(key, label, of, word = asIs) {
  return { key, label, of, word };
}

/** @param {Card} card */
function chainOf({ job }) {
  return job.strip ? ["last"] : FED.has(job.id) ? ["step"] : ["none"];
}

/** @returns {Facet[]} */
function known() {
  const variables = new Set(jobs.flatMap((job) => Object.keys(job.vars ?? {})));
  return [
    facet("status", "Status", (card) => [card.job.status], statusWord),
    facet("mark", "Mark", (card) => [markOf(card) || "none"], (value) => (value === "none" ? "not marked" : value)),
    facet("model", "Model", (card) => [card.job.model], short),
    facet("entry", "Entry", (card) => [card.job.entry ?? ""], (value) => value || "without a name"),
    ...[...variables].map((name) => facet(`var.${name}`, name, (card) => {
      const value = card.job.vars?.[name];
      return value === undefined ? NOTHING : [value];
    })),
    facet("tag", "Tag", (card) => card.job.tags ?? NOTHING),
    facet("kind", "Kind", (card) => [card.asset.shape], (value) => SHAPES[/** @type {keyof SHAPES} */ (value)] ?? value),
    facet("type", "Role", (card) => (card.asset.type ? [card.asset.type] : NOTHING)),
    ...(hasChains ? [facet("chain", "Chain", chainOf, (value) => ({ last: "last step", step: "step before", none: "no chain" })[value] ?? value)] : []),
    facet("reason", "Reason", (card) => (card.job.error ? [card.job.error] : NOTHING)),
    facet("removed", "Manifest", (card) => [card.job.removed ? "removed" : "current"], (value) => (value === "removed" ? "no longer in it" : "in it")),
  ];
}

/** @param {Facet} one */
function tellsApart(one) {
  if (one.key === "mark") return true; // they are made here
  if (one.key === "reason") return cards.some((card) => card.job.error);
  const first = cards.length ? one.of(cards[0]).join("\n") : "";
  return cards.some((card) => one.of(card).join("\n") !== first);
}

/** The values of the short ones, in the order in which they come first. @type {Map<string, string[]>} */
const values = new Map([["mark", ["none", "kept", "rejected"]]]);

/** Return all values in their order; of a long facet nothing: there are too many. @param {Facet} one */
export const valuesOf = (one) => values.get(one.key) ?? [];

/** @param {Facet} one */
function isLong(one) {
  if (values.has(one.key)) return false;
  const found = new Set();
  for (const card of cards) {
    for (const value of one.of(card)) found.add(value);
    if (found.size > MOST_SHORT) return true;
  }
  values.set(one.key, [...found]);
  return false;
}

const telling = known().filter(tellsApart), long = new Set(telling.filter(isLong));
/** Those that tell cards apart, the long ones behind the others. */
export const facets = [...telling.filter((one) => !long.has(one)), ...long];

/**
 * @typedef {{facet: Facet, values: Set<string>}} Wanted
 */

/**
 * @param {State} state
 * @returns {Wanted[]}
 */
function wantedOf(state) {
  const all = facets.map((one) => ({ facet: one, values: new Set(state.only[one.key] ?? []) }));
  return all.filter((one) => one.values.size);
}

/**
 * Return those of some cards that a state lets through: any value of a facet, and all facets.
 * @param {Card[]} some
 * @param {State} state
 * @param {string[]} words
 */
export function passing(some, state, words) {
  const wanted = wantedOf(state);
  return some.filter((card) => wanted.every((one) => one.facet.of(card).some((value) => one.values.has(value)))
    && isFound(card, words));
}

/**
 * Count, for each facet, the cards of every value that would be shown if it alone did not filter.
 * @param {State} state
 * @param {string[]} words
 */
export function counts(state, words) {
  const wanted = wantedOf(state);
  /** @type {Map<string, Map<string, number>>} */
  const found = new Map(facets.map((one) => [one.key, new Map()]));
  for (const card of cards) {
    const against = wanted.filter((one) => !one.facet.of(card).some((value) => one.values.has(value)));
    if (against.length > 1 || !isFound(card, words)) continue;
    for (const one of against.length ? [against[0].facet] : facets) {
      const count = /** @type {Map<string, number>} */ (found.get(one.key));
      for (const value of one.of(card)) count.set(value, (count.get(value) ?? 0) + 1);
    }
  }
  return found;
}
