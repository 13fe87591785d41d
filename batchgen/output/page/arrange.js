/** The tools: search, order, size, and what stands on rows, columns and groups. */
import { byId, make } from "./dom.js";
import { dimension, dimensions } from "./axes.js";
import { orders } from "./order.js";

const CHOICES = /** @type {const} */ ([["group", "Groups"], ["rows", "Rows"], ["first", "Columns"], ["second", "and"]]);
const NAMED = new Set(["group", "rows", "first", "second"]);
const SIZES = { "": "fitting", s: "small", m: "medium", l: "large" };

/** @type {Map<string, HTMLSelectElement>} */
const selects = new Map();

/**
 * @param {() => State} state
 * @param {(state: State) => void} changed
 */
export function begin(state, changed) {
  const place = byId("arrange");
  for (const [name, label] of CHOICES) {
    const one = select(dimensions.map(({ key, label: word }) => [key, word]), name === "group" ? "as in the manifest" : "–");
    if (name === "group") one.append(option("none", "none"));
    place.append(make("label", "", make("span", "", label), one));
    selects.set(name, one);
    one.addEventListener("change", () => changed({ ...state(), ...axes(), page: 1 }));
  }
  const order = select(Object.entries(orders).filter(([key]) => key).map(([key, { label }]) => [key, label]), orders[""].label);
  const size = select(Object.entries(SIZES).filter(([key]) => key), SIZES[""]);
  place.append(make("label", "", make("span", "", "Order"), order), make("label", "", make("span", "", "Size"), size));
  selects.set("sort", order).set("size", size);
  order.addEventListener("change", () => changed({ ...state(), sort: order.value, page: 1 }));
  size.addEventListener("change", () => changed({ ...state(), size: size.value }));
}

/** @param {string} name */
const valueOf = (name) => selects.get(name)?.value ?? "";

/** @returns {Pick<State, "group" | "rows" | "cols">} */
function axes() {
  return { group: valueOf("group"), rows: valueOf("rows"), cols: [valueOf("first"), valueOf("second")].filter(Boolean) };
}

/**
 * @param {[string, string][]} values
 * @param {string} none
 */
function select(values, none) {
  const one = make("select", "");
  one.append(option("", none), ...values.map(([value, label]) => option(value, label)));
  return one;
}

/**
 * @param {string} value
 * @param {string} label
 */
function option(value, label) {
  const one = make("option", "", label);
  one.value = value;
  return one;
}

/** @param {State} state */
export function show(state) {
  const values = { group: state.group, rows: state.rows, first: state.cols[0], second: state.cols[1], sort: state.sort, size: state.size };
  for (const [name, value] of Object.entries(values)) {
    const one = selects.get(name);
    if (one) one.value = (NAMED.has(name) && dimension(value ?? "")?.key) || (value ?? "");
  }
}
