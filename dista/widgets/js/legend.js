// The legend of a prediction.

import { el } from "./dom.js";

/**
 * What the colours mean, the truth's only once it is shown.
 * @param {string} mine
 * @param {string} theirs
 */
export function legend(mine, theirs) {
  const run = el("span", {}, el("i", { class: "swatch run" }), theirs);
  const node = el("p", { class: "legend" }, el("span", {}, el("i", { class: "swatch you" }), mine), run);
  return { node, show: (/** @type {boolean} */ revealed) => Object.assign(run, { hidden: !revealed }) };
}
