/** Elements, texts and numbers. All that comes from the data goes in as text, never as HTML. */

/**
 * Make an element with a class and with children; a text child is text.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {string} names
 * @param {(Node | string | null | undefined)[]} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function make(tag, names = "", ...children) {
  const one = document.createElement(tag);
  if (names) one.className = names;
  for (const child of children) if (child) one.append(child);
  return one;
}

/**
 * @param {string} id
 * @returns {HTMLElement}
 */
export function byId(id) {
  const one = document.getElementById(id);
  if (!one) throw new Error(`the page lacks ${id}`);
  return one;
}

/**
 * Make a button; its label is what a screen reader says.
 * @param {string} names
 * @param {string | Node} content
 * @param {string} label
 * @param {() => void} act
 */
export function button(names, content, label, act) {
  const one = make("button", names, content);
  one.type = "button";
  if (label) {
    one.setAttribute("aria-label", label);
    one.title = label;
  }
  one.addEventListener("click", act);
  return one;
}

/**
 * Make one of the signs that the page has.
 * @param {string} name
 */
export function sign(name) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg"), use = document.createElementNS(space, "use");
  svg.setAttribute("class", `sign sign-${name}`);
  svg.setAttribute("viewBox", "0 0 48 48");
  svg.setAttribute("aria-hidden", "true");
  use.setAttribute("href", `#sign-${name}`);
  svg.append(use);
  return svg;
}

/**
 * Make an element whose text has its own direction, and does not turn what stands beside it.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {string} names
 * @param {string} text
 * @param {number} most characters that are shown
 */
export function foreign(tag, names, text, most = Infinity) {
  const one = make(tag, names, text.length > most ? `${text.slice(0, most)}…` : text);
  one.dir = "auto";
  return one;
}

const NUMBERS = new Intl.NumberFormat("en-US");

/** @param {number} value */
export const shown = (value) => NUMBERS.format(value);

/**
 * @param {number} count
 * @param {string} noun
 */
export const counted = (count, noun) => `${shown(count)} ${noun}${count === 1 ? "" : "s"}`;

/** Say something to whoever does not see the page. @param {string} text */
export function say(text) {
  byId("said").textContent = text;
}

/** Tell whether keys are for a field and not for the page. @param {EventTarget | null} target */
export function isTyping(target) {
  return target instanceof HTMLElement && Boolean(target.closest("input:not([type=checkbox]), select, textarea"));
}

/**
 * Put a text on the clipboard, where the browser lets us, and say so.
 * @param {string} text
 * @param {HTMLElement} place
 */
export async function copy(text, place) {
  const label = place.textContent;
  try {
    await navigator.clipboard.writeText(text);
    place.textContent = "copied";
  } catch {
    const range = document.createRange(), beside = place.previousElementSibling;
    if (beside) range.selectNodeContents(beside);
    getSelection()?.removeAllRanges();
    getSelection()?.addRange(range);
    place.textContent = "press Ctrl+C";
  }
  setTimeout(() => { place.textContent = label; }, 2000);
}
