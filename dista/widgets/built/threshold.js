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
var brushOf = (canvas) => (
  /** @type {CanvasRenderingContext2D} */
  canvas.getContext("2d")
);

// histogram.js
var [LEFT, RIGHT, TOP, FOOT] = [42, 12, 28, 20];
var GAP = 16;
function layout(width, { blocks, most }, u) {
  const largest = Math.max(2, ...blocks.map(({ before }) => before.length - 1));
  const right = Math.min(most, Math.max(largest + 1, u));
  const tall = 178;
  const x = (count) => LEFT + (count - 0.2) / (right + 0.6) * (width - LEFT - RIGHT);
  const highest = Math.max(10, ...blocks.flatMap(({ before }) => before.slice(1)));
  const top = (i) => TOP + i * (tall + GAP);
  return {
    width,
    right,
    tall,
    x,
    top,
    highest,
    height: top(blocks.length - 1) + tall + FOOT,
    count: (at) => (at - LEFT) / (width - LEFT - RIGHT) * (right + 0.6) + 0.2,
    rise: (n) => n > 0 ? tall * (Math.log10(n) + 0.3) / (Math.log10(highest) + 0.6) : 0
  };
}
function split({ before, after }, u) {
  const gone = before.map((n, a) => u === null ? n - after[a] : a <= u ? n : 0);
  const weigh = (counts, weight) => counts.reduce((sum, n, a) => sum + (a ? n * weight(a) : 0), 0);
  return {
    before,
    removed: gone,
    gone: weigh(gone, (a) => a),
    mass: weigh(before, (a) => a),
    entries: weigh(gone, () => 1),
    nonzero: weigh(before, () => 1)
  };
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

// threshold.js
var WAIT = 300;
var threshold_default = panelled((root, data, tell) => {
  const { node, heading, note, body } = panel("threshold", "Threshold");
  const figure = svg("svg", { class: "chart", role: "group" });
  const bars = svg("g"), axes = svg("g", { "aria-hidden": true });
  const line = svg("line", { class: "u" }), label = svg("text", { class: "current halo" });
  const grip = svg(
    "g",
    { class: "grip", tabindex: 0, role: "slider", "aria-label": "Threshold u" },
    line,
    svg("circle", { r: 8 }),
    svg("path", { d: "M-3,-3 L-6,0 L-3,3 M3,-3 L6,0 L3,3" }),
    label
  );
  const trained = el("button", {
    type: "button",
    class: "segment",
    onclick: () => {
      u = null;
      report(0);
      show();
    }
  });
  figure.append(hatching(), axes, bars, grip);
  body.append(
    figure,
    el(
      "p",
      { class: "legend" },
      el("i", { class: "swatch gone" }),
      "removed",
      el("i", { class: "swatch stays" }),
      "kept",
      trained
    )
  );
  root.append(node);
  const reporter = new Reporter(tell, data);
  let u = data.state.u;
  let plan = null;
  const at = () => u ?? data.trained;
  function report(wait) {
    reporter.report(() => ({ u }), wait);
  }
  function move(value) {
    const next = Math.min(data.most, Math.max(0, value));
    if (next === at() && u !== null) return;
    u = next;
    show();
  }
  figure.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    figure.setPointerCapture(event.pointerId);
    grip.focus({ preventScroll: true });
    follow(event);
    event.preventDefault();
  });
  figure.addEventListener("pointermove", (event) => {
    if (figure.hasPointerCapture(event.pointerId)) follow(event);
  });
  figure.addEventListener("pointerup", () => report(0));
  grip.addEventListener("keydown", (event) => {
    const step = {
      ArrowLeft: -1,
      ArrowDown: -1,
      ArrowRight: 1,
      ArrowUp: 1,
      PageDown: -4,
      PageUp: 4,
      Home: -Infinity,
      End: Infinity
    }[event.key];
    if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    move(at() + step);
    report(WAIT);
  });
  function follow(event) {
    if (plan)
      move(Math.min(plan.right, Math.round(plan.count(event.clientX - figure.getBoundingClientRect().left) - 0.5)));
  }
  function show() {
    if (!plan) return;
    const parts = data.blocks.map((block) => split(block, u));
    parts.forEach((part, i) => {
      drawBars(plan, i, part);
    });
    const [gone, all] = ["gone", "mass"].map((name) => parts.reduce((sum, part) => sum + part[name], 0));
    const share = percent(gone, all);
    const x = plan.x(Math.floor(at()) + 0.5);
    grip.setAttribute("transform", `translate(${x},${TOP - 16})`);
    const said = u === null && !data.line ? data.rule : `u = ${at()}`;
    label.textContent = `${said}${u === null ? ", as trained" : ""}`;
    const left = x > plan.width * 0.62;
    label.setAttribute("x", left ? "-13" : "13");
    label.setAttribute("y", "4");
    label.setAttribute("text-anchor", left ? "end" : "start");
    grip.setAttribute("aria-valuenow", at());
    grip.setAttribute("aria-valuetext", `${said} removes ${share} of the coincident spikes`);
    heading.textContent = u === null && !data.line ? `The denoiser removes ${share} of all coincident spikes` : `u = ${at()} removes ${share} of all coincident spikes`;
    plan.titles.forEach((title, i) => {
      title.textContent = `Block ${data.blocks[i].block + 1}: ${percent(parts[i].entries, parts[i].nonzero)} of entries removed`;
    });
    trained.disabled = u === null;
  }
  function build(width) {
    plan = layout(width, data, at());
    figure.setAttribute("width", width);
    figure.setAttribute("height", plan.height);
    line.setAttribute("y1", "8");
    line.setAttribute("y2", String(plan.height - FOOT - TOP + 16));
    grip.setAttribute("aria-valuemin", "0");
    grip.setAttribute("aria-valuemax", data.most);
    plan.titles = data.blocks.map(
      (_, i) => svg("text", { x: width - RIGHT, y: plan.top(i) + 4, class: "tick end halo" })
    );
    axes.replaceChildren(...frames(plan, data.blocks), ...plan.titles);
    plan.bars = data.blocks.map(
      ({ before }) => before.map(
        (_, a) => a ? ["stays", "gone"].map((name) => svg("rect", { class: name, fill: name === "gone" ? "url(#gone)" : null })) : []
      )
    );
    bars.replaceChildren(...plan.bars.flat(2));
    trained.textContent = `As trained, ${data.rule}`;
    note.textContent = `Drag the line, or use the arrow keys.${data.blocks.length > 1 ? " Later blocks are counted anew when you let go: they see what earlier ones keep." : ""}`;
  }
  return {
    update(next) {
      data = next;
      const news = reporter.hear(data);
      if (news) u = news.u;
    },
    draw() {
      build(body.clientWidth);
      show();
    }
  };
});
function frames(plan, blocks) {
  const every = Math.max(1, Math.round(plan.right / 8));
  const counts = Array.from({ length: plan.right }, (_, i) => i + 1).filter((a) => (a - 1) % every === 0);
  const ticks = counts.map((a) => svg("text", { x: plan.x(a), y: plan.height - 5, class: "tick middle" }, a));
  return ticks.concat(
    blocks.flatMap((_, i) => {
      const foot = plan.top(i) + plan.tall;
      const powers = Array.from({ length: Math.floor(Math.log10(plan.highest)) + 1 }, (_2, p) => 10 ** p);
      return [
        svg("line", { x1: LEFT, x2: plan.width - RIGHT, y1: foot + 0.5, y2: foot + 0.5, class: "axis" }),
        ...powers.filter((_2, p) => powers.length < 5 || p % 2 === 0).map(
          (n) => svg(
            "text",
            { x: LEFT - 6, y: foot - plan.rise(n) + 4, class: "tick end" },
            n < 1e3 ? n : n < 1e6 ? `${n / 1e3}k` : `${n / 1e6}M`
          )
        )
      ];
    })
  );
}
function drawBars(plan, i, { before, removed }) {
  const foot = plan.top(i) + plan.tall;
  const wide = Math.max(2, (plan.x(2) - plan.x(1)) * 0.74);
  plan.bars[i].forEach(
    (pair, a) => pair.forEach((rect, j) => {
      const rise = plan.rise(j ? removed[a] : before[a] - removed[a]);
      const place = { x: plan.x(a) - wide / 2, y: foot - rise, width: wide, height: rise };
      Object.entries(place).forEach(([name, value]) => rect.setAttribute(name, value));
    })
  );
}
function hatching() {
  return svg(
    "defs",
    {},
    svg(
      "pattern",
      { id: "gone", width: 5, height: 5, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
      svg("rect", { width: 5, height: 5, class: "paper" }),
      svg("rect", { width: 3.2, height: 5, class: "ink" })
    )
  );
}
var percent = (part, whole) => `${whole ? Math.round(100 * part / whole) : 0} %`;
export {
  threshold_default as default
};
