// Choose one of several, as radio buttons.

import { el } from "./dom.js";

let groups = 0;

/**
 * @param {{ options: string[], question: string }} spec
 * @param {(value: string) => void} tell
 */
export function choice(spec, tell) {
  groups += 1;
  const inputs = spec.options.map((option) =>
    el("input", { type: "radio", name: `dista-choice-${groups}`, value: option, onchange: () => tell(option) }),
  );
  const labels = spec.options.map((option, index) =>
    el("label", { class: "option" }, inputs[index], el("span", {}, option)),
  );
  const node = el("div", { role: "radiogroup", "aria-label": spec.question }, ...labels);
  return {
    node,
    ready: (/** @type {any} */ value) => value !== null,
    /** @param {string | null} value @param {string | null} truth */
    draw(value, truth) {
      spec.options.forEach((option, index) => {
        inputs[index].checked = option === value;
        inputs[index].disabled = truth !== null;
        labels[index].classList.toggle("is-run", option === truth);
      });
    },
  };
}
