// One small component in a Streamlit page: `make(root, tell, data)` gives { update(data), draw(theme) }.

import { el } from "./dom.js";
import { offerImage } from "./capture.js";
import { readTheme } from "./theme.js";

export function host(make) {
  const mounted = new WeakMap();
  return function ({ parentElement, data, setTriggerValue }) {
    const known = mounted.get(parentElement);
    if (known) {
      known.tell = setTriggerValue;
      known.part.update(data);
      requestAnimationFrame(known.draw);            // the page's colours arrive a frame later
    } else {
      mounted.set(parentElement, mount(parentElement, make, data, setTriggerValue));
    }
    return () => {
      mounted.get(parentElement)?.remove();
      mounted.delete(parentElement);
    };
  };
}

function mount(parent, make, data, tell) {
  const root = el("div", { class: "dista-probe" });
  parent.append(root);
  const entry = { tell };
  entry.part = make(root, (name, value) => entry.tell(name, value), data);
  offerImage(root.querySelector(".panel"));
  entry.draw = () => {
    if (!root.isConnected || !root.clientWidth) return;
    const color = (name) => getComputedStyle(root).getPropertyValue(`--${name}`).trim();
    const theme = readTheme(root, null);
    entry.part.draw(Object.assign(theme, { ink_: color("ink") }));
  };
  const sizes = new ResizeObserver(entry.draw);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  sizes.observe(root);
  dark.addEventListener("change", entry.draw);
  entry.remove = () => {
    sizes.disconnect();
    dark.removeEventListener("change", entry.draw);
    root.remove();
  };
  return entry;
}
