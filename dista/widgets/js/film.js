// The filmstrip: key maps of one query, a column for each step, drawn on a canvas.

import { prepare, number } from "./dom.js";
import { sum } from "./recording.js";
import { hatch } from "./theme.js";
import { asks, drawMap, ring, border, text } from "./maps.js";

const ROWS = ["raw", "kept", "removed"];

// Rows that the open stage is about; "scores" is the map before the denoiser.
const inStage = (row, { stage }) => ({ scores: row === "raw", denoise: row !== "raw" })[stage] ?? false;
const FADED = 0.35;
const fades = (row, state) => state.stage === "scores" && !inStage(row, state);

// Everything about one query: for each key step up to now, its maps, or null if out of reach.
// Without attention across steps, each step shows its own query's map.
export function question(recording, state) {
  const block = recording.blockAt(state.block);
  if (!block) return null;
  const token = state.row * recording.grid[1] + state.column;
  const columns = Array.from({ length: state.step + 1 }, (_, key) => {
    const query = block.cross ? state.step : key;
    const [raw, kept] = ["raw", "kept"].map((kind) =>
      block[kind] ? recording.keyMap(block, kind, query, key, state.head, token) : null,
    );
    if (!raw && !kept) return null;
    const removed = raw && kept ? Float32Array.from(raw, (count, i) => Math.max(0, count - kept[i])) : null;
    return { raw, kept, removed };
  });
  return { block, token, columns, rows: ROWS.filter((row) => columns.some((column) => column?.[row])) };
}

// The maps that the query at the current step really sees, as `totals` takes them.
export function visible({ block, columns }, state, kind) {
  return columns
    .map((column, key) => [key, column?.[kind]])
    .filter(([key, values]) => values && (block.cross || key === state.step));
}

export function largest(recording, block, state, column) {
  if (state.range === "global") return Math.max(...recording.attention.map((entry) => entry.largest));
  if (state.range === "head") return recording.array(`attention.${block.block}.head_max`)[state.head];
  let most = 0;
  for (const map of [column.raw, column.kept]) for (const value of map ?? []) most = Math.max(most, value);
  return most;
}

// Columns side by side, wrapped onto several lines where the panel is narrow.
export function layout(width, recording, rows, cap) {
  const steps = recording.steps;
  const labels = width >= 560 ? 66 : 0;
  const gap = 6;
  const fit = Math.max(1, Math.floor((width - labels) / 62));
  const lines = Math.ceil(steps / fit);
  const perLine = Math.ceil(steps / lines);
  const size = Math.min(cap, Math.floor((width - labels) / perLine) - gap);
  const tall = Math.round((size * recording.grid[0]) / recording.grid[1]);
  const head = 24,
    foot = 22,
    rowGap = labels ? 6 : 20;
  const line = head + rows.length * (tall + rowGap) + foot;
  const at = (key, row) => ({
    x: labels + (key % perLine) * (size + gap) + 2,
    y: Math.floor(key / perLine) * line + head + row * (tall + rowGap) + (labels ? 0 : 14),
    width: size,
    height: tall,
  });
  return { at, lines, line, labels, size, tall, head, perLine };
}

export function drawFilm(canvas, view, asked, width) {
  const { recording, state, theme } = view;
  const cap = asked.block.cross ? 150 : Math.max(100, Math.min(150, width / 8));
  const plan = layout(width, recording, asked.rows, cap);
  const context = prepare(canvas, width, plan.lines * plan.line + (plan.labels ? 0 : 10));
  const places = [];
  const sums = asked.columns.map((column) => sum(column?.[recording.used(asked.block)]));
  for (let line = 0; line < plan.lines; line++) {
    if (line * plan.perLine > state.step) continue;
    asked.rows.forEach((row, i) => {
      const box = plan.at(line * plan.perLine, i);
      const look = inStage(row, state) ? { align: "left", bold: true, color: theme.ink_ } : { align: "left" };
      if (plan.labels) text(context, theme, row, 0, box.y + box.height / 2, look);
      else text(context, theme, row, box.x, box.y - 8, look);
    });
    if (plan.labels)
      text(context, theme, "sum", 0, plan.at(line * plan.perLine, asked.rows.length).y + 4, { align: "left" });
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
    if (column) drawSum(context, theme, plan.at(key, asked.rows.length), plan, sums[key], Math.max(...sums));
  });
  captionHatched(context, theme, plan, asked);
  drawAbsent(context, view, plan, asked);
  return places;
}

function drawColumn(context, view, asked, column, key, plan, places) {
  const { recording, state, theme, hover } = view;
  asked.rows.forEach((row, i) => {
    const box = plan.at(key, i);
    if (!column) {
      hatch(context, box.x, box.y, box.width, box.height, theme.muted);
    } else {
      const colors = row === "removed" ? theme.removed : theme.amount;
      context.globalAlpha = fades(row, state) ? FADED : 1;
      drawMap(context, colors, column[row], largest(recording, asked.block, state, column), box, recording.grid);
      context.globalAlpha = 1;
      if (hover?.row !== undefined) ring(context, box, recording.grid, hover.row, hover.column, theme.accent, [2, 2]);
      asks(context, box, recording.grid, state, theme);
      places.push({ step: key, map: row, rows: recording.grid[0], columns: recording.grid[1], ...box });
    }
    border(context, box, key === state.step ? theme.ink_ : theme.line, key === state.step ? 2 : 1);
  });
}

// One label for each run of hatched columns in a line, in the middle row.
function captionHatched(context, theme, plan, { columns, rows }) {
  /** @type {number | null} */
  let start = null;
  for (let key = 0; key <= columns.length; key++) {
    const open = key < columns.length && !columns[key];
    if (start !== null && (!open || key % plan.perLine === 0)) {
      const row = Math.floor((rows.length - 1) / 2);
      const [first, last] = [plan.at(start, row), plan.at(key - 1, row)];
      const width = last.x + last.width - first.x;
      if (width > 80) caption(context, theme, "not reachable", { ...first, width });
      start = null;
    }
    if (open && start === null) start = key;
  }
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
  text(context, theme, `${steps} not happened yet.`, box.x + 8, box.y + (box.height * asked.rows.length) / 2, {
    align: "left",
  });
}

// The current step's maps, large: for models whose map does not reach across steps.
export function drawNow(canvas, view, asked, width) {
  const { recording, state, theme } = view;
  const room = width >= 640 ? width * 0.62 : width;
  const size = Math.min(240, Math.floor(room / asked.rows.length) - 10);
  const tall = Math.round((size * recording.grid[0]) / recording.grid[1]);
  const context = prepare(canvas, asked.rows.length * (size + 10), tall + 26);
  const column = asked.columns[state.step];
  asked.rows.forEach((row, i) => {
    const box = { x: i * (size + 10) + 1, y: 22, width: size, height: tall };
    text(context, theme, `${row}, step ${state.step + 1}`, box.x, 9, { align: "left", bold: !fades(row, state) });
    const colors = row === "removed" ? theme.removed : theme.amount;
    context.globalAlpha = fades(row, state) ? FADED : 1;
    drawMap(context, colors, column[row], largest(recording, asked.block, state, column), box, recording.grid);
    context.globalAlpha = 1;
    asks(context, box, recording.grid, state, theme);
    border(context, box, theme.line, 1);
  });
}

/**
 * The step, and the map and its patch, at a point; undefined beside them. Places are of steps or of maps.
 * @param {any[]} places
 * @param {number} x
 * @param {number} y
 * @returns {any} { step, map, row, column }, or only the step
 */
export function locate(places, x, y) {
  const place = places.find((p) => x >= p.x && x < p.x + p.width && y >= p.y && y < p.y + p.height);
  if (!place) return undefined;
  if (!place.map) return { step: place.step };
  const row = Math.min(place.rows - 1, Math.floor(((y - place.y) / place.height) * place.rows));
  const column = Math.min(place.columns - 1, Math.floor(((x - place.x) / place.width) * place.columns));
  return { step: place.step, map: place.map, row, column };
}
