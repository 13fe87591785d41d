/** Where cards stand in a window: lines with their places and heights, worked out and not measured. */

/** @typedef {{width: number, size: string, isSmall: boolean}} Frame */

const GAP = 14;
const SIZES = { s: 132, m: 206, l: 320 };
const LEAST = 118; // of a column, in pixels
const LABEL = 150;
const HEIGHTS = { title: 58, first: 40, head: 24, label: 34, strip: 66 };
/** On a page of a phone: a page of all of them could not be reached by a thumb. */
export const MOST_ON_A_PAGE = 200;

/** @param {Frame} frame */
const spaceOf = (frame) => (frame.isSmall ? 10 : GAP);

/**
 * Return the height of what stands under a picture: in a table signs alone, then a name, then a title too.
 * @param {Frame} frame
 * @param {"signs" | "name" | "title"} what
 */
function captionOf(frame, what) {
  return (frame.isSmall ? { signs: 50, name: 72, title: 108 } : { signs: 42, name: 42, title: 80 })[what];
}

/**
 * Lay groups out, one under the other.
 * @param {Group[]} groups
 * @param {Frame} frame
 * @returns {{lines: Line[], height: number}}
 */
export function laidOut(groups, frame) {
  /** @type {Line[]} */
  const lines = [];
  let y = 0;
  groups.forEach((group, number) => {
    /** @param {Partial<Line> & {kind: Line["kind"], height: number}} line */
    const add = (line) => {
      lines.push({ y, text: "", count: 0, group: number, heads: [], cells: [], width: 0, stage: 0, compact: false, ...line });
      y += line.height;
    };
    if (group.title) add({ kind: "title", height: number ? HEIGHTS.title : HEIGHTS.first, text: group.title, count: group.count });
    const columns = columnsOf(group, frame);
    if (columns) addTable(group, frame, columns, add);
    else for (const row of group.rows) addFlow(group, row, frame, add);
    y += spaceOf(frame);
  });
  return { lines, height: y };
}

/**
 * Return how wide a table's columns are, and how many cards stand side by side in each; nothing where the window
 * has no room for them.
 * @param {Group} group
 * @param {Frame} frame
 * @returns {{spans: number[], width: number, label: number} | null}
 */
function columnsOf(group, frame) {
  if (group.columns.length < 2) return null;
  const label = frame.width >= 860 && isLabelled(group) ? LABEL : 0, gap = spaceOf(frame), usual = flowOf(frame).width;
  const widest = group.columns.map((_, at) => group.rows.reduce((most, row) => Math.max(most, row.cells[at].length), 1));
  const spans = widest.map(() => 1), room = Math.floor((frame.width - label + gap) / (usual + gap));
  for (let count = spans.length; count < room; count += 1) {
    let best = 0;
    widest.forEach((most, at) => { if (most / spans[at] > widest[best] / spans[best]) best = at; });
    if (spans[best] >= widest[best]) break;
    spans[best] += 1;
  }
  const count = spans.reduce((sum, one) => sum + one, 0);
  const width = Math.floor((frame.width - label - gap * (count - 1)) / count);
  return width >= (frame.isSmall ? 140 : LEAST) ? { spans, width: Math.min(width, usual), label } : null;
}

/** Tell whether the rows of a table say more than its title. @param {Group} group */
function isLabelled({ rows, title }) {
  return rows.some((row) => row.label) && !(rows.length === 1 && (rows[0].label === title || !title));
}

/** Return how many cards stand in a line, and how wide each of them is. @param {Frame} frame */
function flowOf(frame) {
  const gap = spaceOf(frame), wanted = SIZES[/** @type {keyof SIZES} */ (frame.size)] ?? SIZES.m;
  const across = frame.isSmall ? 2 : Math.max(1, Math.floor((frame.width + gap) / (wanted + gap)));
  return { across, width: Math.floor((frame.width - gap * (across - 1)) / across) };
}

/**
 * @param {Group} group
 * @param {Frame} frame
 * @param {{spans: number[], width: number, label: number}} columns
 * @param {(line: Partial<Line> & {kind: Line["kind"], height: number}) => void} add
 */
function addTable(group, frame, { spans, width, label }, add) {
  const gap = spaceOf(frame);
  /** @type {number[]} */
  const places = [];
  let x = label;
  for (const span of spans) {
    places.push(x);
    x += span * (width + gap);
  }
  const heads = headsOf(group, places, (at) => places[at] + spans[at] * (width + gap) - gap);
  add({ kind: "heads", height: group.columns[0].length * HEIGHTS.head + 8, heads });
  const stage = Math.round(width / group.ratio), caption = captionOf(frame, "signs");
  for (const row of group.rows) {
    if (!label && row.label && isLabelled(group)) add({ kind: "label", height: HEIGHTS.label, text: row.label });
    const strip = row.cells.some((cell) => cell.some((card) => card.job.strip)) ? HEIGHTS.strip : 0;
    const each = stage + caption + strip;
    const deep = row.cells.reduce((most, cell, at) => Math.max(most, Math.ceil(cell.length / spans[at])), 1);
    for (let level = 0; level < deep; level += 1) {
      const cells = row.cells.flatMap((cell, at) => cell.slice(level * spans[at], (level + 1) * spans[at])
        .map((card, place) => ({ card, x: places[at] + place * (width + gap), variant: cell.length > 1 ? card.job.id : "" })));
      const text = label && !level ? row.label : "";
      add({ kind: "cards", height: each + gap, text, cells, width, stage, compact: true });
    }
  }
}

/**
 * Return the heads of columns, level by level; neighbours with the same words have one head.
 * @param {Group} group
 * @param {number[]} places
 * @param {(at: number) => number} endOf
 */
function headsOf(group, places, endOf) {
  /** @type {Line["heads"]} */
  const heads = [];
  for (let level = 0; level < group.columns[0].length; level += 1) {
    let before = "";
    group.columns.forEach((parts, at) => {
      const path = JSON.stringify(parts.slice(0, level + 1)), last = heads.at(-1);
      if (path === before && last) last.width = endOf(at) - last.x;
      else heads.push({ text: parts[level], x: places[at], y: level * HEIGHTS.head, width: endOf(at) - places[at] });
      before = path;
    });
  }
  return heads;
}

/**
 * @param {Group} group
 * @param {Group["rows"][number]} row
 * @param {Frame} frame
 * @param {(line: Partial<Line> & {kind: Line["kind"], height: number}) => void} add
 */
function addFlow(group, row, frame, add) {
  const gap = spaceOf(frame), { across, width } = flowOf(frame);
  const stage = Math.round(width / group.ratio);
  const all = row.cells.flatMap((cell, at) => cell.map((card) => ({ card, variant: group.columns[at]?.join(" · ") ?? "" })));
  if (row.label && all.length && isLabelled(group)) add({ kind: "label", height: HEIGHTS.label, text: row.label });
  const isCompact = Boolean(row.label);
  for (let from = 0; from < all.length; from += across) {
    const some = all.slice(from, from + across);
    const strip = some.some(({ card }) => card.job.strip) ? HEIGHTS.strip : 0;
    const cells = some.map((one, at) => ({ ...one, x: at * (width + gap) }));
    add({ kind: "cards", height: stage + captionOf(frame, isCompact ? "name" : "title") + strip + gap, cells, width, stage, compact: isCompact });
  }
}
