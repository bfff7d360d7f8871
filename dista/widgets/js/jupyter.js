// The probe under the anywidget protocol: every part of the state is a trait of the model.

import { initialize } from "./hearing.js";
import { mount } from "./probe.js";
import { unpack } from "./recording.js";

/** @typedef {{ get(name: string): any, set(name: string, value: any): void, save_changes(): void, on(event: string, act: () => void): void, off(event: string, act: () => void): void }} Model */

/** @param {Model} model */
function dataOf(model) {
  const view = model.get("data");
  return new Uint8Array(view.buffer ?? view, view.byteOffset ?? 0, view.byteLength);
}

export default {
  // not waited for: the widget is drawn meanwhile
  initialize: (/** @type {{ model: import("./hearing.js").Heard }} */ widget) => void initialize(widget),

  /** @param {{ model: Model, el: HTMLElement }} view */
  render({ model, el }) {
    const traits = Object.keys(unpack(dataOf(model)).header.fields);
    const own = traits.filter((name) => name !== "sample"); // that one is the kernel's: it brings new data
    const tell = (/** @type {Record<string, any>} */ state) => {
      for (const name of own) model.set(name, state[name]);
      model.save_changes();
    };
    const wanted = Object.fromEntries(traits.map((name) => [name, model.get(name)]));
    const probe = mount(el, dataOf(model), tell, wanted);
    model.on("change:data", () => probe.update(dataOf(model)));
    for (const name of own) model.on(`change:${name}`, () => probe.set({ [name]: model.get(name) }));
    return () => probe.remove();
  },
};
