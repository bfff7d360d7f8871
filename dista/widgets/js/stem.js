// What leaves the stem: how many channels spike in each patch, and the maps of the busiest channels.

import { el, panel, inside } from "./dom.js";
import { sum } from "./recording.js";
import { locate } from "./film.js";
import { drawMaps } from "./maps.js";

const MAPS = 24; // channels that get a map of their own

// The two layers whose sum leaves the stem, or null where one of them is not known whole.
export function stemOutput(recording) {
  const names = Object.keys(recording.spikes ?? {}).filter((name) => name.startsWith("stem."));
  return names.length === 2 ? names : null;
}

// Spikes of both layers per patch, of all channels or of one.
export function stemMap(recording, names, step, first, end) {
  const [one, other] = names.map((name) => recording.firing(name, step, first, end));
  return one.map((count, token) => count + other[token]);
}

export function stemPanel(store, app) {
  const { recording } = store;
  const { node, note, body } = panel("stem centre", "What the stem makes of this step");
  const names = stemOutput(recording);
  if (!names) {
    note.textContent = recording.missing.stem;
    return { node, draw() {} };
  }
  const total = el("canvas", { role: "img", "data-name": "stem" });
  const readout = el("p", { class: "readout" });
  const channels = el("canvas", { role: "img" });
  const busiest = busiestChannels(recording, names);
  const legend = el("span", { class: "scale" });
  const all = el("div", {}, total, readout);
  const single = el(
    "div",
    {},
    el("h4", {}, `The ${busiest.length} busiest channels of ${recording.spikes[names[0]][1]}`),
    channels,
    legend,
  );
  body.append(el("div", { class: "beside" }, all, single));
  pickable(total, store, app, () => places[0]);
  pickable(channels, store, app, () => places[1]);
  let places = [[], []];
  note.textContent =
    "Spikes that leave the stem and go to the first block: those of its last stage, and those of the " +
    "relative position layer on top. A channel of a patch can therefore hold 0, 1 or 2.";

  function draw(view) {
    const { state, theme, hover } = view;
    const values = stemMap(recording, names, state.step);
    const item = { colors: theme.amount, step: state.step, query: true, key: hover };
    places = [
      drawMaps(
        total,
        view,
        [{ ...item, title: `all channels, step ${state.step + 1}`, values, most: Math.max(...values), strong: true }],
        all.clientWidth,
        240,
      ),
      drawMaps(
        channels,
        view,
        busiest.map((channel) => ({
          ...item,
          title: `${channel + 1}`,
          values: stemMap(recording, names, state.step, channel, channel + 1),
          most: 2,
          query: false,
          key: null,
        })),
        single.clientWidth,
        84,
        44,
      ),
    ];
    const at = hover?.row === undefined ? state : hover;
    const here = values[at.row * recording.grid[1] + at.column];
    readout.textContent = `Step ${state.step + 1}, patch row ${at.row + 1}, column ${at.column + 1}: ${here} spikes; all patches ${sum(values)}.`;
    total.setAttribute("aria-label", `Spikes of each patch. ${readout.textContent}`);
    legend.replaceChildren(
      ...[0, 1, 2].flatMap((spikes) => [
        el("i", { class: "swatch cell", style: `background:${theme.amount[32 * spikes]}` }),
        spikes ? `${spikes} spike${spikes > 1 ? "s" : ""}` : "none",
      ]),
    );
    channels.setAttribute(
      "aria-label",
      `Maps of channels ${busiest.map((channel) => channel + 1).join(", ")} at step ${state.step + 1}.`,
    );
  }
  return { node, draw };
}

// By spikes over all steps, so that the maps keep their places while time moves.
function busiestChannels(recording, names) {
  const [, channels] = recording.spikes[names[0]];
  const totals = Array.from({ length: channels }, () => 0);
  for (const name of names) {
    recording.spikesOf(name).values.forEach((spike, i) => {
      totals[Math.floor(i / recording.tokens) % channels] += spike;
    });
  }
  return totals
    .map((_, channel) => channel)
    .sort((a, b) => totals[b] - totals[a] || a - b)
    .filter((channel) => totals[channel] > 0)
    .slice(0, MAPS);
}

// Maps on which a click asks about a patch and the pointer shows it on the input as well.
export function pickable(canvas, store, app, places) {
  canvas.classList.add("pick");
  canvas.addEventListener("click", (event) => {
    const hit = locate(places(), ...inside(event));
    if (hit) store.set({ row: hit.row, column: hit.column });
  });
  canvas.addEventListener("pointermove", (event) => app.point(locate(places(), ...inside(event))));
  canvas.addEventListener("pointerleave", () => app.point(null));
}
