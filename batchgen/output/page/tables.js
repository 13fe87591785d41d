/** What it cost, by whatever one likes, and what failed, by reason. */
import { byId, counted, foreign, make, shown } from "./dom.js";
import { head, jobs, short } from "./data.js";
import { command } from "./viewer.js";

const NAMES = { model: "model", day: "day (UTC)", entry: "entry" };
const MOST_REASONS = 40;

/** @param {string} key */
const nameOf = (key) => NAMES[/** @type {keyof NAMES} */ (key)] ?? key.replace(/^var\./, "");

/** Show the costs. */
export function showCosts() {
  const place = byId("costs"), pick = make("select", ""), keys = Object.keys(head.costs);
  pick.setAttribute("aria-label", "Cost by");
  for (const key of keys) {
    const option = make("option", "", nameOf(key));
    option.value = key;
    pick.append(option);
  }
  const table = make("table", "");
  const draw = () => table.replaceChildren(...costs(pick.value));
  pick.addEventListener("change", draw);
  const label = make("label", "by", "Cost by ", pick);
  place.replaceChildren(keys.length > 1 ? label : "", make("div", "scroll", table));
  draw();
}

/** @param {string} key */
function costs(key) {
  const first = make("tr", "");
  for (const name of [nameOf(key), "jobs", "done", "quoted", "charged", "refunded", "net"]) {
    const cell = make("th", "", name);
    cell.scope = "col";
    first.append(cell);
  }
  const body = make("tbody", "");
  for (const line of head.costs[key] ?? []) {
    const name = foreign("th", "", key === "model" ? short(line.name) : line.name || "without a name", 120);
    name.scope = "row";
    const cells = [line.jobs, line.succeeded, line.quoted || "–", line.charged, line.refunded, line.net];
    body.append(make("tr", "", name, ...cells.map((one) => make("td", "", typeof one === "number" ? shown(one) : one))));
  }
  return [make("thead", "", first), body];
}

/**
 * Show why jobs failed, the most frequent reason first.
 * @param {(reason: string) => void} pick
 */
export function showFailures(pick) {
  const place = document.getElementById("reasons");
  if (!place) return;
  /** @type {Map<string, number>} */
  const found = new Map();
  for (const job of jobs) {
    if (job.error && !job.removed && job.status !== "succeeded") found.set(job.error, (found.get(job.error) ?? 0) + 1);
  }
  const list = make("ul", "");
  for (const [reason, count] of [...found].sort((a, b) => b[1] - a[1]).slice(0, MOST_REASONS)) {
    const one = make("button", "reason", foreign("span", "", reason, 300), make("b", "", counted(count, "job")));
    one.type = "button";
    one.addEventListener("click", () => pick(reason));
    list.append(make("li", "", one));
  }
  place.replaceChildren(list, ...(place.dataset.again ? [command(head.retry)] : []));
}
