// The anywidget protocol: every part of the state is a trait of the model, -1 and "" mean "choose".

import { mount } from "./probe.js";

const TRAITS = ["sample", "step", "block", "head", "row", "column", "layer", "neuron", "range", "stage", "key"];

function traitsOf(model) {
  return Object.fromEntries(TRAITS.map((name) => [name, model.get(name)]));
}

function dataOf(model) {
  const view = model.get("data");
  return new Uint8Array(view.buffer ?? view, view.byteOffset ?? 0, view.byteLength);
}

export default {
  render({ model, el }) {
    const tell = (state) => {
      Object.entries(state).forEach(([name, value]) => { if (name !== "sample") model.set(name, value); });
      model.save_changes();
    };
    const probe = mount(el, dataOf(model), tell, traitsOf(model));
    model.on("change:data", () => probe.update(dataOf(model)));
    TRAITS.slice(1).forEach((name) => model.on(`change:${name}`, () => probe.set({ [name]: model.get(name) })));
    return () => probe.remove();
  },
};
