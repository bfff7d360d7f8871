// Everything on the shared time axis besides attention: logits, time constants, spikes, membranes.

import { el, svg, panel, prepare, inside, number, plural } from "./dom.js";
import { halfLife, layerLabel, layerTitle } from "./recording.js";

// ---- the time axis that all charts share ----------------------------------------------------

// Geometry of a chart: one band a step between left and right; y runs from `low` up to `high`.
function chart(width, height, steps, { left = 34, right = 10, top = 10, bottom = 22, low = 0, high = 1 } = {}) {
  const band = (width - left - right) / steps;
  const span = high - low || 1;
  return {
    width, height, steps, left, right, top, bottom, band,
    x: (step) => left + (step + 0.5) * band,
    y: (value) => top + ((high - value) / span) * (height - top - bottom),
    step: (x) => Math.min(steps - 1, Math.max(0, Math.floor((x - left) / band))),
  };
}

// The cursor's band and the step numbers, of which only as many as fit are written.
function timeAxis(plot, step) {
  const every = Math.ceil(22 / plot.band);
  const numbers = Array.from({ length: plot.steps }, (_, i) => i).filter((i) => i % every === 0 || i === step)
    .filter((i) => i === step || Math.abs(i - step) >= every || i % every === 0 && every === 1);
  return [
    svg("rect", { x: plot.left + step * plot.band, y: plot.top - 6, width: plot.band, height: plot.height - plot.top - plot.bottom + 12, class: "cursor" }),
    ...numbers.map((i) => svg("text", { x: plot.x(i), y: plot.height - 6, class: i === step ? "tick middle current" : "tick middle" }, i + 1)),
  ];
}

function timeChart(store) {
  const node = svg("svg", { class: "chart", role: "img" });
  const plot = {};
  node.addEventListener("click", (event) => store.set({ step: plot.now.step(inside(event)[0]) }));
  const show = (now, label, children) => {
    plot.now = now;
    node.setAttribute("width", now.width);
    node.setAttribute("height", now.height);
    node.setAttribute("aria-label", label);
    node.replaceChildren(...children.flat(2).filter(Boolean));
  };
  return { node, show };
}

const path = (points, props) => svg("path", { d: `M${points.map((point) => point.map((v) => v.toFixed(1)).join(" ")).join("L")}`, ...props });

// ---- decision ------------------------------------------------------------------------------

export function decisionPanel(store) {
  const { recording } = store;
  const { node, note, body } = panel("decision", "Decision, step by step");
  if (!recording.decision) {
    note.textContent = "No logits were recorded. Record head to see the decision grow.";
    return { node, draw() {} };
  }
  const { node: figure, show } = timeChart(store);
  const values = el("p", { class: "readout" });
  body.append(figure, values);

  function draw({ state }) {
    const logits = recording.array("logits");
    const classes = recording.arrays.logits.shape[1];
    const at = (step, name) => logits[step * classes + name];
    note.textContent = settles(recording);
    const named = namedClasses(recording, classes, at);
    const ends = Math.max(...named.map((name) => recording.className(name).length)) * 7 + 16;
    const plot = chart(body.clientWidth, 280, recording.steps, {
      left: 30, right: Math.min(110, ends), top: 30, low: Math.min(0, ...logits), high: Math.max(0, ...logits),
    });
    const line = (name) => path(Array.from({ length: recording.steps }, (_, step) => [plot.x(step), plot.y(at(step, name))]),
      { class: `line ${role(recording, name, classes)}` });
    const order = Array.from({ length: classes }, (_, i) => i).sort((a, b) => named.includes(a) - named.includes(b));
    show(plot, `Logits of ${plural(classes, "class")} over ${plural(recording.steps, "step")}. ${note.textContent}`, [
      timeAxis(plot, state.step), readout(recording, plot), settled(recording, plot),
      svg("line", { x1: plot.left, x2: plot.width - plot.right, y1: plot.y(0), y2: plot.y(0), class: "axis" }),
      svg("text", { x: plot.left - 6, y: plot.y(0) + 4, class: "tick end" }, "0"),
      order.map(line), labels(recording, plot, named, classes, (name) => at(recording.steps - 1, name)),
    ]);
    const top = Array.from({ length: classes }, (_, i) => i).sort((a, b) => at(state.step, b) - at(state.step, a)).slice(0, 2);
    const window = recording.steps - recording.decision.first;
    const mean = window === recording.steps ? "All steps are averaged." : `The last ${plural(window, "step")} are averaged.`;
    values.textContent = `${window > 1 ? mean : "The last step decides."} At step ${state.step + 1}: ${top.map((name) => `${recording.className(name)} ${number(at(state.step, name))}`).join(", ")}.`;
  }
  return { node, draw };
}

function settles(recording) {
  const { answer, settled } = recording.decision;
  const name = `“${recording.className(answer)}”`;
  const verdict = recording.label === null ? "" : recording.label === answer ? " That is right."
    : ` The label is “${recording.className(recording.label)}”.`;
  if (settled === null) return `Answers ${name} on average, but the last step leans elsewhere.${verdict}`;
  if (settled === 0) return `Answers ${name} from the first step on.${verdict}`;
  return `Settles at step ${settled + 1} on ${name}${settled < recording.steps - 1 ? " and stays" : ""}.${verdict}`;
}

const role = (recording, name, classes) => {
  if (name === recording.decision.answer) return "answer";
  if (name === recording.label) return "label";
  return classes <= 3 ? "other strong" : "other";
};

// Classes worth a name: the answer, the label, and with few classes all of them, else the runner-up.
function namedClasses(recording, classes, at) {
  const order = Array.from({ length: classes }, (_, i) => i)
    .sort((a, b) => at(recording.steps - 1, b) - at(recording.steps - 1, a));
  const wanted = [recording.decision.answer, recording.label, ...order.slice(0, classes <= 3 ? 3 : 2)];
  return [...new Set(wanted.filter((name) => name !== null))];
}

function labels(recording, plot, named, classes, last) {
  let floor = -Infinity;
  return named.map((name) => ({ name, y: plot.y(last(name)) })).sort((a, b) => a.y - b.y).map(({ name, y }) => {
    floor = Math.max(y, floor + 14);
    const words = recording.className(name) + (name === recording.label ? " ✓" : "");
    return svg("text", { x: plot.width - plot.right + 6, y: floor + 4, class: `end ${role(recording, name, classes)}` },
      svg("title", {}, name === recording.label ? `${recording.className(name)}, the label` : recording.className(name)), words);
  });
}

function readout(recording, plot) {
  const { first } = recording.decision;
  const [x, end] = [plot.left + first * plot.band, plot.width - plot.right];
  return [svg("line", { x1: x + 2, x2: end - 2, y1: 19.5, y2: 19.5, class: "bracket" }),
    svg("text", { x: end, y: 12, class: "tick end" }, svg("title", {}, "averaged to the answer"), "averaged")];
}

function settled(recording, plot) {
  const { settled: step } = recording.decision;
  if (!step) return [];
  const x = plot.left + step * plot.band;
  return [svg("line", { x1: x, x2: x, y1: plot.top, y2: plot.height - plot.bottom, class: "mark" }),
    svg("text", { x: x + 4, y: plot.height - plot.bottom - 4, class: "tick halo" }, "settles")];
}

// ---- time constants: also the list of layers ------------------------------------------------

const LONGER = 1.5;                                 // this much above its start deserves a look

export function tauPanel(store) {
  const { recording } = store;
  const { node, note, body } = panel("tau", "Learned time constants");
  const known = recording.layers.map((layer, position) => ({ ...layer, ...tauOf(recording, position) }));
  if (!known.length) {
    note.textContent = "No neurons were recorded. Record *.neuron.* to see time constants, spikes and membranes.";
    return { node, draw() {} };
  }
  const ends = known.flatMap(({ tau, before }) => [...(tau ?? []), ...(before ?? [])]);
  const most = Math.max(3, Math.ceil(Math.max(...ends, 0)));
  const at = (value) => `${(100 * (value - 1)) / (most - 1)}%`;
  const rows = known.map((layer) => tauRow(store, layer, at));
  const ticks = [1, ...[2, 4, 8, 16, 32].filter((tick) => tick < most * 0.8), most];
  const axis = el("div", { class: "tauaxis", "aria-hidden": true }, el("span"),
    el("span", { class: "track" }, ticks.map((tick) => el("em", { style: `left:${at(tick)}` }, tick === most ? `${tick} steps` : tick))));
  const list = el("div", { class: "taus", role: "group", "aria-label": "Neuron layers" }, rows);
  body.append(list, axis);
  list.addEventListener("keydown", (event) => roam(event, rows));
  note.replaceChildren(ends.length ? explainTau(known) : "Time constants were not recorded. Pick a layer.");

  function draw({ state }) {
    rows.forEach((row, i) => {
      const current = known[i].name === state.layer;
      row.setAttribute("aria-pressed", String(current));
      row.tabIndex = current || (!rows.some((other, j) => known[j].name === state.layer) && i === 0) ? 0 : -1;
    });
  }
  return { node, draw };
}

function tauOf(recording, position) {
  const [tau, before] = ["tau", "tau_start"].map((part) => recording.array(`layer.${position}.${part}`));
  const span = (values) => values && [Math.min(...values), Math.max(...values)];
  const mean = (values) => values && values.reduce((a, b) => a + b, 0) / values.length;
  return { tau: span(tau), before: span(before), mean: mean(tau), start: mean(before), per: tau?.length };
}

const longer = ({ mean, start }) => mean && start && mean >= LONGER * start;

function explainTau(known) {
  const hot = known.some(longer) ? [el("i", { class: "dot hot" }), " listens half as long again or more. "] : [];
  const start = known.some(({ start: value }) => value) ? [el("i", { class: "dot start" }), " at the start, "] : [];
  return el("span", {}, ...start, el("i", { class: "dot" }), " after training", hot.length ? ", " : ". ", ...hot, "Pick a layer for the panels beside.");
}

function tauRow(store, layer, at) {
  const { tau, before, mean, start, per } = layer;
  const marks = [
    tau && start ? el("i", { class: "move", style: `left:${at(Math.min(mean, start))};right:calc(100% - ${at(Math.max(mean, start))})` }) : null,
    tau && per > 1 ? el("i", { class: "span", style: `left:${at(tau[0])};right:calc(100% - ${at(tau[1])})` }) : null,
    before ? el("i", { class: "dot start", style: `left:${at(start)}` }) : null,
    tau ? el("i", { class: longer(layer) ? "dot hot" : "dot", style: `left:${at(mean)}` }) : null,
  ];
  const words = tau ? `time constant ${number(mean)} steps${start ? `, ${number(start)} at the start` : ""}` : "time constant not recorded";
  return el("button", { type: "button", class: "taurow", title: `${layer.name}: ${words}`, "aria-label": `${layerLabel(layer.name)}, ${words}`,
    "data-layer": layer.name, onclick: () => store.set({ layer: layer.name, neuron: -1 }) },
  el("span", {}, layerLabel(layer.name)), el("span", { class: "track" }, marks), el("b", {}, tau ? number(mean) : ""));
}

// Up and down walk the list without leaving it; the page's own keys do not see them.
function roam(event, rows) {
  const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
  if (!step) return;
  event.preventDefault();
  event.stopPropagation();
  const next = rows[rows.indexOf(event.target.closest("button")) + step];
  next?.click();
  next?.focus();
}

// ---- spike raster ---------------------------------------------------------------------------

// The arrays of one layer's shown neurons.
function traces(recording, state) {
  const position = recording.layers.findIndex((layer) => layer.name === state.layer);
  if (position < 0) return null;
  const of = (part) => recording.array(`layer.${position}.${part}`);
  const index = of("index");
  return index && { layer: recording.layers[position], index, of, place: index.indexOf(state.neuron), shown: index.length };
}

export function rasterPanel(store) {
  const { recording } = store;
  const { node, heading, note, body } = panel("raster", "Spikes");
  const canvas = el("canvas", { tabindex: 0, role: "application", "data-name": "raster" });
  canvas.addEventListener("click", pick);
  canvas.addEventListener("keydown", walk);
  let plot = null, row = 4;

  function pick(event) {
    const found = traces(recording, store.state);
    if (!found || !plot) return;
    const [x, y] = inside(event);
    const place = Math.min(found.shown - 1, Math.max(0, Math.floor((y - plot.top) / row)));
    const changes = { step: plot.step(x) };
    if (y < plot.top + found.shown * row + 3) changes.neuron = found.index[place];
    store.set(changes);
  }

  function walk(event) {
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    const found = step && traces(recording, store.state);
    if (!found) return;
    event.preventDefault();
    event.stopPropagation();
    store.set({ neuron: found.index[Math.min(found.shown - 1, Math.max(0, found.place + step))] });
  }

  function draw({ state, theme }) {
    const found = traces(recording, state);
    const spikes = found?.of("spikes");
    heading.textContent = found ? `Spikes of ${layerTitle(state.layer)}` : "Spikes";
    body.replaceChildren(...(spikes ? [canvas] : []));
    if (!spikes) { note.textContent = "No spikes of this layer were recorded."; return; }
    const { layer, shown } = found;
    note.textContent = shown < layer.neurons
      ? `${shown} of ${layer.neurons} neurons, the most active on top, quiet ones hidden. ${layer.active} fired.`
      : `All ${layer.neurons} neurons, the most active on top. ${layer.active} fired.`;
    row = Math.min(9, Math.max(2.5, 270 / shown));
    plot = chart(body.clientWidth, Math.round(shown * row) + 72, recording.steps, { left: 4, right: 4, top: 8 });
    drawRaster(prepare(canvas, plot.width, plot.height), plot, row, found, state, theme);
    canvas.setAttribute("aria-label", `${heading.textContent}: ${note.textContent} Neuron ${state.neuron} is selected; up and down choose another.`);
  }
  return { node, draw };
}

function drawRaster(context, plot, row, { of, shown, place }, state, theme) {
  const [spikes, counts] = [of("spikes"), of("counts")];
  const [foot, base] = [plot.top + shown * row, plot.height - 24];
  context.fillStyle = theme.cursor;
  context.fillRect(plot.left + state.step * plot.band, plot.top - 4, plot.band, plot.height - plot.top - 16);
  context.fillStyle = theme.accent;
  context.globalAlpha = 0.25;
  context.fillRect(plot.left, plot.top + place * row - 1, plot.band * plot.steps, row + 2);
  context.globalAlpha = 1;
  const thick = Math.max(1.2, row * 0.55);
  const [most, tall] = [Math.max(...counts, 1), base - foot - 14];
  context.font = `12px ${theme.font}`;
  context.textAlign = "center";
  for (let step = 0; step < plot.steps; step++) {
    const [x, width] = [plot.x(step) - plot.band * 0.36, plot.band * 0.72];
    for (let neuron = 0; neuron < shown; neuron++) {
      if (!spikes[step * shown + neuron]) continue;
      context.fillStyle = neuron === place ? theme.accent : theme.ink_;
      context.fillRect(x, plot.top + neuron * row + (row - thick) / 2, width, thick);
    }
    context.fillStyle = theme.muted;
    const high = (tall * counts[step]) / most;
    context.fillRect(x, base - high, width, high);
    context.fillStyle = step === state.step ? theme.ink_ : theme.muted;
    if (plot.band > 20 || step % 2 === 1) context.fillText(String(step + 1), plot.x(step), plot.height - 8);
  }
  context.textAlign = "left";
  context.fillStyle = theme.muted;
  context.font = `11px ${theme.font}`;
  context.fillText(`spikes of the whole layer, at most ${most} a step`, plot.left, foot + 12);
}

// ---- membrane -------------------------------------------------------------------------------

export function membranePanel(store) {
  const { recording } = store;
  const { node, heading, note, body } = panel("membrane", "Membrane potential");
  const { node: figure, show } = timeChart(store);
  const legend = el("p", { class: "legend" }, el("i", { class: "swatch trace" }), "membrane", el("i", { class: "swatch current" }), "input current",
    el("i", { class: "dot fired" }), "spike");

  function draw({ state }) {
    const found = traces(recording, state);
    const membrane = found?.of("membrane");
    heading.textContent = found ? `Neuron ${state.neuron}: membrane potential` : "Membrane potential";
    body.replaceChildren(...(membrane ? [figure, legend] : []));
    if (!membrane) { note.textContent = "No membrane potential of this layer was recorded."; return; }
    note.textContent = `${place(found.layer, state.neuron)}: charge, threshold, reset. ${forgets(found, state.neuron)}`;
    const of = (part) => { const all = found.of(part); return all && Array.from({ length: recording.steps }, (_, t) => all[t * found.shown + found.place]); };
    drawMembrane(show, body.clientWidth, recording, state, found.layer, {
      membrane: of("membrane"), reset: of("reset"), spikes: of("spikes"), current: of("current"),
    }, note.textContent);
  }
  return { node, draw };
}

function place({ shape }, neuron) {
  const [, rows, columns] = shape;
  const [channel, rest] = [Math.floor(neuron / (rows * columns)), neuron % (rows * columns)];
  return `Channel ${channel + 1}, row ${Math.floor(rest / columns) + 1}, column ${(rest % columns) + 1}`;
}

function forgets({ of, layer }, neuron) {
  const tau = of("tau");
  if (!tau) return "";
  const group = tau.length > 1 ? Math.floor(neuron / (layer.shape[1] * layer.shape[2])) : 0;
  const half = halfLife(tau[group]);
  return half < 0.05 ? "It keeps almost nothing from one step to the next."
    : `Its leak forgets half in ${number(half, 1)} step${number(half, 1) === "1" ? "" : "s"}.`;
}

function drawMembrane(show, width, recording, state, layer, { membrane, reset, spikes, current }, note) {
  const threshold = layer.threshold;
  const all = [...membrane, ...(reset ?? []), ...(current ?? []), threshold ?? 0, 0];
  const plot = chart(width, 300, recording.steps, { top: 20, left: 34, low: Math.min(...all), high: Math.max(...all) * 1.08 });
  const points = [], marks = [];
  membrane.forEach((h, t) => {
    const from = plot.left + t * plot.band;
    const before = t ? reset?.[t - 1] ?? membrane[t - 1] : 0;
    points.push([from, plot.y(before)], [from + plot.band * 0.22, plot.y(h)], [from + plot.band * 0.72, plot.y(h)]);
    if (spikes?.[t]) marks.push(svg("circle", { cx: from + plot.band * 0.72, cy: plot.y(h), r: 4, class: "spike" }));
    if (reset) points.push([from + plot.band * 0.76, plot.y(reset[t])], [from + plot.band, plot.y(reset[t])]);
  });
  const flow = current && path(current.flatMap((value, t) => [[plot.left + t * plot.band, plot.y(value)], [plot.left + (t + 1) * plot.band, plot.y(value)]]), { class: "line current" });
  const limit = threshold === null || threshold === undefined ? [] : [
    svg("line", { x1: plot.left, x2: width - plot.right, y1: plot.y(threshold), y2: plot.y(threshold), class: "threshold" }),
    svg("text", { x: plot.left + 2, y: plot.y(threshold) - 6, class: "tick halo" }, `threshold ${number(threshold)}`)];
  const fired = spikes ? spikes.flatMap((spike, t) => (spike ? [t + 1] : [])) : [];
  show(plot, `${note} ${fired.length ? `Spikes at step ${fired.join(", ")}.` : "No spike."}`, [
    timeAxis(plot, state.step),
    svg("line", { x1: plot.left, x2: width - plot.right, y1: plot.y(0), y2: plot.y(0), class: "axis" }),
    svg("text", { x: plot.left - 6, y: plot.y(0) + 4, class: "tick end" }, "0"),
    flow, path(points, { class: "line trace" }), limit, marks,
  ]);
}
