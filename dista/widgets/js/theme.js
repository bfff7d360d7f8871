// Colours for canvases, read from the stylesheet so that they are written once.

// Three stops each, running evenly from light to dark (or the reverse): readable without hue.
const SCALES = {
  light: { kept: ["#f3f2ea", "#5aa8a6", "#05464c"], removed: ["#f3f2ea", "#e08a4f", "#8a3208"] },
  dark: { kept: ["#22282d", "#2b8a88", "#c8f3dd"], removed: ["#22282d", "#b9602b", "#ffd3a8"] },
};
const LEVELS = 64;

const parse = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
const mix = (a, b, share) => a.map((value, i) => Math.round(value + (b[i] - value) * share));
export const css = (rgb) => `rgb(${rgb.join(",")})`;

function scale([low, middle, high]) {
  const stops = [low, middle, high].map(parse);
  return Array.from({ length: LEVELS + 1 }, (_, level) => {
    const at = (level / LEVELS) * 2;
    return css(at < 1 ? mix(stops[0], stops[1], at) : mix(stops[1], stops[2], at - 1));
  });
}

// Decides light or dark from what lies behind the probe, and sets it for the stylesheet.
export function readTheme(root, forced) {
  root.dataset.theme = forced ?? "";
  root.toggleAttribute("data-forced", Boolean(forced));
  const style = getComputedStyle(root);
  const page = /(\d+)[ ,]+(\d+)[ ,]+(\d+)/.exec(style.backgroundColor);
  const bright = page ? 0.3 * page[1] + 0.59 * page[2] + 0.11 * page[3] : 255;
  const name = forced ?? (bright < 110 ? "dark" : "light");
  root.dataset.theme = name;
  const color = (key) => getComputedStyle(root).getPropertyValue(`--${key}`).trim();
  return {
    name,
    kept: scale(SCALES[name].kept),
    removed: scale(SCALES[name].removed),
    paper: parse(color("paper")), ink: parse(color("ink")),
    accent: color("accent"), hot: color("hot"), muted: color("muted"), line: color("line"),
    off: parse(color("off")), on: parse(color("on")), font: style.fontFamily,
  };
}

export function shade(colors, value, largest) {
  if (!(largest > 0)) return colors[0];
  return colors[Math.round(Math.min(1, Math.max(0, value / largest)) * LEVELS)];
}

// Colour of one pixel of a frame: ink on paper for gray, as it is for RGB, two hues for events.
export function pixel(theme, kind, values, at, plane, largest) {
  if (kind === "rgb") return [values[at], values[at + plane], values[at + 2 * plane]];
  if (kind === "gray") return mix(theme.paper, theme.ink, values[at] / 255);
  const strength = (count) => (count ? 0.35 + 0.65 * Math.min(1, count / largest) : 0);
  const [off, on] = [strength(values[at]), strength(values[at + plane])];
  if (off && on) return mix(theme.paper, mix(theme.off, theme.on, on / (on + off)), Math.max(on, off));
  return off ? mix(theme.paper, theme.off, off) : mix(theme.paper, theme.on, on);
}

// Diagonal lines: the sign for "cannot be reached" and for shares that are neither space nor time.
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
