// Pick one place on a map: a grid of cells that arrow keys walk over; afterwards the run's sizes are its shades.

import { el } from "./dom.js";
import { legend } from "./legend.js";

const KEYS = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] };

/**
 * @param {{ shape: [number, number], image: number[][] | null, marked: [number, number] | null, question: string }} spec
 * @param {(values: [number, number]) => void} tell
 */
export function pick(spec, tell) {
  const [rows, columns] = spec.shape;
  let locked = false;
  const cells = Array.from({ length: rows }, (_, row) =>
    Array.from({ length: columns }, (_, column) => cell(row, column)),
  );

  function cell(/** @type {number} */ row, /** @type {number} */ column) {
    const marked = spec.marked?.[0] === row && spec.marked?.[1] === column;
    return el("button", {
      type: "button",
      class: marked ? "cell marked" : "cell",
      tabindex: row || column ? -1 : 0,
      "aria-label": `row ${row + 1}, column ${column + 1}${marked ? ", the one that asks" : ""}`,
      onclick: () => {
        if (!locked) tell([row, column]);
      },
      onkeydown: (/** @type {KeyboardEvent} */ event) => walk(event, row, column),
    });
  }

  function walk(/** @type {KeyboardEvent} */ event, /** @type {number} */ row, /** @type {number} */ column) {
    const way = KEYS[/** @type {keyof typeof KEYS} */ (event.key)];
    if (!way) return;
    event.preventDefault();
    const next = cells[row + way[0]]?.[column + way[1]];
    if (!next) return;
    cells[row][column].tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  }

  const side = `grid-template-columns: repeat(${columns}, minmax(0, 1fr))`;
  const grid = el("div", { class: "places", role: "group", "aria-label": spec.question, style: side }, ...cells.flat());
  const key = legend("you", "the run, darker is more");
  const node = el("div", {}, grid, key.node);
  return {
    node,
    ready: (/** @type {any} */ values) => values !== null,
    /** @param {[number, number] | null} values @param {{ place: [number, number], sizes: number[][] } | null} truth */
    draw(values, truth) {
      locked = truth !== null;
      cells.flat().forEach((node, index) => {
        const [row, column] = [Math.floor(index / columns), index % columns];
        node.setAttribute("aria-pressed", String(values?.[0] === row && values?.[1] === column));
        node.classList.toggle("is-run", truth?.place[0] === row && truth?.place[1] === column);
        const size = truth ? truth.sizes[row][column] : (spec.image?.[row][column] ?? 0);
        node.style.background = `color-mix(in srgb, var(--${truth ? "accent" : "ink"}) ${Math.round(100 * size)}%, var(--paper))`;
      });
      key.show(locked);
    },
  };
}
