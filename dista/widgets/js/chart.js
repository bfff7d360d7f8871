// The time axis that all charts share: one band a step, the cursor's band, clicks that move it.

import { svg, inside } from "./dom.js";

/**
 * Geometry of a chart: one band a step between left and right; y runs from `low` up to `high`.
 * @param {number} width
 * @param {number} height
 * @param {number} steps
 * @param {{ left?: number, right?: number, top?: number, bottom?: number, low?: number, high?: number }} look
 */
export function chart(width, height, steps, { left = 34, right = 10, top = 10, bottom = 22, low = 0, high = 1 } = {}) {
  const band = (width - left - right) / steps;
  const span = high - low || 1;
  return {
    width,
    height,
    steps,
    left,
    right,
    top,
    bottom,
    band,
    x: (/** @type {number} */ step) => left + (step + 0.5) * band,
    y: (/** @type {number} */ value) => top + ((high - value) / span) * (height - top - bottom),
    step: (/** @type {number} */ x) => Math.min(steps - 1, Math.max(0, Math.floor((x - left) / band))),
  };
}

/** @typedef {ReturnType<typeof chart>} Plot */

const ROOM = 22; // pixels that the number of a step needs

/**
 * The steps whose numbers are written: as many as fit, the current one in any case and none that it would touch.
 * @param {{ steps: number, band: number }} plot
 * @param {number} step
 */
export function numbered({ steps, band }, step) {
  const every = Math.ceil(ROOM / band);
  const all = Array.from({ length: steps }, (_, i) => i);
  return all.filter((i) => i === step || (i % every === 0 && Math.abs(i - step) >= every));
}

/**
 * The cursor's band and the step numbers.
 * @param {Plot} plot
 * @param {number} step
 */
export function timeAxis(plot, step) {
  return [
    svg("rect", {
      x: plot.left + step * plot.band,
      y: plot.top - 6,
      width: plot.band,
      height: plot.height - plot.top - plot.bottom + 12,
      class: "cursor",
    }),
    ...numbered(plot, step).map((i) =>
      svg(
        "text",
        { x: plot.x(i), y: plot.height - 6, class: i === step ? "tick middle current" : "tick middle" },
        i + 1,
      ),
    ),
  ];
}

/**
 * A chart over time on which a click moves the cursor; `show` draws it anew.
 * @param {import("./state.js").Store} store
 */
export function timeChart(store) {
  const node = svg("svg", { class: "chart", role: "img" });
  /** @type {Plot | null} */
  let plot = null;
  node.addEventListener("click", (event) => {
    if (plot) store.set({ step: plot.step(inside(event)[0]) });
  });
  const show = (/** @type {Plot} */ now, /** @type {string} */ label, /** @type {any[]} */ children) => {
    plot = now;
    node.setAttribute("width", String(now.width));
    node.setAttribute("height", String(now.height));
    node.setAttribute("aria-label", label);
    node.replaceChildren(...children.flat(2).filter(Boolean));
  };
  return { node, show };
}

/**
 * @param {number[][]} points
 * @param {Record<string, any>} props
 */
export const path = (points, props) =>
  svg("path", { d: `M${points.map((point) => point.map((v) => v.toFixed(1)).join(" ")).join("L")}`, ...props });
