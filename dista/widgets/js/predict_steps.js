// Mark steps: a button a step, below the current that flows in; the run's steps appear as a second row.

import { el, svg } from "./dom.js";
import { legend } from "./legend.js";

const HEIGHT = 70;

/**
 * @param {{ steps: number, labels: string[], current: number[] | null }} spec
 * @param {(values: number[]) => void} tell
 */
export function steps(spec, tell) {
  /** @type {number[]} */
  let marked = [];
  let locked = false;
  const flip = (/** @type {number} */ step) => {
    if (locked) return;
    tell(marked.includes(step) ? marked.filter((other) => other !== step) : [...marked, step].sort((a, b) => a - b));
  };
  const move = (/** @type {KeyboardEvent} */ event, /** @type {number} */ step) => {
    const way = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!way) return;
    event.preventDefault();
    buttons[Math.min(spec.steps - 1, Math.max(0, step + way))].focus();
  };
  const buttons = spec.labels.map((label, step) =>
    el(
      "button",
      {
        type: "button",
        class: "mark",
        "aria-label": `step ${label}`,
        onclick: () => flip(step),
        onkeydown: (/** @type {KeyboardEvent} */ event) => move(event, step),
      },
      el("span", {}, label),
    ),
  );
  const run = spec.labels.map(() => el("i", { class: "hit" }));
  const columns = `grid-template-columns: repeat(${spec.steps}, minmax(0, 1fr))`;
  const rows = [
    el("div", { class: "marks", role: "group", "aria-label": "Your steps", style: columns }, ...buttons),
    el("div", { class: "hits", style: columns }, ...run),
  ];
  const key = legend("you", "the run");
  const drawn = spec.current ? [currents(spec.current)] : [];
  const node = el("div", {}, ...drawn, ...rows, key.node);

  return {
    node,
    /** @param {number[]} values @param {number[] | null} truth */
    draw(values, truth) {
      marked = values ?? [];
      locked = truth !== null;
      buttons.forEach((button, step) => {
        button.setAttribute("aria-pressed", String(marked.includes(step)));
        button.toggleAttribute("aria-disabled", locked);
      });
      run.forEach((cell, step) => {
        cell.classList.toggle("spike", truth?.includes(step) ?? false);
      });
      rows[1].hidden = !truth;
      key.show(locked);
    },
  };
}

/**
 * The input current, a bar a step.
 * @param {number[]} values
 */
function currents(values) {
  const largest = Math.max(...values.map(Math.abs), 1e-9);
  const low = Math.min(0, ...values);
  const zero = HEIGHT * (largest / (largest - low));
  const bars = values.map((value, step) => {
    const tall = (Math.abs(value) / (largest - low)) * HEIGHT;
    const props = { x: step + 0.25, y: value < 0 ? zero : zero - tall, width: 0.5, height: tall, class: "flow" };
    return svg("rect", props, svg("title", {}, String(Math.round(value * 100) / 100)));
  });
  const words = `Input current by step: ${values.map((value) => Math.round(value * 100) / 100).join(", ")}`;
  const props = { viewBox: `0 0 ${values.length} ${HEIGHT}`, preserveAspectRatio: "none", height: HEIGHT };
  const chart = svg("svg", { ...props, width: "100%", role: "img", "aria-label": words }, ...bars);
  return el("figure", { class: "flows" }, el("figcaption", {}, `input current, at most ${largest.toFixed(2)}`), chart);
}
