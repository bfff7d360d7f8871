// A panel as a PNG or SVG file: its heading, and the canvases and drawings below it, where they stand.

import { el, svg, brushOf, SVG } from "./dom.js";

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
 * Gives a panel two quiet buttons beside its heading; the stylesheet hides them where there is nothing to save.
 * @param {any} node
 */
export function offerImage(node) {
  const [heading, body] = [node.querySelector("h3"), node.querySelector(".body")];
  const saved = { PNG: picture, SVG: drawing };
  const buttons = Object.entries(saved).map(([form, make]) => {
    const onclick = async () =>
      keep(await make(heading.textContent, node, body), `${nameOf(node)}.${form.toLowerCase()}`);
    const button = el("button", { type: "button", class: `save ${form.toLowerCase()}`, onclick }, form);
    const name = () => {
      const said = `Save as ${form}: ${heading.textContent}`;
      button.setAttribute("aria-label", said);
      button.title = said;
    };
    button.addEventListener("focus", name);
    button.addEventListener("pointerenter", name);
    name();
    return button;
  });
  heading.after(...buttons);
}

// The panel's name among the others: short, and the same whatever its heading says of a step.
const nameOf = (/** @type {Element} */ node) => node.classList[1] ?? "panel";

/** @param {Blob | null} blob @param {string} file */
function keep(blob, file) {
  if (!blob) return;
  const link = el("a", { href: URL.createObjectURL(blob), download: file });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

const partsOf = (/** @type {Element} */ body) =>
  [...body.querySelectorAll("canvas, svg")].filter((part) => part.getClientRects().length);

/**
 * A drawing with letters and lines as they are; maps and inputs are pixels in it, as they are pixels.
 * @param {string} title @param {Element} node @param {Element} body
 */
async function drawing(title, node, body) {
  const [origin, style] = [body.getBoundingClientRect(), getComputedStyle(node)];
  const parts = partsOf(body).map((part) => {
    const box = part.getBoundingClientRect();
    const at = {
      x: EDGE + box.left - origin.left,
      y: EDGE + HEAD + box.top - origin.top,
      width: box.width,
      height: box.height,
    };
    if (part instanceof HTMLCanvasElement)
      return { at, drawn: svg("image", { ...at, href: part.toDataURL(), style: "image-rendering:pixelated" }) };
    const copy = styled(part);
    Object.entries(at).forEach(([name, value]) => copy.setAttribute(name, String(value)));
    return { at, drawn: copy };
  });
  const height = Math.max(...parts.map(({ at }) => at.y + at.height)) + EDGE;
  const width = origin.width + 2 * EDGE;
  const root = svg("svg", { width, height, viewBox: `0 0 ${width} ${height}` });
  const heading = { x: EDGE, y: EDGE + 14, style: `font:650 15px ${style.fontFamily};fill:${style.color}` };
  root.append(svg("rect", { width, height, fill: style.backgroundColor }), svg("text", heading, title));
  root.append(...parts.map((part) => part.drawn));
  return new Blob([new XMLSerializer().serializeToString(root)], { type: "image/svg+xml" });
}

/** @param {string} title @param {Element} node @param {Element} body @returns {Promise<Blob | null>} */
async function picture(title, node, body) {
  const shown = partsOf(body);
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
  return new Promise((done) => canvas.toBlob(done));
}

/**
 * A copy of an SVG for outside the page, where it has no stylesheet: each part takes its own look along.
 * @param {any} part
 */
function styled(part) {
  const copy = part.cloneNode(true);
  const [from, to] = [part, copy].map((root) => [root, ...root.querySelectorAll("*")]);
  from.forEach((source, i) => {
    const style = getComputedStyle(source);
    for (const name of STYLES) to[i].style.setProperty(name, style.getPropertyValue(name));
  });
  return copy;
}

/** @param {any} part */
async function drawn(part) {
  const copy = styled(part);
  const box = part.getBoundingClientRect();
  Object.entries({ xmlns: SVG, width: box.width, height: box.height }).forEach(([name, value]) =>
    copy.setAttribute(name, value),
  );
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(new XMLSerializer().serializeToString(copy))}`;
  await image.decode();
  return image;
}
