// Streamlit calls this again for every new data or theme; one probe lives in each parent.

import { mount } from "./probe.js";

const mounted = new WeakMap();

export default function ({ parentElement, data, setStateValue }) {
  const known = mounted.get(parentElement);
  if (known) {
    known.tell = setStateValue;
    if (known.data !== data) known.probe.update(data);
    else known.probe.refresh();
    known.data = data;
    requestAnimationFrame(known.probe.refresh);     // the page's colours arrive a frame later
  } else {
    const entry = { data, tell: setStateValue };
    entry.probe = mount(parentElement, data, (state) =>
      entry.tell("state", { ...state, revision: entry.probe.revision }));
    mounted.set(parentElement, entry);
  }
  return () => {
    mounted.get(parentElement)?.probe.remove();
    mounted.delete(parentElement);
  };
}
