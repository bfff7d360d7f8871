// How much each past step adds to Q, K and V, for models whose map does not reach across steps.

import { el, svg } from "./dom.js";

const [WIDTH, ROW] = [250, 58];

// Share of each lag (time order: oldest first) in the query patch's Q, K and V at this step.
export function lagShares(recording, state, block, token) {
  const [, lags, steps, heads, tokens] = recording.arrays[`attention.${block.block}.lags`].shape;
  const values = recording.array(`attention.${block.block}.lags`);
  const reach = Math.min(lags, state.step + 1);
  return [0, 1, 2].map((part) => {
    const sizes = Array.from({ length: reach }, (_, i) => {
      const lag = reach - 1 - i;
      return values[(((part * lags + lag) * steps + state.step) * heads + state.head) * tokens + token];
    });
    const all = sizes.reduce((a, b) => a + b, 0);
    return sizes.map((size) => (all ? size / all : 0));
  });
}

export function lagChart(recording, state, { block, token }) {
  const title = el("h4", {}, "How much each step adds to Q, K and V here");
  if (!block.lags) {
    const why = recording.memory?.window === 1
      ? "Nothing: this model has no attention memory, each step stands alone. What lasts is in the membranes."
      : "The parts of each lag were not recorded (blocks.*.attention.*.lags).";
    return [title, el("p", { class: "note" }, why)];
  }
  const shares = lagShares(recording, state, block, token);
  const band = (WIDTH - 24) / block.lags;
  const most = Math.max(...shares.flat());
  const up = most && most < 0.995 ? `, bars up to ${Math.round(most * 100)} %` : "";
  const first = state.step - shares[0].length + 1;
  const rows = ["Q", "K", "V"].flatMap((name, part) => [
    svg("text", { x: 4, y: part * ROW + 40, class: "strong" }, name),
    svg("line", { x1: 22, x2: WIDTH, y1: part * ROW + 46.5, y2: part * ROW + 46.5, class: "axis" }),
    ...shares[part].flatMap((share, i) => {
      const x = 26 + (i + block.lags - shares[part].length) * band;
      const tall = most ? (share / most) * 32 : 0;
      return [
        svg("rect", { x, y: part * ROW + 46 - tall, width: Math.min(40, band - 8), height: tall,
          class: i === shares[part].length - 1 ? "bar now" : "bar" }),
        band > 30 ? svg("text", { x: x + Math.min(40, band - 8) / 2, y: part * ROW + 42 - tall, class: "tick middle" }, `${Math.round(share * 100)} %`) : "",
      ];
    }),
  ]);
  const ticks = shares[0].map((_, i) => svg("text", {
    x: 26 + (i + block.lags - shares[0].length) * band + Math.min(40, band - 8) / 2, y: 3 * ROW + 4, class: "tick middle",
  }, first + i === state.step ? "now" : band > 44 ? `step ${first + i + 1}` : first + i + 1));
  const label = ["Q", "K", "V"].map((name, part) =>
    `${name}: ${shares[part].map((share, i) => `step ${first + i + 1} ${Math.round(share * 100)} %`).join(", ")}`).join("; ");
  title.append(el("small", {}, band > 30 ? "" : up));
  return [title, svg("svg", { viewBox: `0 0 ${WIDTH} ${3 * ROW + 10}`, role: "img", "aria-label": label, class: "lagbars" }, rows, ticks)];
}
