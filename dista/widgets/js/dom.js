// Small helpers for elements, SVG and canvases. No state.

export const SVG = "http://www.w3.org/2000/svg";

/**
 * @template {any} T
 * @param {T} node
 * @param {Record<string, any>} props attributes; listeners as on…, nothing for null, undefined and false
 * @param {any[]} children nodes and text, at any depth of one; null and undefined are left out
 * @returns {T}
 */
function fill(node, props, children) {
  const element = /** @type {HTMLElement} */ (node);
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "style") element.style.cssText = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return node;
}

/**
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Record<string, any>} props
 * @param {...any} children
 */
export function el(tag, props = {}, ...children) {
  return fill(document.createElement(tag), props, children);
}

/**
 * @template {keyof SVGElementTagNameMap} T
 * @param {T} tag
 * @param {Record<string, any>} props
 * @param {...any} children
 */
export function svg(tag, props = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), props, children);
}

/**
 * A panel: a titled section with a sentence below the title and a body.
 * @param {string} name
 * @param {string} title
 */
export function panel(name, title) {
  const heading = el("h3", {}, title);
  const note = el("p", { class: "note" });
  const body = el("div", { class: "body" });
  const node = el("section", { class: `panel ${name}`, "aria-label": title }, heading, note, body);
  return { node, heading, note, body };
}

/**
 * Makes `children` the content of a node, without touching what is there already: it keeps the focus.
 * @param {Element} node
 * @param {Node[]} children
 */
export function contain(node, children) {
  const same = node.childNodes.length === children.length && children.every((child, i) => child === node.childNodes[i]);
  if (!same) node.replaceChildren(...children);
}

/**
 * Sizes a canvas in CSS pixels for the screen's density; returns a cleared context.
 * @param {HTMLCanvasElement} canvas
 * @param {number} width
 * @param {number} height
 */
export function prepare(canvas, width, height) {
  const ratio = window.devicePixelRatio || 1;
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== w || canvas.height !== h) Object.assign(canvas, { width: w, height: h });
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const context = brushOf(canvas);
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return context;
}

/**
 * What draws on a canvas. It is null only where another kind was asked for before, which nobody here does.
 * @param {HTMLCanvasElement} canvas
 */
export const brushOf = (canvas) => /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));

/**
 * Position of a pointer event inside its target, in CSS pixels.
 * @param {MouseEvent} event
 * @returns {[number, number]}
 */
export function inside(event) {
  const box = /** @type {Element} */ (event.currentTarget).getBoundingClientRect();
  return [event.clientX - box.left, event.clientY - box.top];
}

/**
 * What has the focus among the elements that stand with `node`, in the page or in a shadow of it.
 * @param {Node} node
 */
export const focusedBeside = (node) => /** @type {Document | ShadowRoot} */ (node.getRootNode()).activeElement;

/**
 * A row of buttons of which one is pressed; `pick(index)` hears of the one that is clicked.
 * @param {string} label
 * @param {string[]} entries
 * @param {(index: number) => void} pick
 * @param {string} name the class of the buttons
 */
export function choices(label, entries, pick, name = "choice") {
  const buttons = entries.map((text, index) =>
    el("button", { type: "button", class: name, onclick: () => pick(index) }, text),
  );
  const node = el(
    "div",
    { class: "choices", role: "group", "aria-label": label },
    el("span", { class: "caption" }, label),
    ...buttons,
  );
  const show = (/** @type {number} */ current) => {
    buttons.forEach((button, index) => {
      button.setAttribute("aria-pressed", String(index === current));
    });
  };
  return { node, buttons, show };
}

/**
 * A number with as many digits as it needs, as dista/style/sentences.py writes it.
 * @param {number} value
 * @param {number} digits at most
 */
export function number(value, digits = 2) {
  if (!Number.isFinite(value)) return "?";
  return Number.isInteger(value) ? String(value) : value.toFixed(digits).replace(/\.0+$|(\.\d*[1-9])0+$/, "$1");
}

/**
 * @param {number} count
 * @param {string} word
 */
export function plural(count, word) {
  return `${count} ${word}${count === 1 ? "" : "s"}`;
}
