// Plotly figures in a notebook. Python sends each as JSON, and the browser draws what changed into what is there:
// no figure is torn down, so nothing flickers, and zoom and legend stay. Plotly itself is put before this module.

import { el as node } from "./dom.js";
import { readTheme } from "./theme.js";

/** @typedef {import("./jupyter.js").Model} Model */
/** @typedef {{ react(at: HTMLElement, data: any[], layout: any, config: any): Promise<any>, purge(at: HTMLElement): void, Plots: { resize(at: HTMLElement): void } }} PlotlyModule */

const CONFIG = { displaylogo: false, responsive: true, modeBarButtons: [["toImage", "resetScale2d"]] };

/** @param {Model} model @param {string} name @param {() => void} act */
function heard(model, name, act) {
  model.on(`change:${name}`, act);
  return () => model.off(`change:${name}`, act);
}

export default {
  /** @param {{ model: Model, el: HTMLElement }} view */
  render({ model, el }) {
    const plotly = /** @type {PlotlyModule} */ (/** @type {any} */ (globalThis)[Symbol.for("dista plotly")]);
    const root = node("div", { class: "dista-probe figures" });
    el.append(root);
    /** @type {{ at: HTMLElement, drawn: string }[]} */
    const places = [];

    const draw = () => {
      const wanted = /** @type {string[]} */ (model.get("drawn"));
      for (const gone of places.splice(wanted.length)) {
        plotly.purge(gone.at);
        gone.at.remove();
      }
      wanted.forEach((text, i) => {
        places[i] ??= { at: root.appendChild(node("div", { class: "panel", role: "figure" })), drawn: "" };
        if (places[i].drawn === text) return;
        places[i].drawn = text;
        const { data, layout } = JSON.parse(text);
        layout.uirevision = "the reader's";
        places[i].at.setAttribute("aria-label", layout.meta?.alt ?? "");
        plotly.react(places[i].at, data, layout, CONFIG);
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
    draw();
    return () => {
      silent();
      changed.disconnect();
      for (const { at } of places) plotly.purge(at);
      root.remove();
    };
  },
};
