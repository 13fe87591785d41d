/** The steps of a chain before its last job, small on the card and with all that is known in the viewer. */
import { counted, foreign, make, sign } from "./dom.js";
import { byJob, picture, statusWord } from "./data.js";

const SIGNS = { mesh: "mesh", audio: "sound", video: "film" };
const MOST_SMALL = 5;

/** @param {StepData} step */
function seen(step) {
  const drawn = picture(step.preview);
  if (drawn) {
    const one = make("img", drawn.clear ? "clear" : "");
    one.alt = "";
    one.decoding = "async";
    one.src = drawn.src;
    return one;
  }
  if (step.asset_id) return sign(SIGNS[/** @type {keyof SIGNS} */ (step.shape)] ?? "file");
  return make("span", "lack");
}

/**
 * @param {StepData} step
 * @param {boolean} isSmall
 */
function stepOf(step, isSmall) {
  const to = step.card === null ? undefined : byJob.get(step.card);
  const one = make(to ? "a" : "span", `step is-${step.status}`, seen(step));
  if (to && one instanceof HTMLAnchorElement) one.href = `#${new URLSearchParams({ card: to.key })}`;
  const said = [step.id, statusWord(step.status), step.cost, step.time, step.error].filter(Boolean);
  if (isSmall) {
    one.setAttribute("aria-label", said.join(", "));
    one.setAttribute("title", said.join("\n").slice(0, 600));
    if (one instanceof HTMLAnchorElement) one.tabIndex = -1;
    else one.setAttribute("role", "img");
    return one;
  }
  const label = make("span", "label", foreign("b", "", step.id));
  if (step.status !== "succeeded") label.append(make("em", "", statusWord(step.status)));
  for (const text of [step.cost, step.time]) if (text) label.append(make("span", "", text));
  if (step.error) label.append(foreign("q", "", step.error));
  one.append(label);
  return one;
}

/**
 * @param {JobData} job
 * @param {boolean} isSmall
 * @returns {HTMLElement | null}
 */
export function strip({ id, strip: told }, isSmall) {
  if (!told) return null;
  const steps = isSmall ? told.steps.slice(-MOST_SMALL) : told.steps;
  const list = make("ol", "strip");
  list.setAttribute("aria-label", `Steps before ${id}`);
  const before = told.before + told.steps.length - steps.length;
  if (before) list.append(make("li", "more", `${before} before`));
  for (const { made, more } of steps) {
    const shown = isSmall ? made.slice(0, 2) : made, left = more + made.length - shown.length;
    list.append(make("li", "", ...shown.map((step) => stepOf(step, isSmall)), left ? make("span", "more", `+${left}`) : null));
  }
  if (!isSmall) list.append(make("li", "more", "this one"));
  const cost = told.cost ? `, ${told.cost} in all` : "";
  const text = make("p", "fine", `${counted(told.count, "step")}${cost}`);
  return make("div", isSmall ? "chain" : "chain whole", list, text);
}
