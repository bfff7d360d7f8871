// What a patch attends to: the panel around the filmstrip, where attention goes in total, and the
// strips that choose block and head.

import { el, panel, inside, choices, number } from "./dom.js";
import { sum, strongest, totals } from "./recording.js";
import { question, visible, largest, drawFilm, drawNow, locate } from "./film.js";
import { lagChart } from "./lags.js";

export function attentionPanel(store, app) {
  const { recording } = store;
  const ranges = Object.keys(recording.ranges);
  const { node, heading, note, body } = panel("attention centre", "What this patch attends to, across space and time");
  if (!recording.attention.length) {
    note.textContent = recording.missing.attention;
    return { node, draw() {} };
  }
  const large = el("canvas", { role: "img", class: "large" });
  const lags = el("div", { class: "lags" });
  const film = el("canvas", { tabindex: 0, role: "img", "data-name": "film" });
  const readout = el("p", { class: "readout" });
  const shares = el("div", { class: "shares" });
  const range = choices(
    "Colour range",
    Object.values(recording.ranges),
    (i) => store.set({ range: ranges[i] }),
    "segment",
  );
  const legend = el("span", { class: "scale" });
  const strips = el("div", { class: "strips" });
  const now = el("div", { class: "now" }, large, lags);
  const sums = el("p", { class: "note sums" });
  body.append(now, film, readout, shares, strips, el("div", { class: "ranges" }, range.node, legend), sums);
  let places = [];

  const find = (event) => {
    const [x, y] = inside(event);
    return locate(places, x, y);
  };
  film.addEventListener("click", (event) => {
    const hit = find(event);
    if (hit?.row === undefined) {
      if (hit) store.set({ step: hit.step });
    } else store.set({ row: hit.row, column: hit.column });
  });
  film.addEventListener("pointermove", (event) => app.point(find(event)));
  film.addEventListener("pointerleave", () => app.point(null));

  function draw(view) {
    const { state } = view;
    const { question: asked } = view;
    heading.textContent = asked.block.cross
      ? "What this patch attends to, across space and time"
      : `What this patch attends to, step by step`;
    note.textContent = asked.block.note;
    now.hidden = asked.block.cross;
    if (!asked.block.cross) {
      drawNow(large, view, asked, body.clientWidth);
      large.setAttribute("aria-label", spoken(recording, state));
      lags.replaceChildren(...lagChart(recording, state, asked));
    }
    places = drawFilm(film, view, asked, body.clientWidth);
    readout.textContent = read(view, asked);
    film.setAttribute("aria-label", `Key maps of steps 1 to ${state.step + 1}. ${spoken(recording, state)}`);
    drawShares(shares, view, asked);
    drawStrips(strips, store);
    range.show(ranges.indexOf(state.range));
    drawLegend(legend, view, asked);
    sums.textContent = asked.block.sums;
  }
  return { node, draw };
}

// ---- words and numbers ---------------------------------------------------------------------

// One sentence about the query, for the live region and for labels.
export function spoken(recording, state) {
  const asked = question(recording, state);
  if (!asked) return recording.missing.attention;
  const kind = recording.used(asked.block);
  const maps = visible(asked, state, kind);
  const split = totals(maps, state.step, asked.token);
  const best = strongest(maps);
  const where =
    `Step ${state.step + 1}, patch row ${state.row + 1}, column ${state.column + 1}, ` +
    `block ${state.block + 1}, head ${state.head + 1}`;
  if (!split.total) return `${where}: attends to nothing.`;
  const columns = recording.grid[1];
  return (
    `${where}: attention ${number(split.total, 1)}, strongest ${number(best.value, 1)} on step ${best.step + 1}, ` +
    `row ${Math.floor(best.token / columns) + 1}, column ${(best.token % columns) + 1}.`
  );
}

function read({ recording, state, hover }, asked) {
  if (hover?.row === undefined) return spoken(recording, state);
  const column = asked.columns[hover.step];
  const key = hover.row * recording.grid[1] + hover.column;
  const values = asked.rows.map((row) => `${row} ${number(column[row][key])}`).join(", ");
  return `Key at step ${hover.step + 1}, row ${hover.row + 1}, column ${hover.column + 1}: ${values}.`;
}

const ACROSS = [
  ["same_patch", "same patch over time"],
  ["same_step", "same step over space"],
  ["elsewhere", "elsewhere"],
];
const WITHIN = [
  ["self", "this patch itself"],
  ["others", "other patches of this step"],
];

function drawShares(node, { state }, asked) {
  const parts = asked.block.cross ? ACROSS : WITHIN;
  const kinds = asked.rows.filter((row) => row !== "removed");
  const split = Object.fromEntries(
    kinds.map((kind) => [kind, totals(visible(asked, state, kind), state.step, asked.token)]),
  );
  const percent = (kind, part) => (split[kind].total ? Math.round((100 * split[kind][part]) / split[kind].total) : 0);
  const bars = kinds.map((kind) =>
    el(
      "div",
      {
        class: "share",
        role: "img",
        "aria-label": `${kind}: ${parts.map(([part, words]) => `${words} ${percent(kind, part)} %`).join(", ")}`,
      },
      el("span", {}, kind),
      el(
        "div",
        { class: "bars" },
        split[kind].total
          ? parts.map(([part]) => el("i", { class: `part ${part}`, style: `flex-grow:${split[kind][part]}` }))
          : el("em", {}, kind === "kept" && split.raw?.total ? "nothing was kept" : "attends to nothing"),
      ),
    ),
  );
  const last = kinds.at(-1);
  const legend = parts.map(([part, words]) =>
    el(
      "span",
      { "data-part": part, "data-value": split[last][part] },
      el("i", { class: `swatch part ${part}` }),
      `${words} `,
      el("b", {}, `${percent(last, part)} %`),
      kinds.length > 1 ? el("small", {}, ` of kept, ${percent("raw", part)} % of raw`) : null,
    ),
  );
  node.replaceChildren(...bars, el("p", { class: "legend" }, legend));
}

// Buttons for block and head, with how much attention this query pays in each.
export function drawStrips(node, store) {
  const { recording, state } = store;
  const token = state.row * recording.grid[1] + state.column;
  const heads = recording.attention.map((block) =>
    Array.from({ length: block.heads }, (_, head) => recording.attends(block, state.step, head, token)),
  );
  const current = recording.attention.findIndex((entry) => entry.block === state.block);
  if (!node.firstChild || node.dataset.heads !== String(heads[current].length)) {
    node.dataset.heads = heads[current].length;
    const blocks = choices(
      "Block",
      recording.attention.map(({ block }) => `${block + 1}`),
      (i) => store.set({ block: recording.attention[i].block }),
    );
    const inner = choices(
      "Head",
      heads[current].map((_, i) => `${i + 1}`),
      (i) => store.set({ head: i }),
    );
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
  const ramp = (colors) =>
    el("i", { class: "ramp", style: `background:linear-gradient(90deg,${colors[0]},${colors[32]},${colors[64]})` });
  node.replaceChildren("0", ramp(theme.amount), asked.rows.includes("removed") ? ramp(theme.removed) : "", most);
}
