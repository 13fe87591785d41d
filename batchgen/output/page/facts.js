/** What is known of a card, as names and values. */
import { short, statusWord } from "./data.js";

/**
 * @param {Card} card
 * @returns {[string, string][]}
 */
export function factsOf({ job, asset }) {
  /** @type {[string, string | undefined][]} */
  const told = [
    ["model", short(job.model)],
    ...Object.entries(job.vars ?? {}),
    ["tags", job.tags?.join(", ")],
    ["status", job.status === "succeeded" ? undefined : statusWord(job.status)],
    ...(job.facts ?? []),
    ["of", job.cards.length > 1 ? `${job.cards.length} assets of this job, which the cost is for` : undefined],
    ["size", asset.width && asset.height ? `${asset.width} × ${asset.height}` : undefined],
    ["length", asset.duration ? `${asset.duration} s` : undefined],
    ["role", asset.type],
    ["file", asset.path ? [asset.mime, asset.size].filter(Boolean).join(", ") : undefined],
    ["asset", asset.asset],
    ["entry", job.entry],
  ];
  return /** @type {[string, string][]} */ (told.filter(([, value]) => value));
}

const SAME = new Set(["job", "asset", "file", "time", "entry", "of", "attempts"]);

/**
 * Return what tells cards apart: names, each with a value for every card.
 * @param {Card[]} some
 * @returns {{name: string, values: string[]}[]}
 */
export function differences(some) {
  const all = some.map((card) => new Map(factsOf(card)));
  const names = [...new Set(all.flatMap((one) => [...one.keys()]))].filter((name) => !SAME.has(name));
  const rows = names.map((name) => ({ name, values: all.map((one) => one.get(name) ?? "–") }));
  const always = new Set(["model", "seed", "cost"]);
  return rows.filter(({ name, values }) => always.has(name) || new Set(values).size > 1);
}
