// Learned time constants, which are also the list that chooses a neuron layer.

import { el, panel, number } from "./dom.js";

const LONGER = 1.5; // this much above its start deserves a look

export function tauPanel(store) {
  const { recording } = store;
  const { node, note, body } = panel("tau", "Learned time constants");
  const layers = recording.layers.map((layer, position) => ({ ...layer, ...tauOf(recording, position) }));
  if (!layers.length) {
    note.textContent = recording.missing.neurons;
    return { node, draw() {} };
  }
  const ends = layers.flatMap(({ tau, before }) => [...(tau ?? []), ...(before ?? [])]);
  const most = Math.max(3, Math.ceil(Math.max(...ends, 0)));
  const at = (value) => `${(100 * (value - 1)) / (most - 1)}%`;
  const rows = layers.map((layer) => tauRow(store, layer, at));
  const ticks = [1, ...[2, 4, 8, 16, 32].filter((tick) => tick < most * 0.8), most];
  const axis = el(
    "div",
    { class: "tauaxis", "aria-hidden": true },
    el("span"),
    el(
      "span",
      { class: "track" },
      ticks.map((tick) => el("em", { style: `left:${at(tick)}` }, tick === most ? `${tick} steps` : tick)),
    ),
  );
  const list = el("div", { class: "taus", role: "group", "aria-label": "Neuron layers" }, rows);
  body.append(list, axis);
  list.addEventListener("keydown", (event) => roam(event, rows));
  note.replaceChildren(
    ends.length ? explainTau(layers, recording.moment, recording.missing.tau_start) : recording.missing.tau,
  );

  function draw({ state }) {
    rows.forEach((row, i) => {
      const current = layers[i].name === state.layer;
      row.setAttribute("aria-pressed", String(current));
      row.tabIndex = current || (!rows.some((_, j) => layers[j].name === state.layer) && i === 0) ? 0 : -1;
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

function explainTau(layers, moment, notKept) {
  const hot = layers.some(longer) ? [el("i", { class: "dot hot" }), " listens half as long again or more. "] : [];
  const known = layers.some(({ start: value }) => value);
  const start = known ? [el("i", { class: "dot start" }), " at the start, "] : [];
  return el(
    "span",
    {},
    ...start,
    el("i", { class: "dot" }),
    ` ${moment}`,
    hot.length ? ", " : ". ",
    ...hot,
    known ? "" : `${notKept} `,
    "Pick a layer for the panels beside.",
  );
}

function tauRow(store, layer, at) {
  const { tau, before, mean, start, per } = layer;
  const marks = [
    tau && start
      ? el("i", {
          class: "move",
          style: `left:${at(Math.min(mean, start))};right:calc(100% - ${at(Math.max(mean, start))})`,
        })
      : null,
    tau && per > 1 ? el("i", { class: "span", style: `left:${at(tau[0])};right:calc(100% - ${at(tau[1])})` }) : null,
    before ? el("i", { class: "dot start", style: `left:${at(start)}` }) : null,
    tau ? el("i", { class: longer(layer) ? "dot hot" : "dot", style: `left:${at(mean)}` }) : null,
  ];
  const words = tau
    ? `time constant ${number(mean)} steps${start ? `, ${number(start)} at the start` : ""}`
    : "time constant not recorded";
  return el(
    "button",
    {
      type: "button",
      class: "taurow",
      title: `${layer.name}: ${words}`,
      "aria-label": `${layer.label}, ${words}`,
      "data-layer": layer.name,
      onclick: () => store.set({ layer: layer.name, neuron: -1 }),
    },
    el("span", {}, layer.label),
    el("span", { class: "track" }, marks),
    el("b", {}, tau ? number(mean) : ""),
  );
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
