// hearing.js
async function initialize({ model }) {
  const name = model.get("own");
  if (!name || !model.widget_manager) return;
  hear(model, await model.widget_manager.get_model(name));
}
function hear(model, own) {
  const anywidget = Object.getPrototypeOf(own);
  const plain = Object.getPrototypeOf(anywidget)._handle_comm_msg;
  if (!own.comm?.on_msg || !plain) return;
  own.comm.on_msg(plain.bind(own));
  model.send?.("again");
}

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
function contain(node, children) {
  const same = node.childNodes.length === children.length && children.every((child, i) => child === node.childNodes[i]);
  if (!same) node.replaceChildren(...children);
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
    (text2, index) => el("button", { type: "button", class: name, onclick: () => pick(index) }, text2)
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
function number(value, digits = 2) {
  if (!Number.isFinite(value)) return "?";
  return Number.isInteger(value) ? String(value) : value.toFixed(digits).replace(/\.0+$|(\.\d*[1-9])0+$/, "$1");
}
function plural(count, word) {
  return `${count} ${word}${count === 1 ? "" : "s"}`;
}

// recording.js
var TYPES = { uint8: Uint8Array, uint16: Uint16Array, uint32: Uint32Array, int32: Int32Array, float32: Float32Array };
var PAIR = 4096;
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
function decode(bytes) {
  const { header, arrays } = unpack(bytes);
  return new Recording(header, arrays);
}
var Recording = class {
  /**
   * @param {Header} header
   * @param {Arrays} arrays
   */
  constructor(header, arrays) {
    this.fields = header.fields;
    this.ranges = header.ranges;
    this.stages = header.stages;
    this.missing = header.missing;
    this.moment = header.moment;
    this.name = header.name;
    this.sample = header.sample;
    this.steps = header.steps;
    this.grid = header.grid;
    this.attention = header.attention;
    this.layers = header.layers;
    this.spikes = header.spikes;
    this.input = header.input;
    this.decision = header.decision;
    this.label = header.label;
    this.classes = header.classes;
    this.step_labels = header.step_labels;
    this.step_sentences = header.step_sentences;
    this.scale = header.scale;
    this.state = header.state;
    this.revision = header.revision;
    this.theme = header.theme;
    this.group = header.group;
    this.arrays = arrays;
    this.tokens = this.grid ? this.grid[0] * this.grid[1] : 0;
    for (const block of this.attention) this.#indexPairs(block);
    this.unpacked = {};
  }
  /**
   * @param {string} name
   * @returns {any} its values, or null
   */
  array(name) {
    return this.arrays[name]?.values ?? null;
  }
  /** @param {Block} block */
  #indexPairs(block) {
    const pairs = this.array(`attention.${block.block}.pairs`);
    block.pair = /* @__PURE__ */ new Map();
    for (let i = 0; i < pairs.length / 2; i++) block.pair.set(pairs[2 * i] * PAIR + pairs[2 * i + 1], i);
    block.largest = Math.max(...this.array(`attention.${block.block}.head_max`));
  }
  /** @param {unknown} number */
  blockAt(number2) {
    return this.attention.find((entry) => entry.block === number2) ?? null;
  }
  /** @param {Block} block @param {number} step @param {number} keyStep */
  reaches(block, step, keyStep) {
    return block.pair.has(step * PAIR + keyStep);
  }
  /**
   * Counts of one query over all keys of one step, before ("raw") or after ("kept") the denoiser.
   * @param {Block} block
   * @param {MapKind} kind
   * @param {number} step
   * @param {number} keyStep
   * @param {number} head
   * @param {number} token
   */
  keyMap(block, kind, step, keyStep, head, token) {
    const pair = block.pair.get(step * PAIR + keyStep);
    if (pair === void 0) return null;
    const name = `attention.${block.block}`;
    const start = ((pair * block.heads + head) * this.tokens + token) * this.tokens;
    if (kind === "kept" && block.kept === "table") {
      const table = this.array(`${name}.table`);
      return Float32Array.from(
        this.array(`${name}.raw`).subarray(start, start + this.tokens),
        (a) => table[a]
      );
    }
    const values = this.array(`${name}.${kind}`);
    return values?.subarray(start, start + this.tokens) ?? null;
  }
  /**
   * The map that the network goes on with: the denoised map where there is one.
   * @param {Block} block
   * @returns {MapKind}
   */
  used(block) {
    return block.kept ? "kept" : "raw";
  }
  /**
   * Summed attention of one query over all keys that it reaches. Called for every block and head
   * at each click, so it makes no arrays.
   * @param {Block} block
   * @param {number} step
   * @param {number} head
   * @param {number} token
   */
  attends(block, step, head, token) {
    const name = `attention.${block.block}`;
    const table = block.kept === "table" ? this.array(`${name}.table`) : null;
    const values = this.array(table || !block.kept ? `${name}.raw` : `${name}.kept`);
    let total = 0;
    for (let key = 0; key <= step; key++) {
      const pair = block.pair.get(step * PAIR + key);
      if (pair === void 0) continue;
      const start = ((pair * block.heads + head) * this.tokens + token) * this.tokens;
      for (let i = start; i < start + this.tokens; i++) total += table ? table[values[i]] : values[i];
    }
    return total;
  }
  /**
   * How many steps the query at `step` reaches, itself included.
   * @param {Block} block
   * @param {number} step
   */
  reach(block, step) {
    return Array.from({ length: step + 1 }, (_, key) => this.reaches(block, step, key)).filter(Boolean).length;
  }
  /**
   * All spikes of a layer, 0 or 1 by (step, channel, patch), unpacked when first asked for; null if unknown.
   * @param {string} name
   */
  spikesOf(name) {
    if (!this.spikes?.[name]) return null;
    const bits = this.array(`spikes.${name}`);
    const [steps, channels] = this.spikes[name];
    this.unpacked[name] ??= {
      channels,
      values: Uint8Array.from({ length: steps * channels * this.tokens }, (_, i) => bits[i >> 3] >> (i & 7) & 1)
    };
    return this.unpacked[name];
  }
  /**
   * Spikes per patch at one step, summed over the channels from `first` up to `end`; the layer's spikes must be recorded.
   * @param {string} name
   * @param {number} step
   */
  firing(name, step, first = 0, end = Infinity) {
    const { values, channels } = this.#recordedSpikes(name);
    const counts = new Float32Array(this.tokens);
    for (let channel2 = first; channel2 < Math.min(end, channels); channel2++) {
      const start = (step * channels + channel2) * this.tokens;
      for (let token = 0; token < this.tokens; token++) counts[token] += values[start + token];
    }
    return counts;
  }
  /**
   * @param {string} name
   */
  #recordedSpikes(name) {
    const spikes = this.spikesOf(name);
    if (!spikes) throw new Error(`the spikes of ${name} are not in this recording; it has ${Object.keys(this.spikes)}`);
    return spikes;
  }
  /**
   * Spikes of one patch at one step, over the channels of a head; the layer's spikes must be recorded.
   * @param {string} name
   * @param {number} step
   * @param {Block} block
   * @param {number} head
   * @param {number} token
   */
  train(name, step, block, head, token) {
    const { values, channels } = this.#recordedSpikes(name);
    const size = channels / block.heads;
    return Array.from({ length: size }, (_, i) => values[(step * channels + head * size + i) * this.tokens + token]);
  }
  /**
   * Share of a layer's neurons that fire at a step; null where spikes were not recorded.
   * @param {string} name
   * @param {number} step
   * @returns {number | null}
   */
  rate(name, step) {
    const position = this.layers.findIndex((layer) => layer.name === name);
    const counts = this.array(`layer.${position}.counts`);
    return counts && counts[step] / this.layers[position].neurons;
  }
  neuronLayers() {
    return this.layers.filter((layer) => layer.shape);
  }
  /** @param {number} index */
  className(index) {
    return this.classes?.[index] ?? `class ${index}`;
  }
  /** @param {number} step */
  stepLabel(step) {
    return this.step_labels?.[step] ?? "";
  }
};
function sum(values) {
  let total = 0;
  for (let i = 0; values && i < values.length; i++) total += values[i];
  return total;
}
function strongest(maps) {
  let best = { value: 0, step: -1, token: -1 };
  for (const [step, values] of maps) {
    values.forEach((value, token) => {
      if (value > best.value) best = { value, step, token };
    });
  }
  return best;
}
function totals(maps, step, token) {
  const parts = { same_patch: 0, same_step: 0, elsewhere: 0, self: 0 };
  for (const [keyStep, values] of maps) {
    const all = sum(values);
    if (keyStep === step) {
      parts.same_step += all;
      parts.self += values[token];
    } else {
      parts.same_patch += values[token];
      parts.elsewhere += all - values[token];
    }
  }
  return {
    ...parts,
    others: parts.same_step - parts.self,
    total: parts.same_patch + parts.same_step + parts.elsewhere
  };
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
  return Array.from({ length: LEVELS + 1 }, (_, level2) => {
    const at = level2 / LEVELS * 2;
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
function shade(colors, value, largest2) {
  if (!(largest2 > 0)) return colors[0];
  return colors[Math.round(Math.min(1, Math.max(0, value / largest2)) * LEVELS)];
}
function pixel(theme, kind, values, at, plane, largest2) {
  if (kind === "rgb") return [values[at], values[at + plane], values[at + 2 * plane]];
  if (kind === "gray") return mix(theme.paper, theme.ink, values[at] / 255);
  const strength = (count) => count ? 0.35 + 0.65 * Math.min(1, count / largest2) : 0;
  const [off, on] = [strength(values[at]), strength(values[at + plane])];
  if (off && on) return mix(theme.paper, mix(theme.off, theme.on, on / (on + off)), Math.max(on, off));
  return off ? mix(theme.paper, theme.off, off) : mix(theme.paper, theme.on, on);
}
function hatch(context, x, y, width, height, color, gap = 6) {
  context.save();
  context.beginPath();
  context.rect(x, y, width, height);
  context.clip();
  context.beginPath();
  for (let at = -height; at < width; at += gap) {
    context.moveTo(x + at, y + height);
    context.lineTo(x + at + height, y);
  }
  context.strokeStyle = color;
  context.lineWidth = 1;
  context.stroke();
  context.restore();
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
      const text2 = JSON.stringify(state);
      if (text2 === this.told) return;
      this.told = text2;
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

// state.js
var QUESTION = ["step", "block", "head", "row", "column"];
var QUIET = 250;
var SOONER = 50;
var MOVE = "dista-move";
var within = (value, count, otherwise) => Number.isInteger(value) && value >= 0 && value < count ? value : otherwise;
function settle(recording, wanted = {}) {
  const step = within(wanted.step, recording.steps, recording.steps - 1);
  const entry = recording.blockAt(wanted.block) ?? recording.attention.at(-1);
  const [rows, columns] = recording.grid ?? [1, 1];
  const row = within(wanted.row, rows, -1), column = within(wanted.column, columns, -1);
  const token = row >= 0 && column >= 0 ? row * columns + column : -1;
  const head = within(wanted.head, entry?.heads ?? 1, -1);
  const [busyHead, patch] = token >= 0 && head >= 0 ? [head, token] : busiest(recording, entry, step, head, token);
  const block = entry ? entry.block : 0;
  const layer = settleLayer(recording, wanted.layer, block);
  return {
    sample: recording.sample,
    step,
    block,
    head: busyHead,
    row: Math.floor(patch / columns),
    column: patch % columns,
    layer,
    neuron: settleNeuron(recording, layer, wanted.neuron),
    range: oneOf(recording.ranges, wanted.range, recording.fields.range),
    stage: oneOf(recording.stages, wanted.stage, recording.fields.stage),
    key: wanted.key && placeOf(recording, wanted.key) ? wanted.key : ""
  };
}
var oneOf = (words, value, otherwise) => Object.hasOwn(words, value) ? value : otherwise;
function placeOf(recording, text2 = "") {
  if (!/^\d+\.\d+\.\d+$/.test(text2)) return null;
  const [step, row, column] = text2.split(".").map(Number), [rows, columns] = recording.grid ?? [1, 1];
  return step < recording.steps && row < rows && column < columns ? { step, row, column } : null;
}
function settleLayer(recording, wanted, block) {
  const layers = recording.neuronLayers();
  const has = (name) => layers.some((layer) => layer.name === name);
  if (has(wanted)) return wanted;
  const readout2 = `blocks.${block}.attention.neuron`;
  return has(readout2) ? readout2 : layers.at(-1)?.name ?? "";
}
function settleNeuron(recording, name, wanted) {
  const position = recording.layers.findIndex((layer) => layer.name === name);
  const index = recording.array(`layer.${position}.index`);
  if (!index) return 0;
  const active = Math.min(index.length, recording.layers[position].active ?? 0);
  return index.includes(wanted) ? wanted : index[active >> 1] ?? 0;
}
function busiest(recording, block, step, head, token) {
  let [best, most] = [[Math.max(0, head), token >= 0 ? token : Math.floor((recording.tokens || 1) / 2)], 0];
  for (let h = 0; block && h < block.heads; h++) {
    for (let patch = 0; patch < recording.tokens; patch++) {
      if (head >= 0 && h !== head || token >= 0 && patch !== token) continue;
      const total = recording.attends(block, step, h, patch);
      if (total > most) [best, most] = [[h, patch], total];
    }
  }
  return best;
}
function stands(one, other) {
  const [a, b] = [one, other].map(({ root }) => (
    /** @type {ShadowRoot} */
    root.getRootNode().host ?? root
  ));
  return Boolean(a.compareDocumentPosition(b) & Node.DOCUMENT_POSITION_FOLLOWING);
}
var partsOf2 = (state) => (
  /** @type {(keyof State)[]} */
  Object.keys(state)
);
var Store = class {
  /**
   * @param {Recording} recording
   * @param {Partial<State>} wanted
   * @param {(state: Record<string, any>) => void} tell
   * @param {HTMLElement} root where the probe is in the page
   */
  constructor(recording, wanted, tell, root) {
    this.recording = recording;
    this.root = root;
    this.state = settle(recording, wanted);
    this.wanted = this.state;
    this.asked = QUESTION.some((name) => Number(wanted[name]) >= 0);
    this.held = this.following = false;
    this.listeners = [];
    this.reporter = new Reporter(tell, { revision: recording.revision });
    this.hear = ({ detail }) => this.follow(detail);
    addEventListener(MOVE, this.hear);
    this.call({ asks: true });
  }
  /** @param {Partial<State>} changes */
  set(changes) {
    if (!this.move(changes, false)) return;
    this.lead();
  }
  /**
   * @param {Partial<State>} changes
   * @param {boolean} following whether another probe went there first
   */
  move(changes, following) {
    const asks2 = QUESTION.some((name) => name in changes && changes[name] !== this.state[name]);
    const next = settle(this.recording, { ...this.state, ...asks2 && { key: "" }, ...changes });
    const changed = partsOf2(next).filter((name) => next[name] !== this.state[name]);
    if (!changed.length) return false;
    this.state = this.wanted = next;
    this.asked = true;
    this.following = following;
    for (const listener of this.listeners) listener(changed);
    this.schedule();
    return true;
  }
  // Other probes of the same group, if it is in one, go to the same place, as far as they have it.
  lead() {
    this.call({ held: this.held, state: this.state });
  }
  /** @param {{ asks?: boolean, held?: boolean, state?: State }} what */
  call(what) {
    const { group } = this.recording;
    if (group) dispatchEvent(new CustomEvent(MOVE, { detail: { from: this, group, ...what } }));
  }
  /** @param {{ from: Store, group: string, asks?: boolean, held: boolean, state: State }} call */
  follow({ from, group, asks: asks2, held, state }) {
    if (from === this || group !== this.recording.group) return;
    if (asks2) return this.asked || !stands(from, this) ? this.lead() : from.lead();
    if (held !== this.held) this.pause(held);
    this.move({ ...state, sample: this.state.sample }, true);
  }
  // New data, perhaps with a new place that the page asks for. What does not exist gives way to what is
  // chosen for it, and comes back with the data that have it; a host that starts there with the same
  // wish is led to the same place, so that there is nothing to tell.
  /** @param {Recording} recording */
  replace(recording) {
    const wanted = this.reporter.hear(recording) ?? {};
    this.recording = recording;
    this.following = Boolean(recording.group);
    this.wanted = { ...this.wanted, ...wanted, sample: recording.sample };
    this.state = settle(recording, this.wanted);
    const there = partsOf2(this.state).every((name) => this.state[name] === this.wanted[name]);
    if (there && Object.keys(wanted).length) this.lead();
  }
  /** @param {boolean} held */
  hold(held) {
    this.pause(held);
    this.lead();
  }
  /** @param {boolean} held */
  pause(held) {
    this.held = held;
    if (held) this.reporter.hold();
    else this.schedule();
  }
  // The host hears of those that follow first, so that it need not send them after the one that leads.
  schedule() {
    if (this.held) return;
    const wait = this.following ? QUIET - SOONER : QUIET;
    this.reporter.report(() => ({ ...this.state, ...this.following && { following: true } }), wait);
  }
  stop() {
    this.reporter.hold();
    removeEventListener(MOVE, this.hear);
  }
};

// maps.js
function drawMap(context, colors, values, most, box, grid2) {
  const [rows, columns] = grid2;
  const edges = (count, side, start) => Array.from({ length: count + 1 }, (_, i) => start + Math.round(i * side / count));
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
function ring(context, box, [rows, columns], row, column, color, dash = [], wide = 1.5) {
  const [w, h] = [box.width / columns, box.height / rows];
  context.strokeStyle = color;
  context.lineWidth = wide;
  context.setLineDash(dash);
  context.strokeRect(box.x + column * w + 0.75, box.y + row * h + 0.75, w - 1.5, h - 1.5);
  context.setLineDash([]);
}
function asks(context, box, grid2, { row, column }, theme) {
  ring(context, box, grid2, row, column, theme.panel, [], 4);
  ring(context, box, grid2, row, column, theme.ink_, [], 2);
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
var [GAP, HEAD2] = [8, 22];
function tiles(count, width, grid2, cap, least) {
  const fit = Math.max(2, Math.floor((width + GAP) / (least + GAP)));
  const lines = Math.ceil(count / fit);
  const perLine = Math.ceil(count / lines);
  const size = Math.min(cap, Math.floor((width + GAP) / perLine) - GAP - 1);
  const tall = Math.round(size * grid2[0] / grid2[1]);
  return {
    width: Math.min(width, perLine * (size + GAP)),
    height: lines * (HEAD2 + tall + GAP),
    at: (i) => ({
      x: i % perLine * (size + GAP) + 1,
      y: Math.floor(i / perLine) * (HEAD2 + tall + GAP) + HEAD2,
      width: size,
      height: tall
    })
  };
}
function drawMaps(canvas, view, items, width, cap = 150, least = 74) {
  const {
    recording: { grid: grid2, steps },
    state,
    theme
  } = view;
  const plan = tiles(items.length, width, grid2, cap, least);
  const context = prepare(canvas, plan.width, plan.height);
  return items.map(({ title, values, colors, most, step, query, key, strong }, i) => {
    const box = plan.at(i);
    text(context, theme, title, box.x, box.y - HEAD2 / 2, {
      align: "left",
      bold: strong,
      color: strong ? theme.ink_ : theme.muted
    });
    drawMap(context, colors, values, most, box, grid2);
    border(context, box, strong ? theme.ink_ : theme.line, 1);
    if (key) ring(context, box, grid2, key.row, key.column, theme.panel);
    if (key) ring(context, box, grid2, key.row, key.column, theme.ink_, [3, 2]);
    if (query) asks(context, box, grid2, state, theme);
    return { ...box, step: Math.min(step, steps - 1), map: title, rows: grid2[0], columns: grid2[1] };
  });
}
function drawCells(canvas, theme, rows, marked, width, tied = rows.length) {
  const [left, right] = width >= 560 ? [66, 84] : [46, 44];
  const count = rows[0].values.length;
  const cell = Math.min(30, (width - left - right) / count);
  const [tall, gap] = [22, 10];
  const context = prepare(canvas, Math.min(width, left + right + count * cell), rows.length * (tall + gap));
  const inset = cell > 6 ? 1.5 : 0.5;
  context.fillStyle = theme.accent;
  for (const channel2 of marked)
    context.fillRect(left + (channel2 + 0.5) * cell - 0.75, tall / 2, 1.5, (tied - 1) * (tall + gap));
  rows.forEach(({ label, values, bars, sum: sum2, strong }, i) => {
    const y = i * (tall + gap);
    text(context, theme, label, 0, y + tall / 2, {
      align: "left",
      bold: strong,
      color: strong ? theme.ink_ : theme.muted
    });
    const most = bars ? Math.max(...values, 0) : 1;
    values.forEach((value, channel2) => {
      const [x, wide] = [left + channel2 * cell + inset, cell - 2 * inset];
      context.fillStyle = theme.panel;
      context.fillRect(x, y, wide, tall);
      const high = most > 0 ? tall * Math.max(0, value) / most : 0;
      context.fillStyle = i < tied && marked.includes(channel2) ? theme.accent : theme.muted;
      context.fillRect(x, y + tall - high, wide, high);
      context.strokeStyle = theme.line;
      context.lineWidth = 1;
      context.strokeRect(x + 0.5, y + 0.5, wide - 1, tall - 1);
    });
    text(context, theme, sum2, left + count * cell + 8, y + tall / 2, {
      align: "left",
      bold: strong,
      color: theme.ink_
    });
  });
}

// input.js
function frame(recording, theme, step) {
  const [frames, , rows, columns] = recording.arrays.input.shape;
  const { kind, largest: largest2 } = recording.input;
  const [plane, values] = [rows * columns, recording.array("input")];
  const start = Math.min(step, frames - 1) * recording.arrays.input.shape[1] * plane;
  const canvas = el("canvas", { width: columns, height: rows });
  const context = brushOf(canvas);
  const image = context.createImageData(columns, rows);
  for (let i = 0; i < plane; i++) {
    image.data.set([...pixel(theme, kind, values, start + i, plane, largest2), 255], i * 4);
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
function reveal(strip, button) {
  const [frame2, box] = [strip.getBoundingClientRect(), button.getBoundingClientRect()];
  strip.scrollLeft = scrolled(strip.scrollLeft, frame2.width, box.left - frame2.left + strip.scrollLeft, box.width);
}
function scrolled(now, room, from, width) {
  const seen = from >= now && from + width <= now + room;
  return seen ? now : Math.max(0, from - (room - width) / 2);
}
function timeRail(store, app) {
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
      label
    );
    return { button, canvas, bar };
  });
  const strip = el(
    "div",
    { class: "steps", role: "group", "aria-label": "Steps" },
    steps.map(({ button }) => button)
  );
  body.append(play, strip);
  heading.setAttribute("aria-live", "off");
  note.replaceChildren(
    "Pick a step; everything below follows it. ",
    el(
      "span",
      { class: "keys" },
      el("span", { class: "unfocused" }, "Keys, once you are in here by a click or Tab:"),
      ...keys([["[", "]"], "step, ", ["←", "↑", "→", "↓"], "patch, ", [",", "."], "head, ", ["space"], "plays."])
    )
  );
  let painted = null, drawn2 = 0, revealed = -1;
  function draw({ state, frames, asked }) {
    heading.textContent = recording.step_sentences[state.step];
    play.textContent = app.playing ? "❚❚ Pause" : "▶ Play";
    const most = Math.max(...asked, 0);
    const room = Math.floor((body.clientWidth - 96) / recording.steps) - 16;
    const side = Math.min(72, Math.max(48, room));
    const [rows, columns] = recording.arrays.input?.shape.slice(2) ?? [1, 1];
    const tall = Math.round(side * rows / columns);
    if (side !== drawn2) painted = null;
    steps.forEach(({ button, canvas, bar }, step) => {
      button.setAttribute("aria-current", step === state.step ? "step" : "false");
      button.setAttribute("aria-label", `Step ${step + 1} ${recording.stepLabel(step)}`.trim());
      bar.style.width = most ? `${100 * asked[step] / most}%` : "0";
      if (canvas && painted !== frames) paint(prepare(canvas, side, tall), frames.at(step), 0, 0, side, tall);
    });
    [painted, drawn2] = [frames, side];
    if (revealed !== state.step) reveal(strip, steps[state.step].button);
    revealed = state.step;
    play.setAttribute("aria-label", app.playing ? "Pause" : "Play the steps");
  }
  return { node, draw };
}
function keys(parts) {
  return parts.flatMap((part) => typeof part === "string" ? [` ${part}`] : part.map((key) => el("kbd", {}, key)));
}
function askedPerStep(recording, state) {
  const block = recording.blockAt(state.block);
  const token = state.row * (recording.grid?.[1] ?? 1) + state.column;
  return Array.from(
    { length: recording.steps },
    (_, step) => block ? recording.attends(block, step, state.head, token) : 0
  );
}
function inputPanel(store) {
  const { recording } = store;
  const { node, note, body } = panel("input", "Input at this step");
  const canvas = el("canvas", {
    tabindex: 0,
    role: "application",
    "data-name": "input",
    onclick: (event) => pick(event)
  });
  const legend = recording.input?.kind === "events" ? el(
    "p",
    { class: "legend" },
    el("i", { class: "swatch off" }),
    "OFF, darker",
    el("i", { class: "swatch on" }),
    "ON, brighter"
  ) : "";
  if (recording.grid || recording.input) body.append(canvas, legend);
  let size = [1, 1];
  function pick(event) {
    const [x, y] = inside(event);
    const [rows, columns] = recording.grid ?? [1, 1];
    const at = (value, side, count) => Math.min(count - 1, Math.max(0, Math.floor(value / side * count)));
    store.set({ row: at(y, size[1], rows), column: at(x, size[0], columns) });
  }
  function draw({ state, theme, frames, hover }) {
    note.textContent = !recording.input ? recording.missing.input : recording.input.frames === 1 && recording.steps > 1 ? "The same image at every step. Click a patch to ask what it attends to." : "Click a patch to ask what it attends to.";
    const [rows, columns] = recording.grid ?? [1, 1];
    const shape = recording.input ? recording.arrays.input.shape.slice(2) : [rows, columns];
    const width = Math.floor(Math.min(body.clientWidth, 420));
    size = [width, Math.round(width * shape[0] / shape[1])];
    const context = prepare(canvas, ...size);
    context.fillStyle = css(theme.paper);
    context.fillRect(0, 0, ...size);
    if (recording.input) paint(context, frames.at(state.step), 0, 0, ...size);
    if (recording.grid) grid(context, size, rows, columns, theme);
    if (hover) outline(context, size, rows, columns, hover.row, hover.column, theme.accent, [4, 3]);
    if (recording.grid) asks(context, { x: 0, y: 0, width: size[0], height: size[1] }, recording.grid, state, theme);
    canvas.setAttribute(
      "aria-label",
      `Input at step ${state.step + 1}, query patch row ${state.row + 1}, column ${state.column + 1} of ${rows} by ${columns}. Arrow keys move it.`
    );
  }
  return { node, draw };
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
function outline(context, [width, height], rows, columns, row, column, color, dash) {
  const [w, h] = [width / columns, height / rows];
  context.setLineDash(dash);
  context.lineWidth = 2.5;
  context.strokeStyle = color;
  context.strokeRect(column * w + 1, row * h + 1, w - 2, h - 2);
  context.setLineDash([]);
}

// film.js
var ROWS = ["raw", "kept", "removed"];
var inStage = (row, { stage }) => ({ scores: row === "raw", denoise: row !== "raw" })[stage] ?? false;
var FADED = 0.35;
var fades = (row, state) => state.stage === "scores" && !inStage(row, state);
function question(recording, state) {
  const block = recording.blockAt(state.block);
  if (!block) return null;
  const token = state.row * recording.grid[1] + state.column;
  const columns = Array.from({ length: state.step + 1 }, (_, key) => {
    const query = block.cross ? state.step : key;
    const [raw, kept] = ["raw", "kept"].map(
      (kind) => block[kind] ? recording.keyMap(block, kind, query, key, state.head, token) : null
    );
    if (!raw && !kept) return null;
    const removed = raw && kept ? Float32Array.from(raw, (count, i) => Math.max(0, count - kept[i])) : null;
    return { raw, kept, removed };
  });
  return { block, token, columns, rows: ROWS.filter((row) => columns.some((column) => column?.[row])) };
}
function visible({ block, columns }, state, kind) {
  return columns.map((column, key) => [key, column?.[kind]]).filter(([key, values]) => values && (block.cross || key === state.step));
}
function largest(recording, block, state, column) {
  if (state.range === "global") return Math.max(...recording.attention.map((entry) => entry.largest));
  if (state.range === "head") return recording.array(`attention.${block.block}.head_max`)[state.head];
  let most = 0;
  for (const map of [column.raw, column.kept]) for (const value of map ?? []) most = Math.max(most, value);
  return most;
}
function layout(width, recording, rows, cap) {
  const steps = recording.steps;
  const labels2 = width >= 560 ? 66 : 0;
  const gap = 6;
  const fit = Math.max(1, Math.floor((width - labels2) / 62));
  const lines = Math.ceil(steps / fit);
  const perLine = Math.ceil(steps / lines);
  const size = Math.min(cap, Math.floor((width - labels2) / perLine) - gap);
  const tall = Math.round(size * recording.grid[0] / recording.grid[1]);
  const head = 24, foot = 22, rowGap = labels2 ? 6 : 20;
  const line = head + rows.length * (tall + rowGap) + foot;
  const at = (key, row) => ({
    x: labels2 + key % perLine * (size + gap) + 2,
    y: Math.floor(key / perLine) * line + head + row * (tall + rowGap) + (labels2 ? 0 : 14),
    width: size,
    height: tall
  });
  return { at, lines, line, labels: labels2, size, tall, head, perLine };
}
function drawFilm(canvas, view, asked, width) {
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
      if (hover?.row !== void 0) ring(context, box, recording.grid, hover.row, hover.column, theme.accent, [2, 2]);
      asks(context, box, recording.grid, state, theme);
      places.push({ step: key, map: row, rows: recording.grid[0], columns: recording.grid[1], ...box });
    }
    border(context, box, key === state.step ? theme.ink_ : theme.line, key === state.step ? 2 : 1);
  });
}
function captionHatched(context, theme, plan, { columns, rows }) {
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
  context.fillRect(box.x, y, most ? plan.size * value / most : 0, 4);
  text(context, theme, number(value, 1), box.x + plan.size / 2, y + 12, { size: 11 });
}
function drawAbsent(context, { recording, state, theme }, plan, asked) {
  const next = state.step + 1;
  const left = plan.perLine - (next % plan.perLine || plan.perLine);
  if (next >= recording.steps || left * plan.size < 120) return;
  const box = plan.at(next, 0);
  const steps = next + 1 === recording.steps ? `Step ${next + 1} has` : `Steps ${next + 1}–${recording.steps} have`;
  text(context, theme, `${steps} not happened yet.`, box.x + 8, box.y + box.height * asked.rows.length / 2, {
    align: "left"
  });
}
function drawNow(canvas, view, asked, width) {
  const { recording, state, theme } = view;
  const room = width >= 640 ? width * 0.62 : width;
  const size = Math.min(240, Math.floor(room / asked.rows.length) - 10);
  const tall = Math.round(size * recording.grid[0] / recording.grid[1]);
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
function locate(places, x, y) {
  const place2 = places.find((p) => x >= p.x && x < p.x + p.width && y >= p.y && y < p.y + p.height);
  if (!place2) return void 0;
  if (!place2.map) return { step: place2.step };
  const row = Math.min(place2.rows - 1, Math.floor((y - place2.y) / place2.height * place2.rows));
  const column = Math.min(place2.columns - 1, Math.floor((x - place2.x) / place2.width * place2.columns));
  return { step: place2.step, map: place2.map, row, column };
}

// lags.js
var [WIDTH, ROW] = [250, 58];
function lagShares(recording, state, block, token) {
  const [, lags, steps, heads, tokens] = recording.arrays[`attention.${block.block}.lags`].shape;
  const values = recording.array(`attention.${block.block}.lags`);
  const reach = Math.min(lags, state.step + 1);
  return [0, 1, 2].map((part) => {
    const sizes = Array.from({ length: reach }, (_, i) => {
      const lag = reach - 1 - i;
      return values[(((part * lags + lag) * steps + state.step) * heads + state.head) * tokens + token];
    });
    const all = sizes.reduce((a, b) => a + b, 0);
    return sizes.map((size) => all ? size / all : 0);
  });
}
function lagChart(recording, state, { block, token }) {
  const title = el("h4", {}, "How much each step adds to Q, K and V here");
  if (!block.lags) {
    return [title, el("p", { class: "note" }, recording.missing.lags)];
  }
  const shares = lagShares(recording, state, block, token);
  const band = (WIDTH - 24) / block.lags;
  const most = Math.max(...shares.flat());
  const up = most && most < 0.995 ? `, bars up to ${Math.round(most * 100)} %` : "";
  const first = state.step - shares[0].length + 1;
  const rows = ["Q", "K", "V"].flatMap((name, part) => [
    svg("text", { x: 4, y: part * ROW + 40, class: "strong" }, name),
    svg("line", { x1: 22, x2: WIDTH, y1: part * ROW + 46.5, y2: part * ROW + 46.5, class: "axis" }),
    ...shares[part].flatMap((share, i) => {
      const x = 26 + (i + block.lags - shares[part].length) * band;
      const tall = most ? share / most * 32 : 0;
      return [
        svg("rect", {
          x,
          y: part * ROW + 46 - tall,
          width: Math.min(40, band - 8),
          height: tall,
          class: i === shares[part].length - 1 ? "bar now" : "bar"
        }),
        band > 30 ? svg(
          "text",
          { x: x + Math.min(40, band - 8) / 2, y: part * ROW + 42 - tall, class: "tick middle" },
          `${Math.round(share * 100)} %`
        ) : ""
      ];
    })
  ]);
  const ticks = shares[0].map(
    (_, i) => svg(
      "text",
      {
        x: 26 + (i + block.lags - shares[0].length) * band + Math.min(40, band - 8) / 2,
        y: 3 * ROW + 4,
        class: "tick middle"
      },
      first + i === state.step ? "now" : band > 44 ? `step ${first + i + 1}` : first + i + 1
    )
  );
  const label = ["Q", "K", "V"].map(
    (name, part) => `${name}: ${shares[part].map((share, i) => `step ${first + i + 1} ${Math.round(share * 100)} %`).join(", ")}`
  ).join("; ");
  title.append(el("small", {}, band > 30 ? "" : up));
  return [
    title,
    svg(
      "svg",
      { viewBox: `0 0 ${WIDTH} ${3 * ROW + 10}`, role: "img", "aria-label": label, class: "lagbars" },
      rows,
      ticks
    )
  ];
}

// attention.js
function attentionPanel(store, app) {
  const { recording } = store;
  const ranges = Object.keys(recording.ranges);
  const { node, heading, note, body } = panel("attention centre", "What this patch attends to, across space and time");
  if (!recording.attention.length) {
    note.textContent = recording.missing.attention;
    return { node, draw() {
    } };
  }
  const large = el("canvas", { role: "img", class: "large" });
  const lags = el("div", { class: "lags" });
  const film = el("canvas", { tabindex: 0, role: "img", "data-name": "film" });
  const readout2 = el("p", { class: "readout" });
  const shares = el("div", { class: "shares" });
  const range = choices(
    "Colour range",
    Object.values(recording.ranges),
    (i) => store.set({ range: ranges[i] }),
    "segment"
  );
  const legend = el("span", { class: "scale" });
  const strips = el("div", { class: "strips" });
  const now = el("div", { class: "now" }, large, lags);
  const sums = el("p", { class: "note sums" });
  body.append(now, film, readout2, shares, strips, el("div", { class: "ranges" }, range.node, legend), sums);
  let places = [];
  const find = (event) => {
    const [x, y] = inside(event);
    return locate(places, x, y);
  };
  film.addEventListener("click", (event) => {
    const hit = find(event);
    if (hit?.row === void 0) {
      if (hit) store.set({ step: hit.step });
    } else store.set({ row: hit.row, column: hit.column });
  });
  film.addEventListener("pointermove", (event) => app.point(find(event)));
  film.addEventListener("pointerleave", () => app.point(null));
  function draw(view) {
    const { state } = view;
    const { question: asked } = view;
    heading.textContent = asked.block.cross ? "What this patch attends to, across space and time" : `What this patch attends to, step by step`;
    note.textContent = asked.block.note;
    now.hidden = asked.block.cross;
    if (!asked.block.cross) {
      drawNow(large, view, asked, body.clientWidth);
      large.setAttribute("aria-label", spoken(recording, state));
      lags.replaceChildren(...lagChart(recording, state, asked));
    }
    places = drawFilm(film, view, asked, body.clientWidth);
    readout2.textContent = read(view, asked);
    film.setAttribute("aria-label", `Key maps of steps 1 to ${state.step + 1}. ${spoken(recording, state)}`);
    drawShares(shares, view, asked);
    drawStrips(strips, store);
    range.show(ranges.indexOf(state.range));
    drawLegend(legend, view, asked);
    sums.textContent = asked.block.sums;
  }
  return { node, draw };
}
function spoken(recording, state) {
  const asked = question(recording, state);
  if (!asked) return recording.missing.attention;
  const kind = recording.used(asked.block);
  const maps = visible(asked, state, kind);
  const split = totals(maps, state.step, asked.token);
  const best = strongest(maps);
  const where = `Step ${state.step + 1}, patch row ${state.row + 1}, column ${state.column + 1}, block ${state.block + 1}, head ${state.head + 1}`;
  if (!split.total) return `${where}: attends to nothing.`;
  const columns = recording.grid[1];
  return `${where}: attention ${number(split.total, 1)}, strongest ${number(best.value, 1)} on step ${best.step + 1}, row ${Math.floor(best.token / columns) + 1}, column ${best.token % columns + 1}.`;
}
function read({ recording, state, hover }, asked) {
  if (hover?.row === void 0) return spoken(recording, state);
  const column = asked.columns[hover.step];
  const key = hover.row * recording.grid[1] + hover.column;
  const values = asked.rows.map((row) => `${row} ${number(column[row][key])}`).join(", ");
  return `Key at step ${hover.step + 1}, row ${hover.row + 1}, column ${hover.column + 1}: ${values}.`;
}
var ACROSS = [
  ["same_patch", "same patch over time"],
  ["same_step", "same step over space"],
  ["elsewhere", "elsewhere"]
];
var WITHIN = [
  ["self", "this patch itself"],
  ["others", "other patches of this step"]
];
function drawShares(node, { state }, asked) {
  const parts = asked.block.cross ? ACROSS : WITHIN;
  const kinds = asked.rows.filter((row) => row !== "removed");
  const split = Object.fromEntries(
    kinds.map((kind) => [kind, totals(visible(asked, state, kind), state.step, asked.token)])
  );
  const percent2 = (kind, part) => split[kind].total ? Math.round(100 * split[kind][part] / split[kind].total) : 0;
  const bars = kinds.map(
    (kind) => el(
      "div",
      {
        class: "share",
        role: "img",
        "aria-label": `${kind}: ${parts.map(([part, words]) => `${words} ${percent2(kind, part)} %`).join(", ")}`
      },
      el("span", {}, kind),
      el(
        "div",
        { class: "bars" },
        split[kind].total ? parts.map(([part]) => el("i", { class: `part ${part}`, style: `flex-grow:${split[kind][part]}` })) : el("em", {}, kind === "kept" && split.raw?.total ? "nothing was kept" : "attends to nothing")
      )
    )
  );
  const last = kinds.at(-1);
  const legend = parts.map(
    ([part, words]) => el(
      "span",
      { "data-part": part, "data-value": split[last][part] },
      el("i", { class: `swatch part ${part}` }),
      `${words} `,
      el("b", {}, `${percent2(last, part)} %`),
      kinds.length > 1 ? el("small", {}, ` of kept, ${percent2("raw", part)} % of raw`) : null
    )
  );
  node.replaceChildren(...bars, el("p", { class: "legend" }, legend));
}
function drawStrips(node, store) {
  const { recording, state } = store;
  const token = state.row * recording.grid[1] + state.column;
  const heads = recording.attention.map(
    (block) => Array.from({ length: block.heads }, (_, head) => recording.attends(block, state.step, head, token))
  );
  const current = recording.attention.findIndex((entry) => entry.block === state.block);
  if (!node.firstChild || node.dataset.heads !== String(heads[current].length)) {
    node.dataset.heads = heads[current].length;
    const blocks = choices(
      "Block",
      recording.attention.map(({ block }) => `${block + 1}`),
      (i) => store.set({ block: recording.attention[i].block })
    );
    const inner = choices(
      "Head",
      heads[current].map((_, i) => `${i + 1}`),
      (i) => store.set({ head: i })
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
    button.querySelector(".bar").style.width = most ? `${100 * values[i] / most}%` : "0";
    button.setAttribute("aria-label", `${what} ${i + 1}, attention ${number(values[i], 1)}`);
    button.title = `summed attention of this query: ${number(values[i], 1)}`;
  });
}
function drawLegend(node, { recording, state, theme }, asked) {
  const most = state.range === "map" ? "largest of each map" : number(largest(recording, asked.block, state, {}), 1);
  const ramp = (colors) => el("i", { class: "ramp", style: `background:linear-gradient(90deg,${colors[0]},${colors[32]},${colors[64]})` });
  node.replaceChildren("0", ramp(theme.amount), asked.rows.includes("removed") ? ramp(theme.removed) : "", most);
}

// chart.js
function chart(width, height, steps, { left = 34, right = 10, top = 10, bottom = 22, low = 0, high = 1 } = {}) {
  const band = (width - left - right) / steps;
  const span = high - low || 1;
  return {
    width,
    height,
    steps,
    left,
    right,
    top,
    bottom,
    band,
    x: (step) => left + (step + 0.5) * band,
    y: (value) => top + (high - value) / span * (height - top - bottom),
    step: (x) => Math.min(steps - 1, Math.max(0, Math.floor((x - left) / band)))
  };
}
var ROOM = 22;
function numbered({ steps, band }, step) {
  const every = Math.ceil(ROOM / band);
  const all = Array.from({ length: steps }, (_, i) => i);
  return all.filter((i) => i === step || i % every === 0 && Math.abs(i - step) >= every);
}
function timeAxis(plot, step) {
  return [
    svg("rect", {
      x: plot.left + step * plot.band,
      y: plot.top - 6,
      width: plot.band,
      height: plot.height - plot.top - plot.bottom + 12,
      class: "cursor"
    }),
    ...numbered(plot, step).map(
      (i) => svg(
        "text",
        { x: plot.x(i), y: plot.height - 6, class: i === step ? "tick middle current" : "tick middle" },
        i + 1
      )
    )
  ];
}
function timeChart(store) {
  const node = svg("svg", { class: "chart", role: "img" });
  let plot = null;
  node.addEventListener("click", (event) => {
    if (plot) store.set({ step: plot.step(inside(event)[0]) });
  });
  const show = (now, label, children) => {
    plot = now;
    node.setAttribute("width", String(now.width));
    node.setAttribute("height", String(now.height));
    node.setAttribute("aria-label", label);
    node.replaceChildren(...children.flat(2).filter(Boolean));
  };
  return { node, show };
}
var path = (points, props) => svg("path", { d: `M${points.map((point) => point.map((v) => v.toFixed(1)).join(" ")).join("L")}`, ...props });

// decision.js
function decisionPanel(store) {
  const { recording } = store;
  const { node, note, body } = panel("decision", "Decision, step by step");
  if (!recording.decision) {
    note.textContent = recording.missing.logits;
    return { node, draw() {
    } };
  }
  const { node: figure, show } = timeChart(store);
  const values = el("p", { class: "readout" });
  body.append(figure, values);
  function draw({ state }) {
    const logits = recording.array("logits");
    const classes = recording.arrays.logits.shape[1];
    const at = (step, name) => logits[step * classes + name];
    note.textContent = recording.decision.note;
    const named = namedClasses(recording, classes, at);
    const ends = Math.max(...named.map((name) => recording.className(name).length)) * 7 + 32;
    const plot = chart(
      body.clientWidth,
      Math.round(Math.min(280, Math.max(170, body.clientWidth * 0.55))),
      recording.steps,
      {
        left: 30,
        right: Math.min(110, ends),
        top: 30,
        low: Math.min(0, ...logits),
        high: Math.max(0, ...logits)
      }
    );
    const line = (name) => path(
      Array.from({ length: recording.steps }, (_, step) => [plot.x(step), plot.y(at(step, name))]),
      { class: `line ${role(recording, name, classes)}` }
    );
    const order = Array.from({ length: classes }, (_, i) => i).sort(
      (a, b) => Number(named.includes(a)) - Number(named.includes(b))
    );
    show(plot, `Logits of ${classes} classes over ${plural(recording.steps, "step")}. ${note.textContent}`, [
      timeAxis(plot, state.step),
      readout(recording, plot),
      settled(recording, plot),
      svg("line", { x1: plot.left, x2: plot.width - plot.right, y1: plot.y(0), y2: plot.y(0), class: "axis" }),
      svg("text", { x: plot.left - 6, y: plot.y(0) + 4, class: "tick end" }, "0"),
      order.map(line),
      labels(recording, plot, named, classes, (name) => at(recording.steps - 1, name))
    ]);
    const top = Array.from({ length: classes }, (_, i) => i).sort((a, b) => at(state.step, b) - at(state.step, a)).slice(0, 2);
    values.textContent = `${recording.decision.averaged} At step ${state.step + 1}: ${top.map((name) => `${recording.className(name)} ${number(at(state.step, name))}`).join(", ")}.`;
  }
  return { node, draw };
}
var role = (recording, name, classes) => {
  if (name === recording.decision.answer) return "answer";
  if (name === recording.label) return "label";
  return classes <= 3 ? "other strong" : "other";
};
function namedClasses(recording, classes, at) {
  const order = Array.from({ length: classes }, (_, i) => i).sort(
    (a, b) => at(recording.steps - 1, b) - at(recording.steps - 1, a)
  );
  const wanted = [recording.decision.answer, recording.label, ...order.slice(0, classes <= 3 ? 3 : 2)];
  return [...new Set(wanted.filter((name) => name !== null))];
}
function labels(recording, plot, named, classes, last) {
  let floor = -Infinity;
  return named.map((name) => ({ name, y: plot.y(last(name)) })).sort((a, b) => a.y - b.y).map(({ name, y }) => {
    floor = Math.max(y, floor + 14);
    const words = recording.className(name) + (name === recording.label ? " ✓" : "");
    return svg(
      "text",
      { x: plot.width - plot.right + 6, y: floor + 4, class: `end ${role(recording, name, classes)}` },
      svg(
        "title",
        {},
        name === recording.label ? `${recording.className(name)}, the label` : recording.className(name)
      ),
      words
    );
  });
}
function readout(recording, plot) {
  const { first } = recording.decision;
  const [x, end] = [plot.left + first * plot.band, plot.width - plot.right];
  return [
    svg("line", { x1: x + 2, x2: end - 2, y1: 19.5, y2: 19.5, class: "bracket" }),
    svg("text", { x: end, y: 12, class: "tick end" }, svg("title", {}, "averaged to the answer"), "averaged")
  ];
}
function settled(recording, plot) {
  const { settled: step } = recording.decision;
  if (!step) return [];
  const x = plot.left + step * plot.band;
  return [
    svg("line", { x1: x, x2: x, y1: plot.top, y2: plot.height - plot.bottom, class: "mark" }),
    svg("text", { x: x + 4, y: plot.height - plot.bottom - 4, class: "tick halo" }, "settles")
  ];
}

// stem.js
var MAPS = 24;
function stemOutput(recording) {
  const names = Object.keys(recording.spikes ?? {}).filter((name) => name.startsWith("stem."));
  return names.length === 2 ? names : null;
}
function stemMap(recording, names, step, first, end) {
  const [one, other] = names.map((name) => recording.firing(name, step, first, end));
  return one.map((count, token) => count + other[token]);
}
function stemPanel(store, app) {
  const { recording } = store;
  const { node, note, body } = panel("stem centre", "What the stem makes of this step");
  const names = stemOutput(recording);
  if (!names) {
    note.textContent = recording.missing.stem;
    return { node, draw() {
    } };
  }
  const total = el("canvas", { role: "img", "data-name": "stem" });
  const readout2 = el("p", { class: "readout" });
  const channels = el("canvas", { role: "img" });
  const busiest2 = busiestChannels(recording, names);
  const legend = el("span", { class: "scale" });
  const all = el("div", {}, total, readout2);
  const single = el(
    "div",
    {},
    el("h4", {}, `The ${busiest2.length} busiest channels of ${recording.spikes[names[0]][1]}`),
    channels,
    legend
  );
  body.append(el("div", { class: "beside" }, all, single));
  pickable(total, store, app, () => places[0]);
  pickable(channels, store, app, () => places[1]);
  let places = [[], []];
  note.textContent = "Spikes that leave the stem and go to the first block: those of its last stage, and those of the relative position layer on top. A channel of a patch can therefore hold 0, 1 or 2.";
  function draw(view) {
    const { state, theme, hover } = view;
    const values = stemMap(recording, names, state.step);
    const item = { colors: theme.amount, step: state.step, query: true, key: hover };
    places = [
      drawMaps(
        total,
        view,
        [{ ...item, title: `all channels, step ${state.step + 1}`, values, most: Math.max(...values), strong: true }],
        all.clientWidth,
        240
      ),
      drawMaps(
        channels,
        view,
        busiest2.map((channel2) => ({
          ...item,
          title: `${channel2 + 1}`,
          values: stemMap(recording, names, state.step, channel2, channel2 + 1),
          most: 2,
          query: false,
          key: null
        })),
        single.clientWidth,
        84,
        44
      )
    ];
    const at = hover?.row === void 0 ? state : hover;
    const here = values[at.row * recording.grid[1] + at.column];
    readout2.textContent = `Step ${state.step + 1}, patch row ${at.row + 1}, column ${at.column + 1}: ${here} spikes; all patches ${sum(values)}.`;
    total.setAttribute("aria-label", `Spikes of each patch. ${readout2.textContent}`);
    legend.replaceChildren(
      ...[0, 1, 2].flatMap((spikes) => [
        el("i", { class: "swatch cell", style: `background:${theme.amount[32 * spikes]}` }),
        spikes ? `${spikes} spike${spikes > 1 ? "s" : ""}` : "none"
      ])
    );
    channels.setAttribute(
      "aria-label",
      `Maps of channels ${busiest2.map((channel2) => channel2 + 1).join(", ")} at step ${state.step + 1}.`
    );
  }
  return { node, draw };
}
function busiestChannels(recording, names) {
  const [, channels] = recording.spikes[names[0]];
  const totals2 = Array.from({ length: channels }, () => 0);
  for (const name of names) {
    recording.spikesOf(name).values.forEach((spike, i) => {
      totals2[Math.floor(i / recording.tokens) % channels] += spike;
    });
  }
  return totals2.map((_, channel2) => channel2).sort((a, b) => totals2[b] - totals2[a] || a - b).filter((channel2) => totals2[channel2] > 0).slice(0, MAPS);
}
function pickable(canvas, store, app, places) {
  canvas.classList.add("pick");
  canvas.addEventListener("click", (event) => {
    const hit = locate(places(), ...inside(event));
    if (hit) store.set({ row: hit.row, column: hit.column });
  });
  canvas.addEventListener("pointermove", (event) => app.point(locate(places(), ...inside(event))));
  canvas.addEventListener("pointerleave", () => app.point(null));
}

// coincidence.js
var PARTS_OF = ["query", "key", "value"];
var layerOf = (block, part) => `blocks.${block}.attention.${part}.neuron`;
function comparedKey({ recording, state, hover, pinned, question: asked }) {
  const [used, raw] = [recording.used(asked.block), "raw"].map((kind) => visible(asked, state, kind));
  const columns = recording.grid[1];
  const seen = (place2) => place2?.row !== void 0 && used.some(([step]) => step === place2.step);
  const patch = [hover, pinned].find(seen);
  if (patch) return { ...patch, token: patch.row * columns + patch.column };
  const best = [strongest(used), strongest(raw)].find(({ value }) => value > 0) ?? {
    step: state.step,
    token: asked.token
  };
  return { step: best.step, token: best.token, row: Math.floor(best.token / columns), column: best.token % columns };
}
function hasTrains(recording, block) {
  return PARTS_OF.every((part) => recording.spikesOf(layerOf(block.block, part)));
}
function trains(view) {
  const {
    recording,
    state,
    question: { block, token }
  } = view;
  const key = comparedKey(view);
  const of = (part, step, at) => recording.train(layerOf(block.block, part), step, block, state.head, at);
  const [q, k, v] = [of("query", state.step, token), of("key", key.step, key.token), of("value", key.step, key.token)];
  return { key, q, k, v, both: q.map((spike, i) => spike & k[i]) };
}
function coincidencePanel(store, app) {
  const { recording } = store;
  const { node, note, body } = panel("qkv centre", "Where the spikes of a query and a key coincide");
  const cells = el("canvas", { role: "img", "data-name": "trains" });
  const verdict = el("p", { class: "readout verdict" });
  const maps = el("canvas", { tabindex: 0, role: "application", "data-name": "keys" });
  const title = el("h4", {}, "Spikes of this head in every patch");
  const strips = el("div", { class: "strips" });
  const help = el(
    "p",
    { class: "note" },
    "Point at a patch of K, or choose one: ",
    keycaps("←", "↑", "→", "↓"),
    " patch, ",
    keycaps("PgUp", "PgDn"),
    " step, ",
    keycaps("Esc"),
    " the strongest key."
  );
  let places = [];
  let last = null;
  maps.addEventListener("click", (event) => {
    const hit = locate(places, ...inside(event));
    if (hit?.map?.startsWith("Q")) store.set({ row: hit.row, column: hit.column });
    else if (hit?.map) compare(store, hit);
  });
  maps.addEventListener("pointermove", (event) => {
    const hit = locate(places, ...inside(event));
    app.point(hit?.map?.startsWith("Q") ? null : hit);
  });
  maps.addEventListener("pointerleave", () => app.point(null));
  maps.addEventListener("keydown", (event) => walkKeys(event, last, store));
  function draw(view) {
    const { state, question: asked } = view;
    const recorded = asked && hasTrains(recording, asked.block);
    contain(body, recorded ? [cells, verdict, title, maps, help, strips] : []);
    note.textContent = !asked ? recording.missing.pairs : recorded ? `Each entry of the map is a count: in how many of the head's channels both the query (step ${state.step + 1}) and the key spiked.` : recording.missing.trains;
    if (!recorded) return;
    drawStrips(strips, store);
    const spikes = trains(view);
    last = { view, key: spikes.key };
    drawTrains(cells, view, spikes, body.clientWidth);
    verdict.replaceChildren(...entryInWords(view, spikes));
    cells.setAttribute("aria-label", verdict.textContent);
    places = drawFiring(maps, view, spikes.key, body.clientWidth);
    maps.setAttribute("aria-label", `Spikes per patch of Q, K and V. ${verdict.textContent}`);
  }
  return { node, draw };
}
var compare = (store, { step, row, column }) => store.set({ key: `${step}.${row}.${column}` });
var keycaps = (...names) => el(
  "span",
  {},
  names.map((name) => el("kbd", {}, name))
);
function drawTrains(canvas, { theme }, { q, k, v, both }, width) {
  const channels = both.flatMap((spike, channel2) => spike ? [channel2] : []);
  const wide = width >= 560;
  const row = (label, values, more) => ({
    label,
    values,
    sum: wide ? `${sum(values)} spike${sum(values) === 1 ? "" : "s"}` : sum(values),
    ...more
  });
  const count = wide ? `${sum(both)} in both` : sum(both);
  const rows = [
    row(wide ? "query Q" : "Q", q),
    row(wide ? "key K" : "K", k),
    row("both", both, { strong: true, sum: count }),
    row(wide ? "value V" : "V", v)
  ];
  drawCells(canvas, theme, rows, channels, width, 3);
}
function entryInWords({ question: asked }, { key, both, v }) {
  const count = sum(both);
  const { raw, kept } = asked.columns[key.step];
  const where = `key row ${key.row + 1}, column ${key.column + 1}, step ${key.step + 1}`;
  const entry = (raw ?? kept)[key.token];
  const same = raw && entry === count;
  const words = [
    el("b", { "data-count": count }, `${count} of ${both.length} channels`),
    ` spike at the query and at ${where}`,
    same ? el("span", { "data-entry": entry }, `: ${entry} is their entry of the map. `) : raw ? `; the recorded entry is ${number(entry)}, so the map was changed after it was counted. ` : ". "
  ];
  if (kept) {
    const left = kept[key.token];
    words.push(
      left ? `The denoiser passes ${number(left)} on` : count ? "The denoiser removes it" : "There is nothing to pass on",
      left ? `: what V of this key holds, ${sum(v)} spike${sum(v) === 1 ? "" : "s"}, is read ${number(left)} times.` : "."
    );
  }
  return words;
}
function drawFiring(canvas, view, key, width) {
  const { recording, state, theme, question: asked } = view;
  const size = recording.spikesOf(layerOf(asked.block.block, "query")).channels / asked.block.heads;
  const firing = (part, step) => recording.firing(layerOf(asked.block.block, part), step, state.head * size, (state.head + 1) * size);
  const at = (title, part, step, more) => ({ title, values: firing(part, step), colors: theme.amount, step, ...more });
  const steps = visible(asked, state, recording.used(asked.block)).map(([step]) => step);
  const items = [
    at(`Q, step ${state.step + 1}`, "query", state.step, { query: true, strong: true }),
    ...steps.map(
      (step) => at(`K, step ${step + 1}`, "key", step, { key: step === key.step ? key : null, strong: step === key.step })
    ),
    at(`V, step ${key.step + 1}`, "value", key.step, { key, strong: true })
  ];
  const most = Math.max(1, ...items.map(({ values }) => Math.max(...values)));
  return drawMaps(
    canvas,
    view,
    items.map((item) => ({ ...item, most })),
    width,
    190
  );
}
function walkKeys(event, last, store) {
  const move = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
  const far = { PageUp: -1, PageDown: 1 }[event.key];
  if (!last || !(move || far || event.key === "Escape")) return;
  event.preventDefault();
  event.stopPropagation();
  if (event.key === "Escape") {
    store.set({ key: "" });
    return;
  }
  const {
    view: { recording, state, question: asked },
    key
  } = last;
  const steps = visible(asked, state, recording.used(asked.block)).map(([step]) => step);
  const clamp = (value, count) => Math.min(count - 1, Math.max(0, value));
  const [rows, columns] = recording.grid;
  compare(store, {
    step: far ? steps[clamp(steps.indexOf(key.step) + far, steps.length)] : key.step,
    row: clamp(key.row + (move?.[0] ?? 0), rows),
    column: clamp(key.column + (move?.[1] ?? 0), columns)
  });
}

// values.js
function readValues(recording, block, step, head) {
  const spikes = recording.spikesOf(`blocks.${block.block}.attention.value.neuron`);
  const [size, tokens] = [spikes.channels / block.heads, recording.tokens];
  const values = new Float32Array(size * tokens);
  for (let from = 0; from <= step; from++) {
    for (let query = 0; query < tokens; query++) {
      const map = recording.keyMap(block, recording.used(block), step, from, head, query);
      map?.forEach((weight, key) => {
        if (!weight) return;
        const start = (from * spikes.channels + head * size) * tokens + key;
        for (let c = 0; c < size; c++) values[c * tokens + query] += weight * spikes.values[start + c * tokens];
      });
    }
  }
  const gain = (recording.scale ?? 1) / recording.reach(block, step);
  return values.map((value) => value * gain);
}
var perPatch = (values, tokens) => Float32Array.from({ length: tokens }, (_, token) => {
  let total = 0;
  for (let i = token; i < values.length; i += tokens) total += values[i];
  return total;
});
function readoutPanel(store, app) {
  const { recording } = store;
  const { node, note, body } = panel("values centre", "What is read from the values");
  const maps = el("canvas", { role: "img", "data-name": "read" });
  const cells = el("canvas", { role: "img" });
  const words = el("p", { class: "readout" });
  const strips = el("div", { class: "strips" });
  let places = [], made = {};
  pickable(maps, store, app, () => places);
  const title = el("h4", {}, "This patch, channel by channel");
  function draw(view) {
    const { state, theme, question: asked } = view;
    const names = asked && ["value.neuron", "neuron"].map((part) => `blocks.${asked.block.block}.attention.${part}`);
    const missing = asked && names.filter((name) => !recording.spikesOf(name));
    contain(body, asked && !missing.length ? [maps, words, title, cells, strips] : []);
    note.textContent = !asked ? recording.missing.reading : missing.length ? `The spikes of ${missing.join(" and ")} were not recorded, or were changed to other values than 0 and 1.` : explainRead(recording, asked.block, state);
    if (!asked || missing.length) return;
    drawStrips(strips, store);
    const place2 = [state.step, state.block, state.head].join();
    if (made.place !== place2) made = { place: place2, values: readValues(recording, asked.block, state.step, state.head) };
    places = drawRead(maps, view, made.values, names[1], body.clientWidth);
    const here = Array.from(made.values.filter((_, i) => i % recording.tokens === asked.token));
    const fired2 = recording.train(names[1], state.step, asked.block, state.head, asked.token);
    const marked = fired2.flatMap((spike, channel2) => spike ? [channel2] : []);
    drawCells(
      cells,
      theme,
      [
        { label: "read", values: here, bars: true, sum: number(sum(here), 1) },
        { label: "spikes", values: fired2, strong: true, sum: String(sum(fired2)) }
      ],
      marked,
      body.clientWidth
    );
    words.replaceChildren(
      `Step ${state.step + 1}, patch row ${state.row + 1}, column ${state.column + 1}: a current of `,
      el("b", { "data-read": sum(here) }, number(sum(here), 1)),
      ` over ${here.length} channels is read; `,
      el("b", {}, `${sum(fired2)}`),
      ` of their ${fired2.length} neurons spike.`
    );
    for (const canvas of [maps, cells]) canvas.setAttribute("aria-label", words.textContent);
  }
  return { node, draw };
}
function explainRead(recording, block, { step }) {
  const n = recording.reach(block, step);
  const scale2 = recording.scale === null ? "" : `, times ${number(recording.scale, 3)}${n > 1 ? ` / ${n} as ${n} steps are in reach` : ""}`;
  return `The ${recording.used(block)} map adds up the spikes of V, key by key${scale2}. This current drives the read-out neurons, which carry some of it over in their membranes.`;
}
function drawRead(canvas, view, values, name, width) {
  const {
    recording,
    state,
    theme,
    hover,
    question: { block }
  } = view;
  const size = recording.spikesOf(name).channels / block.heads;
  const read2 = perPatch(values, recording.tokens);
  const fired2 = recording.firing(name, state.step, state.head * size, (state.head + 1) * size);
  const seen = visible(view.question, state, recording.used(block)).find(([step]) => step === state.step)?.[1];
  const item = { colors: theme.amount, step: state.step, query: true, key: hover };
  const items = [
    { ...item, title: "read from V", values: read2, most: Math.max(...read2), strong: true },
    { ...item, title: "read-out spikes", values: fired2, most: Math.max(1, ...fired2), strong: true }
  ];
  if (seen)
    items.unshift({
      ...item,
      title: `${recording.used(block)} map, now`,
      values: seen,
      most: Math.max(1, ...seen),
      strong: false
    });
  return drawMaps(canvas, view, items, width, 210);
}

// stages.js
var SIDE = 36;
var UNKNOWN = { value: "–", unit: "not recorded" };
var PANEL_OF = {
  input: "input",
  stem: "stem",
  qkv: "qkv",
  scores: "attention",
  denoise: "attention",
  readout: "values",
  logits: "decision"
};
function stageRow(store, app) {
  const { stages } = store.recording;
  const tiles2 = Object.keys(stages).map((stage) => {
    const canvas = el("canvas", { "aria-hidden": true });
    const [value, unit] = [el("b"), el("small")];
    const button = el(
      "button",
      { type: "button", role: "radio", class: "stage", "data-stage": stage, onclick: () => open(stage) },
      canvas,
      el("span", { class: "words" }, el("span", {}, stages[stage]), el("span", {}, value, " ", unit))
    );
    return { stage, canvas, value, unit, button };
  });
  const node = el(
    "div",
    { class: "pipeline", role: "radiogroup", "aria-label": "Stages of the network; the open one is shown below" },
    tiles2.map(({ button }) => button)
  );
  node.addEventListener("keydown", (event) => walkStages(event, Object.keys(stages), open));
  function open(stage) {
    store.set({ stage });
    tiles2.find((tile) => tile.stage === stage)?.button.focus({ preventScroll: true });
    app.reveal();
  }
  function draw(view) {
    for (const { stage, canvas, value, unit, button } of tiles2) {
      const shown = summarise(stage, view);
      const current = stage === view.state.stage;
      button.setAttribute("aria-checked", String(current));
      button.tabIndex = current ? 0 : -1;
      value.textContent = shown.value;
      unit.textContent = shown.unit ?? "";
      button.setAttribute(
        "aria-label",
        `${stages[stage]}: ${shown.spoken ?? `${shown.value} ${shown.unit ?? ""}`.trim()}`
      );
      button.title = shown.title ?? "";
      button.toggleAttribute("data-removed", stage === "denoise" && parseFloat(shown.value) > 0);
      thumbnail(canvas, view, shown);
    }
  }
  return { node, draw };
}
function walkStages(event, stages, open) {
  const at = stages.indexOf(event.target.closest("[data-stage]")?.dataset.stage);
  const to = {
    ArrowLeft: at - 1,
    ArrowUp: at - 1,
    ArrowRight: at + 1,
    ArrowDown: at + 1,
    Home: 0,
    End: stages.length - 1
  }[event.key];
  if (to === void 0 || at < 0) return;
  event.preventDefault();
  event.stopPropagation();
  open(stages[(to + stages.length) % stages.length]);
}
function thumbnail(canvas, { recording, theme }, { draw, map, colors, most, wide = 1 }) {
  const [rows, columns] = recording.grid ?? [1, 1];
  const width = map ? Math.round(Math.min(1.6, columns / rows) * SIDE) : Math.round(SIDE * wide);
  const context = prepare(canvas, width, SIDE);
  if (map)
    drawMap(context, colors ?? theme.amount, map, most ?? Math.max(1, ...map), { x: 0, y: 0, width, height: SIDE }, [
      rows,
      columns
    ]);
  else draw?.(context, width);
}
var percent = (share) => `${number(100 * share, share < 0.095 ? 1 : 0)} %`;
function summarise(stage, view) {
  return {
    input: ofInput,
    stem: ofStem,
    qkv: ofTrains,
    scores: ofScores,
    denoise: ofDenoiser,
    readout: ofReadout,
    logits: ofLogits
  }[stage](view) ?? UNKNOWN;
}
function ofInput({ recording, state, frames }) {
  if (!recording.input) return null;
  const [, channels, rows, columns] = recording.arrays.input.shape;
  const plane = rows * columns * channels;
  const at = Math.min(state.step, recording.input.frames - 1) * plane;
  const events = recording.input.kind === "events";
  return {
    value: events ? sum(recording.array("input").subarray(at, at + plane)) : `${rows}×${columns}`,
    unit: events ? "events" : "pixels",
    draw: (context, width) => {
      context.imageSmoothingEnabled = false;
      context.drawImage(frames.at(state.step), 0, 0, width, SIDE);
    }
  };
}
function ofStem({ recording, state }) {
  const names = stemOutput(recording);
  if (!names) return null;
  const map = stemMap(recording, names, state.step);
  const share = sum(map) / (2 * recording.spikes[names[0]][1] * recording.tokens);
  return {
    value: percent(share),
    unit: "fire",
    map,
    title: "Share of the neurons of its last two layers that fire at this step"
  };
}
function ofTrains(view) {
  const { recording, theme, question: asked } = view;
  if (!asked || !hasTrains(recording, asked.block)) return null;
  const { q, k, v, both } = trains(view);
  const counts = [q, k, v].map((train) => sum(train));
  return {
    value: sum(both),
    unit: "coincide",
    wide: 1.6,
    spoken: `${counts[0]} spikes of the query and ${counts[1]} of the key, ${sum(both)} coincide`,
    title: "Spikes of Q at this patch, of K and V at the key compared with it; those of Q and K that coincide are its entry of the map",
    draw: (context, width) => [q, k, v].forEach(
      (train, row) => train.forEach((spike, channel2) => {
        const [w, h] = [width / train.length, SIDE / 3];
        context.fillStyle = !spike ? theme.line : both[channel2] && row < 2 ? theme.accent : theme.muted;
        context.fillRect(channel2 * w, row * h + 1, Math.max(1, w - 1), h - 2);
      })
    )
  };
}
var reached = ({ state, question: asked }, kind) => visible(asked, state, kind).reduce((total, [, values]) => total + sum(values), 0);
function ofScores(view) {
  const { state, question: asked } = view;
  const map = asked?.columns[state.step]?.raw;
  return map && {
    value: number(reached(view, "raw"), 1),
    unit: "in all",
    map,
    title: "Coincident spikes of this query with all keys that it reaches; the picture shows those of this step"
  };
}
function ofDenoiser(view) {
  const { state, question: asked } = view;
  const { raw, kept } = asked?.columns[state.step] ?? {};
  if (!raw || !kept) return null;
  const all = reached(view, "raw");
  return {
    value: percent(all ? reached(view, "removed") / all : 0),
    unit: "removed",
    map: kept,
    most: Math.max(1, ...raw),
    title: "Share of these coincidences that the denoiser removes; the picture shows what it keeps of this step"
  };
}
function ofReadout({ recording, state }) {
  const name = `blocks.${state.block}.attention.neuron`;
  const share = recording.rate(name, state.step);
  if (share === null) return null;
  const map = recording.spikesOf(name) ? recording.firing(name, state.step) : null;
  return {
    value: percent(share),
    unit: "fire",
    map,
    title: "Share of the block's read-out neurons that fire at this step"
  };
}
function ofLogits({ recording, state, theme }) {
  if (!recording.decision) return null;
  const [, classes] = recording.arrays.logits.shape;
  const logits = recording.array("logits").subarray(state.step * classes, (state.step + 1) * classes);
  const [low, high] = [Math.min(0, ...logits), Math.max(0, ...logits)];
  const top = logits.indexOf(Math.max(...logits));
  return {
    value: recording.className(top),
    unit: `logit ${number(logits[top], 1)}`,
    spoken: `${recording.className(top)} leads with ${number(logits[top])}`,
    draw: (context, width) => logits.forEach((value, name) => {
      const y = (at) => (high - at) / (high - low || 1) * (SIDE - 2) + 1;
      const w = width / classes;
      context.fillStyle = name === top ? theme.accent : theme.muted;
      context.fillRect(
        name * w,
        Math.min(y(value), y(0)),
        Math.max(1, w - (w > 3 ? 1 : 0)),
        Math.max(1, Math.abs(y(value) - y(0)))
      );
    })
  };
}

// tau.js
var LONGER = 1.5;
function tauPanel(store) {
  const { recording } = store;
  const { node, note, body } = panel("tau", "Learned time constants");
  const layers = recording.layers.map((layer, position) => ({ ...layer, ...tauOf(recording, position) }));
  if (!layers.length) {
    note.textContent = recording.missing.neurons;
    return { node, draw() {
    } };
  }
  const ends = layers.flatMap(({ tau, before }) => [...tau ?? [], ...before ?? []]);
  const most = Math.max(3, Math.ceil(Math.max(...ends, 0)));
  const at = (value) => `${100 * (value - 1) / (most - 1)}%`;
  const rows = layers.map((layer) => tauRow(store, layer, at));
  const ticks = [1, ...[2, 4, 8, 16, 32].filter((tick) => tick < most * 0.8), most];
  const axis = el(
    "div",
    { class: "tauaxis", "aria-hidden": true },
    el("span"),
    el(
      "span",
      { class: "track" },
      ticks.map((tick) => el("em", { style: `left:${at(tick)}` }, tick === most ? `${tick} steps` : tick))
    )
  );
  const list = el("div", { class: "taus", role: "group", "aria-label": "Neuron layers" }, rows);
  body.append(list, axis);
  list.addEventListener("keydown", (event) => roam(event, rows));
  note.replaceChildren(
    ends.length ? explainTau(layers, recording.moment, recording.missing.tau_start) : recording.missing.tau
  );
  function draw({ state }) {
    rows.forEach((row, i) => {
      const current = layers[i].name === state.layer;
      row.setAttribute("aria-pressed", String(current));
      row.tabIndex = current || !rows.some((_, j) => layers[j].name === state.layer) && i === 0 ? 0 : -1;
    });
  }
  return { node, draw };
}
function tauOf(recording, position) {
  const [tau, before] = ["tau", "tau_start"].map((part) => recording.array(`layer.${position}.${part}`));
  const span = (values) => values && [Math.min(...values), Math.max(...values)];
  const mean = (values) => values && values.reduce((a, b) => a + b, 0) / values.length;
  return { tau: span(tau), before: span(before), mean: mean(tau), start: mean(before), per: tau?.length };
}
var longer = ({ mean, start }) => mean && start && mean >= LONGER * start;
function explainTau(layers, moment, notKept) {
  const hot = layers.some(longer) ? [el("i", { class: "dot hot" }), " listens half as long again or more. "] : [];
  const known = layers.some(({ start: value }) => value);
  const start = known ? [el("i", { class: "dot start" }), " at the start, "] : [];
  return el(
    "span",
    {},
    ...start,
    el("i", { class: "dot" }),
    ` ${moment}`,
    hot.length ? ", " : ". ",
    ...hot,
    known ? "" : `${notKept} `,
    "Pick a layer for the panels beside."
  );
}
function tauRow(store, layer, at) {
  const { tau, before, mean, start, per } = layer;
  const marks = [
    tau && start ? el("i", {
      class: "move",
      style: `left:${at(Math.min(mean, start))};right:calc(100% - ${at(Math.max(mean, start))})`
    }) : null,
    tau && per > 1 ? el("i", { class: "span", style: `left:${at(tau[0])};right:calc(100% - ${at(tau[1])})` }) : null,
    before ? el("i", { class: "dot start", style: `left:${at(start)}` }) : null,
    tau ? el("i", { class: longer(layer) ? "dot hot" : "dot", style: `left:${at(mean)}` }) : null
  ];
  const words = tau ? `time constant ${number(mean)} steps${start ? `, ${number(start)} at the start` : ""}` : "time constant not recorded";
  return el(
    "button",
    {
      type: "button",
      class: "taurow",
      title: `${layer.name}: ${words}`,
      "aria-label": `${layer.label}, ${words}`,
      "data-layer": layer.name,
      onclick: () => store.set({ layer: layer.name, neuron: -1 })
    },
    el("span", {}, layer.label),
    el("span", { class: "track" }, marks),
    el("b", {}, tau ? number(mean) : "")
  );
}
function roam(event, rows) {
  const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
  if (!step) return;
  event.preventDefault();
  event.stopPropagation();
  const next = rows[rows.indexOf(event.target.closest("button")) + step];
  next?.click();
  next?.focus();
}

// neurons.js
function traces(recording, state) {
  const position = recording.layers.findIndex((layer) => layer.name === state.layer);
  if (position < 0) return null;
  const of = (part) => recording.array(`layer.${position}.${part}`);
  const index = of("index");
  return index && { layer: recording.layers[position], index, of, place: index.indexOf(state.neuron), shown: index.length };
}
function rasterPanel(store) {
  const { recording } = store;
  const { node, heading, note, body } = panel("raster", "Spikes");
  const canvas = el("canvas", { tabindex: 0, role: "application", "data-name": "raster" });
  canvas.addEventListener("click", pick);
  canvas.addEventListener("keydown", walk);
  let plot = null;
  let row = 4;
  function pick(event) {
    const neurons = traces(recording, store.state);
    if (!neurons || !plot) return;
    const [x, y] = inside(event);
    const place2 = Math.min(neurons.shown - 1, Math.max(0, Math.floor((y - plot.top) / row)));
    const changes = { step: plot.step(x) };
    if (y < plot.top + neurons.shown * row + 3) changes.neuron = neurons.index[place2];
    store.set(changes);
  }
  function walk(event) {
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    const neurons = step && traces(recording, store.state);
    if (!neurons) return;
    event.preventDefault();
    event.stopPropagation();
    store.set({ neuron: neurons.index[Math.min(neurons.shown - 1, Math.max(0, neurons.place + step))] });
  }
  function draw({ state, theme }) {
    const neurons = traces(recording, state);
    const spikes = neurons?.of("spikes");
    heading.textContent = neurons ? `Spikes of ${neurons.layer.title}` : "Spikes";
    contain(body, spikes ? [canvas] : []);
    if (!spikes) {
      note.textContent = recording.missing.spikes;
      return;
    }
    const { layer, shown } = neurons;
    note.textContent = fired(layer, shown);
    row = Math.min(9, Math.max(2.5, 270 / shown));
    plot = chart(body.clientWidth, Math.round(shown * row) + 72, recording.steps, { left: 4, right: 4, top: 8 });
    drawRaster(prepare(canvas, plot.width, plot.height), plot, row, neurons, state, theme);
    canvas.setAttribute(
      "aria-label",
      `${heading.textContent}: ${note.textContent} Neuron ${state.neuron + 1} is selected; up and down choose another.`
    );
  }
  return { node, draw };
}
function fired({ neurons, active }, shown) {
  if (!active) return `None of the ${neurons} neurons fired.`;
  if (shown === neurons) return `All ${neurons} neurons, the most active on top. ${active} fired at least once.`;
  const which = active > shown ? `${shown} of the ${active} neurons that fired, from the most active to the least` : `The ${active} neurons that fired, the most active on top, and some that did not`;
  return `${which}. The layer has ${neurons}.`;
}
function drawRaster(context, plot, row, { of, shown, place: place2 }, state, theme) {
  const [spikes, counts] = [of("spikes"), of("counts")];
  const [foot, base] = [plot.top + shown * row, plot.height - 24];
  context.fillStyle = theme.cursor;
  context.fillRect(plot.left + state.step * plot.band, plot.top - 4, plot.band, plot.height - plot.top - 16);
  context.fillStyle = theme.accent;
  context.globalAlpha = 0.25;
  context.fillRect(plot.left, plot.top + place2 * row - 1, plot.band * plot.steps, row + 2);
  context.globalAlpha = 1;
  const thick = Math.max(1.2, row * 0.55);
  const [most, tall] = [Math.max(...counts, 1), base - foot - 14];
  context.font = `12px ${theme.font}`;
  context.textAlign = "center";
  for (let step = 0; step < plot.steps; step++) {
    const [x, width] = [plot.x(step) - plot.band * 0.36, plot.band * 0.72];
    for (let neuron = 0; neuron < shown; neuron++) {
      if (!spikes[step * shown + neuron]) continue;
      context.fillStyle = neuron === place2 ? theme.accent : theme.ink_;
      context.fillRect(x, plot.top + neuron * row + (row - thick) / 2, width, thick);
    }
    context.fillStyle = theme.muted;
    const high = tall * counts[step] / most;
    context.fillRect(x, base - high, width, high);
    context.fillStyle = step === state.step ? theme.ink_ : theme.muted;
    if (plot.band > 20 || step % 2 === 1) context.fillText(String(step + 1), plot.x(step), plot.height - 8);
  }
  context.textAlign = "left";
  context.fillStyle = theme.muted;
  context.font = `11px ${theme.font}`;
  context.fillText(`spikes of the whole layer, ${Math.max(...counts)} at most`, plot.left, foot + 12);
}
function membranePanel(store) {
  const { recording } = store;
  const { node, heading, note, body } = panel("membrane", "Membrane potential");
  const { node: figure, show } = timeChart(store);
  const legend = el(
    "p",
    { class: "legend" },
    el("i", { class: "swatch trace" }),
    "membrane",
    el("i", { class: "swatch current" }),
    "input current",
    el("i", { class: "dot fired" }),
    "spike"
  );
  function draw({ state }) {
    const neurons = traces(recording, state);
    const membrane = neurons?.of("membrane");
    heading.textContent = neurons ? `Neuron ${state.neuron + 1}: membrane potential` : "Membrane potential";
    contain(body, membrane ? [figure, legend] : []);
    if (!membrane) {
      note.textContent = recording.missing.membrane;
      return;
    }
    note.textContent = `${place(neurons.layer, state.neuron)}: charge, threshold, reset. ${forgets(neurons, state.neuron)}`;
    const of = (part) => {
      const all = neurons.of(part);
      return all && Array.from({ length: recording.steps }, (_, t) => all[t * neurons.shown + neurons.place]);
    };
    drawMembrane(
      show,
      body.clientWidth,
      recording,
      state,
      neurons.layer,
      {
        membrane: of("membrane"),
        reset: of("reset"),
        spikes: of("spikes"),
        current: of("current")
      },
      note.textContent
    );
  }
  return { node, draw };
}
function place({ shape }, neuron) {
  const [, rows, columns] = shape;
  const [channel2, rest] = [Math.floor(neuron / (rows * columns)), neuron % (rows * columns)];
  return `Channel ${channel2 + 1}, row ${Math.floor(rest / columns) + 1}, column ${rest % columns + 1}`;
}
function forgets({ of, layer }, neuron) {
  const half = of("half_life");
  if (!half) return "";
  const channel2 = half.length > 1 ? Math.floor(neuron / (layer.shape[1] * layer.shape[2])) : 0;
  if (half[channel2] < 0.05) return "It keeps almost nothing from one step to the next.";
  const resets = of("half_life_with_resets");
  const beside = resets ? `, in ${number(resets[channel2], 1)} with resets as often as this layer fires` : "";
  return `Its leak forgets half in ${number(half[channel2], 1)} step${number(half[channel2], 1) === "1" ? "" : "s"}${beside}.`;
}
function drawMembrane(show, width, recording, state, layer, { membrane, reset, spikes, current }, note) {
  const threshold = layer.threshold;
  const all = [...membrane, ...reset ?? [], ...current ?? [], threshold ?? 0, 0];
  const plot = chart(width, 300, recording.steps, {
    top: 20,
    left: 34,
    low: Math.min(...all),
    high: Math.max(...all) * 1.08
  });
  const points = [], marks = [];
  membrane.forEach((h, t) => {
    const from = plot.left + t * plot.band;
    const before = t ? reset?.[t - 1] ?? membrane[t - 1] : 0;
    points.push([from, plot.y(before)], [from + plot.band * 0.22, plot.y(h)], [from + plot.band * 0.72, plot.y(h)]);
    if (spikes?.[t]) marks.push(svg("circle", { cx: from + plot.band * 0.72, cy: plot.y(h), r: 4, class: "spike" }));
    if (reset) points.push([from + plot.band * 0.76, plot.y(reset[t])], [from + plot.band, plot.y(reset[t])]);
  });
  const flow = current && path(
    current.flatMap((value, t) => [
      [plot.left + t * plot.band, plot.y(value)],
      [plot.left + (t + 1) * plot.band, plot.y(value)]
    ]),
    { class: "line current" }
  );
  const limit = threshold === null || threshold === void 0 ? [] : [
    svg("line", {
      x1: plot.left,
      x2: width - plot.right,
      y1: plot.y(threshold),
      y2: plot.y(threshold),
      class: "threshold"
    }),
    svg(
      "text",
      { x: plot.left + 2, y: plot.y(threshold) - 6, class: "tick halo" },
      `threshold ${number(threshold)}`
    )
  ];
  const crossed = spikes ? spikes.flatMap((spike, t) => spike ? [t + 1] : []) : [];
  show(plot, `${note} ${crossed.length ? `Spikes at step ${crossed.join(", ")}.` : "No spike."}`, [
    timeAxis(plot, state.step),
    svg("line", { x1: plot.left, x2: width - plot.right, y1: plot.y(0), y2: plot.y(0), class: "axis" }),
    svg("text", { x: plot.left - 6, y: plot.y(0) + 4, class: "tick end" }, "0"),
    flow,
    path(points, { class: "line trace" }),
    limit,
    marks
  ]);
}

// probe.js
var LOOKS = ["range", "layer", "neuron", "stage", "key"];
var PACE = 700;
var CENTRE = ["stem", "qkv", "attention", "values"];
function mount(parent, bytes, tell, wanted = {}) {
  const recording = decode(bytes);
  const root = el("div", { class: "dista-probe" });
  const live = el("p", { class: "spoken", "aria-live": "polite" });
  const grid2 = el("div", { class: "grid" });
  root.append(grid2, live);
  parent.append(root);
  const store = new Store(recording, { ...recording.state, ...wanted }, tell, root);
  const app = { playing: false, play: () => play(!app.playing), point, reveal: reveal2 };
  let panels = [];
  let theme = null;
  let frames = null;
  let hover = null;
  let queued = 0;
  let timer;
  function build() {
    panels = [
      timeRail,
      stageRow,
      inputPanel,
      stemPanel,
      coincidencePanel,
      attentionPanel,
      readoutPanel,
      decisionPanel,
      tauPanel,
      rasterPanel,
      membranePanel
    ].map((make) => make(store, app));
    panels.slice(2).forEach(({ node }) => offerImage(node));
    if (store.recording.name) nameRegions();
    const focused = focusables().indexOf(
      /** @type {HTMLElement} */
      focusedBeside(root)
    );
    grid2.replaceChildren(...panels.map(({ node }) => node));
    if (focused >= 0) focusables()[focused]?.focus({ preventScroll: true });
  }
  function nameRegions() {
    const regions = panels.flatMap(({ node }) => [node, ...node.querySelectorAll("[role=group], [role=application]")]);
    for (const region of regions) {
      const label = region.getAttribute("aria-label");
      if (label) region.setAttribute("aria-label", `${store.recording.name}: ${label}`);
    }
  }
  function focusables() {
    return (
      /** @type {HTMLElement[]} */
      [...grid2.querySelectorAll("button, canvas[tabindex]")]
    );
  }
  function draw() {
    queued = 0;
    if (!root.isConnected || !root.clientWidth) return;
    if (!theme) dress();
    const { state, recording: current } = store;
    const view = {
      state,
      recording: current,
      theme,
      frames,
      hover,
      pinned: placeOf(current, state.key),
      asked: askedPerStep(current, state),
      question: question(current, state)
    };
    open(PANEL_OF[state.stage]);
    panels.filter(({ node }) => node.clientWidth).forEach((panel2) => panel2.draw(view));
  }
  function open(name) {
    for (const { node } of panels) {
      const is = (other) => node.classList.contains(other);
      if (!Object.values(PANEL_OF).some(is)) continue;
      node.toggleAttribute("data-open", is(name));
      node.toggleAttribute("data-closed", !is(name));
      node.toggleAttribute("data-away", CENTRE.some(is) && !is(CENTRE.includes(name) ? name : "attention"));
    }
  }
  function reveal2() {
    draw();
    const { node } = panels.find((panel2) => panel2.node.hasAttribute("data-open")) ?? panels[0];
    const hidden = node.getBoundingClientRect().top > innerHeight - 160;
    if (hidden) node.scrollIntoView({ block: "center" });
  }
  function dress() {
    theme = readTheme(root, store.recording.theme);
    frames = new Frames(store.recording, theme);
  }
  function redraw() {
    if (!queued) queued = requestAnimationFrame(draw);
  }
  function refresh() {
    theme = null;
    redraw();
  }
  function point(place2) {
    const same = hover?.step === place2?.step && hover?.row === place2?.row && hover?.column === place2?.column;
    hover = place2 || null;
    if (!same) redraw();
  }
  function play(on) {
    app.playing = on;
    clearInterval(timer);
    store.hold(on);
    if (on) {
      if (store.state.step === store.recording.steps - 1) store.set({ step: 0 });
      timer = setInterval(advance, PACE);
    }
    redraw();
  }
  function advance() {
    if (store.state.step < store.recording.steps - 1) store.set({ step: store.state.step + 1 });
    else play(false);
  }
  root.addEventListener("keydown", (event) => {
    const changes = command(event, store, app);
    if (!changes) return;
    event.preventDefault();
    if (app.playing && "step" in changes) play(false);
    store.set(changes);
  });
  store.listeners.push((changed) => {
    const moved = changed.some((name) => !LOOKS.includes(name));
    hover = null;
    if (!app.playing && moved) {
      live.textContent = spoken(store.recording, store.state);
    }
    redraw();
  });
  const sizes = new ResizeObserver(redraw);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const around = new MutationObserver(refresh);
  sizes.observe(root);
  dark.addEventListener("change", refresh);
  around.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light", "class", "style"] });
  build();
  refresh();
  return {
    root,
    store,
    update(next) {
      store.replace(decode(next));
      build();
      refresh();
    },
    set: (state) => store.set(state),
    refresh,
    remove() {
      clearInterval(timer);
      store.stop();
      [sizes, around].forEach((observer) => observer.disconnect());
      dark.removeEventListener("change", refresh);
      root.remove();
    }
  };
}
function command(event, { state, recording }, app) {
  if (event.ctrlKey || event.metaKey || event.altKey) return null;
  const [rows, columns] = recording.grid ?? [1, 1];
  const heads = recording.blockAt(state.block)?.heads ?? 1;
  const clamp = (value, count) => Math.min(count - 1, Math.max(0, value));
  switch (event.key) {
    case "ArrowUp":
      return { row: clamp(state.row - 1, rows) };
    case "ArrowDown":
      return { row: clamp(state.row + 1, rows) };
    case "ArrowLeft":
      return { column: clamp(state.column - 1, columns) };
    case "ArrowRight":
      return { column: clamp(state.column + 1, columns) };
    case "[":
      return { step: clamp(state.step - 1, recording.steps) };
    case "]":
      return { step: clamp(state.step + 1, recording.steps) };
    case ",":
      return { head: (state.head + heads - 1) % heads };
    case ".":
      return { head: (state.head + 1) % heads };
    case " ":
      return space(event.target, app);
    default:
      return null;
  }
}
function space(target, app) {
  const idle = ["aria-pressed", "aria-current"].some((name) => ["true", "step"].includes(target.getAttribute(name)));
  if (target.tagName === "BUTTON" && !idle) return null;
  app.play();
  return {};
}

// jupyter.js
function dataOf(model) {
  const view = model.get("data");
  return new Uint8Array(view.buffer ?? view, view.byteOffset ?? 0, view.byteLength);
}
var jupyter_default = {
  // not waited for: the widget is drawn meanwhile
  initialize: (widget) => void initialize(widget),
  /** @param {{ model: Model, el: HTMLElement }} view */
  render({ model, el: el2 }) {
    const traits = Object.keys(unpack(dataOf(model)).header.fields);
    const own = traits.filter((name) => name !== "sample");
    const tell = (state) => {
      for (const name of own) model.set(name, state[name]);
      model.save_changes();
    };
    const wanted = Object.fromEntries(traits.map((name) => [name, model.get(name)]));
    const probe = mount(el2, dataOf(model), tell, wanted);
    model.on("change:data", () => probe.update(dataOf(model)));
    for (const name of own) model.on(`change:${name}`, () => probe.set({ [name]: model.get(name) }));
    return () => probe.remove();
  }
};
export {
  jupyter_default as default
};
