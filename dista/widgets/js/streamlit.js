// Streamlit calls this again for every new data or theme; one probe lives in each parent.

import { mount } from "./probe.js";

const mounted = new WeakMap();

// A rerun hands over the same bytes in a new array; panels under the pointer must survive it.
function same(a, b) {
  return a === b || (a.length === b.length && a.every((value, i) => value === b[i]));
}

export default function ({ parentElement, data, setStateValue }) {
  const known = mounted.get(parentElement);
  if (known) {
    known.tell = setStateValue;
    if (same(known.data, data)) requestAnimationFrame(known.probe.refresh); // new colours arrive a frame later
    else known.probe.update(data);
    known.data = data;
  } else {
    const entry = { data, tell: setStateValue };
    entry.probe = mount(parentElement, data, (state, following) =>
      entry.tell("state", { ...state, revision: entry.probe.revision, ...(following && { following }) }));
    mounted.set(parentElement, entry);
  }
  return () => {
    mounted.get(parentElement)?.probe.remove();
    mounted.delete(parentElement);
  };
}
