/** The filters: every variable, tag, model, status and mark, each value with its number of cards. */
import { byId, foreign, make, shown } from "./dom.js";
import { counts, facets, valuesOf } from "./facets.js";

const MOST_VALUES = 12; // before the rest is asked for
const MOST_EVER = 300;

const place = byId("facets"), chosen = byId("chosen");
/** @type {(state: State) => void} */
let changed = () => {};
/** @type {State} */
let state;
/** @type {Set<string>} */
const open = new Set();
/** @type {Map<string, string>} */
const typed = new Map();

/** @param {(state: State) => void} act */
export function begin(act) {
  changed = act;
}

/**
 * @param {string} key
 * @param {string} value
 */
function toggle(key, value) {
  const had = state.only[key] ?? [];
  const values = had.includes(value) ? had.filter((one) => one !== value) : [...had, value];
  const only = { ...state.only, [key]: values };
  if (!values.length) delete only[key];
  changed({ ...state, only, page: 1 });
}

/**
 * Show which filters there are, and which are set.
 * @param {State} next
 * @param {string[]} words
 */
export function show(next, words) {
  state = next;
  const found = counts(state, words), focus = document.activeElement?.id;
  place.replaceChildren(...facets.map((one) => section(one, found.get(one.key) ?? new Map())));
  if (focus?.startsWith("f-")) document.getElementById(focus)?.focus({ preventScroll: true });
}

/** Show the values that are set, to be taken back. @param {State} next */
export function showChosen(next) {
  state = next;
  const all = [];
  for (const one of facets) {
    for (const value of state.only[one.key] ?? []) {
      const take = make("button", "chip", foreign("span", "", `${one.label}: ${one.word(value)}`, 60), make("span", "x", "×"));
      take.type = "button";
      take.setAttribute("aria-label", `Do not filter by ${one.label} ${one.word(value)}`);
      take.addEventListener("click", () => toggle(one.key, value));
      all.push(take);
    }
  }
  if (state.q || all.length > 1) {
    const every = make("button", "chip all", "clear all");
    every.type = "button";
    every.addEventListener("click", () => changed({ ...state, only: {}, q: "", page: 1 }));
    all.push(every);
  }
  chosen.replaceChildren(...all);
  chosen.hidden = !all.length;
  const count = Object.values(state.only).reduce((sum, one) => sum + one.length, 0);
  byId("filter").textContent = count ? `Filters · ${count}` : "Filters";
}

/**
 * @param {Facet} facet
 * @param {Map<string, number>} found
 */
function section(facet, found) {
  const set = state.only[facet.key] ?? [];
  const box = make("fieldset", "facet", make("legend", "", foreign("span", "", facet.label, 40)));
  const word = (typed.get(facet.key) ?? "").toLowerCase();
  const known = valuesOf(facet), isLong = !known.length;
  let values = [...new Set([...known, ...set, ...found.keys()])];
  if (isLong) values.sort((a, b) => (found.get(b) ?? 0) - (found.get(a) ?? 0));
  if (word) values = values.filter((one) => facet.word(one).toLowerCase().includes(word) || set.includes(one));
  const total = values.length;
  values = values.slice(0, open.has(facet.key) || word ? MOST_EVER : MOST_VALUES);
  if (isLong) box.append(finder(facet)); // more than a person reads through
  values.forEach((value, at) => box.append(choice(facet, value, found.get(value) ?? 0, set.includes(value), at)));
  if (total > values.length && !open.has(facet.key)) box.append(more(facet, total - values.length));
  return box;
}

/** @param {Facet} facet */
function finder(facet) {
  const one = make("input", "finder");
  one.type = "search";
  one.id = `f-${facet.key}`;
  one.placeholder = `Find ${facet.label.toLowerCase()}`;
  one.setAttribute("aria-label", `Find a value of ${facet.label}`);
  one.value = typed.get(facet.key) ?? "";
  one.addEventListener("input", () => {
    typed.set(facet.key, one.value);
    changed(state);
  });
  return one;
}

/**
 * @param {Facet} facet
 * @param {string} value
 * @param {number} count
 * @param {boolean} isSet
 * @param {number} at
 */
function choice(facet, value, count, isSet, at) {
  const box = make("input", "");
  box.type = "checkbox";
  box.id = `f-${facet.key}-${at}`;
  box.checked = isSet;
  box.addEventListener("change", () => toggle(facet.key, value));
  const name = foreign("span", "value", facet.word(value), 90);
  const dot = facet.key === "status" ? make("i", `dot is-${value}`) : facet.key === "mark" ? make("i", `dot mark-${value}`) : null;
  const one = make("label", count || isSet ? "choice" : "choice none", box, dot, name, make("span", "count", shown(count)));
  one.title = facet.word(value).slice(0, 500);
  return one;
}

/**
 * @param {Facet} facet
 * @param {number} left
 */
function more(facet, left) {
  const one = make("button", "more", `${shown(left)} more`);
  one.type = "button";
  one.addEventListener("click", () => {
    open.add(facet.key);
    changed(state);
  });
  return one;
}
