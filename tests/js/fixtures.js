// A recording in miniature, written as dista/widgets/packing.py writes one: 3 steps, 2 x 3 patches, 2 heads.

export const [STEPS, ROWS, COLUMNS, HEADS] = [3, 2, 3, 2];
export const TOKENS = ROWS * COLUMNS;

const TYPES = { Uint8Array: "uint8", Uint32Array: "uint32", Int32Array: "int32", Float32Array: "float32" };
const ALIGN = 8;

// Header length (8 bytes), header, buffer; every array starts at a multiple of eight bytes.
export function pack(header, arrays) {
  const table = {};
  let size = 0;
  for (const [name, { values, shape }] of Object.entries(arrays)) {
    table[name] = { dtype: TYPES[values.constructor.name], shape, offset: size };
    size += Math.ceil(values.byteLength / ALIGN) * ALIGN;
  }
  let text = JSON.stringify({ ...header, arrays: table });
  text += " ".repeat((ALIGN - (new TextEncoder().encode(text).length % ALIGN)) % ALIGN);
  const head = new TextEncoder().encode(text);
  const bytes = new Uint8Array(ALIGN + head.length + size);
  new DataView(bytes.buffer).setUint32(0, head.length, true);
  bytes.set(head, ALIGN);
  for (const [name, { values }] of Object.entries(arrays)) {
    const part = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    bytes.set(part, ALIGN + head.length + table[name].offset);
  }
  return bytes;
}

// Every pair of steps up to the query's own: a map that reaches across steps.
export const PAIRS = Array.from({ length: STEPS }, (_, query) =>
  Array.from({ length: query + 1 }, (_, key) => [query, key]),
).flat();

// A count that tells pair, head, query and key: small, so that a table can be laid over it.
export const count = (pair, head, query, key) => (5 * pair + 3 * head + 2 * query + key) % 7;

// What the denoiser makes of each count: u = 2 removes those up to it.
export const TABLE = Float32Array.from({ length: 7 }, (_, a) => (a > 2 ? a : 0));

export const HEADER = {
  fields: {
    sample: 0, step: -1, block: -1, head: -1, row: -1, column: -1,
    layer: "", neuron: -1, range: "head", stage: "denoise", key: "",
  },
  ranges: { map: "per map", head: "per head", global: "global" },
  stages: { input: "Input", scores: "Scores", denoise: "Denoise", logits: "Logits" },
  missing: {},
  sample: 4,
  steps: STEPS,
  grid: [ROWS, COLUMNS],
  attention: [{ block: 1, heads: HEADS, cross: true, raw: true, kept: "table", lags: 0, note: "", sums: "" }],
  layers: [
    { name: "blocks.1.attention.value.neuron", shape: [4, ROWS, COLUMNS], neurons: 24, active: 2, parts: ["spikes"] },
    { name: "blocks.1.attention.neuron", shape: [4, ROWS, COLUMNS], neurons: 24, active: 3, parts: ["spikes"] },
  ],
  spikes: { "blocks.1.attention.value.neuron": [STEPS, 4] },
  input: null,
  decision: null,
  label: null,
  classes: ["no", "yes"],
  step_labels: ["cue", "", "probe"],
  step_sentences: ["a", "b", "c"],
  scale: 0.5,
}; // biome-ignore format: a table is read more easily in few lines

// The spike of (step, channel, patch): about a third of them.
export const spike = (step, channel, token) => Number((7 * step + 5 * channel + 3 * token) % 3 === 0);

function bits(steps, channels) {
  const all = [];
  for (let t = 0; t < steps; t++) {
    for (let c = 0; c < channels; c++) for (let n = 0; n < TOKENS; n++) all.push(spike(t, c, n));
  }
  const bytes = new Uint8Array(Math.ceil(all.length / 8));
  all.forEach((value, i) => {
    bytes[i >> 3] |= value << (i & 7);
  });
  return bytes;
}

export const ARRAYS = {
  "attention.1.pairs": { values: Int32Array.from(PAIRS.flat()), shape: [PAIRS.length, 2] },
  "attention.1.raw": {
    values: Uint8Array.from({ length: PAIRS.length * HEADS * TOKENS * TOKENS }, (_, i) => {
      const [key, query] = [i % TOKENS, Math.floor(i / TOKENS) % TOKENS];
      const [head, pair] = [Math.floor(i / TOKENS ** 2) % HEADS, Math.floor(i / (HEADS * TOKENS ** 2))];
      return count(pair, head, query, key);
    }),
    shape: [PAIRS.length, HEADS, TOKENS, TOKENS],
  },
  "attention.1.table": { values: TABLE, shape: [7] },
  "attention.1.head_max": { values: Float32Array.of(5, 6), shape: [2] },
  "layer.0.index": { values: Uint32Array.of(9, 2, 17), shape: [3] },
  "layer.0.counts": { values: Uint32Array.of(6, 12, 0), shape: [3] },
  "layer.1.index": { values: Uint32Array.of(20, 4, 11), shape: [3] },
  "spikes.blocks.1.attention.value.neuron": { values: bits(STEPS, 4), shape: [9] },
};

export const bytes = (more = {}) => pack({ ...HEADER, ...more }, ARRAYS);

// What one query attends to at one key step, as written above.
export const row = (query, key, head, token) => {
  const pair = PAIRS.findIndex(([a, b]) => a === query && b === key);
  return Array.from({ length: TOKENS }, (_, i) => count(pair, head, token, i));
};
