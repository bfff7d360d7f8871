// What the network sees: the time rail with every step's frame, and the frame at the current step.

import { el, panel, prepare, inside, brushOf } from "./dom.js";
import { asks } from "./maps.js";
import { pixel, css } from "./theme.js";

// One frame as a small offscreen canvas, one pixel a pixel; scaled up without smoothing.
function frame(recording, theme, step) {
  const [frames, , rows, columns] = recording.arrays.input.shape;
  const { kind, largest } = recording.input;
  const [plane, values] = [rows * columns, recording.array("input")];
  const start = Math.min(step, frames - 1) * recording.arrays.input.shape[1] * plane;
  const canvas = el("canvas", { width: columns, height: rows });
  const context = brushOf(canvas);
  const image = context.createImageData(columns, rows);
  for (let i = 0; i < plane; i++) {
    image.data.set([...pixel(theme, kind, values, start + i, plane, largest), 255], i * 4);
  }
  context.putImageData(image, 0, 0);
  return canvas;
}

// Frames are made once for each recording and theme.
export class Frames {
  /**
   * @param {{ input: any, arrays: any, array(name: string): any }} recording
   * @param {import("./types.js").Theme} theme
   */
  constructor(recording, theme) {
    this.recording = recording;
    this.theme = theme;
    /** @type {HTMLCanvasElement[]} */
    this.made = [];
  }

  at(step) {
    if (!this.recording.input) return null;
    const index = Math.min(step, this.recording.input.frames - 1);
    this.made[index] ??= frame(this.recording, this.theme, index);
    return this.made[index];
  }
}

export function paint(context, image, x, y, width, height) {
  context.imageSmoothingEnabled = false;
  context.drawImage(image, x, y, width, height);
}

// Moves a strip, and not the page, so that one of its buttons is in view.
/** @param {HTMLElement} strip @param {HTMLElement} button */
function reveal(strip, button) {
  const [frame, box] = [strip.getBoundingClientRect(), button.getBoundingClientRect()];
  strip.scrollLeft = scrolled(strip.scrollLeft, frame.width, box.left - frame.left + strip.scrollLeft, box.width);
}

/**
 * How far a strip of `room` pixels, scrolled by `now`, has to be so that all of what is at `from` is seen: in its middle.
 * @param {number} now @param {number} room @param {number} from @param {number} width
 */
export function scrolled(now, room, from, width) {
  const seen = from >= now && from + width <= now + room;
  return seen ? now : Math.max(0, from - (room - width) / 2);
}

// ---- time rail -----------------------------------------------------------------------------

export function timeRail(store, app) {
  const { recording } = store;
  const { node, heading, note, body } = panel("rail", "Steps");
  const play = el("button", { type: "button", class: "play", onclick: () => app.play() });
  const steps = Array.from({ length: recording.steps }, (_, step) => {
    const canvas = recording.input ? el("canvas", { "aria-hidden": true }) : null;
    const bar = el("i", { class: "bar" });
    const label = el("span", {}, `${step + 1} ${recording.stepLabel(step)}`.trim());
    const button = el(
      "button",
      { type: "button", class: "frame", onclick: () => store.set({ step }) },
      canvas,
      bar,
      label,
    );
    return { button, canvas, bar };
  });
  const strip = el(
    "div",
    { class: "steps", role: "group", "aria-label": "Steps" },
    steps.map(({ button }) => button),
  );
  body.append(play, strip);
  heading.setAttribute("aria-live", "off");
  note.replaceChildren(
    "Pick a step; everything below follows it. ",
    el(
      "span",
      { class: "keys" },
      el("span", { class: "unfocused" }, "Keys, once you are in here by a click or Tab:"),
      ...keys([["[", "]"], "step, ", ["←", "↑", "→", "↓"], "patch, ", [",", "."], "head, ", ["space"], "plays."]),
    ),
  );

  let painted = null,
    drawn = 0, // frames and size that the thumbnails show
    revealed = -1; // the step that the strip was moved for: who moves it by hand is left alone

  function draw({ state, frames, asked }) {
    heading.textContent = recording.step_sentences[state.step];
    play.textContent = app.playing ? "❚❚ Pause" : "▶ Play";
    const most = Math.max(...asked, 0);
    const room = Math.floor((body.clientWidth - 96) / recording.steps) - 16;
    const side = Math.min(72, Math.max(48, room));
    const [rows, columns] = recording.arrays.input?.shape.slice(2) ?? [1, 1];
    const tall = Math.round((side * rows) / columns);
    if (side !== drawn) painted = null;
    steps.forEach(({ button, canvas, bar }, step) => {
      button.setAttribute("aria-current", step === state.step ? "step" : "false");
      button.setAttribute("aria-label", `Step ${step + 1} ${recording.stepLabel(step)}`.trim());
      bar.style.width = most ? `${(100 * asked[step]) / most}%` : "0";
      if (canvas && painted !== frames) paint(prepare(canvas, side, tall), frames.at(step), 0, 0, side, tall);
    });
    [painted, drawn] = [frames, side];
    if (revealed !== state.step) reveal(strip, steps[state.step].button);
    revealed = state.step;
    play.setAttribute("aria-label", app.playing ? "Pause" : "Play the steps");
  }
  return { node, draw };
}

// Text with keys in it: arrays become <kbd> elements.
function keys(parts) {
  return parts.flatMap((part) => (typeof part === "string" ? [` ${part}`] : part.map((key) => el("kbd", {}, key))));
}

// Summed attention of the query patch at every query step, for the bars under the thumbnails.
export function askedPerStep(recording, state) {
  const block = recording.blockAt(state.block);
  const token = state.row * (recording.grid?.[1] ?? 1) + state.column;
  return Array.from({ length: recording.steps }, (_, step) =>
    block ? recording.attends(block, step, state.head, token) : 0,
  );
}

// ---- input at this step --------------------------------------------------------------------

export function inputPanel(store) {
  const { recording } = store;
  const { node, note, body } = panel("input", "Input at this step");
  const canvas = el("canvas", {
    tabindex: 0,
    role: "application",
    "data-name": "input",
    onclick: (event) => pick(event),
  });
  const legend =
    recording.input?.kind === "events"
      ? el(
          "p",
          { class: "legend" },
          el("i", { class: "swatch off" }),
          "OFF, darker",
          el("i", { class: "swatch on" }),
          "ON, brighter",
        )
      : "";
  if (recording.grid || recording.input) body.append(canvas, legend);
  /** @type {[number, number]} */
  let size = [1, 1];

  function pick(event) {
    const [x, y] = inside(event);
    const [rows, columns] = recording.grid ?? [1, 1];
    const at = (value, side, count) => Math.min(count - 1, Math.max(0, Math.floor((value / side) * count)));
    store.set({ row: at(y, size[1], rows), column: at(x, size[0], columns) });
  }

  function draw({ state, theme, frames, hover }) {
    note.textContent = !recording.input
      ? recording.missing.input
      : recording.input.frames === 1 && recording.steps > 1
        ? "The same image at every step. Click a patch to ask what it attends to."
        : "Click a patch to ask what it attends to.";
    const [rows, columns] = recording.grid ?? [1, 1];
    const shape = recording.input ? recording.arrays.input.shape.slice(2) : [rows, columns];
    const width = Math.floor(Math.min(body.clientWidth, 420));
    size = [width, Math.round((width * shape[0]) / shape[1])];
    const context = prepare(canvas, ...size);
    context.fillStyle = css(theme.paper);
    context.fillRect(0, 0, ...size);
    if (recording.input) paint(context, frames.at(state.step), 0, 0, ...size);
    if (recording.grid) grid(context, size, rows, columns, theme);
    if (hover) outline(context, size, rows, columns, hover.row, hover.column, theme.accent, [4, 3]);
    if (recording.grid) asks(context, { x: 0, y: 0, width: size[0], height: size[1] }, recording.grid, state, theme);
    canvas.setAttribute(
      "aria-label",
      `Input at step ${state.step + 1}, query patch row ${state.row + 1}, ` +
        `column ${state.column + 1} of ${rows} by ${columns}. Arrow keys move it.`,
    );
  }
  return { node, draw };
}

export function grid(context, [width, height], rows, columns, theme) {
  context.beginPath();
  for (let i = 1; i < columns; i++) {
    const x = Math.round((width * i) / columns) + 0.5;
    context.moveTo(x, 0);
    context.lineTo(x, height);
  }
  for (let i = 1; i < rows; i++) {
    const y = Math.round((height * i) / rows) + 0.5;
    context.moveTo(0, y);
    context.lineTo(width, y);
  }
  context.strokeStyle = theme.muted;
  context.globalAlpha = 0.28;
  context.lineWidth = 1;
  context.stroke();
  context.globalAlpha = 1;
}

function outline(context, [width, height], rows, columns, row, column, color, dash) {
  const [w, h] = [width / columns, height / rows];
  context.setLineDash(dash);
  context.lineWidth = 2.5;
  context.strokeStyle = color;
  context.strokeRect(column * w + 1, row * h + 1, w - 2, h - 2);
  context.setLineDash([]);
}
