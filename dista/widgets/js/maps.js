// Maps over patches and rows of spikes on a canvas: what the film and the panels of the stages draw with.

import { prepare } from "./dom.js";
import { shade } from "./theme.js";

export function drawMap(context, colors, values, most, box, grid) {
  const [rows, columns] = grid;
  const edges = (count, side, start) =>
    Array.from({ length: count + 1 }, (_, i) => start + Math.round((i * side) / count));
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

export function ring(context, box, [rows, columns], row, column, color, dash = [], wide = 1.5) {
  const [w, h] = [box.width / columns, box.height / rows];
  context.strokeStyle = color;
  context.lineWidth = wide;
  context.setLineDash(dash);
  context.strokeRect(box.x + column * w + 0.75, box.y + row * h + 0.75, w - 1.5, h - 1.5);
  context.setLineDash([]);
}

// The patch that asks: the same on every map and picture, seen on light and on dark cells.
export function asks(context, box, grid, { row, column }, theme) {
  ring(context, box, grid, row, column, theme.panel, [], 4);
  ring(context, box, grid, row, column, theme.ink_, [], 2);
}

export function border(context, box, color, width) {
  context.strokeStyle = color;
  context.lineWidth = width;
  const out = width > 1 ? 2 : 0.5;
  context.strokeRect(box.x - out, box.y - out, box.width + 2 * out, box.height + 2 * out);
}

export function text(
  context,
  theme,
  words,
  x,
  y,
  { align = "center", bold = false, color = theme.muted, size = 12 } = {},
) {
  context.font = `${bold ? 600 : 400} ${size}px ${theme.font}`;
  context.textAlign = align;
  context.textBaseline = "middle";
  context.fillStyle = color;
  context.fillText(words, x, y);
}

const [GAP, HEAD] = [8, 22]; // between maps, and above each for its title

/**
 * Where maps stand side by side, on as many lines of about equal length as they need, two a line at least.
 * @param {number} count
 * @param {number} width of the panel
 * @param {[number, number]} grid rows and columns of patches
 * @param {number} cap the largest width of a map
 * @param {number} least the width below which there are fewer a line
 */
export function tiles(count, width, grid, cap, least) {
  const fit = Math.max(2, Math.floor((width + GAP) / (least + GAP)));
  const lines = Math.ceil(count / fit);
  const perLine = Math.ceil(count / lines);
  const size = Math.min(cap, Math.floor((width + GAP) / perLine) - GAP - 1);
  const tall = Math.round((size * grid[0]) / grid[1]);
  return {
    width: Math.min(width, perLine * (size + GAP)),
    height: lines * (HEAD + tall + GAP),
    at: (/** @type {number} */ i) => ({
      x: (i % perLine) * (size + GAP) + 1,
      y: Math.floor(i / perLine) * (HEAD + tall + GAP) + HEAD,
      width: size,
      height: tall,
    }),
  };
}

// Titled maps side by side, wrapped where the panel is narrow; returns their places for `locate`.
// An item is { title, values, colors, most, step, query, key }: `query` and `key` are ringed patches.
export function drawMaps(canvas, view, items, width, cap = 150, least = 74) {
  const {
    recording: { grid, steps },
    state,
    theme,
  } = view;
  const plan = tiles(items.length, width, grid, cap, least);
  const context = prepare(canvas, plan.width, plan.height);
  return items.map(({ title, values, colors, most, step, query, key, strong }, i) => {
    const box = plan.at(i);
    text(context, theme, title, box.x, box.y - HEAD / 2, {
      align: "left",
      bold: strong,
      color: strong ? theme.ink_ : theme.muted,
    });
    drawMap(context, colors, values, most, box, grid);
    border(context, box, strong ? theme.ink_ : theme.line, 1);
    if (key) ring(context, box, grid, key.row, key.column, theme.panel);
    if (key) ring(context, box, grid, key.row, key.column, theme.ink_, [3, 2]);
    if (query) asks(context, box, grid, state, theme);
    return { ...box, step: Math.min(step, steps - 1), map: title, rows: grid[0], columns: grid[1] };
  });
}

// Rows of cells, one a channel. A row is { label, values, bars, sum }: spikes are filled cells, `bars` values
// as heights. Channels in `marked` are in the accent colour in the first `tied` rows, with a line through them.
export function drawCells(canvas, theme, rows, marked, width, tied = rows.length) {
  const [left, right] = width >= 560 ? [66, 84] : [46, 44];
  const count = rows[0].values.length;
  const cell = Math.min(30, (width - left - right) / count);
  const [tall, gap] = [22, 10];
  const context = prepare(canvas, Math.min(width, left + right + count * cell), rows.length * (tall + gap));
  const inset = cell > 6 ? 1.5 : 0.5;
  context.fillStyle = theme.accent;
  for (const channel of marked)
    context.fillRect(left + (channel + 0.5) * cell - 0.75, tall / 2, 1.5, (tied - 1) * (tall + gap));
  rows.forEach(({ label, values, bars, sum, strong }, i) => {
    const y = i * (tall + gap);
    text(context, theme, label, 0, y + tall / 2, {
      align: "left",
      bold: strong,
      color: strong ? theme.ink_ : theme.muted,
    });
    const most = bars ? Math.max(...values, 0) : 1;
    values.forEach((value, channel) => {
      const [x, wide] = [left + channel * cell + inset, cell - 2 * inset];
      context.fillStyle = theme.panel;
      context.fillRect(x, y, wide, tall);
      const high = most > 0 ? (tall * Math.max(0, value)) / most : 0;
      context.fillStyle = i < tied && marked.includes(channel) ? theme.accent : theme.muted;
      context.fillRect(x, y + tall - high, wide, high);
      context.strokeStyle = theme.line;
      context.lineWidth = 1;
      context.strokeRect(x + 0.5, y + 0.5, wide - 1, tall - 1);
    });
    text(context, theme, sum, left + count * cell + 8, y + tall / 2, {
      align: "left",
      bold: strong,
      color: theme.ink_,
    });
  });
}
