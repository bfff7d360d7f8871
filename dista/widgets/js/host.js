// How Streamlit mounts a component: it calls the same function again for every new data or theme.

import { el } from "./dom.js";
import { offerImage } from "./capture.js";
import { readTheme } from "./theme.js";

/** @typedef {(state: Record<string, any>) => void} Tell */
/** @typedef {{ update(data: any): void, refresh(): void, remove(): void }} Part */
/** @typedef {{ parentElement: HTMLElement, data: any, setStateValue: (name: string, value: any) => void }} Call */

// A rerun hands over the same bytes in a new array; what is under the pointer must survive it.
const same = (/** @type {any} */ a, /** @type {any} */ b) =>
  a === b || (a instanceof Uint8Array && a.length === b.length && a.every((value, i) => value === b[i]));

/**
 * A component of which one lives in each parent; `make(parent, data, tell)` builds it.
 * @param {(parent: HTMLElement, data: any, tell: Tell) => Part} make
 */
export function component(make) {
  const mounted = new WeakMap();
  return (/** @type {Call} */ { parentElement, data, setStateValue }) => {
    const entry = mounted.get(parentElement);
    if (entry) {
      entry.tell = setStateValue;
      if (!same(entry.data, data)) entry.part.update(data);
      entry.data = data;
      requestAnimationFrame(entry.part.refresh); // the page's colours arrive a frame later
    } else {
      const added = { data, tell: setStateValue, part: /** @type {Part | null} */ (null) };
      added.part = make(parentElement, data, (state) => added.tell("state", state));
      mounted.set(parentElement, added);
    }
    return () => {
      mounted.get(parentElement)?.part.remove();
      mounted.delete(parentElement);
    };
  };
}

/**
 * A component in a panel like the probe's; `make(root, data, tell)` gives { update(data), draw(theme) }.
 * @param {(root: HTMLElement, data: any, tell: Tell) => { update(data: any): void, draw(theme: any): void }} make
 */
export const panelled = (make) =>
  component((parent, data, tell) => {
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
