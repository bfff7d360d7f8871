// Reads the packed recording: a header in JSON and typed arrays laid over one buffer.

const TYPES = { uint8: Uint8Array, uint16: Uint16Array, uint32: Uint32Array, int32: Int32Array, float32: Float32Array };

// The header and the arrays in what Payload.to_bytes wrote: header length (8 bytes), header, buffer.
export function unpack(bytes) {
  const copy = bytes.slice();                       // starts at offset 0, so that arrays are aligned
  const size = new DataView(copy.buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(copy.subarray(8, 8 + size)));
  const arrays = {};
  for (const [name, { dtype, shape, offset }] of Object.entries(header.arrays)) {
    const length = shape.reduce((product, side) => product * side, 1);
    arrays[name] = { values: new TYPES[dtype](copy.buffer, 8 + size + offset, length), shape };
  }
  return { header, arrays };
}

export function decode(bytes) {
  const { header, arrays } = unpack(bytes);
  return new Recording(header, arrays);
}

// One sample, with the few questions that the panels ask.
export class Recording {
  constructor(header, arrays) {
    Object.assign(this, header);                    // steps, grid, layers, attention, decision, ...
    this.arrays = arrays;
    this.tokens = this.grid ? this.grid[0] * this.grid[1] : 0;
    this.attention.forEach((block) => this.#indexPairs(block));
    this.unpacked = {};
  }

  array(name) {
    return this.arrays[name]?.values ?? null;
  }

  #indexPairs(block) {
    const pairs = this.array(`attention.${block.block}.pairs`);
    block.pair = new Map();
    for (let i = 0; i < pairs.length / 2; i++) block.pair.set(pairs[2 * i] * 4096 + pairs[2 * i + 1], i);
    block.largest = Math.max(...this.array(`attention.${block.block}.head_max`));
  }

  blockAt(number) {
    return this.attention.find((entry) => entry.block === number) ?? null;
  }

  reaches(block, step, keyStep) {
    return block.pair.has(step * 4096 + keyStep);
  }

  // Counts of one query over all keys of one step, before ("raw") or after ("kept") the denoiser.
  keyMap(block, stage, step, keyStep, head, token) {
    const pair = block.pair.get(step * 4096 + keyStep);
    if (pair === undefined) return null;
    const name = `attention.${block.block}`;
    const start = ((pair * block.heads + head) * this.tokens + token) * this.tokens;
    if (stage === "kept" && block.kept === "table") {
      const table = this.array(`${name}.table`);
      return Float32Array.from(this.array(`${name}.raw`).subarray(start, start + this.tokens), (a) => table[a]);
    }
    const values = this.array(`${name}.${stage}`);
    return values && values.subarray(start, start + this.tokens);
  }

  // The stage that the network goes on with: the denoised map where there is one.
  used(block) {
    return block.kept ? "kept" : "raw";
  }

  // Summed attention of one query over all keys that it reaches. Called for every block and head
  // at each click, so it makes no arrays.
  attends(block, step, head, token) {
    const name = `attention.${block.block}`;
    const table = block.kept === "table" ? this.array(`${name}.table`) : null;
    const values = this.array(table || !block.kept ? `${name}.raw` : `${name}.kept`);
    let total = 0;
    for (let key = 0; key <= step; key++) {
      const pair = block.pair.get(step * 4096 + key);
      if (pair === undefined) continue;
      const start = ((pair * block.heads + head) * this.tokens + token) * this.tokens;
      for (let i = start; i < start + this.tokens; i++) total += table ? table[values[i]] : values[i];
    }
    return total;
  }

  // How many steps the query at `step` reaches, itself included.
  reach(block, step) {
    return Array.from({ length: step + 1 }, (_, key) => this.reaches(block, step, key)).filter(Boolean).length;
  }

  // All spikes of a layer, 0 or 1 by (step, channel, patch), unpacked when first asked for; null if unknown.
  spikesOf(name) {
    if (!this.spikes?.[name]) return null;
    const bits = this.array(`spikes.${name}`);
    const [steps, channels] = this.spikes[name];
    return this.unpacked[name] ??= { channels, values:
      Uint8Array.from({ length: steps * channels * this.tokens }, (_, i) => (bits[i >> 3] >> (i & 7)) & 1) };
  }

  // Spikes per patch at one step, summed over the channels from `first` up to `end`.
  firing(name, step, first = 0, end = Infinity) {
    const { values, channels } = this.spikesOf(name);
    const counts = new Float32Array(this.tokens);
    for (let channel = first; channel < Math.min(end, channels); channel++) {
      const start = (step * channels + channel) * this.tokens;
      for (let token = 0; token < this.tokens; token++) counts[token] += values[start + token];
    }
    return counts;
  }

  // Spikes of one patch at one step, over the channels of a head.
  train(name, step, block, head, token) {
    const { values, channels } = this.spikesOf(name);
    const size = channels / block.heads;
    return Array.from({ length: size }, (_, i) => values[(step * channels + head * size + i) * this.tokens + token]);
  }

  // Share of a layer's neurons that fire at a step; null where spikes were not recorded.
  rate(name, step) {
    const position = this.layers.findIndex((layer) => layer.name === name);
    const counts = this.array(`layer.${position}.counts`);
    return counts && counts[step] / this.layers[position].neurons;
  }

  neuronLayers() {
    return this.layers.filter((layer) => layer.shape);
  }

  className(index) {
    return this.classes?.[index] ?? `class ${index}`;
  }

  stepLabel(step) {
    return this.step_labels?.[step] ?? "";
  }
}

export function sum(values) {
  let total = 0;
  for (let i = 0; i < (values?.length ?? 0); i++) total += values[i];
  return total;
}

// The largest entry of `maps` ([key step, key map] pairs); its value is 0 where there is none.
export function strongest(maps) {
  let best = { value: 0 };
  for (const [step, values] of maps) {
    values.forEach((value, key) => { if (value > best.value) best = { value, step, key }; });
  }
  return best;
}

// Splits attention over `maps` ([key step, key map] pairs) by where it goes, as dista.measures.split
// does: the query's own step, its own patch at other steps, and elsewhere. `self` is the part of its
// own step that stays in the patch.
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
  return { ...parts, others: parts.same_step - parts.self, total: parts.same_patch + parts.same_step + parts.elsewhere };
}

// Short and long names of a neuron layer, from its dotted name.
const PARTS = {
  query: "Q", key: "K", value: "V", hidden: "MLP hidden", position: "position",
};
export function layerLabel(name) {
  const parts = name.split(".").filter((part) => part !== "neuron" && part !== "stages");
  if (parts[0] === "stem") return /^\d+$/.test(parts[1]) ? `stem ${+parts[1] + 1}` : `stem ${parts[1] ?? ""}`;
  if (parts[0] !== "blocks") return name;
  const last = parts.at(-1);
  const label = last === "attention" ? "read-out"
    : last === "output" ? `${parts.at(-2) === "mlp" ? "MLP" : "attention"} output` : PARTS[last] ?? last;
  return `${+parts[1] + 1} ${label}`;
}

export function layerTitle(name) {
  const label = layerLabel(name);
  const match = /^(\d+) (.*)$/.exec(label);
  return match ? `the ${match[2]} neurons, block ${match[1]}` : `the ${label} neurons`;
}
