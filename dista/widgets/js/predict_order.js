// Sort names, the largest first: drag them, or move the one in focus with the arrow keys or its buttons.

import { el } from "./dom.js";

/**
 * @param {{ names: string[] }} spec
 * @param {(values: string[]) => void} tell
 */
export function order(spec, tell) {
  let names = spec.names;
  let locked = false;
  /** @type {string | null} */
  let dragged = null;
  const move = (/** @type {string} */ name, /** @type {number} */ to) => {
    if (locked || to < 0 || to >= names.length) return;
    const others = names.filter((other) => other !== name);
    tell([...others.slice(0, to), name, ...others.slice(to)]);
    items.get(name)?.node.focus();
  };
  const by = (/** @type {string} */ name, /** @type {number} */ way) => move(name, names.indexOf(name) + way);
  const items = new Map(spec.names.map((name) => [name, item(name)]));

  function item(/** @type {string} */ name) {
    const place = el("b", {});
    const button = (/** @type {string} */ sign, /** @type {string} */ word, /** @type {number} */ way) =>
      el(
        "button",
        { type: "button", tabindex: -1, "aria-label": `${name} ${word}`, onclick: () => by(name, way) },
        sign,
      );
    const buttons = [button("↑", "up", -1), button("↓", "down", 1)];
    const node = el(
      "li",
      {
        tabindex: 0,
        draggable: "true",
        onkeydown: (/** @type {KeyboardEvent} */ event) => {
          const way = { ArrowUp: -1, ArrowDown: 1 }[event.key];
          if (!way || event.target !== node) return;
          event.preventDefault();
          by(name, way);
        },
        ondragstart: () => {
          dragged = name;
        },
        ondragover: (/** @type {DragEvent} */ event) => event.preventDefault(),
        ondrop: (/** @type {DragEvent} */ event) => {
          event.preventDefault();
          if (dragged !== null && dragged !== name) move(dragged, names.indexOf(name));
          dragged = null;
        },
      },
      place,
      el("span", {}, name),
      el("span", { class: "movers" }, ...buttons),
    );
    return { node, place, buttons };
  }

  const mine = el("ol", { class: "sorted", "aria-label": "Your order, the largest first; arrow keys move" });
  const run = el("ol", { class: "sorted run", "aria-label": "The order of the run" });
  const theirs = el("div", {}, el("p", { class: "caption" }, "the run"), run);
  const node = el(
    "div",
    { class: "orders" },
    el("div", {}, el("p", { class: "caption" }, "you: largest first"), mine),
    theirs,
  );

  return {
    node,
    /** @param {string[]} values @param {[string, string][] | null} truth */
    draw(values, truth) {
      names = values ?? spec.names;
      locked = truth !== null;
      const nodes = names.map((name) => items.get(name)?.node).filter((one) => one !== undefined);
      const focused = /** @type {HTMLElement | null} */ (mine.querySelector("li:focus"));
      if (nodes.some((one, i) => one !== mine.children[i])) mine.replaceChildren(...nodes);
      focused?.focus();
      names.forEach((name, index) => {
        const entry = items.get(name);
        if (!entry) return;
        entry.place.textContent = `${index + 1}`;
        entry.node.setAttribute("aria-label", `${index + 1}: ${name}`);
        entry.node.draggable = !locked;
        entry.node.classList.toggle("misplaced", truth !== null && truth[index][0] !== name);
        for (const button of entry.buttons) button.hidden = locked;
      });
      theirs.hidden = !truth;
      const rows = (truth ?? []).map(([name, size], index) =>
        el("li", {}, el("b", {}, `${index + 1}`), el("span", {}, name), el("small", {}, size)),
      );
      run.replaceChildren(...rows);
    },
  };
}
