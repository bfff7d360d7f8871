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

// figures.js
var PLOTLY = /* @__PURE__ */ Symbol.for("dista plotly");
var LOADING = /* @__PURE__ */ Symbol.for("dista plotly, loading");
var CONFIG = { displaylogo: false, responsive: true, modeBarButtons: [["toImage", "resetScale2d"]] };
function heard(model, name, act) {
  model.on(`change:${name}`, act);
  return () => model.off(`change:${name}`, act);
}
function loaded(model) {
  const page = (
    /** @type {any} */
    globalThis
  );
  page[LOADING] ??= (async () => {
    const url = URL.createObjectURL(new Blob([model.get("plotly")], { type: "text/javascript" }));
    await import(url);
    URL.revokeObjectURL(url);
    return page[PLOTLY];
  })();
  return page[LOADING];
}
var figures_default = {
  // not waited for: the widget is drawn meanwhile
  initialize: (widget) => void initialize(widget),
  /** @param {{ model: Model, el: HTMLElement }} view */
  render({ model, el: el2 }) {
    let plotly;
    let removed = false;
    const root = el("div", { class: "dista-probe figures" });
    el2.append(root);
    const places = [];
    const draw = () => {
      const drawer = plotly;
      if (!drawer) return;
      const wanted = (
        /** @type {string[]} */
        model.get("drawn")
      );
      for (const gone of places.splice(wanted.length)) {
        drawer.purge(gone.at);
        gone.at.remove();
      }
      wanted.forEach((text, i) => {
        places[i] ??= { at: root.appendChild(el("div", { class: "panel", role: "figure" })), drawn: "" };
        if (places[i].drawn === text) return;
        places[i].drawn = text;
        const { data, layout } = JSON.parse(text);
        layout.uirevision = "the reader's";
        places[i].at.setAttribute("aria-label", layout.meta?.alt ?? "");
        drawer.react(places[i].at, data, layout, CONFIG);
      });
    };
    const colour = () => {
      const { name } = readTheme(root, null);
      if (model.get("theme") === name) return;
      model.set("theme", name);
      model.save_changes();
    };
    const silent = heard(model, "drawn", draw);
    const changed = new MutationObserver(colour);
    changed.observe(document.body, { attributeFilter: ["data-jp-theme-light", "class"] });
    requestAnimationFrame(colour);
    loaded(model).then((module) => {
      if (removed) return;
      plotly = module;
      draw();
    });
    return () => {
      removed = true;
      silent();
      changed.disconnect();
      for (const { at } of places) plotly?.purge(at);
      root.remove();
    };
  }
};
export {
  figures_default as default
};
