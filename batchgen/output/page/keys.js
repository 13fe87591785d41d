/** The keys. */
import { byId, isTyping } from "./dom.js";
import { focusedCard, go } from "./grid.js";
import { activeCard, close, pick, step, viewed } from "./viewer.js";
import { reset, zoom } from "./zoom.js";

/**
 * @typedef {object} Deeds
 * @property {(card: Card, mark: string) => void} mark
 * @property {(card: Card) => void} choose
 * @property {() => void} undo
 * @property {(card: Card) => void} open
 * @property {() => void} compare
 * @property {() => void} shut closes what is open over the cards
 */

const WAYS = /** @type {const} */ ({ ArrowLeft: "left", ArrowRight: "right", ArrowUp: "up", ArrowDown: "down", Home: "first", End: "last" });

/** @param {Deeds} deeds */
export function begin(deeds) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (isTyping(event.target)) {
      if (event.key === "Escape" && event.target instanceof HTMLElement && viewed().length) {
        event.preventDefault();
        event.target.blur();
      } else if (event.key === "Escape" && event.target instanceof HTMLSelectElement) deeds.shut();
      return;
    }
    const isDone = viewed().length ? inViewer(event, deeds) : inGrid(event, deeds);
    if (isDone) event.preventDefault();
  });
}

/**
 * @param {KeyboardEvent} event
 * @param {Deeds} deeds
 */
function marking(event, deeds) {
  const card = viewed().length ? activeCard() : focusedCard(), key = event.key.toLowerCase();
  if (key === "u") deeds.undo();
  else if (card && key === "k") deeds.mark(card, "kept");
  else if (card && key === "r") deeds.mark(card, "rejected");
  else return false;
  return true;
}

/**
 * @param {KeyboardEvent} event
 * @param {Deeds} deeds
 */
function inViewer(event, deeds) {
  const isMedia = event.target instanceof HTMLMediaElement;
  if (event.key === "Escape") close();
  else if (event.key === "ArrowLeft" && !isMedia) step(-1);
  else if (event.key === "ArrowRight" && !isMedia) step(1);
  else if (event.key === "+" || event.key === "=") zoom(1.4);
  else if (event.key === "-") zoom(1 / 1.4);
  else if (event.key === "0") reset();
  else if (event.key >= "1" && event.key <= "6") pick(Number(event.key));
  else if (event.key === "n") document.querySelector(/** @type {"textarea"} */ (".note"))?.focus();
  else return marking(event, deeds);
  return true;
}

/**
 * @param {KeyboardEvent} event
 * @param {Deeds} deeds
 */
function inGrid(event, deeds) {
  const card = focusedCard();
  if (event.key === "Escape") deeds.shut();
  else if (event.key === "/") byId("search").focus();
  else if (event.key === "?") /** @type {HTMLDialogElement} */ (byId("help")).showModal();
  else if (card && Object.hasOwn(WAYS, event.key)) go(card, WAYS[/** @type {keyof WAYS} */ (event.key)]);
  else if (card && event.key === "Enter" && event.target instanceof HTMLElement && event.target.matches(".card")) deeds.open(card);
  else if (card && (event.key === "c" || (event.key === " " && event.target instanceof HTMLElement && event.target.matches(".card")))) deeds.choose(card);
  else if (event.key === "v") deeds.compare();
  else return marking(event, deeds);
  return true;
}
