/** From a state to what is shown, and from what a person does to the next state. */
import { byId, copy, counted, say, shown } from "./dom.js";
import { byJob, byKey, cards, head } from "./data.js";
import { empty, format, parse } from "./fragment.js";
import { prepare, wordsOf } from "./search.js";
import { facets, passing } from "./facets.js";
import { areKept, countMarks, download, mark, undo, undoable, unsaved, whenMarked } from "./marks.js";
import { ordered } from "./order.js";
import { arranged } from "./axes.js";
import { MOST_ON_A_PAGE } from "./layout.js";
import { begin as beginGrid, isPaged, measure, reach, refreshCards, show as showGrid, shownCards, told } from "./grid.js";
import { begin as beginViewer, command, MOST_SIDE_BY_SIDE, refreshViewer, step, view } from "./viewer.js";
import { begin as beginFilters, show as showFilters, showChosen } from "./filters.js";
import { showCosts, showFailures } from "./tables.js";
import { begin as beginArrange, show as showArrange } from "./arrange.js";
import { begin as beginKeys } from "./keys.js";

/** @type {State} */
let state = empty();
/** @type {Card[]} */
let passed = [];
/** @type {Set<string>} */
const picked = new Set();
let isPushed = false; // whether the way back closes the viewer
let filtersDue = 0, chipped = "";
const search = /** @type {HTMLInputElement} */ (byId("search"));

/** What of a state decides which cards are shown, and where. @param {State} one */
const gridOf = (one) => format({ ...one, card: "", view: "", compare: [] });

/**
 * Go to a state, and have the address say so.
 * @param {State} next
 * @param {boolean} isStep whether the way back leads here
 */
function to(next, isStep = false) {
  const text = format(next), url = text ? `#${text}` : location.pathname + location.search;
  if (isStep) history.pushState({ isStep: true }, "", url);
  else history.replaceState(history.state, "", url);
  apply(next);
}

/** @param {State} next */
function apply(next) {
  const isSame = passed.length > 0 && gridOf(next) === gridOf(state);
  state = next;
  if (!isSame) draw();
  view(state.view ? [state.view] : state.compare);
  for (const key of state.compare) if (byKey.has(key)) picked.add(key);
  showPicked();
}

function draw() {
  const words = wordsOf(state.q);
  passed = passing(ordered(state.sort), state, words);
  if (search.value !== state.q && document.activeElement !== search) search.value = state.q;
  byId("shown").textContent = told(passed.length, cards.length);
  byId("nothing").hidden = passed.length > 0;
  const chips = JSON.stringify([state.only, Boolean(state.q)]);
  if (chips !== chipped) showChosen(state);
  showArrange(state);
  if (chips !== chipped) measure();
  chipped = chips;
  lay();
  clearTimeout(filtersDue);
  filtersDue = setTimeout(() => showFilters(state, words), 120);
}

/** Lay out what has passed, a page of it on a phone. */
function lay() {
  const paged = isPaged(passed.length), pages = paged ? Math.ceil(passed.length / MOST_ON_A_PAGE) : 1;
  state.page = Math.min(state.page, pages);
  const from = (state.page - 1) * MOST_ON_A_PAGE;
  const some = paged ? passed.slice(from, from + MOST_ON_A_PAGE) : passed;
  const groups = arranged(some, state);
  showGrid(paged ? groups.map((one) => ({ ...one, count: 0 })) : groups, state.size);
  const pager = byId("pager");
  pager.hidden = !paged;
  if (!paged) return;
  byId("page").textContent = `${shown(from + 1)}–${shown(from + some.length)} of ${shown(passed.length)}`;
  /** @type {HTMLButtonElement} */ (byId("back")).disabled = state.page === 1;
  /** @type {HTMLButtonElement} */ (byId("on")).disabled = state.page === pages;
}

/** @param {number} by */
function turn(by) {
  to({ ...state, page: state.page + by });
  byId("tools").scrollIntoView();
}

/** @param {Card} card */
function open(card) {
  isPushed = true;
  to({ ...state, card: "", view: card.key, compare: [] }, true);
}

/** Show what the viewer wants to show next; nothing closes it. @param {string[]} keys */
function viewing(keys) {
  const last = state.view || state.compare[0];
  if (!keys.length) {
    if (!last) return;
    if (isPushed) {
      isPushed = false;
      history.back();
    } else to({ ...state, view: "", compare: [] });
    view([]);
    bring(last, false);
    return;
  }
  to({ ...state, view: keys.length === 1 ? keys[0] : "", compare: keys.length === 1 ? [] : keys });
}

/**
 * Bring a card into sight, whatever is filtered.
 * @param {string} key
 * @param {boolean} isLit
 */
function bring(key, isLit) {
  const card = byKey.get(key);
  if (!card) return;
  if (!passed.includes(card)) to({ ...state, q: "", only: {}, card: key });
  const page = isPaged(passed.length) ? Math.floor(passed.indexOf(card) / MOST_ON_A_PAGE) + 1 : 1;
  if (page !== state.page) to({ ...state, page });
  reach(key, { isLit });
}

/**
 * @param {Card} card
 * @param {string} wanted
 */
function markCard(card, wanted) {
  if (card.asset.asset) say(`${card.job.id} ${mark([card], wanted) || "not marked"}`);
}

function undoMark() {
  const assets = new Set(undo());
  const found = cards.filter((card) => assets.has(card.asset.asset ?? ""));
  if (found.length) say(`taken back: ${found.map((card) => card.job.id).join(", ")}`);
}

/** @param {Card} card */
function choose(card) {
  if (!picked.delete(card.key)) {
    if (picked.size >= MOST_SIDE_BY_SIDE) {
      say(`no more than ${MOST_SIDE_BY_SIDE} cards are shown side by side`);
      byId("tray").classList.add("full");
      return;
    }
    picked.add(card.key);
  }
  showPicked();
  say(`${counted(picked.size, "card")} chosen to compare`);
}

function compare() {
  if (picked.size < 2) return;
  isPushed = true;
  to({ ...state, card: "", view: "", compare: [...picked] }, true);
}

function showPicked() {
  const tray = byId("tray");
  tray.hidden = !picked.size;
  tray.classList.remove("full");
  byId("picked").textContent = picked.size < 2 ? "1 chosen: choose another one" : `${picked.size} chosen, 6 at most`;
  /** @type {HTMLButtonElement} */ (byId("compare")).disabled = picked.size < 2;
  refreshCards();
}

function showMarks() {
  const { kept, rejected } = countMarks(), left = unsaved();
  byId("kept").textContent = shown(kept);
  byId("rejected").textContent = shown(rejected);
  byId("marks").classList.toggle("some", kept + rejected > 0);
  const parts = [left ? `${counted(left, "change")} not in the journal yet.` : "The journal has all of them."];
  if (!areKept()) parts.push("This browser keeps nothing for this page: export them before it is closed.");
  byId("unsaved").textContent = parts.join(" ");
  /** @type {HTMLButtonElement} */ (byId("undo")).disabled = !undoable();
  /** @type {HTMLButtonElement} */ (byId("export")).disabled = !(kept + rejected + left);
  refreshCards();
  refreshViewer();
  if (state.only.mark || [state.group, state.rows, ...state.cols].includes("mark")) draw();
  else {
    clearTimeout(filtersDue);
    filtersDue = setTimeout(() => showFilters(state, wordsOf(state.q)), 300);
  }
}

/** Copy the ids of what is shown, as `--only @FILE` reads them. */
function copyIds() {
  const ids = [...new Set(passed.filter((card) => !card.job.removed).map((card) => card.job.id))];
  void copy(ids.join("\n"), byId("ids"));
}

function read() {
  const next = parse(location.hash);
  if (next.card.startsWith("#")) next.card = byJob.get(Number(next.card.slice(1)))?.key ?? "";
  next.only = byName(next.only);
  isPushed = Boolean(history.state?.isStep && (next.view || next.compare.length));
  apply(next);
  if (state.card) bring(state.card, true);
}

/** Take the name of a variable for the variable, where no other filter is called so. @param {State["only"]} only */
function byName(only) {
  const keys = new Set(facets.map((one) => one.key));
  return Object.fromEntries(Object.entries(only).map(([key, values]) => (
    [keys.has(key) || !keys.has(`var.${key}`) ? key : `var.${key}`, values])));
}

function wire() {
  let due = 0;
  search.addEventListener("input", () => {
    clearTimeout(due);
    due = setTimeout(() => to({ ...state, q: search.value, page: 1 }));
  });
  byId("tools").addEventListener("submit", (event) => event.preventDefault());
  byId("reset").addEventListener("click", () => to({ ...state, q: "", only: {}, page: 1 }));
  byId("back").addEventListener("click", () => turn(-1));
  byId("on").addEventListener("click", () => turn(1));
  byId("compare").addEventListener("click", compare);
  byId("unpick").addEventListener("click", () => {
    picked.clear();
    showPicked();
  });
  byId("undo").addEventListener("click", undoMark);
  byId("export").addEventListener("click", download);
  byId("ids").addEventListener("click", copyIds);
  byId("close").addEventListener("click", () => viewing([]));
  byId("previous").addEventListener("click", () => step(-1));
  byId("next").addEventListener("click", () => step(1));
  byId("keys").addEventListener("click", () => /** @type {HTMLDialogElement} */ (byId("help")).showModal());
  byId("filter").addEventListener("click", () => side(!document.body.classList.contains("filtering")));
  byId("done").addEventListener("click", () => side(false));
  for (const menu of document.querySelectorAll("details.menu")) {
    addEventListener("pointerdown", (event) => {
      if (menu instanceof HTMLDetailsElement && event.target instanceof Node && !menu.contains(event.target)) menu.open = false;
    });
  }
  addEventListener("hashchange", read);
  addEventListener("popstate", read);
  let width = innerWidth;
  addEventListener("resize", () => {
    if (innerWidth === width) return; // a phone's bar comes and goes
    width = innerWidth;
    const top = shownCards().find((card) => document.querySelector(`[data-key="${CSS.escape(card.key)}"]`));
    measure();
    lay();
    if (top && scrollY > innerHeight) reach(top.key, { focus: false });
  });
}

/** Show the filters beside the cards, or over them in a small window. @param {boolean} isOpen */
function side(isOpen) {
  document.body.classList.toggle("filtering", isOpen);
  byId("filter").setAttribute("aria-expanded", String(isOpen));
  if (isOpen) byId("side").focus();
  else byId("filter").focus();
}

/** Close the menus and the filters. */
function shut() {
  for (const menu of document.querySelectorAll("details.menu")) {
    if (!(menu instanceof HTMLDetailsElement) || !menu.open) continue;
    menu.open = false;
    menu.querySelector("summary")?.focus();
  }
  if (document.body.classList.contains("filtering")) side(false);
}

function start() {
  document.body.classList.add("works");
  beginGrid({ open, mark: markCard, choose, isChosen: (card) => picked.has(card.key) });
  beginViewer(() => passed, viewing);
  beginFilters((next) => to(next));
  beginArrange(() => state, (next) => to(next));
  beginKeys({ mark: markCard, choose, undo: undoMark, open, compare, shut });
  wire();
  read();
  whenMarked(showMarks);
  showMarks();
  showCosts();
  showFailures((reason) => to({ ...state, only: { reason: [reason] }, q: "", page: 1 }));
  byId("import").replaceChildren(command(byId("import").textContent?.trim() ?? ""));
  if (head.leftOut) byId("left").hidden = false;
  const idle = () => { if (!prepare(performance.now() + 12)) setTimeout(idle, 20); };
  setTimeout(idle, 300);
}

start();
