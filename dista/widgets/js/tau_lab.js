// The tau lab: a current drawn by hand, and the membrane of one neuron under it, as the kernel computes it.

import { el, number, plural, svg } from "./dom.js";
import { LEFT, RIGHT, sizes } from "./predict_sizes.js";

/** @typedef {import("./lesson.js").Model} Model */

const [TALL, TOP, FOOT] = [200, 16, 12];

/**
 * @param {HTMLElement} root
 * @param {Model} model
 */
export function tauLab(root, model) {
  const set = (/** @type {string} */ name, /** @type {any} */ value) => {
    model.set(name, value);
    model.save_changes();
    draw();
  };
  const steps = model.get("current").length;
  const current = sizes(
    {
      kind: "bars",
      labels: Array.from({ length: steps }, (_, step) => `${step + 1}`),
      top: model.get("top"),
      total: null,
      unit: "",
      height: 150,
      start: model.get("current"),
      question: "Input current, a bar a step",
      x_title: "step",
      y_title: "input current: draw it",
    },
    (values) => set("current", values),
  );
  const slide = (/** @type {string} */ name, /** @type {string} */ label, /** @type {Record<string, any>} */ range) => {
    const value = el("output", {});
    const props = { type: "range", ...range, "aria-label": label };
    const input = el("input", { ...props, oninput: () => set(name, Number(input.value)) });
    const show = () => {
      input.value = String(model.get(name));
      value.textContent = number(model.get(name));
    };
    return { node: el("label", { class: "slide" }, el("span", {}, label), input, value), show };
  };
  const sliders = [
    slide("tau", "time constant tau", { min: 1, max: 12, step: 0.1 }),
    slide("threshold", "threshold", { min: 0.2, max: 2.5, step: 0.05 }),
  ];
  const resets = ["hard", "soft"].map((kind) =>
    el("button", { type: "button", class: "choice", onclick: () => set("reset", kind) }, `${kind} reset`),
  );
  const chart = svg("svg", { class: "trace", role: "img" });
  const said = el("p", { class: "readout", role: "status" });
  root.append(
    el(
      "section",
      { class: "panel", "aria-label": "Tau lab" },
      el("div", { class: "levers" }, ...sliders.map(({ node }) => node), el("div", { class: "choices" }, ...resets)),
      said,
      chart,
      current.node,
    ),
  );

  function draw() {
    for (const { show } of sliders) show();
    resets.forEach((button) => {
      button.setAttribute("aria-pressed", String(button.textContent === `${model.get("reset")} reset`));
    });
    current.draw(model.get("current"), null);
    const { h, v, spikes, half_life } = model.get("drawn");
    if (!h) return;
    const forgets =
      model.get("tau") > 1
        ? `half of the potential leaks away in ${plural(Number(half_life.toFixed(1)), "step")}`
        : "nothing of the past stays";
    said.textContent = `${plural(spikes.length, "spike")}; ${forgets}.`;
    const width = Math.max(240, current.node.clientWidth);
    chart.setAttribute("viewBox", `0 0 ${width} ${TALL}`);
    chart.setAttribute("width", `${width}`);
    chart.setAttribute("height", `${TALL}`);
    chart.setAttribute("aria-label", `Membrane potential; ${said.textContent}`);
    chart.replaceChildren(...membrane(h, v, spikes, model.get("threshold"), width));
  }
  for (const name of ["current", "tau", "threshold", "reset", "drawn"]) model.on(`change:${name}`, draw);
  return { draw };
}

/**
 * The membrane from v of the step before to h, the drop to v where it fires, the threshold and the spikes.
 * @param {number[]} h
 * @param {number[]} v
 * @param {number[]} spikes
 * @param {number} threshold
 * @param {number} width
 */
function membrane(h, v, spikes, threshold, width) {
  const high = Math.max(1.25 * threshold, ...h);
  const low = Math.min(0, ...v);
  const band = (width - LEFT - RIGHT) / h.length;
  const x = (/** @type {number} */ step) => LEFT + (step + 0.5) * band;
  const y = (/** @type {number} */ value) => TOP + (TALL - TOP - FOOT) * (1 - (value - low) / (high - low));
  const points = h.flatMap((value, step) => [`${x(step)},${y(value)}`, `${x(step)},${y(v[step])}`]);
  const level = (/** @type {number} */ value, /** @type {string} */ name) => [
    svg("line", { class: name, x1: LEFT, x2: width - RIGHT, y1: y(value), y2: y(value) }),
    svg("text", { class: "tick end", x: LEFT - 6, y: y(value) + 4 }, number(value)),
  ];
  return [
    ...level(0, "axis"),
    ...level(threshold, "threshold"),
    svg("text", { class: "halo end", x: width - RIGHT, y: y(threshold) - 5 }, "threshold"),
    svg("text", { x: 2, y: 11 }, "membrane potential"),
    svg("polyline", { class: "you", points: [`${LEFT},${y(0)}`, ...points].join(" ") }),
    ...spikes.map((step) => svg("circle", { class: "spike", cx: x(step), cy: y(h[step]), r: 4 })),
  ];
}
