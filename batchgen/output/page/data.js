/** The data of the page: jobs, their cards and their pictures. */
import { byId } from "./dom.js";

/** @type {{head: HeadData, pictures: Record<string, [number, number, number, string]>, jobs: JobData[]}} */
const island = JSON.parse(byId("data").textContent || "{}");
byId("data").remove(); // twenty thousand cards as text would stay in memory a second time

export const head = island.head;
export const jobs = island.jobs;

/** All cards, in the order of the manifest. @type {Card[]} */
export const cards = [];
/** @type {Map<string, Card>} */
export const byKey = new Map();
/** The first card of each job, by the job's number. @type {Map<number, Card>} */
export const byJob = new Map();

for (const job of jobs) {
  job.cards.forEach((asset, place) => {
    const name = job.removed ? `removed~${job.n}` : job.id;
    let key = place ? `${name}~${place + 1}` : name;
    while (byKey.has(key)) key += "~"; // an id may look like a place
    const card = { at: cards.length, key, job, asset, title: job.title ?? job.prompt ?? job.id };
    if (!place) byJob.set(job.n, card);
    byKey.set(key, card);
    cards.push(card);
  });
}

/** Whether any job is the last of a chain. */
export const hasChains = jobs.some((job) => job.strip);

/**
 * Return a picture by its key; nothing where there is none.
 * @param {string | undefined} key
 * @returns {Picture | null}
 */
export function picture(key) {
  if (!key || !Object.hasOwn(island.pictures, key)) return null;
  const [width, height, clear, src] = island.pictures[key];
  const where = src.startsWith("data:") ? src : src ? address(src) : `thumbnails/${key}.webp`;
  return { src: where, width, height, clear: clear === 1 };
}

/** Return the address of a file beside the page. @param {string} path */
export function address(path) {
  return path.split("/").map(encodeURIComponent).join("/");
}

/**
 * Return from where a card's file can be shown; empty where the page was sent without it.
 * @param {AssetData} asset
 */
export function source(asset) {
  if (!asset.path) return "";
  if (!head.alone) return address(asset.path);
  return Object.hasOwn(head.files, asset.path) ? head.files[asset.path] : "";
}

/** Return a model's name without what all have in front. @param {string} model */
export const short = (model) => model.replace(/^model_/, "");

/** @param {string} status */
export const statusWord = (status) => head.words[status] ?? status;
