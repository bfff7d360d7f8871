// Reads the packed recording: a header in JSON and typed arrays laid over one buffer.

const TYPES = { uint8: Uint8Array, uint16: Uint16Array, uint32: Uint32Array, int32: Int32Array, float32: Float32Array };

/** @typedef {import("./types.js").Header} Header */
/** @typedef {import("./types.js").Block} Block */
/** @typedef {import("./types.js").StepMap} StepMap */
/** @typedef {Record<string, import("./types.js").Packed>} Arrays */
/** @typedef {"raw" | "kept"} MapKind before or after the denoiser */

const PAIR = 4096; // more than a recording has steps: a pair of steps in one number

/**
 * The header and the arrays in what Payload.to_bytes wrote: header length (8 bytes), header, buffer.
 * @param {Uint8Array} bytes
 * @returns {{ header: any, arrays: Arrays }}
 */
export function unpack(bytes) {
  const copy = bytes.slice(); // starts at offset 0, so that arrays are aligned
  const size = new DataView(copy.buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(copy.subarray(8, 8 + size)));
  /** @type {Arrays} */
  const arrays = {};
  for (const [name, entry] of Object.entries(header.arrays)) {
    const { dtype, shape, offset } = /** @type {import("./types.js").Entry} */ (entry);
    const length = shape.reduce((product, side) => product * side, 1);
    arrays[name] = { values: new TYPES[dtype](copy.buffer, 8 + size + offset, length), shape };
  }
  return { header, arrays };
}

/** @param {Uint8Array} bytes */
export function decode(bytes) {
  const { header, arrays } = unpack(bytes);
  return new Recording(header, arrays);
}

// One sample, with the few questions that the panels ask.
export class Recording {
  /**
   * @param {Header} header
   * @param {Arrays} arrays
   */
  constructor(header, arrays) {
    this.fields = header.fields;
    this.ranges = header.ranges;
    this.stages = header.stages;
    this.missing = header.missing;
    this.moment = header.moment;
    this.name = header.name;
    this.sample = header.sample;
    this.steps = header.steps;
    this.grid = header.grid;
    this.attention = header.attention;
    this.layers = header.layers;
    this.spikes = header.spikes;
    this.input = header.input;
    this.decision = header.decision;
    this.label = header.label;
    this.classes = header.classes;
    this.step_labels = header.step_labels;
    this.step_sentences = header.step_sentences;
    this.scale = header.scale;
    this.state = header.state;
    this.revision = header.revision;
    this.theme = header.theme;
    this.group = header.group;
    this.arrays = arrays;
    this.tokens = this.grid ? this.grid[0] * this.grid[1] : 0;
    for (const block of this.attention) this.#indexPairs(block);
    /** @type {Record<string, { channels: number, values: Uint8Array }>} */
    this.unpacked = {};
  }

  /**
   * @param {string} name
   * @returns {any} its values, or null
   */
  array(name) {
    return this.arrays[name]?.values ?? null;
  }

  /** @param {Block} block */
  #indexPairs(block) {
    const pairs = this.array(`attention.${block.block}.pairs`);
    block.pair = new Map();
    for (let i = 0; i < pairs.length / 2; i++) block.pair.set(pairs[2 * i] * PAIR + pairs[2 * i + 1], i);
    block.largest = Math.max(...this.array(`attention.${block.block}.head_max`));
  }

  /** @param {unknown} number */
  blockAt(number) {
    return this.attention.find((entry) => entry.block === number) ?? null;
  }

  /** @param {Block} block @param {number} step @param {number} keyStep */
  reaches(block, step, keyStep) {
    return block.pair.has(step * PAIR + keyStep);
  }

  /**
   * Counts of one query over all keys of one step, before ("raw") or after ("kept") the denoiser.
   * @param {Block} block
   * @param {MapKind} kind
   * @param {number} step
   * @param {number} keyStep
   * @param {number} head
   * @param {number} token
   */
  keyMap(block, kind, step, keyStep, head, token) {
    const pair = block.pair.get(step * PAIR + keyStep);
    if (pair === undefined) return null;
    const name = `attention.${block.block}`;
    const start = ((pair * block.heads + head) * this.tokens + token) * this.tokens;
    if (kind === "kept" && block.kept === "table") {
      const table = this.array(`${name}.table`);
      return Float32Array.from(
        this.array(`${name}.raw`).subarray(start, start + this.tokens),
        (/** @type {number} */ a) => table[a],
      );
    }
    const values = this.array(`${name}.${kind}`);
    return values?.subarray(start, start + this.tokens) ?? null;
  }

  /**
   * The map that the network goes on with: the denoised map where there is one.
   * @param {Block} block
   * @returns {MapKind}
   */
  used(block) {
    return block.kept ? "kept" : "raw";
  }

  /**
   * Summed attention of one query over all keys that it reaches. Called for every block and head
   * at each click, so it makes no arrays.
   * @param {Block} block
   * @param {number} step
   * @param {number} head
   * @param {number} token
   */
  attends(block, step, head, token) {
    const name = `attention.${block.block}`;
    const table = block.kept === "table" ? this.array(`${name}.table`) : null;
    const values = this.array(table || !block.kept ? `${name}.raw` : `${name}.kept`);
    let total = 0;
    for (let key = 0; key <= step; key++) {
      const pair = block.pair.get(step * PAIR + key);
      if (pair === undefined) continue;
      const start = ((pair * block.heads + head) * this.tokens + token) * this.tokens;
      for (let i = start; i < start + this.tokens; i++) total += table ? table[values[i]] : values[i];
    }
    return total;
  }

  /**
   * How many steps the query at `step` reaches, itself included.
   * @param {Block} block
   * @param {number} step
   */
  reach(block, step) {
    return Array.from({ length: step + 1 }, (_, key) => this.reaches(block, step, key)).filter(Boolean).length;
  }

  /**
   * All spikes of a layer, 0 or 1 by (step, channel, patch), unpacked when first asked for; null if unknown.
   * @param {string} name
   */
  spikesOf(name) {
    if (!this.spikes?.[name]) return null;
    const bits = this.array(`spikes.${name}`);
    const [steps, channels] = this.spikes[name];
    this.unpacked[name] ??= {
      channels,
      values: Uint8Array.from({ length: steps * channels * this.tokens }, (_, i) => (bits[i >> 3] >> (i & 7)) & 1),
    };
    return this.unpacked[name];
  }

  /**
   * Spikes per patch at one step, summed over the channels from `first` up to `end`; the layer's spikes must be recorded.
   * @param {string} name
   * @param {number} step
   */
  firing(name, step, first = 0, end = Infinity) {
    const { values, channels } = this.#recordedSpikes(name);
    const counts = new Float32Array(this.tokens);
    for (let channel = first; channel < Math.min(end, channels); channel++) {
      const start = (step * channels + channel) * this.tokens;
      for (let token = 0; token < this.tokens; token++) counts[token] += values[start + token];
    }
    return counts;
  }

  /**
   * @param {string} name
   */
  #recordedSpikes(name) {
    const spikes = this.spikesOf(name);
    if (!spikes) throw new Error(`the spikes of ${name} are not in this recording; it has ${Object.keys(this.spikes)}`);
    return spikes;
  }

  /**
   * Spikes of one patch at one step, over the channels of a head; the layer's spikes must be recorded.
   * @param {string} name
   * @param {number} step
   * @param {Block} block
   * @param {number} head
   * @param {number} token
   */
  train(name, step, block, head, token) {
    const { values, channels } = this.#recordedSpikes(name);
    const size = channels / block.heads;
    return Array.from({ length: size }, (_, i) => values[(step * channels + head * size + i) * this.tokens + token]);
  }

  /**
   * Share of a layer's neurons that fire at a step; null where spikes were not recorded.
   * @param {string} name
   * @param {number} step
   * @returns {number | null}
   */
  rate(name, step) {
    const position = this.layers.findIndex((layer) => layer.name === name);
    const counts = this.array(`layer.${position}.counts`);
    return counts && counts[step] / this.layers[position].neurons;
  }

  neuronLayers() {
    return this.layers.filter((layer) => layer.shape);
  }

  /** @param {number} index */
  className(index) {
    return this.classes?.[index] ?? `class ${index}`;
  }

  /** @param {number} step */
  stepLabel(step) {
    return this.step_labels?.[step] ?? "";
  }
}

/** @param {ArrayLike<number> | null | undefined} values */
export function sum(values) {
  let total = 0;
  for (let i = 0; values && i < values.length; i++) total += values[i];
  return total;
}

/**
 * The largest entry of `maps`; its value is 0 where there is none.
 * @param {StepMap[]} maps
 */
export function strongest(maps) {
  let best = { value: 0, step: -1, token: -1 };
  for (const [step, values] of maps) {
    values.forEach((value, token) => {
      if (value > best.value) best = { value, step, token };
    });
  }
  return best;
}

/**
 * Splits attention over `maps` by where it goes, as dista.measures.attention_split does: the query's own
 * step, its own patch at other steps, and elsewhere. `self` is the part of its own step that stays in the patch.
 * @param {StepMap[]} maps
 * @param {number} step
 * @param {number} token
 */
export function totals(maps, step, token) {
  const parts = { same_patch: 0, same_step: 0, elsewhere: 0, self: 0 };
  for (const [keyStep, values] of maps) {
    const all = sum(values);
    if (keyStep === step) {
      parts.same_step += all;
      parts.self += values[token];
    } else {
      parts.same_patch += values[token];
      parts.elsewhere += all - values[token];
    }
  }
  return {
    ...parts,
    others: parts.same_step - parts.self,
    total: parts.same_patch + parts.same_step + parts.elsewhere,
  };
}
