// The histogram of each block's map, with the denoiser's threshold u as a line that can be dragged.

import { el, svg, panel } from "./dom.js";
import { FOOT, LEFT, RIGHT, TOP, layout, split } from "./histogram.js";
import { panelled } from "./host.js";
import { Reporter } from "./reporter.js";

const WAIT = 300; // ms without a key before the host hears of it

export default panelled((root, data, tell) => {
  const { node, heading, note, body } = panel("threshold", "Threshold");
  const figure = svg("svg", { class: "chart", role: "group" });
  const bars = svg("g"),
    axes = svg("g", { "aria-hidden": true });
  const line = svg("line", { class: "u" }),
    label = svg("text", { class: "current halo" });
  const grip = svg(
    "g",
    { class: "grip", tabindex: 0, role: "slider", "aria-label": "Threshold u" },
    line,
    svg("circle", { r: 8 }),
    svg("path", { d: "M-3,-3 L-6,0 L-3,3 M3,-3 L6,0 L3,3" }),
    label,
  );
  const trained = el("button", {
    type: "button",
    class: "segment",
    onclick: () => {
      u = null;
      report(0);
      show();
    },
  });
  figure.append(hatching(), axes, bars, grip);
  body.append(
    figure,
    el(
      "p",
      { class: "legend" },
      el("i", { class: "swatch gone" }),
      "removed",
      el("i", { class: "swatch stays" }),
      "kept",
      trained,
    ),
  );
  root.append(node);
  const reporter = new Reporter(tell, data);
  /** @type {number | null} */
  let u = data.state.u;
  /** @type {any} */
  let plan = null;

  // u as the line shows it, also where the denoiser was left as it was trained.
  const at = () => u ?? data.trained;

  function report(wait) {
    reporter.report(() => ({ u }), wait);
  }

  function move(value) {
    const next = Math.min(data.most, Math.max(0, value));
    if (next === at() && u !== null) return;
    u = next;
    show();
  }

  figure.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    figure.setPointerCapture(event.pointerId);
    grip.focus({ preventScroll: true });
    follow(event);
    event.preventDefault();
  });
  figure.addEventListener("pointermove", (event) => {
    if (figure.hasPointerCapture(event.pointerId)) follow(event);
  });
  figure.addEventListener("pointerup", () => report(0));
  grip.addEventListener("keydown", (event) => {
    const step = {
      ArrowLeft: -1,
      ArrowDown: -1,
      ArrowRight: 1,
      ArrowUp: 1,
      PageDown: -4,
      PageUp: 4,
      Home: -Infinity,
      End: Infinity,
    }[event.key];
    if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    move(at() + step);
    report(WAIT);
  });

  function follow(event) {
    if (plan)
      move(Math.min(plan.right, Math.round(plan.count(event.clientX - figure.getBoundingClientRect().left) - 0.5)));
  }

  function show() {
    if (!plan) return;
    const parts = data.blocks.map((block) => split(block, u));
    parts.forEach((part, i) => {
      drawBars(plan, i, part);
    });
    const [gone, all] = ["gone", "mass"].map((name) => parts.reduce((sum, part) => sum + part[name], 0));
    const share = percent(gone, all);
    const x = plan.x(Math.floor(at()) + 0.5);
    grip.setAttribute("transform", `translate(${x},${TOP - 16})`);
    // A table has no u: the line stands at 0, and is one only once it was moved.
    const said = u === null && !data.line ? data.rule : `u = ${at()}`;
    label.textContent = `${said}${u === null ? ", as trained" : ""}`;
    const left = x > plan.width * 0.62;
    label.setAttribute("x", left ? "-13" : "13");
    label.setAttribute("y", "4");
    label.setAttribute("text-anchor", left ? "end" : "start");
    grip.setAttribute("aria-valuenow", at());
    grip.setAttribute("aria-valuetext", `${said} removes ${share} of the coincident spikes`);
    heading.textContent =
      u === null && !data.line
        ? `The denoiser removes ${share} of all coincident spikes`
        : `u = ${at()} removes ${share} of all coincident spikes`;
    plan.titles.forEach((title, i) => {
      title.textContent = `Block ${data.blocks[i].block + 1}: ${percent(parts[i].entries, parts[i].nonzero)} of entries removed`;
    });
    trained.disabled = u === null;
  }

  function build(width) {
    plan = layout(width, data, at());
    figure.setAttribute("width", width);
    figure.setAttribute("height", plan.height);
    line.setAttribute("y1", "8");
    line.setAttribute("y2", String(plan.height - FOOT - TOP + 16));
    grip.setAttribute("aria-valuemin", "0");
    grip.setAttribute("aria-valuemax", data.most);
    plan.titles = data.blocks.map((_, i) =>
      svg("text", { x: width - RIGHT, y: plan.top(i) + 4, class: "tick end halo" }),
    );
    axes.replaceChildren(...frames(plan, data.blocks), ...plan.titles);
    plan.bars = data.blocks.map(({ before }) =>
      before.map((_, a) =>
        a
          ? ["stays", "gone"].map((name) => svg("rect", { class: name, fill: name === "gone" ? "url(#gone)" : null }))
          : [],
      ),
    );
    bars.replaceChildren(...plan.bars.flat(2));
    trained.textContent = `As trained, ${data.rule}`;
    note.textContent = `Drag the line, or use the arrow keys.${data.blocks.length > 1 ? " Later blocks are counted anew when you let go: they see what earlier ones keep." : ""}`;
  }

  return {
    update(next) {
      data = next;
      const news = reporter.hear(data);
      if (news) u = news.u;
    },
    draw() {
      build(body.clientWidth);
      show();
    },
  };
});

function frames(plan, blocks) {
  const every = Math.max(1, Math.round(plan.right / 8));
  const counts = Array.from({ length: plan.right }, (_, i) => i + 1).filter((a) => (a - 1) % every === 0);
  const ticks = counts.map((a) => svg("text", { x: plan.x(a), y: plan.height - 5, class: "tick middle" }, a));
  return ticks.concat(
    blocks.flatMap((_, i) => {
      const foot = plan.top(i) + plan.tall;
      const powers = Array.from({ length: Math.floor(Math.log10(plan.highest)) + 1 }, (_, p) => 10 ** p);
      return [
        svg("line", { x1: LEFT, x2: plan.width - RIGHT, y1: foot + 0.5, y2: foot + 0.5, class: "axis" }),
        ...powers
          .filter((_, p) => powers.length < 5 || p % 2 === 0)
          .map((n) =>
            svg(
              "text",
              { x: LEFT - 6, y: foot - plan.rise(n) + 4, class: "tick end" },
              n < 1000 ? n : n < 1e6 ? `${n / 1000}k` : `${n / 1e6}M`,
            ),
          ),
      ];
    }),
  );
}

function drawBars(plan, i, { before, removed }) {
  const foot = plan.top(i) + plan.tall;
  const wide = Math.max(2, (plan.x(2) - plan.x(1)) * 0.74);
  plan.bars[i].forEach((pair, a) =>
    pair.forEach((rect, j) => {
      const rise = plan.rise(j ? removed[a] : before[a] - removed[a]);
      const place = { x: plan.x(a) - wide / 2, y: foot - rise, width: wide, height: rise };
      Object.entries(place).forEach(([name, value]) => rect.setAttribute(name, value));
    }),
  );
}

function hatching() {
  return svg(
    "defs",
    {},
    svg(
      "pattern",
      { id: "gone", width: 5, height: 5, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
      svg("rect", { width: 5, height: 5, class: "paper" }),
      svg("rect", { width: 3.2, height: 5, class: "ink" }),
    ),
  );
}

const percent = (part, whole) => `${whole ? Math.round((100 * part) / whole) : 0} %`;
