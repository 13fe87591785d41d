/** What is shown, as the address has it behind its #: it can be linked, and the way back works. */

const LISTS = new Set(["cols", "compare"]);
const WORDS = new Set(["q", "group", "rows", "sort", "size", "card", "view"]);

/** @returns {State} */
export function empty() {
  return { q: "", only: {}, group: "", rows: "", cols: [], sort: "", size: "", page: 1, card: "", view: "", compare: [] };
}

/**
 * Read a fragment. What nobody knows is a filter that lets everything through.
 * @param {string} text
 * @returns {State}
 */
export function parse(text) {
  const state = empty();
  const job = /^#?job-(\d+)$/.exec(text); // as pages had it once
  if (job) return { ...state, card: `#${job[1]}` };
  for (const [name, value] of new URLSearchParams(text.replace(/^#/, ""))) {
    if (name === "page") state.page = Math.max(1, Math.floor(Number(value)) || 1);
    else if (name === "cols") state.cols.push(value);
    else if (name === "compare") state.compare.push(value);
    else if (WORDS.has(name)) Object.assign(state, { [name]: value });
    else (Object.hasOwn(state.only, name) ? state.only[name] : (state.only[name] = [])).push(value);
  }
  return state;
}

/**
 * Write a state; what is as it is from the beginning is left out.
 * @param {State} state
 */
export function format(state) {
  const words = new URLSearchParams();
  for (const name of WORDS) {
    const value = /** @type {Record<string, unknown>} */ (/** @type {unknown} */ (state))[name];
    if (value) words.append(name, String(value));
  }
  for (const name of LISTS) {
    for (const value of name === "cols" ? state.cols : state.compare) words.append(name, value);
  }
  for (const [name, values] of Object.entries(state.only)) for (const value of values) words.append(name, value);
  if (state.page > 1) words.append("page", String(state.page));
  return words.toString();
}
