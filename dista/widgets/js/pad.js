// A square to draw on. It keeps strokes, lists of points in 0..1, and reports them when the pen rests.

import { el, brushOf } from "./dom.js";
import { component } from "./host.js";
import { Reporter } from "./reporter.js";

const REST = 450; // ms without a stroke after which a drawing is reported
const NEAR = 0.008; // points nearer than this to the last one add nothing
const PEN = 1 / 11; // of the side, about as wide as in the digits the networks know
const KEY_STEP = 1 / 20;
const KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

const clip = (value) => Math.round(Math.min(1, Math.max(0, value)) * 1000) / 1000;

class Pad {
  constructor(parent, data, tell) {
    this.reporter = new Reporter(tell, data);
    /** @type {[number, number][][]} */
    this.strokes = data.state.strokes;
    /** @type {[number, number]} */
    this.pen = [0.5, 0.3];
    this.down = this.drawing = this.keyboard = false;
    this.canvas = el("canvas", {
      tabindex: 0,
      role: "application",
      "data-name": "pad",
      "aria-label": "Drawing pad. Arrow keys move the pen, space lowers and lifts it, backspace undoes.",
      onpointerdown: (event) => this.start(event),
      onpointermove: (event) => this.move(event),
      onpointerup: () => this.end(),
      onpointercancel: () => this.end(),
      onkeydown: (event) => this.key(event),
      onfocus: () => this.draw(),
      onblur: () => this.lift(),
    });
    this.undo = el("button", { type: "button", onclick: () => this.change(this.strokes.slice(0, -1)) }, "Undo");
    this.clear = el("button", { type: "button", onclick: () => this.change([]) }, "Clear");
    this.said = el("span", { class: "spoken", "aria-live": "polite" });
    this.node = el(
      "div",
      { class: "pad" },
      this.canvas,
      el("div", { class: "buttons" }, this.undo, this.clear, this.said),
    );
    parent.append(this.node);
    this.watch = new ResizeObserver(() => this.draw());
    this.watch.observe(this.canvas);
    this.draw();
  }

  remove() {
    this.reporter.hold();
    this.watch.disconnect();
    this.node.remove();
  }

  // ---- pointer -------------------------------------------------------------------------------

  at(event) {
    const box = this.canvas.getBoundingClientRect();
    return [clip((event.clientX - box.left) / box.width), clip((event.clientY - box.top) / box.height)];
  }

  start(event) {
    if (event.button) return;
    event.preventDefault();
    this.canvas.setPointerCapture(event.pointerId);
    this.drawing = true;
    this.keyboard = this.down = false;
    this.begin(this.at(event));
  }

  move(event) {
    if (!this.drawing) return;
    for (const one of event.getCoalescedEvents?.() ?? [event]) this.add(this.at(one));
    this.draw();
  }

  end() {
    if (!this.drawing) return;
    this.drawing = false;
    this.later();
  }

  begin(point) {
    this.reporter.hold();
    this.strokes.push([point]);
    this.pen = point;
    this.draw();
  }

  add(point) {
    const stroke = this.strokes[this.strokes.length - 1];
    const last = stroke[stroke.length - 1];
    if (Math.hypot(point[0] - last[0], point[1] - last[1]) >= NEAR) stroke.push(point);
    this.pen = point;
  }

  // ---- keys ----------------------------------------------------------------------------------

  key(event) {
    const step = KEYS[event.key];
    if (step) this.go(step);
    else if (event.key === " ") this.down ? this.lift() : this.lower();
    else if (event.key === "Backspace") this.change(this.strokes.slice(0, -1));
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  go([right, down]) {
    this.keyboard = true;
    /** @type {[number, number]} */
    const point = [clip(this.pen[0] + right * KEY_STEP), clip(this.pen[1] + down * KEY_STEP)];
    if (this.down) this.add(point);
    this.pen = point;
    this.say();
  }

  lower() {
    this.keyboard = this.down = true;
    this.begin([...this.pen]);
    this.say();
  }

  lift() {
    if (this.down) this.later();
    this.down = false;
    this.say();
  }

  say() {
    const [x, y] = this.pen.map((value) => Math.round(100 * value));
    this.said.textContent = `Pen ${this.down ? "down" : "up"}, ${x} % from the left, ${y} % from the top`;
    this.draw();
  }

  // ---- what is drawn -------------------------------------------------------------------------

  change(strokes) {
    Object.assign(this, { strokes, down: false });
    this.later(0);
    this.draw();
  }

  later(wait = REST) {
    this.reporter.report(() => ({ strokes: this.strokes.map((stroke) => [...stroke]) }), wait);
  }

  update(data) {
    const news = this.reporter.hear(data);
    if (news) Object.assign(this, { strokes: news.strokes, down: false });
  }

  draw() {
    const side = this.canvas.clientWidth,
      ratio = window.devicePixelRatio || 1;
    if (!side) return;
    this.canvas.width = this.canvas.height = Math.round(side * ratio);
    const context = brushOf(this.canvas);
    const style = getComputedStyle(this.canvas);
    context.scale(side * ratio, side * ratio);
    Object.assign(context, { lineCap: "round", lineJoin: "round", lineWidth: PEN, strokeStyle: style.color });
    for (const [first, ...rest] of this.strokes) {
      context.beginPath();
      context.moveTo(...first);
      for (const point of rest.length ? rest : [first]) context.lineTo(...point);
      context.stroke();
    }
    if (this.keyboard) this.cursor(context, style.accentColor);
    this.undo.disabled = this.clear.disabled = !this.strokes.length;
  }

  cursor(context, color) {
    context.beginPath();
    context.arc(...this.pen, PEN / 2, 0, 2 * Math.PI);
    Object.assign(context, { lineWidth: 0.012, strokeStyle: color });
    context.setLineDash(this.down ? [] : [0.02, 0.02]);
    context.stroke();
    context.setLineDash([]);
  }
}

export default component((parent, data, tell) => {
  const pad = new Pad(parent, data, tell);
  return { update: (next) => pad.update(next), refresh: () => pad.draw(), remove: () => pad.remove() };
});
