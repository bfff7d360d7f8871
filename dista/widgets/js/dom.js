// Small helpers for elements, SVG and canvases. No state.

export const SVG = "http://www.w3.org/2000/svg";

function fill(node, props, children) {
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "style") node.style.cssText = value;
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return node;
}

export function el(tag, props = {}, ...children) {
  return fill(document.createElement(tag), props, children);
}

export function svg(tag, props = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), props, children);
}

// A panel: a titled section with a sentence below the title and a body.
export function panel(name, title) {
  const heading = el("h3", {}, title);
  const note = el("p", { class: "note" });
  const body = el("div", { class: "body" });
  const node = el("section", { class: `panel ${name}`, "aria-label": title }, heading, note, body);
  return { node, heading, note, body };
}

// Makes `children` the content of a node, without touching what is there already: it keeps the focus.
export function contain(node, children) {
  const same = node.childNodes.length === children.length && children.every((child, i) => child === node.childNodes[i]);
  if (!same) node.replaceChildren(...children);
}

// Sizes a canvas in CSS pixels for the screen's density; returns a cleared context.
export function prepare(canvas, width, height) {
  const ratio = window.devicePixelRatio || 1;
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== w || canvas.height !== h) Object.assign(canvas, { width: w, height: h });
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return context;
}

// Position of a pointer event inside its target, in CSS pixels.
export function inside(event) {
  const box = event.currentTarget.getBoundingClientRect();
  return [event.clientX - box.left, event.clientY - box.top];
}

// A row of buttons of which one is pressed; `draw(index)` may return extra content for a button.
export function choices(label, entries, pick, name = "choice") {
  const buttons = entries.map((text, index) =>
    el("button", { type: "button", class: name, onclick: () => pick(index) }, text));
  const node = el("div", { class: "choices", role: "group", "aria-label": label },
    el("span", { class: "caption" }, label), ...buttons);
  const show = (current) => buttons.forEach((button, index) =>
    button.setAttribute("aria-pressed", String(index === current)));
  return { node, buttons, show };
}

export function number(value, digits = 2) {
  if (!Number.isFinite(value)) return "?";
  return Number.isInteger(value) ? String(value) : value.toFixed(digits).replace(/\.0+$|(\.\d*[1-9])0+$/, "$1");
}

export function plural(count, word) {
  return `${count} ${word}${count === 1 ? "" : "s"}`;
}
