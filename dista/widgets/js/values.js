// The read-out: what the kept attention reads from the values, and the neurons that it drives.

import { el, panel, contain, number } from "./dom.js";
import { sum } from "./recording.js";
import { visible } from "./film.js";
import { drawMaps, drawCells } from "./maps.js";
import { pickable } from "./stem.js";
import { drawStrips } from "./attention.js";

// Currents (channel of the head, patch) into the read-out neurons at one step, as dista.attention.read has
// them: scale / n * sum over reachable steps of f(A) V, n being their number.
export function readValues(recording, block, step, head) {
  const spikes = recording.spikesOf(`blocks.${block.block}.attention.value.neuron`);
  const [size, tokens] = [spikes.channels / block.heads, recording.tokens];
  const values = new Float32Array(size * tokens);
  for (let from = 0; from <= step; from++) {
    for (let query = 0; query < tokens; query++) {
      const map = recording.keyMap(block, recording.used(block), step, from, head, query);
      map?.forEach((weight, key) => {
        if (!weight) return;
        const start = (from * spikes.channels + head * size) * tokens + key;
        for (let c = 0; c < size; c++) values[c * tokens + query] += weight * spikes.values[start + c * tokens];
      });
    }
  }
  const gain = (recording.scale ?? 1) / recording.reach(block, step);
  return values.map((value) => value * gain);
}

const perPatch = (values, tokens) =>
  Float32Array.from({ length: tokens }, (_, token) => {
    let total = 0;
    for (let i = token; i < values.length; i += tokens) total += values[i];
    return total;
  });

export function readoutPanel(store, app) {
  const { recording } = store;
  const { node, note, body } = panel("values centre", "What is read from the values");
  const maps = el("canvas", { role: "img", "data-name": "read" });
  const cells = el("canvas", { role: "img" });
  const words = el("p", { class: "readout" });
  const strips = el("div", { class: "strips" });
  let places = [],
    made = {};
  pickable(maps, store, app, () => places);
  const title = el("h4", {}, "This patch, channel by channel");

  function draw(view) {
    const { state, theme, question: asked } = view;
    const names = asked && ["value.neuron", "neuron"].map((part) => `blocks.${asked.block.block}.attention.${part}`);
    const missing = asked && names.filter((name) => !recording.spikesOf(name));
    contain(body, asked && !missing.length ? [maps, words, title, cells, strips] : []);
    note.textContent = !asked
      ? recording.missing.reading
      : missing.length
        ? `The spikes of ${missing.join(" and ")} were not recorded, or were changed to other values than 0 and 1.`
        : explainRead(recording, asked.block, state);
    if (!asked || missing.length) return;
    drawStrips(strips, store);
    const place = [state.step, state.block, state.head].join();
    if (made.place !== place) made = { place, values: readValues(recording, asked.block, state.step, state.head) };
    places = drawRead(maps, view, made.values, names[1], body.clientWidth);
    const here = Array.from(made.values.filter((_, i) => i % recording.tokens === asked.token));
    const fired = recording.train(names[1], state.step, asked.block, state.head, asked.token);
    const marked = fired.flatMap((spike, channel) => (spike ? [channel] : []));
    drawCells(
      cells,
      theme,
      [
        { label: "read", values: here, bars: true, sum: number(sum(here), 1) },
        { label: "spikes", values: fired, strong: true, sum: String(sum(fired)) },
      ],
      marked,
      body.clientWidth,
    );
    words.replaceChildren(
      `Step ${state.step + 1}, patch row ${state.row + 1}, column ${state.column + 1}: a current of `,
      el("b", { "data-read": sum(here) }, number(sum(here), 1)),
      ` over ${here.length} channels is read; `,
      el("b", {}, `${sum(fired)}`),
      ` of their ${fired.length} neurons spike.`,
    );
    for (const canvas of [maps, cells]) canvas.setAttribute("aria-label", words.textContent);
  }
  return { node, draw };
}

function explainRead(recording, block, { step }) {
  const n = recording.reach(block, step);
  const scale =
    recording.scale === null
      ? ""
      : `, times ${number(recording.scale, 3)}${n > 1 ? ` / ${n} as ${n} steps are in reach` : ""}`;
  return (
    `The ${recording.used(block)} map adds up the spikes of V, key by key${scale}. This current drives the read-out neurons, ` +
    "which carry some of it over in their membranes."
  );
}

function drawRead(canvas, view, values, name, width) {
  const {
    recording,
    state,
    theme,
    hover,
    question: { block },
  } = view;
  const size = recording.spikesOf(name).channels / block.heads;
  const read = perPatch(values, recording.tokens);
  const fired = recording.firing(name, state.step, state.head * size, (state.head + 1) * size);
  const seen = visible(view.question, state, recording.used(block)).find(([step]) => step === state.step)?.[1];
  const item = { colors: theme.amount, step: state.step, query: true, key: hover };
  const items = [
    { ...item, title: "read from V", values: read, most: Math.max(...read), strong: true },
    { ...item, title: "read-out spikes", values: fired, most: Math.max(1, ...fired), strong: true },
  ];
  if (seen)
    items.unshift({
      ...item,
      title: `${recording.used(block)} map, now`,
      values: seen,
      most: Math.max(1, ...seen),
      strong: false,
    });
  return drawMaps(canvas, view, items, width, 210);
}
