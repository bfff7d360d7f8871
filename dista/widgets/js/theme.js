// Colours for canvases, read from the stylesheet so that they are written once.

const LEVELS = 64;

/** @typedef {import("./types.js").Rgb} Rgb */
/** @typedef {import("./types.js").Theme} Theme */
/** @typedef {import("./types.js").Values} Values */

/** @param {string} hex @returns {Rgb} */
const parse = (hex) => [channel(hex, 1), channel(hex, 3), channel(hex, 5)];
const channel = (/** @type {string} */ hex, /** @type {number} */ at) => parseInt(hex.slice(at, at + 2), 16);

/** @param {Rgb} a @param {Rgb} b @param {number} share @returns {Rgb} */
const mix = (a, b, share) => {
  const at = (/** @type {number} */ i) => Math.round(a[i] + (b[i] - a[i]) * share);
  return [at(0), at(1), at(2)];
};

/** @param {Rgb} rgb */
export const css = (rgb) => `rgb(${rgb.join(",")})`;

/**
 * The colours of all levels of a scale, evenly through three stops.
 * @param {string[]} colours
 */
export function scale(colours) {
  const stops = colours.map(parse);
  return Array.from({ length: LEVELS + 1 }, (_, level) => {
    const at = (level / LEVELS) * 2;
    return css(at < 1 ? mix(stops[0], stops[1], at) : mix(stops[1], stops[2], at - 1));
  });
}

/**
 * Decides light or dark from what lies behind the probe, and sets it for the stylesheet.
 * @param {HTMLElement} root
 * @param {string | null | undefined} forced
 * @returns {Theme}
 */
export function readTheme(root, forced) {
  root.dataset.theme = forced ?? "";
  root.toggleAttribute("data-forced", Boolean(forced));
  const style = getComputedStyle(root);
  const [red, green, blue] = /(\d+)[ ,]+(\d+)[ ,]+(\d+)/.exec(style.backgroundColor)?.slice(1).map(Number) ?? [
    255, 255, 255,
  ];
  const bright = 0.3 * red + 0.59 * green + 0.11 * blue;
  const name = forced ?? (bright < 110 ? "dark" : "light");
  root.dataset.theme = name;
  const color = (/** @type {string} */ key) => getComputedStyle(root).getPropertyValue(`--${key}`).trim();
  return {
    name,
    amount: scale(color("amount").split(/\s+/)),
    removed: scale(color("removed").split(/\s+/)),
    paper: parse(color("paper")),
    ink: parse(color("ink")),
    ink_: color("ink"),
    accent: color("accent"),
    orange: color("orange"),
    muted: color("muted"),
    line: color("line"),
    panel: color("panel"),
    cursor: color("cursor"),
    off: parse(color("off")),
    on: parse(color("on")),
    font: style.fontFamily,
  };
}

/**
 * The colour of a value on a scale that ends at `largest`.
 * @param {string[]} colors
 * @param {number} value
 * @param {number} largest
 */
export function shade(colors, value, largest) {
  if (!(largest > 0)) return colors[0];
  return colors[Math.round(Math.min(1, Math.max(0, value / largest)) * LEVELS)];
}

/**
 * Colour of one pixel of a frame: ink on paper for gray, as it is for RGB, two hues for events.
 * @param {Theme} theme
 * @param {string} kind
 * @param {Values} values
 * @param {number} at
 * @param {number} plane pixels of a channel
 * @param {number} largest
 * @returns {Rgb}
 */
export function pixel(theme, kind, values, at, plane, largest) {
  if (kind === "rgb") return [values[at], values[at + plane], values[at + 2 * plane]];
  if (kind === "gray") return mix(theme.paper, theme.ink, values[at] / 255);
  const strength = (/** @type {number} */ count) => (count ? 0.35 + 0.65 * Math.min(1, count / largest) : 0);
  const [off, on] = [strength(values[at]), strength(values[at + plane])];
  if (off && on) return mix(theme.paper, mix(theme.off, theme.on, on / (on + off)), Math.max(on, off));
  return off ? mix(theme.paper, theme.off, off) : mix(theme.paper, theme.on, on);
}

/**
 * Diagonal lines: the sign for "cannot be reached" and for shares that are neither space nor time.
 * @param {CanvasRenderingContext2D} context
 * @param {number} x
 * @param {number} y
 * @param {number} width
 * @param {number} height
 * @param {string} color
 */
export function hatch(context, x, y, width, height, color, gap = 6) {
  context.save();
  context.beginPath();
  context.rect(x, y, width, height);
  context.clip();
  context.beginPath();
  for (let at = -height; at < width; at += gap) {
    context.moveTo(x + at, y + height);
    context.lineTo(x + at + height, y);
  }
  context.strokeStyle = color;
  context.lineWidth = 1;
  context.stroke();
  context.restore();
}
