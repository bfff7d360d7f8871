// The input as something to paint on: pixels become blank, full, or speckled, at every step or at one.

import { el, panel, prepare, inside, choices, plural, focusedBeside } from "./dom.js";
import { unpack } from "./recording.js";
import { Frames, paint, grid } from "./input.js";
import { css } from "./theme.js";
import { panelled } from "./host.js";
import { Reporter } from "./reporter.js";

const MARKS = [2, 1, 3, 0]; // in the order of the buttons: full first, removing last
const NAMES = ["nothing", "blank", "full", "speckled"];
const FULL = { gray: "ink", rgb: "white", events: "events" };
const SIZES = [1, 2, 3, 5];
const WAIT = 400; // ms without a key before the host hears of it
const MOVES = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

export default panelled((root, bytes, tell) => {
  let picture = read(bytes);
  let marks = picture.marks.slice();
  /** @type {[number, number]} */
  let cursor = [picture.rows >> 1, picture.columns >> 1];
  /** @type {[number, number] | null} where a stroke is that has not ended */
  let from = null;
  /** @type {Frames | null} */
  let frames = null;
  /** @type {import("./types.js").Theme | null} */
  let theme = null;
  const reporter = new Reporter(tell, picture.word);
  /** @type {Uint8Array[]} */
  let past = [];
  const settings = { mark: 0, size: 1, step: picture.step ?? picture.frames - 1 };
  const { node, note, body } = panel("brush", "Paint on the input");
  const canvas = el("canvas", { tabindex: 0, role: "application", "data-name": "brush" });
  const readout = el("p", { class: "readout" });
  const live = el("p", { class: "spoken", "aria-live": "polite" });
  const pick = (name) => (index) => {
    settings[name] = index;
    refresh();
  };
  const mark = choices("Paint", [FULL[picture.kind], "blank", "speckles", "remove"], pick("mark"), "segment");
  const size = choices("Width", SIZES.map(String), pick("size"), "segment");
  const step = choices(
    "Step",
    Array.from({ length: picture.frames }, (_, i) => String(i + 1)),
    pick("step"),
    "segment",
  );
  const undo = el("button", { type: "button", class: "choice", onclick: back }, "Undo");
  const clear = el(
    "button",
    { type: "button", class: "choice", onclick: () => change(() => marks.fill(0), 0) },
    "Clear",
  );
  body.append(
    canvas,
    readout,
    el("div", { class: "strips" }, mark.node, size.node, step.node, el("div", { class: "choices" }, undo, clear)),
    live,
  );
  root.append(node);

  function report(wait) {
    reporter.report(() => ({ marks: marks.join("") }), wait);
  }

  function change(act, wait) {
    const before = marks.slice();
    act();
    if (marks.some((value, i) => value !== before[i])) past.push(before);
    refresh();
    report(wait);
  }

  function back() {
    if (!past.length) return;
    marks = past.pop();
    refresh();
    report(0);
  }

  // A square of the chosen width around a pixel.
  function dab(row, column) {
    const wide = SIZES[settings.size],
      start = Math.floor((wide - 1) / 2);
    for (let y = row - start; y < row - start + wide; y++) {
      for (let x = column - start; x < column - start + wide; x++) {
        if (y >= 0 && x >= 0 && y < picture.rows && x < picture.columns)
          marks[y * picture.columns + x] = MARKS[settings.mark];
      }
    }
  }

  function stroke([row, column], [toRow, toColumn]) {
    const steps = Math.max(1, Math.abs(toRow - row), Math.abs(toColumn - column));
    for (let i = 0; i <= steps; i++)
      dab(Math.round(row + ((toRow - row) * i) / steps), Math.round(column + ((toColumn - column) * i) / steps));
  }

  /** @returns {[number, number]} the pixel under the pointer */
  const find = (event) => {
    const [x, y] = inside(event);
    const clamp = (value, count) => Math.min(count - 1, Math.max(0, Math.floor(value)));
    return [
      clamp((y / canvas.clientHeight) * picture.rows, picture.rows),
      clamp((x / canvas.clientWidth) * picture.columns, picture.columns),
    ];
  };
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    canvas.setPointerCapture(event.pointerId);
    past.push(marks.slice());
    from = cursor = find(event);
    dab(...cursor);
    refresh();
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!from) return;
    const to = find(event);
    stroke(from, to);
    from = cursor = to;
    refresh();
  });
  for (const end of ["pointerup", "pointercancel"])
    canvas.addEventListener(end, () => {
      if (from) {
        from = null;
        report(0);
      }
    });
  canvas.addEventListener("focus", refresh);
  canvas.addEventListener("blur", refresh);
  canvas.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key === "z") {
      event.preventDefault();
      back();
      return;
    }
    const move = MOVES[event.key];
    if (event.ctrlKey || event.metaKey || event.altKey || (!move && event.key !== " ")) return;
    event.preventDefault();
    if (move)
      cursor = [
        Math.min(picture.rows - 1, Math.max(0, cursor[0] + move[0])),
        Math.min(picture.columns - 1, Math.max(0, cursor[1] + move[1])),
      ];
    if (!move || event.shiftKey) change(() => dab(...cursor), WAIT);
    else refresh();
    live.textContent = `Row ${cursor[0] + 1}, column ${cursor[1] + 1}: ${NAMES[marks[cursor[0] * picture.columns + cursor[1]]]}`;
  });

  function refresh() {
    if (!theme || !frames) return;
    const width = Math.floor(Math.min(body.clientWidth, 380));
    const tall = Math.round((width * picture.rows) / picture.columns);
    const context = prepare(canvas, width, tall);
    paint(context, frames.at(settings.step), 0, 0, width, tall);
    drawMarks(context, picture, marks, theme, width, tall);
    if (picture.grid) grid(context, [width, tall], ...picture.grid, theme);
    if (focusedBeside(root) === canvas) drawCursor(context, picture, cursor, SIZES[settings.size], theme, width, tall);
    const count = marks.reduce((sum, value) => sum + (value > 0), 0);
    note.textContent = `Draw with the pointer, or with arrows and space. Paint is there at ${when(picture)}.`;
    step.node.hidden = picture.frames === 1 || picture.step !== null;
    readout.textContent = `${count ? plural(count, "pixel") : "No pixel"} painted.`; // below: nothing moves under the pointer
    canvas.setAttribute(
      "aria-label",
      `${picture.rows} by ${picture.columns} pixels, ${count} of them painted. Arrows move, space paints, shift and arrows draw a line.`,
    );
    mark.show(settings.mark);
    size.show(settings.size);
    step.show(settings.step);
    undo.disabled = !past.length;
    clear.disabled = !count;
  }

  return {
    update(next) {
      picture = read(next);
      if (reporter.hear(picture.word)) {
        marks = picture.marks.slice();
        past = [];
      }
      settings.step = picture.step ?? Math.min(settings.step, picture.frames - 1);
    },
    draw(fresh) {
      theme = fresh;
      frames = new Frames(picture, fresh);
      refresh();
    },
  };
});

const when = ({ step, frames }) =>
  step !== null ? `step ${step + 1} only` : frames > 1 ? "every step alike" : "every step, like the image";

// The picture below the paint, as `Frames` takes it.
function read(bytes) {
  const { header, arrays } = unpack(bytes);
  const [frames, , rows, columns] = arrays.input.shape;
  return {
    ...header.input,
    input: header.input,
    arrays,
    array: (name) => arrays[name].values,
    frames,
    rows,
    columns,
    grid: header.grid,
    step: header.step,
    word: { state: header.state, revision: header.revision },
    marks: Uint8Array.from(header.state.marks, Number), // one digit a pixel
  };
}

function drawMarks(context, { rows, columns, kind }, marks, theme, width, tall) {
  const [w, h] = [width / columns, tall / rows];
  const full = kind === "rgb" ? css([255, 255, 255]) : kind === "gray" ? css(theme.ink) : css(theme.on);
  const empty = kind === "rgb" ? css([0, 0, 0]) : css(theme.paper);
  const painted = (row, column) =>
    row >= 0 && column >= 0 && row < rows && column < columns && marks[row * columns + column] > 0;
  context.strokeStyle = theme.accent;
  context.lineWidth = 1.5;
  context.beginPath();
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const value = marks[row * columns + column];
      if (!value) continue;
      const [x, y] = [column * w, row * h];
      context.fillStyle = value === 2 ? full : empty;
      context.fillRect(x, y, w + 0.5, h + 0.5);
      context.fillStyle = full;
      if (value === 3) {
        context.fillRect(x, y, w / 2, h / 2);
        context.fillRect(x + w / 2, y + h / 2, w / 2, h / 2);
      }
      if (!painted(row - 1, column)) {
        context.moveTo(x, y);
        context.lineTo(x + w, y);
      }
      if (!painted(row + 1, column)) {
        context.moveTo(x, y + h);
        context.lineTo(x + w, y + h);
      }
      if (!painted(row, column - 1)) {
        context.moveTo(x, y);
        context.lineTo(x, y + h);
      }
      if (!painted(row, column + 1)) {
        context.moveTo(x + w, y);
        context.lineTo(x + w, y + h);
      }
    }
  }
  context.stroke();
}

function drawCursor(context, { rows, columns }, [row, column], wide, theme, width, tall) {
  const [w, h, start] = [width / columns, tall / rows, Math.floor((wide - 1) / 2)];
  context.strokeStyle = theme.accent;
  context.lineWidth = 2.5;
  context.strokeRect((column - start) * w, (row - start) * h, w * wide, h * wide);
}
