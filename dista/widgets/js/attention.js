// What a patch attends to: the filmstrip of key maps, where attention goes in total, and the
// strips that choose block and head.

import { el, panel, prepare, inside, choices, number } from "./dom.js";
import { sum, totals } from "./recording.js";
import { shade, hatch } from "./theme.js";
import { lagChart } from "./lags.js";
import { RANGES } from "./state.js";

const ROWS = ["raw", "kept", "removed"];

// Everything about one query: for each key step up to now, its maps, or null if out of reach.
// Without attention across steps, each step shows its own query's map.
export function question(recording, state) {
  const block = recording.blockAt(state.block);
  if (!block) return null;
  const token = state.row * recording.grid[1] + state.column;
  const columns = Array.from({ length: state.step + 1 }, (_, key) => {
    const query = block.cross ? state.step : key;
    const [raw, kept] = ["raw", "kept"].map((stage) =>
      (block[stage] ? recording.keyMap(block, stage, query, key, state.head, token) : null));
    if (!raw && !kept) return null;
    const removed = raw && kept ? Float32Array.from(raw, (count, i) => Math.max(0, count - kept[i])) : null;
    return { raw, kept, removed };
  });
  return { block, token, columns, rows: ROWS.filter((row) => columns.some((column) => column?.[row])) };
}

// The maps that the query at the current step really sees, as `totals` takes them.
export function visible({ block, columns }, state, stage) {
  return columns.map((column, key) => [key, column?.[stage]])
    .filter(([key, values]) => values && (block.cross || key === state.step));
}

function largest(recording, block, state, column) {
  if (state.range === "global") return Math.max(...recording.attention.map((entry) => entry.largest));
  if (state.range === "head") return recording.array(`attention.${block.block}.head_max`)[state.head];
  let most = 0;
  for (const map of [column.raw, column.kept]) for (const value of map ?? []) most = Math.max(most, value);
  return most;
}

export function attentionPanel(store, app) {
  const { recording } = store;
  const { node, heading, note, body } = panel("attention", "What this patch attends to, across space and time");
  if (!recording.attention.length) {
    note.textContent = "No attention map was recorded. Record blocks.*.attention.scores and blocks.*.attention.denoise to see it.";
    return { node, draw() {} };
  }
  const large = el("canvas", { role: "img", class: "large" });
  const lags = el("div", { class: "lags" });
  const film = el("canvas", { tabindex: 0, role: "img", "data-name": "film" });
  const readout = el("p", { class: "readout" });
  const shares = el("div", { class: "shares" });
  const range = choices("Colour range", ["per map", "per head", "global"], (i) => store.set({ range: RANGES[i] }), "segment");
  const legend = el("span", { class: "scale" });
  const strips = el("div", { class: "strips" });
  const now = el("div", { class: "now" }, large, lags);
  body.append(now, film, readout, shares, strips, el("div", { class: "ranges" }, range.node, legend));
  let places = [];

  const find = (event) => {
    const [x, y] = inside(event);
    return places.find((place) => x >= place.x && x < place.x + place.width && y >= place.y && y < place.y + place.height)
      && locate(places, x, y);
  };
  film.addEventListener("click", (event) => {
    const hit = find(event);
    if (hit?.row === undefined) { if (hit) store.set({ step: hit.step }); }
    else store.set({ row: hit.row, column: hit.column });
  });
  film.addEventListener("pointermove", (event) => app.point(find(event)));
  film.addEventListener("pointerleave", () => app.point(null));

  function draw(view) {
    const { state } = view;
    const asked = question(recording, state);
    heading.textContent = asked.block.cross ? "What this patch attends to, across space and time"
      : `What this patch attends to, step by step`;
    note.textContent = explain(recording, asked);
    now.hidden = asked.block.cross;
    if (!asked.block.cross) {
      drawNow(large, view, asked, body.clientWidth);
      lags.replaceChildren(...lagChart(recording, state, asked));
    }
    places = drawFilm(film, view, asked, body.clientWidth);
    readout.textContent = read(view, asked);
    film.setAttribute("aria-label", `Key maps of steps 1 to ${state.step + 1}. ${spoken(recording, state)}`);
    drawShares(shares, view, asked);
    drawStrips(strips, store);
    range.show(RANGES.indexOf(state.range));
    drawLegend(legend, view, asked);
  }
  return { node, draw };
}

function explain(recording, { block }) {
  const most = recording.head_dim ? ` (0–${recording.head_dim})` : "";
  const { kind, u } = block.rule;
  const rule = !block.kept ? "" : kind === "threshold" ? ` The denoiser keeps counts above u = ${number(u)}.`
    : kind === "lookup" ? " The denoiser looks each count up in a table." : "";
  if (block.cross) return `Coincident spikes between this query and every key of every reachable step${most}.${rule}`;
  const memory = { projection: "projection memory", attenuated: "attenuated memory" }[recording.memory?.form];
  const past = memory ? `The past enters before it, through Q, K and V (${memory}, ${recording.memory.window} steps).`
    : block.lags > 1 ? "The past enters before it, through Q, K and V." : "No other step enters.";
  return `This map compares patches of one step: coincident spikes of query and key${most}. ${past}${rule}`;
}

// ---- drawing maps --------------------------------------------------------------------------

function drawMap(context, theme, colors, values, most, box, grid) {
  const [rows, columns] = grid;
  const edges = (count, side, start) => Array.from({ length: count + 1 }, (_, i) => start + Math.round((i * side) / count));
  const [xs, ys] = [edges(columns, box.width, box.x), edges(rows, box.height, box.y)];
  context.fillStyle = colors[0];
  context.fillRect(box.x, box.y, box.width, box.height);
  for (let i = 0; i < values.length; i++) {
    if (!values[i]) continue;
    const [row, column] = [Math.floor(i / columns), i % columns];
    context.fillStyle = shade(colors, values[i], most);
    context.fillRect(xs[column], ys[row], xs[column + 1] - xs[column], ys[row + 1] - ys[row]);
  }
}

function ring(context, box, [rows, columns], row, column, color, dash = []) {
  const [w, h] = [box.width / columns, box.height / rows];
  context.strokeStyle = color;
  context.lineWidth = 1.5;
  context.setLineDash(dash);
  context.strokeRect(box.x + column * w + 0.75, box.y + row * h + 0.75, w - 1.5, h - 1.5);
  context.setLineDash([]);
}

function border(context, box, color, width) {
  context.strokeStyle = color;
  context.lineWidth = width;
  const out = width > 1 ? 2 : 0.5;
  context.strokeRect(box.x - out, box.y - out, box.width + 2 * out, box.height + 2 * out);
}

function text(context, theme, words, x, y, { align = "center", bold = false, color = theme.muted, size = 12 } = {}) {
  context.font = `${bold ? 600 : 400} ${size}px ${theme.font}`;
  context.textAlign = align;
  context.textBaseline = "middle";
  context.fillStyle = color;
  context.fillText(words, x, y);
}

// Columns side by side, wrapped onto several lines where the panel is narrow.
function layout(width, recording, rows, cap) {
  const steps = recording.steps;
  const labels = width >= 560 ? 66 : 0;
  const gap = 6;
  const fit = Math.max(1, Math.floor((width - labels) / 62));
  const lines = Math.ceil(steps / fit);
  const perLine = Math.ceil(steps / lines);
  const size = Math.min(cap, Math.floor((width - labels) / perLine) - gap);
  const tall = Math.round((size * recording.grid[0]) / recording.grid[1]);
  const head = 24, foot = 22, rowGap = labels ? 6 : 20;
  const line = head + rows.length * (tall + rowGap) + foot;
  const at = (key, row) => ({
    x: labels + (key % perLine) * (size + gap) + 2,
    y: Math.floor(key / perLine) * line + head + row * (tall + rowGap) + (labels ? 0 : 14),
    width: size, height: tall,
  });
  return { at, lines, line, labels, size, tall, head, perLine };
}

function drawFilm(canvas, view, asked, width) {
  const { recording, state, theme } = view;
  const cap = asked.block.cross ? 150 : 116;
  const plan = layout(width, recording, asked.rows, cap);
  const context = prepare(canvas, width, plan.lines * plan.line + (plan.labels ? 0 : 10));
  const places = [];
  const kept = asked.columns.map((column) => sum(column?.[recording.used(asked.block)]));
  for (let line = 0; line < plan.lines; line++) {
    if (line * plan.perLine > state.step) continue;
    asked.rows.forEach((row, i) => {
      const box = plan.at(line * plan.perLine, i);
      if (plan.labels) text(context, theme, row, 0, box.y + box.height / 2, { align: "left" });
      else text(context, theme, row, box.x, box.y - 8, { align: "left" });
    });
    if (plan.labels) text(context, theme, "sum", 0, plan.at(line * plan.perLine, asked.rows.length).y + 4, { align: "left" });
  }
  asked.columns.forEach((column, key) => {
    const top = plan.at(key, 0);
    const current = key === state.step;
    const label = recording.stepLabel(key);
    const words = current ? `${key + 1} now` : label && plan.size > 60 ? `${key + 1} ${label}` : String(key + 1);
    const y = top.y - plan.head / 2 - (plan.labels ? 2 : 14);
    text(context, theme, words, top.x + plan.size / 2, y, { bold: current, color: current ? theme.ink_ : theme.muted });
    places.push({ step: key, x: top.x, y: y - 12, width: plan.size, height: 24 });
    drawColumn(context, view, asked, column, key, plan, places);
    if (column) drawSum(context, theme, plan.at(key, asked.rows.length), plan, kept[key], Math.max(...kept));
  });
  drawAbsent(context, view, plan, asked);
  return places;
}

function drawColumn(context, view, asked, column, key, plan, places) {
  const { recording, state, theme, hover } = view;
  asked.rows.forEach((row, i) => {
    const box = plan.at(key, i);
    if (!column) {
      hatch(context, box.x, box.y, box.width, box.height, theme.muted);
      if (box.width > 84) caption(context, theme, "not reachable", box);
    } else {
      const colors = row === "removed" ? theme.removed : theme.kept;
      drawMap(context, theme, colors, column[row], largest(recording, asked.block, state, column), box, recording.grid);
      if (hover?.row !== undefined) ring(context, box, recording.grid, hover.row, hover.column, theme.accent, [2, 2]);
      ring(context, box, recording.grid, state.row, state.column, theme.hot);
      places.push({ step: key, map: row, rows: recording.grid[0], columns: recording.grid[1], ...box });
    }
    border(context, box, key === state.step ? theme.ink_ : theme.line, key === state.step ? 2 : 1);
  });
}

function caption(context, theme, words, box) {
  context.font = `11px ${theme.font}`;
  const width = context.measureText(words).width + 8;
  context.fillStyle = theme.panel;
  context.fillRect(box.x + box.width / 2 - width / 2, box.y + box.height / 2 - 9, width, 18);
  text(context, theme, words, box.x + box.width / 2, box.y + box.height / 2, { size: 11 });
}

function drawSum(context, theme, box, plan, value, most) {
  const y = box.y - (plan.labels ? 0 : 14);
  context.fillStyle = theme.line;
  context.fillRect(box.x, y, plan.size, 4);
  context.fillStyle = theme.accent;
  context.fillRect(box.x, y, most ? (plan.size * value) / most : 0, 4);
  text(context, theme, number(value, 1), box.x + plan.size / 2, y + 12, { size: 11 });
}

// Future steps are absent; a sentence stands in for them so that the gap is not a riddle.
function drawAbsent(context, { recording, state, theme }, plan, asked) {
  const next = state.step + 1;
  const left = plan.perLine - (next % plan.perLine || plan.perLine);
  if (next >= recording.steps || left * plan.size < 120) return;
  const box = plan.at(next, 0);
  const steps = next + 1 === recording.steps ? `Step ${next + 1} has` : `Steps ${next + 1}–${recording.steps} have`;
  text(context, theme, `${steps} not happened yet.`, box.x + 8, box.y + (box.height * asked.rows.length) / 2, { align: "left" });
}

// The current step's maps, large: for models whose map does not reach across steps.
function drawNow(canvas, view, asked, width) {
  const { recording, state, theme } = view;
  const room = width >= 640 ? width * 0.62 : width;
  const size = Math.min(190, Math.floor(room / asked.rows.length) - 10);
  const tall = Math.round((size * recording.grid[0]) / recording.grid[1]);
  const context = prepare(canvas, asked.rows.length * (size + 10), tall + 26);
  const column = asked.columns[state.step];
  asked.rows.forEach((row, i) => {
    const box = { x: i * (size + 10) + 1, y: 22, width: size, height: tall };
    text(context, theme, `${row}, step ${state.step + 1}`, box.x, 9, { align: "left", bold: true });
    const colors = row === "removed" ? theme.removed : theme.kept;
    drawMap(context, theme, colors, column[row], largest(recording, asked.block, state, column), box, recording.grid);
    ring(context, box, recording.grid, state.row, state.column, theme.hot);
    border(context, box, theme.line, 1);
  });
  canvas.setAttribute("aria-label", spoken(recording, state));
}

function locate(places, x, y) {
  const place = places.find((p) => x >= p.x && x < p.x + p.width && y >= p.y && y < p.y + p.height);
  if (!place?.map) return { step: place.step };
  const row = Math.min(place.rows - 1, Math.floor(((y - place.y) / place.height) * place.rows));
  const column = Math.min(place.columns - 1, Math.floor(((x - place.x) / place.width) * place.columns));
  return { step: place.step, row, column };
}

// ---- words and numbers ---------------------------------------------------------------------

function strongest(maps) {
  let best = { value: 0 };
  for (const [step, values] of maps) {
    values.forEach((value, key) => { if (value > best.value) best = { value, step, key }; });
  }
  return best;
}

// One sentence about the query, for the live region and for labels.
export function spoken(recording, state) {
  const asked = question(recording, state);
  if (!asked) return "No attention map was recorded.";
  const stage = recording.used(asked.block);
  const maps = visible(asked, state, stage);
  const split = totals(maps, state.step, asked.token);
  const best = strongest(maps);
  const where = `Step ${state.step + 1}, patch row ${state.row + 1}, column ${state.column + 1}, `
    + `block ${state.block + 1}, head ${state.head + 1}`;
  if (!split.all) return `${where}: attends to nothing.`;
  const columns = recording.grid[1];
  return `${where}: attention ${number(split.all, 1)}, strongest ${number(best.value, 1)} on step ${best.step + 1}, `
    + `row ${Math.floor(best.key / columns) + 1}, column ${(best.key % columns) + 1}.`;
}

function read({ recording, state, hover }, asked) {
  if (hover?.row === undefined) return spoken(recording, state);
  const column = asked.columns[hover.step];
  const key = hover.row * recording.grid[1] + hover.column;
  const values = asked.rows.map((row) => `${row} ${number(column[row][key])}`).join(", ");
  return `Key at step ${hover.step + 1}, row ${hover.row + 1}, column ${hover.column + 1}: ${values}.`;
}

const SHARES = [
  ["patch", "same patch over time"], ["step", "same step over space"], ["elsewhere", "elsewhere"],
];

function drawShares(node, { recording, state }, asked) {
  const parts = asked.block.cross ? SHARES : [["patch", "this patch itself"], ["step", "other patches of this step"]];
  const stages = asked.rows.filter((row) => row !== "removed");
  const split = Object.fromEntries(stages.map((stage) => [stage, totals(visible(asked, state, stage), state.step, asked.token)]));
  const percent = (stage, part) => (split[stage].all ? Math.round((100 * split[stage][part]) / split[stage].all) : 0);
  const bars = stages.map((stage) => el("div", { class: "share", role: "img", "aria-label":
    `${stage}: ${parts.map(([part, words]) => `${words} ${percent(stage, part)} %`).join(", ")}` },
  el("span", {}, stage), el("div", { class: "bars" }, split[stage].all
    ? parts.map(([part]) => el("i", { class: `part ${part}`, style: `flex-grow:${split[stage][part]}` }))
    : el("em", {}, stage === "kept" && split.raw?.all ? "nothing was kept" : "attends to nothing"))));
  const last = stages.at(-1);
  const legend = parts.map(([part, words]) => el("span", { "data-part": part, "data-value": split[last][part] },
    el("i", { class: `swatch part ${part}` }), `${words} `, el("b", {}, `${percent(last, part)} %`),
    stages.length > 1 ? el("small", {}, ` of kept, ${percent("raw", part)} % of raw`) : null));
  node.replaceChildren(...bars, el("p", { class: "legend" }, legend));
}

function drawStrips(node, store) {
  const { recording, state } = store;
  const token = state.row * recording.grid[1] + state.column;
  const heads = recording.attention.map((block) => Array.from({ length: block.heads }, (_, head) =>
    recording.attends(block, state.step, head, token)));
  const current = recording.attention.findIndex((entry) => entry.block === state.block);
  if (!node.firstChild || node.dataset.heads !== String(heads[current].length)) {
    node.dataset.heads = heads[current].length;
    const blocks = choices("Block", recording.attention.map(({ block }) => `${block + 1}`),
      (i) => store.set({ block: recording.attention[i].block }));
    const inner = choices("Head", heads[current].map((_, i) => `${i + 1}`), (i) => store.set({ head: i }));
    [...blocks.buttons, ...inner.buttons].forEach((button) => button.append(el("i", { class: "bar" })));
    node.replaceChildren(blocks.node, inner.node);
    Object.assign(node, { blocks, inner });
  }
  level(node.blocks, heads.map(sum), current, "Block");
  level(node.inner, heads[current], state.head, "Head");
}

function level(strip, values, current, what) {
  const most = Math.max(...values);
  strip.show(current);
  strip.buttons.forEach((button, i) => {
    button.querySelector(".bar").style.width = most ? `${(100 * values[i]) / most}%` : "0";
    button.setAttribute("aria-label", `${what} ${i + 1}, attention ${number(values[i], 1)}`);
    button.title = `summed attention of this query: ${number(values[i], 1)}`;
  });
}

function drawLegend(node, { recording, state, theme }, asked) {
  const most = state.range === "map" ? "largest of each map" : number(largest(recording, asked.block, state, {}), 1);
  const ramp = (colors) => el("i", { class: "ramp", style:
    `background:linear-gradient(90deg,${colors[0]},${colors[32]},${colors[64]})` });
  node.replaceChildren("0", ramp(theme.kept), asked.rows.includes("removed") ? ramp(theme.removed) : "", most);
}
