// A panel as a PNG file: its heading, and the canvases and drawings below it, where they stand.

import { el, brushOf, SVG } from "./dom.js";

const [SCALE, EDGE, HEAD] = [2, 12, 30];
const STYLES = [
  "fill",
  "stroke",
  "stroke-width",
  "stroke-dasharray",
  "stroke-linejoin",
  "opacity",
  "font-size",
  "font-weight",
  "font-family",
  "text-anchor",
  "paint-order",
];

/**
 * Gives a panel a quiet button beside its heading; the stylesheet hides it where there is nothing to save.
 * @param {any} node
 */
export function offerImage(node) {
  const [heading, body] = [node.querySelector("h3"), node.querySelector(".body")];
  const button = el(
    "button",
    { type: "button", class: "save", title: "Save as PNG", onclick: () => save(heading.textContent, node, body) },
    "PNG",
  );
  const name = () => button.setAttribute("aria-label", `Save as PNG: ${heading.textContent}`);
  button.addEventListener("focus", name);
  button.addEventListener("pointerenter", name);
  name();
  heading.after(button);
}

/** @param {string} title @param {Element} node @param {Element} body */
async function save(title, node, body) {
  const canvas = await picture(title, node, body);
  canvas.toBlob((blob) => {
    if (!blob) return;
    const link = el("a", { href: URL.createObjectURL(blob), download: `${slug(title)}.png` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  });
}

const slug = (/** @type {string} */ title) =>
  title
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "")
    .slice(0, 60);

/** @param {string} title @param {Element} node @param {Element} body */
async function picture(title, node, body) {
  const shown = [...body.querySelectorAll("canvas, svg")].filter((part) => part.getClientRects().length);
  const images = await Promise.all(shown.map((part) => (part.tagName === "CANVAS" ? part : drawn(part))));
  const [origin, style] = [body.getBoundingClientRect(), getComputedStyle(node)];
  const low = Math.max(...shown.map((part) => part.getBoundingClientRect().bottom - origin.top));
  const canvas = el("canvas", { width: SCALE * (origin.width + 2 * EDGE), height: SCALE * (low + HEAD + 2 * EDGE) });
  const context = brushOf(canvas);
  context.scale(SCALE, SCALE);
  context.fillStyle = style.backgroundColor;
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.fillStyle = style.color;
  context.font = `650 15px ${style.fontFamily}`;
  context.fillText(title, EDGE, EDGE + 14);
  shown.forEach((part, i) => {
    const box = part.getBoundingClientRect();
    context.drawImage(
      /** @type {CanvasImageSource} */ (images[i]),
      EDGE + box.left - origin.left,
      EDGE + HEAD + box.top - origin.top,
      box.width,
      box.height,
    );
  });
  return canvas;
}

/**
 * An SVG as an image: outside the page it has no stylesheet, so each part takes its own look along.
 * @param {any} part
 */
async function drawn(part) {
  const copy = part.cloneNode(true);
  const [from, to] = [part, copy].map((root) => [root, ...root.querySelectorAll("*")]);
  from.forEach((source, i) => {
    const style = getComputedStyle(source);
    for (const name of STYLES) to[i].style.setProperty(name, style.getPropertyValue(name));
  });
  const box = part.getBoundingClientRect();
  Object.entries({ xmlns: SVG, width: box.width, height: box.height }).forEach(([name, value]) =>
    copy.setAttribute(name, value),
  );
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(new XMLSerializer().serializeToString(copy))}`;
  await image.decode();
  return image;
}
