// Spikes of the chosen layer and the membrane potential of the chosen neuron.

import { el, svg, panel, prepare, inside, contain, number } from "./dom.js";
import { chart, timeAxis, timeChart, path } from "./chart.js";

// The arrays of one layer's shown neurons.
function traces(recording, state) {
  const position = recording.layers.findIndex((layer) => layer.name === state.layer);
  if (position < 0) return null;
  const of = (part) => recording.array(`layer.${position}.${part}`);
  const index = of("index");
  return (
    index && { layer: recording.layers[position], index, of, place: index.indexOf(state.neuron), shown: index.length }
  );
}

export function rasterPanel(store) {
  const { recording } = store;
  const { node, heading, note, body } = panel("raster", "Spikes");
  const canvas = el("canvas", { tabindex: 0, role: "application", "data-name": "raster" });
  canvas.addEventListener("click", pick);
  canvas.addEventListener("keydown", walk);
  /** @type {import("./chart.js").Plot | null} */
  let plot = null;
  let row = 4;

  function pick(event) {
    const neurons = traces(recording, store.state);
    if (!neurons || !plot) return;
    const [x, y] = inside(event);
    const place = Math.min(neurons.shown - 1, Math.max(0, Math.floor((y - plot.top) / row)));
    /** @type {Partial<import("./types.js").State>} */
    const changes = { step: plot.step(x) };
    if (y < plot.top + neurons.shown * row + 3) changes.neuron = neurons.index[place];
    store.set(changes);
  }

  function walk(event) {
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    const neurons = step && traces(recording, store.state);
    if (!neurons) return;
    event.preventDefault();
    event.stopPropagation();
    store.set({ neuron: neurons.index[Math.min(neurons.shown - 1, Math.max(0, neurons.place + step))] });
  }

  function draw({ state, theme }) {
    const neurons = traces(recording, state);
    const spikes = neurons?.of("spikes");
    heading.textContent = neurons ? `Spikes of ${neurons.layer.title}` : "Spikes";
    contain(body, spikes ? [canvas] : []);
    if (!spikes) {
      note.textContent = recording.missing.spikes;
      return;
    }
    const { layer, shown } = neurons;
    note.textContent = fired(layer, shown);
    row = Math.min(9, Math.max(2.5, 270 / shown));
    plot = chart(body.clientWidth, Math.round(shown * row) + 72, recording.steps, { left: 4, right: 4, top: 8 });
    drawRaster(prepare(canvas, plot.width, plot.height), plot, row, neurons, state, theme);
    canvas.setAttribute(
      "aria-label",
      `${heading.textContent}: ${note.textContent} Neuron ${state.neuron + 1} is selected; up and down choose another.`,
    );
  }
  return { node, draw };
}

function fired({ neurons, active }, shown) {
  if (!active) return `None of the ${neurons} neurons fired.`;
  if (shown === neurons) return `All ${neurons} neurons, the most active on top. ${active} fired at least once.`;
  const which =
    active > shown
      ? `${shown} of the ${active} neurons that fired, from the most active to the least`
      : `The ${active} neurons that fired, the most active on top, and some that did not`;
  return `${which}. The layer has ${neurons}.`;
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
  context.fillText(`spikes of the whole layer, ${Math.max(...counts)} at most`, plot.left, foot + 12);
}

// ---- membrane -------------------------------------------------------------------------------

export function membranePanel(store) {
  const { recording } = store;
  const { node, heading, note, body } = panel("membrane", "Membrane potential");
  const { node: figure, show } = timeChart(store);
  const legend = el(
    "p",
    { class: "legend" },
    el("i", { class: "swatch trace" }),
    "membrane",
    el("i", { class: "swatch current" }),
    "input current",
    el("i", { class: "dot fired" }),
    "spike",
  );

  function draw({ state }) {
    const neurons = traces(recording, state);
    const membrane = neurons?.of("membrane");
    heading.textContent = neurons ? `Neuron ${state.neuron + 1}: membrane potential` : "Membrane potential";
    contain(body, membrane ? [figure, legend] : []);
    if (!membrane) {
      note.textContent = recording.missing.membrane;
      return;
    }
    note.textContent = `${place(neurons.layer, state.neuron)}: charge, threshold, reset. ${forgets(neurons, state.neuron)}`;
    const of = (part) => {
      const all = neurons.of(part);
      return all && Array.from({ length: recording.steps }, (_, t) => all[t * neurons.shown + neurons.place]);
    };
    drawMembrane(
      show,
      body.clientWidth,
      recording,
      state,
      neurons.layer,
      {
        membrane: of("membrane"),
        reset: of("reset"),
        spikes: of("spikes"),
        current: of("current"),
      },
      note.textContent,
    );
  }
  return { node, draw };
}

function place({ shape }, neuron) {
  const [, rows, columns] = shape;
  const [channel, rest] = [Math.floor(neuron / (rows * columns)), neuron % (rows * columns)];
  return `Channel ${channel + 1}, row ${Math.floor(rest / columns) + 1}, column ${(rest % columns) + 1}`;
}

function forgets({ of, layer }, neuron) {
  const half = of("half_life");
  if (!half) return "";
  const channel = half.length > 1 ? Math.floor(neuron / (layer.shape[1] * layer.shape[2])) : 0;
  if (half[channel] < 0.05) return "It keeps almost nothing from one step to the next.";
  const resets = of("half_life_with_resets");
  const beside = resets ? `, in ${number(resets[channel], 1)} with resets as often as this layer fires` : "";
  return `Its leak forgets half in ${number(half[channel], 1)} step${number(half[channel], 1) === "1" ? "" : "s"}${beside}.`;
}

function drawMembrane(show, width, recording, state, layer, { membrane, reset, spikes, current }, note) {
  const threshold = layer.threshold;
  const all = [...membrane, ...(reset ?? []), ...(current ?? []), threshold ?? 0, 0];
  const plot = chart(width, 300, recording.steps, {
    top: 20,
    left: 34,
    low: Math.min(...all),
    high: Math.max(...all) * 1.08,
  });
  const points = [],
    marks = [];
  membrane.forEach((h, t) => {
    const from = plot.left + t * plot.band;
    const before = t ? (reset?.[t - 1] ?? membrane[t - 1]) : 0;
    points.push([from, plot.y(before)], [from + plot.band * 0.22, plot.y(h)], [from + plot.band * 0.72, plot.y(h)]);
    if (spikes?.[t]) marks.push(svg("circle", { cx: from + plot.band * 0.72, cy: plot.y(h), r: 4, class: "spike" }));
    if (reset) points.push([from + plot.band * 0.76, plot.y(reset[t])], [from + plot.band, plot.y(reset[t])]);
  });
  const flow =
    current &&
    path(
      current.flatMap((value, t) => [
        [plot.left + t * plot.band, plot.y(value)],
        [plot.left + (t + 1) * plot.band, plot.y(value)],
      ]),
      { class: "line current" },
    );
  const limit =
    threshold === null || threshold === undefined
      ? []
      : [
          svg("line", {
            x1: plot.left,
            x2: width - plot.right,
            y1: plot.y(threshold),
            y2: plot.y(threshold),
            class: "threshold",
          }),
          svg(
            "text",
            { x: plot.left + 2, y: plot.y(threshold) - 6, class: "tick halo" },
            `threshold ${number(threshold)}`,
          ),
        ];
  const crossed = spikes ? spikes.flatMap((spike, t) => (spike ? [t + 1] : [])) : [];
  show(plot, `${note} ${crossed.length ? `Spikes at step ${crossed.join(", ")}.` : "No spike."}`, [
    timeAxis(plot, state.step),
    svg("line", { x1: plot.left, x2: width - plot.right, y1: plot.y(0), y2: plot.y(0), class: "axis" }),
    svg("text", { x: plot.left - 6, y: plot.y(0) + 4, class: "tick end" }, "0"),
    flow,
    path(points, { class: "line trace" }),
    limit,
    marks,
  ]);
}
