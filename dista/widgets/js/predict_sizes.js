// Bars to drag and a curve to draw: a size for each place, moved with the pointer or, in focus, with arrow keys.

import { el, number, svg } from "./dom.js";
import { legend } from "./legend.js";

export const [LEFT, RIGHT] = [62, 10]; // a tick may be as long as "818.4 µJ"
const FOOT = 40;
const MOVES = { ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1, PageUp: 10, PageDown: -10 };

/**
 * @param {any} spec a curve has x, low, high and shown; bars have labels, top and total; both a height
 * @param {(values: number[]) => void} tell
 */
export function sizes(spec, tell) {
  const isCurve = spec.kind === "curve";
  const TALL = spec.height ?? 230;
  const TOP = spec.y_title ? 30 : 14; // a title stands above the largest tick
  const [low, high] = isCurve ? [spec.low, spec.high] : [0, spec.top];
  /** @type {string[]} */
  const labels = isCurve ? spec.x : spec.labels;
  const total = isCurve ? null : spec.total;
  const unit = (/** @type {number} */ value) =>
    spec.unit === "%" ? `${Math.round(100 * value)} %` : `${number(value)} ${spec.unit}`.trim();
  /** @type {number[]} */
  let values = spec.start;
  let locked = false;
  let width = 480;
  let held = false;

  const band = () => (width - LEFT - RIGHT) / labels.length;
  const across = (/** @type {number} */ index) => LEFT + (index + 0.5) * band();
  const down = (/** @type {number} */ value) => TOP + (TALL - TOP - FOOT) * (1 - (value - low) / (high - low));
  const clip = (/** @type {number} */ value) => Math.min(high, Math.max(low, value));

  const chart = svg("svg", { class: "sizes", role: "group", "aria-label": spec.question });
  const key = legend("you", "the run");
  const node = el("div", {}, chart, key.node);
  /** @type {SVGGElement[]} */
  const grips = labels.map((label, index) =>
    svg("g", {
      class: "grip",
      tabindex: 0,
      role: "slider",
      "aria-label": label,
      "aria-valuemin": low,
      "aria-valuemax": high,
      onkeydown: (/** @type {KeyboardEvent} */ event) => step(event, index),
    }),
  );
  const back = svg("g", { "aria-hidden": true });
  const front = svg("g", { "aria-hidden": true });
  chart.append(back, ...grips, front);

  function change(/** @type {number} */ index, /** @type {number} */ value) {
    const next = [...values];
    next[index] = clip(value);
    tell(total === null ? next : whole(next, index, total));
  }

  function step(/** @type {KeyboardEvent} */ event, /** @type {number} */ index) {
    if (locked) return;
    const ways = /** @type {Record<string, number>} */ (MOVES);
    const ends = /** @type {Record<string, number>} */ ({ Home: low, End: high });
    if (event.key in ways) change(index, values[index] + (ways[event.key] * (high - low)) / 50);
    else if (event.key in ends) change(index, ends[event.key]);
    else return;
    event.preventDefault();
  }

  function drag(/** @type {PointerEvent} */ event) {
    const box = chart.getBoundingClientRect();
    const index = Math.floor((event.clientX - box.left - LEFT) / band());
    const share = 1 - (event.clientY - box.top - TOP) / (TALL - TOP - FOOT);
    change(Math.min(labels.length - 1, Math.max(0, index)), low + share * (high - low));
  }
  chart.addEventListener("pointerdown", (event) => {
    if (locked || event.button) return;
    held = true;
    chart.setPointerCapture(event.pointerId);
    drag(event);
  });
  chart.addEventListener("pointermove", (event) => {
    if (held) drag(event);
  });
  for (const name of ["pointerup", "pointercancel"]) {
    chart.addEventListener(name, () => {
      held = false;
    });
  }

  function axes() {
    const ticks = [low, (low + high) / 2, high].flatMap((value) => [
      svg("line", { class: "axis", x1: LEFT, x2: width - RIGHT, y1: down(value), y2: down(value) }),
      svg("text", { class: "tick end", x: LEFT - 6, y: down(value) + 4 }, unit(value)),
    ]);
    const every = Math.ceil((Math.max(...labels.map((label) => label.length)) * 7 + 6) / band());
    const names = labels.map((label, index) =>
      index % every ? null : svg("text", { class: "middle", x: across(index), y: TALL - FOOT + 16 }, label),
    );
    const title = spec.x_title ? [svg("text", { class: "middle", x: width / 2, y: TALL - 5 }, spec.x_title)] : [];
    const side = spec.y_title ? [svg("text", { x: 2, y: 10 }, spec.y_title)] : [];
    return [...ticks, ...names.filter((name) => name !== null), ...title, ...side];
  }

  const path = (/** @type {number[]} */ sizes) =>
    sizes.map((value, index) => `${index ? "L" : "M"}${across(index)},${down(value)}`).join(" ");

  function curves(/** @type {number[] | null} */ truth) {
    const others = Object.entries(/** @type {Record<string, number[]>} */ (spec.shown)).flatMap(([name, sizes]) => [
      svg("path", { class: "other", d: path(sizes) }),
      svg("text", { class: "halo end", x: width - RIGHT, y: down(sizes[sizes.length - 1]) - 6 }, name),
    ]);
    const run = truth ? [svg("path", { class: "run", d: path(truth) })] : [];
    return [...others, svg("path", { class: "you", d: path(values) }), ...run];
  }

  function grip(/** @type {number} */ index, /** @type {boolean} */ revealed) {
    if (isCurve) return [svg("circle", { class: "you", cx: across(index), cy: down(values[index]), r: 6 })];
    const wide = Math.min(48, band() * (revealed ? 0.38 : 0.62));
    const left = revealed ? across(index) - wide - 1 : across(index) - wide / 2;
    const top = down(values[index]);
    const bar = svg("rect", { class: "you", x: left, y: top, width: wide, height: TALL - FOOT - top, rx: 2 });
    const edge = svg("rect", { class: "edge", x: left, y: top - 2, width: wide, height: 4, rx: 2 });
    return [bar, edge];
  }

  function runBars(/** @type {number[]} */ truth) {
    const wide = Math.min(48, band() * 0.38);
    return truth.map((value, index) =>
      svg("rect", {
        class: "run",
        x: across(index) + 1,
        y: down(value),
        width: wide,
        height: TALL - FOOT - down(value),
        rx: 2,
      }),
    );
  }

  return {
    node,
    /** @param {number[]} next @param {number[] | null} truth */
    draw(next, truth) {
      values = next ?? spec.start;
      locked = truth !== null;
      width = Math.max(240, node.clientWidth || width);
      chart.setAttribute("viewBox", `0 0 ${width} ${TALL}`);
      chart.setAttribute("width", `${width}`);
      chart.setAttribute("height", `${TALL}`);
      back.replaceChildren(...axes(), ...(isCurve ? curves(truth) : []));
      grips.forEach((node, index) => {
        node.replaceChildren(...grip(index, locked));
        node.setAttribute("aria-valuenow", String(values[index]));
        node.setAttribute("aria-valuetext", unit(values[index]));
      });
      front.replaceChildren(...(truth && !isCurve ? runBars(truth) : []));
      key.show(locked);
    },
  };
}

/**
 * Sizes that sum to `total`: the one that moved keeps its place, the others give or take in proportion.
 * @param {number[]} sizes
 * @param {number} moved
 * @param {number} total
 */
export function whole(sizes, moved, total) {
  const own = Math.min(total, sizes[moved]);
  const others = sizes.reduce((sum, value, index) => (index === moved ? sum : sum + value), 0);
  const many = sizes.length - 1;
  return sizes.map((value, index) => {
    if (index === moved) return many ? own : total;
    return others > 0 ? (value * (total - own)) / others : (total - own) / many;
  });
}
