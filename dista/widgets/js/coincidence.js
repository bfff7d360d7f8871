// Q, K and V: the spikes of a query and a key, whose coincidences are one entry of the map.

import { el, panel, inside, contain, number } from "./dom.js";
import { sum, strongest } from "./recording.js";
import { visible, locate } from "./film.js";
import { drawMaps, drawCells } from "./maps.js";
import { drawStrips } from "./attention.js";

const PARTS_OF = ["query", "key", "value"];
const layerOf = (block, part) => `blocks.${block}.attention.${part}.neuron`;

// The key that is compared with the query: the one pointed at, the one chosen, or the strongest.
export function comparedKey({ recording, state, hover, pinned, question: asked }) {
  const [used, raw] = [recording.used(asked.block), "raw"].map((kind) => visible(asked, state, kind));
  const columns = recording.grid[1];
  const seen = (place) => place?.row !== undefined && used.some(([step]) => step === place.step);
  const patch = [hover, pinned].find(seen);
  if (patch) return { ...patch, token: patch.row * columns + patch.column };
  const best = [strongest(used), strongest(raw)].find(({ value }) => value > 0) ?? {
    step: state.step,
    token: asked.token,
  };
  return { step: best.step, token: best.token, row: Math.floor(best.token / columns), column: best.token % columns };
}

// Whether a block's Q, K and V are recorded spike by spike.
export function hasTrains(recording, block) {
  return PARTS_OF.every((part) => recording.spikesOf(layerOf(block.block, part)));
}

// Spikes of Q at the query, of K and V at the compared key, and where Q and K coincide.
export function trains(view) {
  const {
    recording,
    state,
    question: { block, token },
  } = view;
  const key = comparedKey(view);
  const of = (part, step, at) => recording.train(layerOf(block.block, part), step, block, state.head, at);
  const [q, k, v] = [of("query", state.step, token), of("key", key.step, key.token), of("value", key.step, key.token)];
  return { key, q, k, v, both: q.map((spike, i) => spike & k[i]) };
}

export function coincidencePanel(store, app) {
  const { recording } = store;
  const { node, note, body } = panel("qkv centre", "Where the spikes of a query and a key coincide");
  const cells = el("canvas", { role: "img", "data-name": "trains" });
  const verdict = el("p", { class: "readout verdict" });
  const maps = el("canvas", { tabindex: 0, role: "application", "data-name": "keys" });
  const title = el("h4", {}, "Spikes of this head in every patch");
  const strips = el("div", { class: "strips" });
  const help = el(
    "p",
    { class: "note" },
    "Point at a patch of K, or choose one: ",
    keycaps("←", "↑", "→", "↓"),
    " patch, ",
    keycaps("PgUp", "PgDn"),
    " step, ",
    keycaps("Esc"),
    " the strongest key.",
  );
  /** @type {any[]} */
  let places = [];
  /** @type {any} */
  let last = null;
  maps.addEventListener("click", (event) => {
    const hit = locate(places, ...inside(event));
    if (hit?.map?.startsWith("Q")) store.set({ row: hit.row, column: hit.column });
    else if (hit?.map) compare(store, hit);
  });
  maps.addEventListener("pointermove", (event) => {
    const hit = locate(places, ...inside(event));
    app.point(hit?.map?.startsWith("Q") ? null : hit);
  });
  maps.addEventListener("pointerleave", () => app.point(null));
  maps.addEventListener("keydown", (event) => walkKeys(event, last, store));

  function draw(view) {
    const { state, question: asked } = view;
    const recorded = asked && hasTrains(recording, asked.block);
    contain(body, recorded ? [cells, verdict, title, maps, help, strips] : []);
    note.textContent = !asked
      ? recording.missing.pairs
      : recorded
        ? `Each entry of the map is a count: in how many of the head's channels both the query (step ${state.step + 1}) and the key spiked.`
        : recording.missing.trains;
    if (!recorded) return;
    drawStrips(strips, store);
    const spikes = trains(view);
    last = { view, key: spikes.key };
    drawTrains(cells, view, spikes, body.clientWidth);
    verdict.replaceChildren(...entryInWords(view, spikes));
    cells.setAttribute("aria-label", verdict.textContent);
    places = drawFiring(maps, view, spikes.key, body.clientWidth);
    maps.setAttribute("aria-label", `Spikes per patch of Q, K and V. ${verdict.textContent}`);
  }
  return { node, draw };
}

const compare = (store, { step, row, column }) => store.set({ key: `${step}.${row}.${column}` });
const keycaps = (...names) =>
  el(
    "span",
    {},
    names.map((name) => el("kbd", {}, name)),
  );

function drawTrains(canvas, { theme }, { q, k, v, both }, width) {
  const channels = both.flatMap((spike, channel) => (spike ? [channel] : []));
  const wide = width >= 560;
  const row = (label, values, more) => ({
    label,
    values,
    sum: wide ? `${sum(values)} spike${sum(values) === 1 ? "" : "s"}` : sum(values),
    ...more,
  });
  const count = wide ? `${sum(both)} in both` : sum(both);
  const rows = [
    row(wide ? "query Q" : "Q", q),
    row(wide ? "key K" : "K", k),
    row("both", both, { strong: true, sum: count }),
    row(wide ? "value V" : "V", v),
  ];
  drawCells(canvas, theme, rows, channels, width, 3);
}

// The count, the recorded entry that it equals, and what became of it.
function entryInWords({ question: asked }, { key, both, v }) {
  const count = sum(both);
  const { raw, kept } = asked.columns[key.step];
  const where = `key row ${key.row + 1}, column ${key.column + 1}, step ${key.step + 1}`;
  const entry = (raw ?? kept)[key.token];
  const same = raw && entry === count;
  const words = [
    el("b", { "data-count": count }, `${count} of ${both.length} channels`),
    ` spike at the query and at ${where}`,
    same
      ? el("span", { "data-entry": entry }, `: ${entry} is their entry of the map. `)
      : raw
        ? `; the recorded entry is ${number(entry)}, so the map was changed after it was counted. `
        : ". ",
  ];
  if (kept) {
    const left = kept[key.token];
    words.push(
      left
        ? `The denoiser passes ${number(left)} on`
        : count
          ? "The denoiser removes it"
          : "There is nothing to pass on",
      left
        ? `: what V of this key holds, ${sum(v)} spike${sum(v) === 1 ? "" : "s"}, is read ${number(left)} times.`
        : ".",
    );
  }
  return words;
}

// Q at this step, K at every step that it reaches, V where the compared key is.
function drawFiring(canvas, view, key, width) {
  const { recording, state, theme, question: asked } = view;
  const size = recording.spikesOf(layerOf(asked.block.block, "query")).channels / asked.block.heads;
  const firing = (part, step) =>
    recording.firing(layerOf(asked.block.block, part), step, state.head * size, (state.head + 1) * size);
  const at = (title, part, step, more) => ({ title, values: firing(part, step), colors: theme.amount, step, ...more });
  const steps = visible(asked, state, recording.used(asked.block)).map(([step]) => step);
  const items = [
    at(`Q, step ${state.step + 1}`, "query", state.step, { query: true, strong: true }),
    ...steps.map((step) =>
      at(`K, step ${step + 1}`, "key", step, { key: step === key.step ? key : null, strong: step === key.step }),
    ),
    at(`V, step ${key.step + 1}`, "value", key.step, { key, strong: true }),
  ];
  const most = Math.max(1, ...items.map(({ values }) => Math.max(...values)));
  return drawMaps(
    canvas,
    view,
    items.map((item) => ({ ...item, most })),
    width,
    190,
  );
}

// Keys that choose the key; the page's own, which move the query, do not see them.
function walkKeys(event, last, store) {
  const move = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
  const far = { PageUp: -1, PageDown: 1 }[event.key];
  if (!last || !(move || far || event.key === "Escape")) return;
  event.preventDefault();
  event.stopPropagation();
  if (event.key === "Escape") {
    store.set({ key: "" });
    return;
  }
  const {
    view: { recording, state, question: asked },
    key,
  } = last;
  const steps = visible(asked, state, recording.used(asked.block)).map(([step]) => step);
  const clamp = (value, count) => Math.min(count - 1, Math.max(0, value));
  const [rows, columns] = recording.grid;
  compare(store, {
    step: far ? steps[clamp(steps.indexOf(key.step) + far, steps.length)] : key.step,
    row: clamp(key.row + (move?.[0] ?? 0), rows),
    column: clamp(key.column + (move?.[1] ?? 0), columns),
  });
}
