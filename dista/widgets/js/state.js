// Where the reader is. Flat and serialisable: it goes into the URL and comes back.

export const RANGES = ["map", "head", "global"];
const QUIET = 250;                                  // ms without a change before the host hears of it

const within = (value, count, otherwise) =>
  Number.isInteger(value) && value >= 0 && value < count ? value : otherwise;

// A complete, valid state for `recording`; what is missing or out of range in `wanted` is chosen.
export function settle(recording, wanted = {}) {
  const step = within(wanted.step, recording.steps, recording.steps - 1);
  const entry = recording.blockAt(wanted.block) ?? recording.attention.at(-1);
  const [rows, columns] = recording.grid ?? [1, 1];
  const row = within(wanted.row, rows, -1), column = within(wanted.column, columns, -1);
  const given = row >= 0 && column >= 0 ? row * columns + column : -1;
  const head = within(wanted.head, entry?.heads ?? 1, -1);
  const [busyHead, patch] = given >= 0 && head >= 0 ? [head, given] : busiest(recording, entry, step, head, given);
  const chosen = entry ? entry.block : 0;
  const layer = settleLayer(recording, wanted.layer, chosen);
  return {
    sample: recording.sample, step, block: chosen, head: busyHead,
    row: Math.floor(patch / columns), column: patch % columns,
    layer, neuron: settleNeuron(recording, layer, wanted.neuron),
    range: RANGES.includes(wanted.range) ? wanted.range : "map",
  };
}

function settleLayer(recording, wanted, block) {
  const layers = recording.neuronLayers();
  const has = (name) => layers.some((layer) => layer.name === name);
  if (has(wanted)) return wanted;
  const readout = `blocks.${block}.attention.neuron`;
  return has(readout) ? readout : layers.at(-1)?.name ?? "";
}

// A neuron is known by its place in the whole layer; a hidden one gives way to the most active.
function settleNeuron(recording, name, wanted) {
  const position = recording.layers.findIndex((layer) => layer.name === name);
  const index = recording.array(`layer.${position}.index`);
  if (!index) return 0;
  return index.includes(wanted) ? wanted : index[0] ?? 0;
}

// The head and patch that attend most, as a first question worth asking; -1 leaves either open.
function busiest(recording, block, step, head, token) {
  let [best, most] = [[Math.max(0, head), token >= 0 ? token : Math.floor((recording.tokens || 1) / 2)], 0];
  for (let h = 0; block && h < block.heads; h++) {
    for (let patch = 0; patch < recording.tokens; patch++) {
      if ((head >= 0 && h !== head) || (token >= 0 && patch !== token)) continue;
      const total = recording.attends(block, step, h, patch);
      if (total > most) [best, most] = [[h, patch], total];
    }
  }
  return best;
}

// Holds the state; tells panels at once and the host when things are quiet (not while playing).
export class Store {
  constructor(recording, wanted, tell) {
    Object.assign(this, { recording, tell, state: settle(recording, wanted), listeners: [], held: false });
  }

  set(changes) {
    const next = settle(this.recording, { ...this.state, ...changes });
    const changed = Object.keys(next).filter((name) => next[name] !== this.state[name]);
    if (!changed.length) return;
    this.state = next;
    this.listeners.forEach((listener) => listener(changed));
    this.schedule();
  }

  // New data, perhaps with a new place asked for by the host: keep what still exists, and tell the
  // host only if something does not.
  replace(recording, wanted = {}) {
    const asked = { ...this.state, ...wanted, sample: recording.sample };
    this.recording = recording;
    this.state = settle(recording, asked);
    if (Object.keys(this.state).some((name) => this.state[name] !== asked[name])) this.schedule();
  }

  hold(held) {
    this.held = held;
    if (held) clearTimeout(this.timer);
    else this.schedule();
  }

  schedule() {
    clearTimeout(this.timer);
    if (!this.held) this.timer = setTimeout(() => this.tell(this.state), QUIET);
  }

  stop() {
    clearTimeout(this.timer);
  }
}
