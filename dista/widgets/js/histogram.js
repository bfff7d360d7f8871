// Where the bars of the denoiser's histograms stand, one below the other on a logarithmic scale, and what of them a
// threshold removes.

export const [LEFT, RIGHT, TOP, FOOT] = [42, 12, 28, 20];
const GAP = 16;

/** @typedef {{ before: number[], after: number[] }} Counts how many entries of a map there are of each count */

/**
 * Where everything stands for blocks of a model whose counts end at `most`, with the line at `u`.
 * @param {number} width
 * @param {{ blocks: Counts[], most: number }} data
 * @param {number} u
 */
export function layout(width, { blocks, most }, u) {
  const largest = Math.max(2, ...blocks.map(({ before }) => before.length - 1));
  const right = Math.min(most, Math.max(largest + 1, u));
  const tall = 178;
  const x = (/** @type {number} */ count) => LEFT + ((count - 0.2) / (right + 0.6)) * (width - LEFT - RIGHT);
  const highest = Math.max(10, ...blocks.flatMap(({ before }) => before.slice(1)));
  const top = (/** @type {number} */ i) => TOP + i * (tall + GAP);
  return {
    width,
    right,
    tall,
    x,
    top,
    highest,
    height: top(blocks.length - 1) + tall + FOOT,
    count: (/** @type {number} */ at) => ((at - LEFT) / (width - LEFT - RIGHT)) * (right + 0.6) + 0.2,
    rise: (/** @type {number} */ n) => (n > 0 ? (tall * (Math.log10(n) + 0.3)) / (Math.log10(highest) + 0.6) : 0),
  };
}

/**
 * What a threshold removes is known at once; where none is chosen, what the denoiser did remove.
 * @param {Counts} counts
 * @param {number | null} u
 */
export function split({ before, after }, u) {
  const gone = before.map((n, a) => (u === null ? n - after[a] : a <= u ? n : 0));
  const weigh = (/** @type {number[]} */ counts, /** @type {(a: number) => number} */ weight) =>
    counts.reduce((sum, n, a) => sum + (a ? n * weight(a) : 0), 0);
  return {
    before,
    removed: gone,
    gone: weigh(gone, (a) => a),
    mass: weigh(before, (a) => a),
    entries: weigh(gone, () => 1),
    nonzero: weigh(before, () => 1),
  };
}
