// dom.js
var SVG = "http://www.w3.org/2000/svg";
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
function svg(tag, props = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), props, children);
}
function panel(name, title) {
  const heading = el("h3", {}, title);
  const note = el("p", { class: "note" });
  const body = el("div", { class: "body" });
  const node = el("section", { class: `panel ${name}`, "aria-label": title }, heading, note, body);
  return { node, heading, note, body };
}
function prepare(canvas, width, height) {
  const ratio = window.devicePixelRatio || 1;
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== w || canvas.height !== h) Object.assign(canvas, { width: w, height: h });
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const context = brushOf(canvas);
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return context;
}
var brushOf = (canvas) => (
  /** @type {CanvasRenderingContext2D} */
  canvas.getContext("2d")
);
function inside(event) {
  const box = (
    /** @type {Element} */
    event.currentTarget.getBoundingClientRect()
  );
  return [event.clientX - box.left, event.clientY - box.top];
}
var focusedBeside = (node) => (
  /** @type {Document | ShadowRoot} */
  node.getRootNode().activeElement
);
function choices(label, entries, pick, name = "choice") {
  const buttons = entries.map(
    (text, index) => el("button", { type: "button", class: name, onclick: () => pick(index) }, text)
  );
  const node = el(
    "div",
    { class: "choices", role: "group", "aria-label": label },
    el("span", { class: "caption" }, label),
    ...buttons
  );
  const show = (current) => {
    buttons.forEach((button, index) => {
      button.setAttribute("aria-pressed", String(index === current));
    });
  };
  return { node, buttons, show };
}
function plural(count, word) {
  return `${count} ${word}${count === 1 ? "" : "s"}`;
}

// recording.js
var TYPES = { uint8: Uint8Array, uint16: Uint16Array, uint32: Uint32Array, int32: Int32Array, float32: Float32Array };
function unpack(bytes) {
  const copy = bytes.slice();
  const size = new DataView(copy.buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(copy.subarray(8, 8 + size)));
  const arrays = {};
  for (const [name, entry] of Object.entries(header.arrays)) {
    const { dtype, shape, offset } = (
      /** @type {import("./types.js").Entry} */
      entry
    );
    const length = shape.reduce((product, side) => product * side, 1);
    arrays[name] = { values: new TYPES[dtype](copy.buffer, 8 + size + offset, length), shape };
  }
  return { header, arrays };
}

// theme.js
var LEVELS = 64;
var parse = (hex) => [channel(hex, 1), channel(hex, 3), channel(hex, 5)];
var channel = (hex, at) => parseInt(hex.slice(at, at + 2), 16);
var mix = (a, b, share) => {
  const at = (i) => Math.round(a[i] + (b[i] - a[i]) * share);
  return [at(0), at(1), at(2)];
};
var css = (rgb) => `rgb(${rgb.join(",")})`;
function scale(colours) {
  const stops = colours.map(parse);
  return Array.from({ length: LEVELS + 1 }, (_, level) => {
    const at = level / LEVELS * 2;
    return css(at < 1 ? mix(stops[0], stops[1], at) : mix(stops[1], stops[2], at - 1));
  });
}
function readTheme(root, forced) {
  root.dataset.theme = forced ?? "";
  root.toggleAttribute("data-forced", Boolean(forced));
  const style = getComputedStyle(root);
  const [red, green, blue] = /(\d+)[ ,]+(\d+)[ ,]+(\d+)/.exec(style.backgroundColor)?.slice(1).map(Number) ?? [
    255,
    255,
    255
  ];
  const bright = 0.3 * red + 0.59 * green + 0.11 * blue;
  const name = forced ?? (bright < 110 ? "dark" : "light");
  root.dataset.theme = name;
  const color = (key) => getComputedStyle(root).getPropertyValue(`--${key}`).trim();
  return {
    name,
    amount: scale(color("amount").split(/\s+/)),
    removed: scale(color("removed").split(/\s+/)),
    paper: parse(color("paper")),
    ink: parse(color("ink")),
    ink_: color("ink"),
    accent: color("accent"),
    orange: color("orange"),
    muted: color("muted"),
    line: color("line"),
    panel: color("panel"),
    cursor: color("cursor"),
    off: parse(color("off")),
    on: parse(color("on")),
    font: style.fontFamily
  };
}
function pixel(theme, kind, values, at, plane, largest) {
  if (kind === "rgb") return [values[at], values[at + plane], values[at + 2 * plane]];
  if (kind === "gray") return mix(theme.paper, theme.ink, values[at] / 255);
  const strength = (count) => count ? 0.35 + 0.65 * Math.min(1, count / largest) : 0;
  const [off, on] = [strength(values[at]), strength(values[at + plane])];
  if (off && on) return mix(theme.paper, mix(theme.off, theme.on, on / (on + off)), Math.max(on, off));
  return off ? mix(theme.paper, theme.off, off) : mix(theme.paper, theme.on, on);
}

// input.js
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
var Frames = class {
  /**
   * @param {{ input: any, arrays: any, array(name: string): any }} recording
   * @param {import("./types.js").Theme} theme
   */
  constructor(recording, theme) {
    this.recording = recording;
    this.theme = theme;
    this.made = [];
  }
  at(step) {
    if (!this.recording.input) return null;
    const index = Math.min(step, this.recording.input.frames - 1);
    this.made[index] ??= frame(this.recording, this.theme, index);
    return this.made[index];
  }
};
function paint(context, image, x, y, width, height) {
  context.imageSmoothingEnabled = false;
  context.drawImage(image, x, y, width, height);
}
function grid(context, [width, height], rows, columns, theme) {
  context.beginPath();
  for (let i = 1; i < columns; i++) {
    const x = Math.round(width * i / columns) + 0.5;
    context.moveTo(x, 0);
    context.lineTo(x, height);
  }
  for (let i = 1; i < rows; i++) {
    const y = Math.round(height * i / rows) + 0.5;
    context.moveTo(0, y);
    context.lineTo(width, y);
  }
  context.strokeStyle = theme.muted;
  context.globalAlpha = 0.28;
  context.lineWidth = 1;
  context.stroke();
  context.globalAlpha = 1;
}

// capture.js
var [SCALE, EDGE, HEAD] = [2, 12, 30];
var STYLES = [
  "fill",
  "stroke",
  "stroke-width",
  "stroke-dasharray",
  "stroke-linejoin",
  "opacity",
  "font-size",
  "font-weight",
  "font-family",
  "text-anchor",
  "paint-order"
];
function offerImage(node) {
  const [heading, body] = [node.querySelector("h3"), node.querySelector(".body")];
  const saved = { PNG: picture, SVG: drawing };
  const buttons = Object.entries(saved).map(([form, make]) => {
    const onclick = async () => keep(await make(heading.textContent, node, body), `${nameOf(node)}.${form.toLowerCase()}`);
    const button = el("button", { type: "button", class: `save ${form.toLowerCase()}`, onclick }, form);
    const name = () => {
      const said = `Save as ${form}: ${heading.textContent}`;
      button.setAttribute("aria-label", said);
      button.title = said;
    };
    button.addEventListener("focus", name);
    button.addEventListener("pointerenter", name);
    name();
    return button;
  });
  heading.after(...buttons);
}
var nameOf = (node) => node.classList[1] ?? "panel";
function keep(blob, file) {
  if (!blob) return;
  const link = el("a", { href: URL.createObjectURL(blob), download: file });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1e4);
}
var partsOf = (body) => [...body.querySelectorAll("canvas, svg")].filter((part) => part.getClientRects().length);
async function drawing(title, node, body) {
  const [origin, style] = [body.getBoundingClientRect(), getComputedStyle(node)];
  const parts = partsOf(body).map((part) => {
    const box = part.getBoundingClientRect();
    const at = {
      x: EDGE + box.left - origin.left,
      y: EDGE + HEAD + box.top - origin.top,
      width: box.width,
      height: box.height
    };
    if (part instanceof HTMLCanvasElement)
      return { at, drawn: svg("image", { ...at, href: part.toDataURL(), style: "image-rendering:pixelated" }) };
    const copy = styled(part);
    Object.entries(at).forEach(([name, value]) => copy.setAttribute(name, String(value)));
    return { at, drawn: copy };
  });
  const height = Math.max(...parts.map(({ at }) => at.y + at.height)) + EDGE;
  const width = origin.width + 2 * EDGE;
  const root = svg("svg", { width, height, viewBox: `0 0 ${width} ${height}` });
  const heading = { x: EDGE, y: EDGE + 14, style: `font:650 15px ${style.fontFamily};fill:${style.color}` };
  root.append(svg("rect", { width, height, fill: style.backgroundColor }), svg("text", heading, title));
  root.append(...parts.map((part) => part.drawn));
  return new Blob([new XMLSerializer().serializeToString(root)], { type: "image/svg+xml" });
}
async function picture(title, node, body) {
  const shown = partsOf(body);
  const images = await Promise.all(shown.map((part) => part.tagName === "CANVAS" ? part : drawn(part)));
  const [origin, style] = [body.getBoundingClientRect(), getComputedStyle(node)];
  const low = Math.max(...shown.map((part) => part.getBoundingClientRect().bottom - origin.top));
  const canvas = el("canvas", { width: SCALE * (origin.width + 2 * EDGE), height: SCALE * (low + HEAD + 2 * EDGE) });
  const context = brushOf(canvas);
  context.scale(SCALE, SCALE);
  context.fillStyle = style.backgroundColor;
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.fillStyle = style.color;
  context.font = `650 15px ${style.fontFamily}`;
  context.fillText(title, EDGE, EDGE + 14);
  shown.forEach((part, i) => {
    const box = part.getBoundingClientRect();
    context.drawImage(
      /** @type {CanvasImageSource} */
      images[i],
      EDGE + box.left - origin.left,
      EDGE + HEAD + box.top - origin.top,
      box.width,
      box.height
    );
  });
  return new Promise((done) => canvas.toBlob(done));
}
function styled(part) {
  const copy = part.cloneNode(true);
  const [from, to] = [part, copy].map((root) => [root, ...root.querySelectorAll("*")]);
  from.forEach((source, i) => {
    const style = getComputedStyle(source);
    for (const name of STYLES) to[i].style.setProperty(name, style.getPropertyValue(name));
  });
  return copy;
}
async function drawn(part) {
  const copy = styled(part);
  const box = part.getBoundingClientRect();
  Object.entries({ xmlns: SVG, width: box.width, height: box.height }).forEach(
    ([name, value]) => copy.setAttribute(name, value)
  );
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(new XMLSerializer().serializeToString(copy))}`;
  await image.decode();
  return image;
}

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
var panelled = (make) => component((parent, data, tell) => {
  const root = el("div", { class: "dista-probe" });
  parent.append(root);
  const { update, draw } = make(root, data, tell);
  offerImage(root.querySelector(".panel"));
  const refresh = () => {
    if (root.isConnected && root.clientWidth) draw(readTheme(root, null));
  };
  const sizes = new ResizeObserver(refresh);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  sizes.observe(root);
  dark.addEventListener("change", refresh);
  const remove = () => {
    sizes.disconnect();
    dark.removeEventListener("change", refresh);
    root.remove();
  };
  return { update, refresh, remove };
});

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
  report(read2, wait = 0) {
    this.hold();
    this.timer = setTimeout(() => {
      const state = read2();
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

// brush.js
var MARKS = [2, 1, 3, 0];
var NAMES = ["nothing", "blank", "full", "speckled"];
var FULL = { gray: "ink", rgb: "white", events: "events" };
var SIZES = [1, 2, 3, 5];
var WAIT = 400;
var MOVES = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
var brush_default = panelled((root, bytes, tell) => {
  let picture2 = read(bytes);
  let marks = picture2.marks.slice();
  let cursor = [picture2.rows >> 1, picture2.columns >> 1];
  let from = null;
  let frames = null;
  let theme = null;
  const reporter = new Reporter(tell, picture2.word);
  let past = [];
  const settings = { mark: 0, size: 1, step: picture2.step ?? picture2.frames - 1 };
  const { node, note, body } = panel("brush", "Paint on the input");
  const canvas = el("canvas", { tabindex: 0, role: "application", "data-name": "brush" });
  const readout = el("p", { class: "readout" });
  const live = el("p", { class: "spoken", "aria-live": "polite" });
  const pick = (name) => (index) => {
    settings[name] = index;
    refresh();
  };
  const mark = choices("Paint", [FULL[picture2.kind], "blank", "speckles", "remove"], pick("mark"), "segment");
  const size = choices("Width", SIZES.map(String), pick("size"), "segment");
  const step = choices(
    "Step",
    Array.from({ length: picture2.frames }, (_, i) => String(i + 1)),
    pick("step"),
    "segment"
  );
  const undo = el("button", { type: "button", class: "choice", onclick: back }, "Undo");
  const clear = el(
    "button",
    { type: "button", class: "choice", onclick: () => change(() => marks.fill(0), 0) },
    "Clear"
  );
  body.append(
    canvas,
    readout,
    el("div", { class: "strips" }, mark.node, size.node, step.node, el("div", { class: "choices" }, undo, clear)),
    live
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
  function dab(row, column) {
    const wide = SIZES[settings.size], start = Math.floor((wide - 1) / 2);
    for (let y = row - start; y < row - start + wide; y++) {
      for (let x = column - start; x < column - start + wide; x++) {
        if (y >= 0 && x >= 0 && y < picture2.rows && x < picture2.columns)
          marks[y * picture2.columns + x] = MARKS[settings.mark];
      }
    }
  }
  function stroke([row, column], [toRow, toColumn]) {
    const steps = Math.max(1, Math.abs(toRow - row), Math.abs(toColumn - column));
    for (let i = 0; i <= steps; i++)
      dab(Math.round(row + (toRow - row) * i / steps), Math.round(column + (toColumn - column) * i / steps));
  }
  const find = (event) => {
    const [x, y] = inside(event);
    const clamp = (value, count) => Math.min(count - 1, Math.max(0, Math.floor(value)));
    return [
      clamp(y / canvas.clientHeight * picture2.rows, picture2.rows),
      clamp(x / canvas.clientWidth * picture2.columns, picture2.columns)
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
    if (event.ctrlKey || event.metaKey || event.altKey || !move && event.key !== " ") return;
    event.preventDefault();
    if (move)
      cursor = [
        Math.min(picture2.rows - 1, Math.max(0, cursor[0] + move[0])),
        Math.min(picture2.columns - 1, Math.max(0, cursor[1] + move[1]))
      ];
    if (!move || event.shiftKey) change(() => dab(...cursor), WAIT);
    else refresh();
    live.textContent = `Row ${cursor[0] + 1}, column ${cursor[1] + 1}: ${NAMES[marks[cursor[0] * picture2.columns + cursor[1]]]}`;
  });
  function refresh() {
    if (!theme || !frames) return;
    const width = Math.floor(Math.min(body.clientWidth, 380));
    const tall = Math.round(width * picture2.rows / picture2.columns);
    const context = prepare(canvas, width, tall);
    paint(context, frames.at(settings.step), 0, 0, width, tall);
    drawMarks(context, picture2, marks, theme, width, tall);
    if (picture2.grid) grid(context, [width, tall], ...picture2.grid, theme);
    if (focusedBeside(root) === canvas) drawCursor(context, picture2, cursor, SIZES[settings.size], theme, width, tall);
    const count = marks.reduce((sum, value) => sum + (value > 0), 0);
    note.textContent = `Draw with the pointer, or with arrows and space. Paint is there at ${when(picture2)}.`;
    step.node.hidden = picture2.frames === 1 || picture2.step !== null;
    readout.textContent = `${count ? plural(count, "pixel") : "No pixel"} painted.`;
    canvas.setAttribute(
      "aria-label",
      `${picture2.rows} by ${picture2.columns} pixels, ${count} of them painted. Arrows move, space paints, shift and arrows draw a line.`
    );
    mark.show(settings.mark);
    size.show(settings.size);
    step.show(settings.step);
    undo.disabled = !past.length;
    clear.disabled = !count;
  }
  return {
    update(next) {
      picture2 = read(next);
      if (reporter.hear(picture2.word)) {
        marks = picture2.marks.slice();
        past = [];
      }
      settings.step = picture2.step ?? Math.min(settings.step, picture2.frames - 1);
    },
    draw(fresh) {
      theme = fresh;
      frames = new Frames(picture2, fresh);
      refresh();
    }
  };
});
var when = ({ step, frames }) => step !== null ? `step ${step + 1} only` : frames > 1 ? "every step alike" : "every step, like the image";
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
    marks: Uint8Array.from(header.state.marks, Number)
    // one digit a pixel
  };
}
function drawMarks(context, { rows, columns, kind }, marks, theme, width, tall) {
  const [w, h] = [width / columns, tall / rows];
  const full = kind === "rgb" ? css([255, 255, 255]) : kind === "gray" ? css(theme.ink) : css(theme.on);
  const empty = kind === "rgb" ? css([0, 0, 0]) : css(theme.paper);
  const painted = (row, column) => row >= 0 && column >= 0 && row < rows && column < columns && marks[row * columns + column] > 0;
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
export {
  brush_default as default
};
