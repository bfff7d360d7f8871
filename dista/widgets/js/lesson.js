// The widgets of lessons under the anywidget protocol: which one, the model says.

import { initialize } from "./hearing.js";
import { el } from "./dom.js";
import { predict } from "./predict.js";
import { tauLab } from "./tau_lab.js";
import { readTheme } from "./theme.js";

/** @typedef {{ get(name: string): any, set(name: string, value: any): void, save_changes(): void, on(event: string, act: () => void): void }} Model */
/** @typedef {{ draw(): void }} Part */

const PARTS = { predict, tau_lab: tauLab };

export default {
  // not waited for: the widget is drawn meanwhile
  initialize: (/** @type {{ model: import("./hearing.js").Heard }} */ widget) => void initialize(widget),

  /** @param {{ model: Model, el: HTMLElement }} view */
  render({ model, el: parent }) {
    // Notebooks listen to keys before anybody else; this says that they are ours.
    const root = el("div", { class: "dista-probe lesson", "data-lm-suppress-shortcuts": "true" });
    parent.append(root);
    const part = /** @type {Part} */ (PARTS[/** @type {keyof typeof PARTS} */ (model.get("part"))](root, model));
    const draw = () => {
      if (!root.isConnected || !root.clientWidth) return;
      readTheme(root, null);
      part.draw();
    };
    const sizes = new ResizeObserver(draw);
    const around = new MutationObserver(draw); // a notebook's theme is an attribute of its page
    const dark = matchMedia("(prefers-color-scheme: dark)");
    sizes.observe(root);
    around.observe(document.body, { attributes: true });
    dark.addEventListener("change", draw);
    return () => {
      sizes.disconnect();
      around.disconnect();
      dark.removeEventListener("change", draw);
      root.remove();
    };
  },
};
