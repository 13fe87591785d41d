/** The grid: of twenty thousand cards only those are elements that can be seen, or nearly. */
import { byId, counted, foreign, make, shown } from "./dom.js";
import { byKey } from "./data.js";
import { cardOf, refresh } from "./cards.js";
import { laidOut, MOST_ON_A_PAGE } from "./layout.js";

const MOST_LINES = 400; // that are made, also to be printed
const AHEAD = 700; // pixels beyond the window that are made before they are seen

const place = byId("cards"), heads = byId("heads");
/** @type {Line[]} */
let lines = [];
/** @type {Cell[]} */
let cells = [];
/** @type {Map<string, {line: number, at: number}>} */
let places = new Map();
/** @type {Map<number, HTMLElement>} */
const made = new Map();
/** @type {import("./cards.js").Acts} */
let acts;
let current = "";
let frame = { width: 0, size: "", isSmall: false };
let due = 0;
let headsOf = -1;
let wide = 0, covered = 0;

/** @param {import("./cards.js").Acts} given */
export function begin(given) {
  acts = given;
  addEventListener("scroll", later, { passive: true });
  place.addEventListener("focusin", (event) => {
    const card = event.target instanceof Element ? event.target.closest(".card") : null;
    if (card instanceof HTMLElement) choose(card.dataset.key ?? "");
  });
  addEventListener("beforeprint", () => render(Infinity));
}

/** @param {string} size */
function frameOf(size) {
  return { width: wide, size: size || (innerWidth > 1700 ? "l" : "m"), isSmall: wide < 560 };
}

/** Return whether so many cards are shown a page at a time. @param {number} count */
export const isPaged = (count) => innerWidth < 620 && count > MOST_ON_A_PAGE;

/**
 * Show groups of cards.
 * @param {Group[]} groups
 * @param {string} size
 */
export function show(groups, size) {
  frame = frameOf(size);
  const laid = laidOut(groups, frame);
  lines = laid.lines;
  cells = lines.flatMap((line) => line.cells);
  places = new Map();
  let at = 0;
  lines.forEach((line, number) => {
    for (const cell of line.cells) places.set(cell.card.key, { line: number, at: at++ });
  });
  if (!places.has(current)) current = cells[0]?.card.key ?? "";
  for (const one of made.values()) drop(one);
  made.clear();
  headsOf = -1;
  place.style.height = `${laid.height}px`;
  render(0); // what is seen first, and what is near in the next frame
  later();
}

function later() {
  if (!due) due = requestAnimationFrame(() => { due = 0; render(); });
}

/** Make what can be seen, and take away what cannot; the line with the focus stays. @param {number} ahead pixels */
function render(ahead = AHEAD) {
  const top = scrollY - place.offsetTop, bottom = top + innerHeight;
  const first = find(top - ahead), last = Math.min(find(bottom + ahead), first + MOST_LINES);
  const focused = document.activeElement?.closest?.(".card");
  const pinned = focused instanceof HTMLElement ? places.get(focused.dataset.key ?? "")?.line ?? -1 : -1;
  for (const [number, one] of made) {
    if ((number < first || number > last) && number !== pinned) {
      drop(one);
      made.delete(number);
    }
  }
  const fresh = document.createDocumentFragment();
  for (let number = first; number <= last && number < lines.length; number += 1) {
    if (!made.has(number)) {
      const one = lineOf(lines[number]);
      made.set(number, one);
      fresh.append(one);
    }
  }
  if (fresh.childNodes.length) place.append(fresh);
  showHeads(top);
}

/** Take a line away, and let go of its pictures now: until the browser tidies up they would weigh hundreds of MB. @param {HTMLElement} line */
function drop(line) {
  for (const one of line.querySelectorAll("img, video")) one.removeAttribute("src");
  line.remove();
}

/** Return the number of the line at a height. @param {number} y */
function find(y) {
  let low = 0, high = lines.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (lines[middle].y <= y) low = middle;
    else high = middle - 1;
  }
  return Math.max(0, low);
}

/** @param {Line} line */
function lineOf(line) {
  const one = make("div", `line line-${line.kind}${line.y ? "" : " first"}`);
  one.style.transform = `translateY(${line.y}px)`;
  if (line.kind === "title") one.append(make("h2", "", foreign("bdi", "", line.text, 200), line.count ? make("span", "fine", counted(line.count, "card")) : null));
  else if (line.kind === "label") one.append(foreign("h3", "", line.text, 200));
  else if (line.kind === "heads") one.append(...line.heads.map(headOf));
  else {
    if (line.text) one.append(rowLabel(line));
    for (const cell of line.cells) {
      const at = places.get(cell.card.key)?.at ?? 0;
      const card = cardOf(cell, line, { place: at, of: cells.length }, acts);
      card.tabIndex = cell.card.key === current ? 0 : -1;
      one.append(card);
    }
  }
  return one;
}

/** @param {Line} line */
function rowLabel(line) {
  const one = foreign("h3", "row-label", line.text, 200);
  one.title = line.text;
  one.style.height = `${line.stage}px`;
  return one;
}

/** @param {Line["heads"][number]} head */
function headOf(head) {
  const one = foreign("span", "head", head.text, 200);
  one.title = head.text;
  one.style.transform = `translate(${head.x}px, ${head.y}px)`;
  one.style.width = `${head.width}px`;
  return one;
}

/** Keep the heads of a table in sight while its rows go by. @param {number} top */
function showHeads(top) {
  const edge = top + covered;
  let wanted = find(edge);
  while (wanted > 0 && lines[wanted].kind !== "heads" && lines[wanted - 1].group === lines[wanted].group) wanted -= 1;
  if (lines[wanted]?.kind !== "heads" || lines[wanted].y >= edge) wanted = -1;
  if (wanted === headsOf) return;
  headsOf = wanted;
  heads.replaceChildren(...(wanted < 0 ? [] : lines[wanted].heads.map(headOf)));
  heads.style.height = wanted < 0 ? "" : `${lines[wanted].height}px`;
  heads.hidden = wanted < 0;
}

/** Look at the window: how wide cards may stand, and how much of it the tools cover. It costs a layout. */
export function measure() {
  const tools = byId("tools");
  wide = place.clientWidth;
  covered = getComputedStyle(tools).position === "sticky" ? tools.offsetHeight : 0;
  document.documentElement.style.setProperty("--tools", `${covered}px`);
}

/** @param {string} key */
function choose(key) {
  if (key === current) return;
  elementOf(current)?.setAttribute("tabindex", "-1");
  current = key;
  elementOf(key)?.setAttribute("tabindex", "0");
}

/** @param {string} key */
function elementOf(key) {
  const line = places.get(key)?.line;
  const one = line === undefined ? null : made.get(line);
  return one?.querySelector(`[data-key="${CSS.escape(key)}"]`) ?? null;
}

/** All cards that are shown, in their order. */
export const shownCards = () => cells.map((cell) => cell.card);

/** The card that keys are for: the one with the focus. */
export function focusedCard() {
  const one = document.activeElement?.closest?.(".card");
  return one instanceof HTMLElement ? byKey.get(one.dataset.key ?? "") ?? null : null;
}

/**
 * Bring a card into sight, and give it the focus.
 * @param {string} key
 * @param {{focus?: boolean, isLit?: boolean}} how
 */
export function reach(key, { focus = true, isLit = false } = {}) {
  const found = places.get(key);
  if (!found) return false;
  const line = lines[found.line], above = covered + 48, y = place.offsetTop + line.y;
  if (y < scrollY + above) scrollTo({ top: y - above });
  else if (y + line.height > scrollY + innerHeight) scrollTo({ top: Math.min(y - above, y + line.height - innerHeight + 24) });
  render();
  choose(key);
  const one = elementOf(key);
  if (!(one instanceof HTMLElement)) return false;
  if (focus) one.focus({ preventScroll: true });
  if (isLit) {
    one.classList.add("lit");
    setTimeout(() => one.classList.remove("lit"), 2500);
  }
  return true;
}

/**
 * Go from a card to the next one, or to the one above or below.
 * @param {Card} card
 * @param {"left" | "right" | "up" | "down" | "first" | "last"} way
 */
export function go(card, way) {
  const found = places.get(card.key);
  if (!found) return;
  let to = found.at + { left: -1, right: 1, up: 0, down: 0, first: -Infinity, last: Infinity }[way];
  if (way === "up" || way === "down") {
    const by = way === "up" ? -1 : 1, x = cells[found.at].x;
    let number = found.line + by;
    while (lines[number] && lines[number].kind !== "cards") number += by;
    const near = lines[number]?.cells.toSorted((a, b) => Math.abs(a.x - x) - Math.abs(b.x - x))[0];
    if (!near) return;
    to = places.get(near.card.key)?.at ?? found.at;
  }
  const next = cells[Math.min(cells.length - 1, Math.max(0, to))];
  if (next) reach(next.card.key);
}

/** Show anew what is marked and chosen. */
export function refreshCards() {
  for (const one of place.querySelectorAll(".card")) {
    const card = one instanceof HTMLElement ? byKey.get(one.dataset.key ?? "") : null;
    if (card) refresh(/** @type {HTMLElement} */ (one), card, acts);
  }
}

/** @param {number} count @param {number} of */
export const told = (count, of) => (count === of ? counted(of, "card") : `${shown(count)} of ${counted(of, "card")}`);
