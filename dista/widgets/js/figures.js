// Plotly figures in a notebook. Python sends each as JSON, and the browser draws what changed into what is there:
// no figure is torn down, so nothing flickers, and zoom and legend stay.

import { initialize } from "./hearing.js";
import { el as node } from "./dom.js";
import { readTheme } from "./theme.js";

/** @typedef {import("./jupyter.js").Model} Model */
/** @typedef {{ react(at: HTMLElement, data: any[], layout: any, config: any): Promise<any>, purge(at: HTMLElement): void, Plots: { resize(at: HTMLElement): void } }} PlotlyModule */

const PLOTLY = Symbol.for("dista plotly");
const LOADING = Symbol.for("dista plotly, loading");
const CONFIG = { displaylogo: false, responsive: true, modeBarButtons: [["toImage", "resetScale2d"]] };

/** @param {Model} model @param {string} name @param {() => void} act */
function heard(model, name, act) {
  model.on(`change:${name}`, act);
  return () => model.off(`change:${name}`, act);
}

/**
 * Plotly, read once a page from what Python sent. Its megabytes come after this module, not with it: anywidget gives a
 * widget's module two seconds, and then drops all that Python sends, so that on a busy machine nothing would follow.
 * @param {Model} model @returns {Promise<PlotlyModule>}
 */
function loaded(model) {
  const page = /** @type {any} */ (globalThis);
  page[LOADING] ??= (async () => {
    const url = URL.createObjectURL(new Blob([model.get("plotly")], { type: "text/javascript" }));
    await import(url);
    URL.revokeObjectURL(url);
    return page[PLOTLY];
  })();
  return page[LOADING];
}

export default {
  // not waited for: the widget is drawn meanwhile
  initialize: (/** @type {{ model: import("./hearing.js").Heard }} */ widget) => void initialize(widget),

  /** @param {{ model: Model, el: HTMLElement }} view */
  render({ model, el }) {
    /** @type {PlotlyModule | undefined} */
    let plotly;
    let removed = false;
    const root = node("div", { class: "dista-probe figures" });
    el.append(root);
    /** @type {{ at: HTMLElement, drawn: string }[]} */
    const places = [];

    const draw = () => {
      const drawer = plotly;
      if (!drawer) return; // not here yet: all is drawn once it is
      const wanted = /** @type {string[]} */ (model.get("drawn"));
      for (const gone of places.splice(wanted.length)) {
        drawer.purge(gone.at);
        gone.at.remove();
      }
      wanted.forEach((text, i) => {
        places[i] ??= { at: root.appendChild(node("div", { class: "panel", role: "figure" })), drawn: "" };
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
    const changed = new MutationObserver(colour); // JupyterLab says its theme there
    changed.observe(document.body, { attributeFilter: ["data-jp-theme-light", "class"] });
    requestAnimationFrame(colour); // before that nothing lies behind it
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
  },
};
