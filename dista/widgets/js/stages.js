// The network from left to right, a tile a stage with what it does at this step; one stage is open.

import { el, prepare, number } from "./dom.js";
import { sum } from "./recording.js";
import { visible } from "./film.js";
import { drawMap } from "./maps.js";
import { stemOutput, stemMap } from "./stem.js";
import { hasTrains, trains } from "./coincidence.js";

const SIDE = 36; // height of a thumbnail
const UNKNOWN = { value: "–", unit: "not recorded" };

// The panel in which a stage is seen.
export const PANEL_OF = {
  input: "input",
  stem: "stem",
  qkv: "qkv",
  scores: "attention",
  denoise: "attention",
  readout: "values",
  logits: "decision",
};

export function stageRow(store, app) {
  const { stages } = store.recording;
  const tiles = Object.keys(stages).map((stage) => {
    const canvas = el("canvas", { "aria-hidden": true });
    const [value, unit] = [el("b"), el("small")];
    const button = el(
      "button",
      { type: "button", role: "radio", class: "stage", "data-stage": stage, onclick: () => open(stage) },
      canvas,
      el("span", { class: "words" }, el("span", {}, stages[stage]), el("span", {}, value, " ", unit)),
    );
    return { stage, canvas, value, unit, button };
  });
  const node = el(
    "div",
    { class: "pipeline", role: "radiogroup", "aria-label": "Stages of the network; the open one is shown below" },
    tiles.map(({ button }) => button),
  );
  node.addEventListener("keydown", (event) => walkStages(event, Object.keys(stages), open));

  function open(stage) {
    store.set({ stage });
    tiles.find((tile) => tile.stage === stage)?.button.focus({ preventScroll: true });
    app.reveal();
  }

  function draw(view) {
    for (const { stage, canvas, value, unit, button } of tiles) {
      const shown = summarise(stage, view);
      const current = stage === view.state.stage;
      button.setAttribute("aria-checked", String(current));
      button.tabIndex = current ? 0 : -1;
      value.textContent = shown.value;
      unit.textContent = shown.unit ?? "";
      button.setAttribute(
        "aria-label",
        `${stages[stage]}: ${shown.spoken ?? `${shown.value} ${shown.unit ?? ""}`.trim()}`,
      );
      button.title = shown.title ?? "";
      button.toggleAttribute("data-removed", stage === "denoise" && parseFloat(shown.value) > 0);
      thumbnail(canvas, view, shown);
    }
  }
  return { node, draw };
}

// Arrows open the next stage; the page's own keys do not see them.
function walkStages(event, stages, open) {
  const at = stages.indexOf(event.target.closest("[data-stage]")?.dataset.stage);
  const to = {
    ArrowLeft: at - 1,
    ArrowUp: at - 1,
    ArrowRight: at + 1,
    ArrowDown: at + 1,
    Home: 0,
    End: stages.length - 1,
  }[event.key];
  if (to === undefined || at < 0) return;
  event.preventDefault();
  event.stopPropagation();
  open(stages[(to + stages.length) % stages.length]);
}

function thumbnail(canvas, { recording, theme }, { draw, map, colors, most, wide = 1 }) {
  const [rows, columns] = recording.grid ?? [1, 1];
  const width = map ? Math.round(Math.min(1.6, columns / rows) * SIDE) : Math.round(SIDE * wide);
  const context = prepare(canvas, width, SIDE);
  if (map)
    drawMap(context, colors ?? theme.amount, map, most ?? Math.max(1, ...map), { x: 0, y: 0, width, height: SIDE }, [
      rows,
      columns,
    ]);
  else draw?.(context, width);
}

const percent = (share) => `${number(100 * share, share < 0.095 ? 1 : 0)} %`;

function summarise(stage, view) {
  return (
    {
      input: ofInput,
      stem: ofStem,
      qkv: ofTrains,
      scores: ofScores,
      denoise: ofDenoiser,
      readout: ofReadout,
      logits: ofLogits,
    }[stage](view) ?? UNKNOWN
  );
}

function ofInput({ recording, state, frames }) {
  if (!recording.input) return null;
  const [, channels, rows, columns] = recording.arrays.input.shape;
  const plane = rows * columns * channels;
  const at = Math.min(state.step, recording.input.frames - 1) * plane;
  const events = recording.input.kind === "events";
  return {
    value: events ? sum(recording.array("input").subarray(at, at + plane)) : `${rows}×${columns}`,
    unit: events ? "events" : "pixels",
    draw: (context, width) => {
      context.imageSmoothingEnabled = false;
      context.drawImage(frames.at(state.step), 0, 0, width, SIDE);
    },
  };
}

function ofStem({ recording, state }) {
  const names = stemOutput(recording);
  if (!names) return null;
  const map = stemMap(recording, names, state.step);
  const share = sum(map) / (2 * recording.spikes[names[0]][1] * recording.tokens);
  return {
    value: percent(share),
    unit: "fire",
    map,
    title: "Share of the neurons of its last two layers that fire at this step",
  };
}

function ofTrains(view) {
  const { recording, theme, question: asked } = view;
  if (!asked || !hasTrains(recording, asked.block)) return null;
  const { q, k, v, both } = trains(view);
  const counts = [q, k, v].map((train) => sum(train));
  return {
    value: sum(both),
    unit: "coincide",
    wide: 1.6,
    spoken: `${counts[0]} spikes of the query and ${counts[1]} of the key, ${sum(both)} coincide`,
    title:
      "Spikes of Q at this patch, of K and V at the key compared with it; those of Q and K that coincide are its entry of the map",
    draw: (context, width) =>
      [q, k, v].forEach((train, row) =>
        train.forEach((spike, channel) => {
          const [w, h] = [width / train.length, SIDE / 3];
          context.fillStyle = !spike ? theme.line : both[channel] && row < 2 ? theme.accent : theme.muted;
          context.fillRect(channel * w, row * h + 1, Math.max(1, w - 1), h - 2);
        }),
      ),
  };
}

// Sums over all keys that the query reaches, of its raw, kept or removed part.
const reached = ({ state, question: asked }, kind) =>
  visible(asked, state, kind).reduce((total, [, values]) => total + sum(values), 0);

function ofScores(view) {
  const { state, question: asked } = view;
  const map = asked?.columns[state.step]?.raw;
  return (
    map && {
      value: number(reached(view, "raw"), 1),
      unit: "in all",
      map,
      title: "Coincident spikes of this query with all keys that it reaches; the picture shows those of this step",
    }
  );
}

function ofDenoiser(view) {
  const { state, question: asked } = view;
  const { raw, kept } = asked?.columns[state.step] ?? {};
  if (!raw || !kept) return null;
  const all = reached(view, "raw");
  return {
    value: percent(all ? reached(view, "removed") / all : 0),
    unit: "removed",
    map: kept,
    most: Math.max(1, ...raw),
    title: "Share of these coincidences that the denoiser removes; the picture shows what it keeps of this step",
  };
}

function ofReadout({ recording, state }) {
  const name = `blocks.${state.block}.attention.neuron`;
  const share = recording.rate(name, state.step);
  if (share === null) return null;
  const map = recording.spikesOf(name) ? recording.firing(name, state.step) : null;
  return {
    value: percent(share),
    unit: "fire",
    map,
    title: "Share of the block's read-out neurons that fire at this step",
  };
}

function ofLogits({ recording, state, theme }) {
  if (!recording.decision) return null;
  const [, classes] = recording.arrays.logits.shape;
  const logits = recording.array("logits").subarray(state.step * classes, (state.step + 1) * classes);
  const [low, high] = [Math.min(0, ...logits), Math.max(0, ...logits)];
  const top = logits.indexOf(Math.max(...logits));
  return {
    value: recording.className(top),
    unit: `logit ${number(logits[top], 1)}`,
    spoken: `${recording.className(top)} leads with ${number(logits[top])}`,
    draw: (context, width) =>
      logits.forEach((value, name) => {
        const y = (at) => ((high - at) / (high - low || 1)) * (SIDE - 2) + 1;
        const w = width / classes;
        context.fillStyle = name === top ? theme.accent : theme.muted;
        context.fillRect(
          name * w,
          Math.min(y(value), y(0)),
          Math.max(1, w - (w > 3 ? 1 : 0)),
          Math.max(1, Math.abs(y(value) - y(0))),
        );
      }),
  };
}
