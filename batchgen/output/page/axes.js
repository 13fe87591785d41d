/** How cards stand together: by the axes of their entry, or by what the viewer puts on rows and columns. */
import { cards, jobs, picture, short, statusWord } from "./data.js";
import { markOf } from "./marks.js";

const MOST_COLUMNS = 12; // of an arrangement that nobody asked for
const MOST_SINGLE = 3; // cards of an entry that gets no heading of its own

/** How many equal jobs stand before each one. @type {Map<JobData, number>} */
const repeats = new Map();
{
  /** @type {Map<string, number>} */
  const seen = new Map();
  for (const job of jobs) {
    const name = JSON.stringify([job.entry, job.model, job.vars, job.prompt, job.removed]);
    const before = seen.get(name) ?? 0;
    repeats.set(job, before);
    seen.set(name, before + 1);
  }
}
const isRepeated = [...repeats.values()].some(Boolean);

/** @param {string} name @returns {Dimension} */
const variable = (name) => ({ key: `var.${name}`, label: name, of: (card) => card.job.vars?.[name] ?? "–" });
const MODEL = { key: "model", label: "model", of: (/** @type {Card} */ card) => short(card.job.model) };
const REPEAT = { key: "repeat", label: "repeat", of: (/** @type {Card} */ card) => `no. ${(repeats.get(card.job) ?? 0) + 1}` };

/**
 * @typedef {{columns: Dimension[], names: string[]}} Plan `names` of variables tell its items apart.
 */

/** What was worked out for the columns of entries, which stay as they are: a name for each card. @type {Map<Dimension[], string[]>} */
const headNames = new Map();
/** By entry, where its jobs vary along axes. @type {Map<string, Plan>} */
const plans = new Map();
{
  /** @type {Map<string, JobData[]>} */
  const entries = new Map();
  for (const job of jobs) if (!job.removed) put(entries, job.entry ?? "", job);
  for (const [entry, own] of entries) {
    const plan = planOf(own);
    plans.set(entry, plan);
    headNames.set(plan.columns, []);
  }
}

/** @type {Dimension[]} */
const possible = [
  { key: "entry", label: "entry", of: (card) => card.job.entry ?? "–" },
  MODEL,
  ...[...new Set(jobs.flatMap((job) => Object.keys(job.vars ?? {})))].map(variable),
  ...(isRepeated ? [REPEAT] : []),
  { key: "prompt", label: "prompt", of: (card) => card.title.slice(0, 200) },
  { key: "item", label: "item", of: (card) => itemOf(card) },
  { key: "job", label: "job", of: (card) => card.job.id },
  { key: "tag", label: "tags", of: (card) => (card.job.tags ?? []).join(", ") || "–" },
  { key: "day", label: "day", of: (card) => card.job.at?.slice(0, 10) ?? "–" },
  { key: "status", label: "status", of: (card) => statusWord(card.job.status) },
  { key: "mark", label: "mark", of: (card) => markOf(card) || "not marked" },
];
/** What can be put on rows, columns and groups: what tells cards apart. */
export const dimensions = possible.filter((one) => one.key === "mark" || new Set(cards.slice(0, 5000).map(one.of)).size > 1 || one.key === "item");

/** Return a dimension by its key, or a variable by its name. @param {string} key */
export function dimension(key) {
  return dimensions.find((one) => one.key === key) ?? dimensions.find((one) => one.key === `var.${key}`);
}

/**
 * Find the axes of an entry's jobs: what takes several values while all else is the same.
 * @param {JobData[]} own
 * @returns {Plan}
 */
function planOf(own) {
  const names = [...new Set(own.flatMap((job) => Object.keys(job.vars ?? {})))]
    .filter((name) => own.some((job) => job.vars?.[name] !== own[0].vars?.[name]));
  const axes = [...names.map(variable), MODEL].filter((one) => isAxis(one, names, own))
    .map((one) => ({ one, size: new Set(own.map((job) => one.of(cardOf(job)))).size }))
    .sort((a, b) => a.size - b.size);
  const columns = [];
  let product = 1;
  for (const { one, size } of axes) {
    if (product * size > MOST_COLUMNS) break;
    product *= size;
    columns.push(one);
  }
  if (!columns.length && own.some((job) => repeats.get(job)) && own.length > 2) columns.push(REPEAT);
  const across = new Set(columns.map((one) => one.key));
  return { columns, names: names.filter((name) => !across.has(`var.${name}`)) };
}

/** @param {JobData} job @returns {Card} */
function cardOf(job) {
  return { at: 0, key: "", job, asset: job.cards[0], title: "" };
}

/**
 * @param {Dimension} axis
 * @param {string[]} names
 * @param {JobData[]} own
 */
function isAxis(axis, names, own) {
  /** @type {Map<string, Set<string>>} */
  const blocks = new Map();
  for (const job of own) {
    const rest = names.filter((name) => `var.${name}` !== axis.key).map((name) => job.vars?.[name]);
    const key = JSON.stringify(axis.key === "model" ? rest : [...rest, job.model]);
    blocks.set(key, (blocks.get(key) ?? new Set()).add(axis.of(cardOf(job))));
  }
  const complete = [...blocks.values()].filter((one) => one.size > 1).length;
  return complete * 2 > blocks.size;
}

/** Return by what an item goes among those of its entry. @param {Card} card */
function itemOf(card) {
  const plan = plans.get(card.job.entry ?? "");
  const values = (plan?.names ?? []).map((name) => card.job.vars?.[name] ?? "–");
  return values[0] ? values.slice(0, 3).join(" · ") : plan?.columns.length ? card.job.entry || card.job.id : card.job.id;
}

/** @type {string[]} */
const itemKeys = [];

/** Return what tells an item apart, whatever its label says. @param {Card} card */
function itemKey(card) {
  return (itemKeys[card.at] ??= newItemKey(card));
}

/** @param {Card} card */
function newItemKey(card) {
  const plan = plans.get(card.job.entry ?? "");
  if (!plan?.columns.length) return card.job.id;
  return JSON.stringify(plan.names.map((name) => card.job.vars?.[name]));
}

/**
 * Arrange cards that are in their order already.
 * @param {Card[]} some
 * @param {State} state
 * @returns {Group[]}
 */
export function arranged(some, state) {
  if (!state.group && !state.rows && !state.cols.length) return byEntry(some);
  const by = dimension(state.group), rows = dimension(state.rows);
  const columns = state.cols.map(dimension).filter((one) => one !== undefined);
  /** @type {Map<string, Card[]>} */
  const parts = new Map();
  for (const card of some) put(parts, by ? by.of(card) : "", card);
  return [...parts].map(([title, own]) => {
    const key = rows?.key === "item" ? itemKey : rows?.of ?? (() => "");
    return rows || columns.length ? table(title, own, columns, key, rows?.of ?? (() => "")) : lines(title, own);
  });
}

/**
 * @template T
 * @param {Map<string, T[]>} parts
 * @param {string} key
 * @param {T} one
 */
function put(parts, key, one) {
  const part = parts.get(key);
  if (part) part.push(one);
  else parts.set(key, [one]);
}

/** @param {Card[]} some @returns {Group[]} */
function byEntry(some) {
  /** @type {Map<string, Card[]>} */
  const parts = new Map();
  for (const card of some) put(parts, card.job.removed ? "\0removed" : card.job.entry ?? "", card);
  /** @type {Group[]} */
  const groups = [];
  /** @type {Card[]} */
  const single = [];
  for (const [entry, own] of parts) {
    const plan = plans.get(entry);
    const made = plan?.columns.length && own.length > 1 ? table(entry, own, plan.columns, itemKey, itemOf) : null;
    if (made && isFull(made)) groups.push(made);
    else if (!entry || own.length <= MOST_SINGLE) single.push(...own);
    else groups.push(lines(entry === "\0removed" ? "no longer in the manifest" : entry, own));
  }
  if (single.length) groups.push(lines(groups.length ? "other jobs" : "", single));
  return groups;
}

/** Tell whether a table is more than a few cards here and there. @param {Group} group */
function isFull(group) {
  const cells = group.rows.flatMap((row) => row.cells);
  return cells.filter((cell) => cell.length).length * 2 > cells.length;
}

/**
 * @param {string} title
 * @param {Card[]} own
 * @returns {Group}
 */
function lines(title, own) {
  return { title, count: own.length, ratio: ratioOf(own), columns: [], rows: [{ label: "", cells: [own] }] };
}

/**
 * @param {string} title
 * @param {Card[]} own
 * @param {Dimension[]} columns
 * @param {(card: Card) => string} key
 * @param {(card: Card) => string} label
 * @returns {Group}
 */
function table(title, own, columns, key, label) {
  const heads = headsOf(own, columns);
  const places = new Map(heads.map(({ name }, place) => [name, place]));
  /** @type {Map<string, {label: string, cells: Card[][]}>} */
  const rows = new Map();
  for (const card of own) {
    const name = key(card);
    let row = rows.get(name);
    if (!row) rows.set(name, (row = { label: label(card), cells: heads.map(() => []) }));
    row.cells[places.get(headOf(card, columns)) ?? 0].push(card);
  }
  return { title, count: own.length, ratio: ratioOf(own), columns: columns.length ? heads.map(({ parts }) => parts) : [], rows: [...rows.values()] };
}

/**
 * @param {Card} card
 * @param {Dimension[]} columns
 */
function headOf(card, columns) {
  const known = headNames.get(columns), name = known?.[card.at] ?? columns.map((one) => one.of(card)).join(" · ");
  if (known) known[card.at] = name;
  return name;
}

/**
 * Return the heads of columns: all values of the first, and within each those of the next.
 * @param {Card[]} own
 * @param {Dimension[]} columns
 */
function headsOf(own, columns) {
  const ranks = columns.map((one) => {
    const values = new Map();
    for (const card of [...own].sort((a, b) => a.at - b.at)) if (!values.has(one.of(card))) values.set(one.of(card), values.size);
    return values;
  });
  const first = new Map(own.map((card) => [headOf(card, columns), card]));
  return [...first].sort(([, a], [, b]) => {
    for (let at = 0; at < columns.length; at += 1) {
      const rank = ranks[at].get(columns[at].of(a)) - ranks[at].get(columns[at].of(b));
      if (rank) return rank;
    }
    return 0;
  }).map(([name, card]) => ({ name, parts: columns.map((one) => one.of(card)) }));
}

/** Return the shape that suits most pictures, width over height. @param {Card[]} own */
function ratioOf(own) {
  const found = [];
  for (const { asset } of own.slice(0, 2000)) {
    const drawn = asset.width && asset.height ? null : picture(asset.picture ?? asset.still);
    const width = asset.width || drawn?.width, height = asset.height || drawn?.height;
    if (width && height) found.push(width / height);
  }
  if (!found.length) return 4 / 3;
  found.sort((a, b) => a - b);
  return Math.min(16 / 9, Math.max(3 / 4, found[found.length >> 1]));
}
