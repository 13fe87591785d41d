/** What is seen of a card: a picture, a film, a sound, a mesh, a text, a file, or why there is nothing. */
import { foreign, make, sign } from "./dom.js";
import { address, head, picture, source, statusWord } from "./data.js";

const SIGNS = { mesh: "mesh", audio: "sound", video: "film" };
const NAMES = { mesh: "3D model", audio: "Sound", video: "Film", text: "Text", file: "File" };

/**
 * @param {Picture} drawn
 * @param {string} title
 */
function image(drawn, title) {
  const one = make("img", drawn.clear ? "clear" : "");
  one.alt = title.slice(0, 300);
  one.decoding = "async";
  one.draggable = false;
  if (drawn.width) {
    one.width = drawn.width;
    one.height = drawn.height;
  }
  one.src = drawn.src;
  return one;
}

/**
 * Return what a card shows of itself in the grid.
 * @param {Card} card
 * @returns {Node[]}
 */
export function small({ job, asset, title }) {
  const drawn = picture(asset.picture) ?? picture(asset.still);
  const name = NAMES[/** @type {keyof NAMES} */ (asset.shape)] ?? "";
  if (asset.trouble) return [make("p", "why", asset.trouble)];
  if (asset.shape === "absent") return absent(job, asset);
  if (asset.shape === "text") return [foreign("pre", "words", asset.excerpt ?? "", 400)];
  if (drawn) {
    const kind = SIGNS[/** @type {keyof SIGNS} */ (asset.shape)];
    return [image(drawn, title), ...(kind ? [make("span", "kind", sign(kind), name)] : [])];
  }
  if (asset.shape === "video" && source(asset)) return [film(asset, title, false), make("span", "kind", sign("film"), name)];
  const kind = SIGNS[/** @type {keyof SIGNS} */ (asset.shape)] ?? "file";
  return [sign(kind), make("p", "what", [name, asset.size].filter(Boolean).join(", "))];
}

/**
 * @param {JobData} job
 * @param {AssetData} asset
 * @returns {Node[]}
 */
function absent(job, asset) {
  if (job.status === "succeeded") return [make("p", "verdict soft", "not downloaded"), make("p", "what", asset.asset ?? "")];
  const said = [make("p", "verdict", statusWord(job.status))];
  if (job.error) said.push(foreign("p", "why", job.error, 300));
  return said;
}

/**
 * @param {AssetData} asset
 * @param {string} title
 * @param {boolean} hasControls
 */
function film(asset, title, hasControls) {
  const one = make("video", ""), still = picture(asset.still);
  one.preload = still && !hasControls ? "none" : "metadata";
  one.playsInline = true;
  one.loop = true;
  one.muted = !hasControls;
  one.controls = hasControls;
  one.setAttribute("aria-label", title.slice(0, 300));
  if (still) one.poster = still.src;
  one.src = source(asset);
  return one;
}

/** Return whether what is seen of a card can be made larger. @param {Card} card */
export const canZoom = ({ asset }) => asset.shape === "picture" && !asset.trouble;

/**
 * Return what the viewer shows of a card.
 * @param {Card} card
 * @returns {HTMLElement}
 */
export function large(card) {
  const { asset, title } = card, drawn = picture(asset.picture ?? asset.still), file = source(asset);
  if (canZoom(card) && drawn) {
    const one = image(drawn, title);
    if (file) one.src = file; // whole, where the page lies beside its files
    return one;
  }
  if (asset.shape === "video" && file) return film(asset, title, true);
  if (asset.shape === "audio" && file) return sound(asset, title, file);
  if (asset.shape === "text") return foreign("pre", "words", asset.excerpt ?? "");
  const box = make("div", `nothing-large is-${card.job.status}`, ...small(card));
  if (asset.path && head.alone) box.append(make("p", "what", "This page was sent without this file."));
  else if (asset.path) box.append(link(asset.path, "open the file"));
  return box;
}

/**
 * @param {AssetData} asset
 * @param {string} title
 * @param {string} file
 */
function sound(asset, title, file) {
  const one = make("audio");
  one.controls = true;
  one.preload = "metadata";
  one.setAttribute("aria-label", title.slice(0, 300));
  one.src = file;
  return make("div", "nothing-large", sign("sound"), one, make("p", "what", [asset.mime, asset.size].filter(Boolean).join(", ")));
}

/**
 * Make a link to a file; of a page that was sent without its files it leads nowhere.
 * @param {string} path
 * @param {string} text
 */
export function link(path, text) {
  if (head.alone) return make("span", "", text);
  const one = make("a", "", text);
  one.href = address(path);
  return one;
}
