// dom.js
function fill(node, props, children) {
  const element = (
    /** @type {HTMLElement} */
    node
  );
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === void 0 || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "style") element.style.cssText = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== void 0));
  return node;
}
function el(tag, props = {}, ...children) {
  return fill(document.createElement(tag), props, children);
}
var brushOf = (canvas) => (
  /** @type {CanvasRenderingContext2D} */
  canvas.getContext("2d")
);

// host.js
var same = (a, b) => a === b || a instanceof Uint8Array && a.length === b.length && a.every((value, i) => value === b[i]);
function component(make) {
  const mounted = /* @__PURE__ */ new WeakMap();
  return ({ parentElement, data, setStateValue }) => {
    const entry = mounted.get(parentElement);
    if (entry) {
      entry.tell = setStateValue;
      if (!same(entry.data, data)) entry.part.update(data);
      entry.data = data;
      requestAnimationFrame(entry.part.refresh);
    } else {
      const added = { data, tell: setStateValue, part: (
        /** @type {Part | null} */
        null
      ) };
      added.part = make(parentElement, data, (state) => added.tell("state", state));
      mounted.set(parentElement, added);
    }
    return () => {
      mounted.get(parentElement)?.part.remove();
      mounted.delete(parentElement);
    };
  };
}

// reporter.js
var Reporter = class {
  /**
   * @param {(report: State) => void} tell how the page hears of a report
   * @param {Word} word what the page wanted when the component was made; without a number there are no numbers
   */
  constructor(tell, { state, revision }) {
    this.tell = tell;
    this.revision = revision;
    this.told = JSON.stringify(state);
    this.timer = void 0;
  }
  /**
   * Reports what `read` finds when nothing has been reported or held for `wait` ms, unless the page knows it.
   * @param {() => State} read
   * @param {number} wait
   */
  report(read, wait = 0) {
    this.hold();
    this.timer = setTimeout(() => {
      const state = read();
      const text = JSON.stringify(state);
      if (text === this.told) return;
      this.told = text;
      this.tell(this.revision === void 0 ? state : { ...state, revision: this.revision });
    }, wait);
  }
  // Nothing is reported until `report` is called again: the reader is in the middle of something.
  hold() {
    clearTimeout(this.timer);
  }
  /**
   * What the page wants if that is news, which then counts more than what was still to be reported; else null.
   * @param {Word} word
   * @returns {State | null}
   */
  hear({ state, revision }) {
    if (revision === void 0 || revision === this.revision) return null;
    this.hold();
    this.revision = revision;
    this.told = JSON.stringify(state);
    return state ?? {};
  }
};

// pad.js
var REST = 450;
var NEAR = 8e-3;
var PEN = 1 / 11;
var KEY_STEP = 1 / 20;
var KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
var clip = (value) => Math.round(Math.min(1, Math.max(0, value)) * 1e3) / 1e3;
var Pad = class {
  constructor(parent, data, tell) {
    this.reporter = new Reporter(tell, data);
    this.strokes = data.state.strokes;
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
      onblur: () => this.lift()
    });
    this.undo = el("button", { type: "button", onclick: () => this.change(this.strokes.slice(0, -1)) }, "Undo");
    this.clear = el("button", { type: "button", onclick: () => this.change([]) }, "Clear");
    this.said = el("span", { class: "spoken", "aria-live": "polite" });
    this.node = el(
      "div",
      { class: "pad" },
      this.canvas,
      el("div", { class: "buttons" }, this.undo, this.clear, this.said)
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
    const side = this.canvas.clientWidth, ratio = window.devicePixelRatio || 1;
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
};
var pad_default = component((parent, data, tell) => {
  const pad = new Pad(parent, data, tell);
  return { update: (next) => pad.update(next), refresh: () => pad.draw(), remove: () => pad.remove() };
});
export {
  pad_default as default
};
