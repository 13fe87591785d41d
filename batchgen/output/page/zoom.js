/** Zoom and pan, the same for all pictures that are shown side by side. */

const MOST = 40;

/** @type {{view: HTMLElement, content: HTMLElement}[]} */
let panes = [];
let scale = 1, x = 0, y = 0; // x and y as parts of a pane's size: panes need not be equal
/** @type {Map<number, {x: number, y: number}>} */
const fingers = new Map();

/** Show some pictures whole. @param {{view: HTMLElement, content: HTMLElement}[]} some */
export function zoomOn(some) {
  panes = some;
  for (const { view } of panes) listen(view);
  reset();
}

/** Show everything whole. */
export function reset() {
  scale = 1;
  x = y = 0;
  fingers.clear();
  apply();
}

/** Tell whether anything is larger than the window has it. */
export const isZoomed = () => scale > 1.001;

/**
 * @param {number} by
 * @param {HTMLElement} [view]
 * @param {{clientX: number, clientY: number}} [at]
 */
export function zoom(by, view = panes[0]?.view, at = undefined) {
  if (!view) return;
  const box = view.getBoundingClientRect();
  const px = at ? (at.clientX - box.left) / box.width - 0.5 : 0, py = at ? (at.clientY - box.top) / box.height - 0.5 : 0;
  const next = Math.min(MOST, Math.max(1, scale * by)), grown = next / scale;
  x = px - (px - x) * grown;
  y = py - (py - y) * grown;
  scale = next;
  apply();
}

function apply() {
  const far = (scale - 1) / 2;
  x = Math.min(far, Math.max(-far, x));
  y = Math.min(far, Math.max(-far, y));
  for (const { view, content } of panes) {
    content.style.transform = scale === 1 ? "" : `translate(${x * 100}%, ${y * 100}%) scale(${scale})`;
    view.classList.toggle("zoomed", isZoomed());
    const drawn = content instanceof HTMLImageElement && content.naturalWidth ? ratio(content) * scale : 0;
    content.classList.toggle("pixels", drawn * devicePixelRatio >= 3);
  }
}

/** Return how many pixels of the window one of a picture has. @param {HTMLImageElement} image */
function ratio(image) {
  return Math.min(image.clientWidth / image.naturalWidth, image.clientHeight / image.naturalHeight);
}

/** @param {HTMLElement} view */
function listen(view) {
  view.addEventListener("wheel", (event) => {
    event.preventDefault();
    zoom(Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.0022)), view, event);
  }, { passive: false });
  view.addEventListener("dblclick", (event) => {
    if (isZoomed()) reset();
    else zoom(Math.max(2, whole(view)), view, event);
  });
  view.addEventListener("pointerdown", (event) => {
    if (event.button || !(event.target instanceof Element) || event.target.closest("button, a, video, audio")) return;
    fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    view.setPointerCapture(event.pointerId);
  });
  view.addEventListener("pointermove", (event) => drag(view, event));
  for (const name of /** @type {const} */ (["pointerup", "pointercancel"])) {
    view.addEventListener(name, (event) => fingers.delete(event.pointerId));
  }
}

/** Return how much larger a picture is when one of its pixels has one of the window. @param {HTMLElement} view */
function whole(view) {
  const content = panes.find((one) => one.view === view)?.content;
  return content instanceof HTMLImageElement && content.naturalWidth ? 1 / ratio(content) : 2;
}

/**
 * @param {HTMLElement} view
 * @param {PointerEvent} event
 */
function drag(view, event) {
  const before = fingers.get(event.pointerId);
  if (!before) return;
  const others = [...fingers].filter(([id]) => id !== event.pointerId).map(([, one]) => one);
  if (others.length) {
    const was = Math.hypot(before.x - others[0].x, before.y - others[0].y);
    const is = Math.hypot(event.clientX - others[0].x, event.clientY - others[0].y);
    const middle = { clientX: (event.clientX + others[0].x) / 2, clientY: (event.clientY + others[0].y) / 2 };
    if (was > 0) zoom(is / was, view, middle);
  }
  x += (event.clientX - before.x) / view.clientWidth / (others.length ? 2 : 1);
  y += (event.clientY - before.y) / view.clientHeight / (others.length ? 2 : 1);
  fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
  apply();
}
