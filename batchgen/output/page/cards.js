/** A card in the grid: what came out, what it is called, and its mark. */
import { button, foreign, make, sign } from "./dom.js";
import { short, statusWord } from "./data.js";
import { markOf } from "./marks.js";
import { small } from "./media.js";
import { strip } from "./strips.js";

/**
 * @typedef {object} Acts
 * @property {(card: Card) => void} open
 * @property {(card: Card, mark: string) => void} mark
 * @property {(card: Card) => void} choose
 * @property {(card: Card) => boolean} isChosen
 */

/**
 * @param {Cell} cell
 * @param {Line} line
 * @param {{place: number, of: number}} among
 * @param {Acts} acts
 */
export function cardOf(cell, line, among, acts) {
  const { card } = cell, { job, asset } = card;
  const one = make("article", `card ${asset.shape} is-${job.status}`);
  one.dataset.key = card.key;
  one.style.width = `${line.width}px`;
  one.style.transform = `translateX(${cell.x}px)`;
  one.setAttribute("aria-posinset", String(among.place + 1));
  one.setAttribute("aria-setsize", String(among.of));
  const stage = button("stage", "", "", () => acts.open(card));
  stage.append(...small(card));
  stage.style.height = `${line.stage}px`;
  stage.tabIndex = -1;
  stage.setAttribute("aria-label", `Open ${job.id}`);
  one.append(stage, badge(), captionOf(cell, line, acts), strip(job, true) ?? "");
  refresh(one, card, acts);
  return one;
}

/** The sign of a mark on the picture. */
function badge() {
  const one = make("span", "badge", sign("kept"), sign("rejected"));
  one.setAttribute("aria-hidden", "true");
  return one;
}

/**
 * @param {Cell} cell
 * @param {Line} line
 * @param {Acts} acts
 */
function captionOf({ card, variant }, line, acts) {
  const { job, asset } = card, caption = make("div", "caption");
  const words = line.compact ? variant : job.id, name = words ? foreign("span", "name", words, 120) : null;
  if (name) name.title = `${job.id}\n${short(job.model)}`;
  const isDone = job.status === "succeeded";
  const dot = isDone && !job.redo ? null : make("i", "dot");
  if (dot) dot.title = job.redo ? "a redo is under way" : statusWord(job.status);
  const told = make("p", "told", dot, name, job.removed ? make("span", "gone", "removed") : null);
  const deeds = make("div", "acts");
  if (asset.asset) {
    deeds.append(
      toggle("keep", sign("kept"), `Keep ${job.id}`, () => acts.mark(card, "kept")),
      toggle("reject", sign("rejected"), `Reject ${job.id}`, () => acts.mark(card, "rejected")),
    );
  }
  deeds.append(toggle("pick", sign("compare"), `Choose ${job.id} to compare`, () => acts.choose(card)));
  caption.append(make("div", "foot", told, deeds));
  if (!line.compact && card.title !== job.id) {
    const title = foreign("h3", "title", card.title, 300);
    title.title = card.title.slice(0, 1000);
    caption.append(title);
  }
  return caption;
}

/**
 * @param {string} names
 * @param {Node} content
 * @param {string} label
 * @param {() => void} act
 */
function toggle(names, content, label, act) {
  const one = button(`act ${names}`, content, label, act);
  one.tabIndex = -1;
  return one;
}

/**
 * Show a card's mark and whether it is chosen.
 * @param {HTMLElement} one
 * @param {Card} card
 * @param {Acts} acts
 */
export function refresh(one, card, acts) {
  const mark = markOf(card), isChosen = acts.isChosen(card);
  one.dataset.mark = mark;
  one.classList.toggle("chosen", isChosen);
  one.querySelector(".keep")?.setAttribute("aria-pressed", String(mark === "kept"));
  one.querySelector(".reject")?.setAttribute("aria-pressed", String(mark === "rejected"));
  one.querySelector(".pick")?.setAttribute("aria-pressed", String(isChosen));
  const said = [card.title.slice(0, 200), card.job.id, short(card.job.model), statusWord(card.job.status), mark, isChosen ? "chosen" : ""];
  one.setAttribute("aria-label", said.filter(Boolean).join(", "));
}
