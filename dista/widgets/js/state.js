// Where the reader is. Flat and serialisable: it goes into the URL and comes back. What it holds, with defaults, is
// listed in dista/widgets/state.py and comes in the header of the data.

import { Reporter } from "./reporter.js";

/** @type {("step" | "block" | "head" | "row" | "column")[]} */
const QUESTION = ["step", "block", "head", "row", "column"]; // whose change lets the strongest key be compared again
const QUIET = 250; // ms without a change before the host hears of it
const SOONER = 50; // ms by which the host hears of those that follow first
const MOVE = "dista-move"; // the event by which probes of one group go together

/** @typedef {import("./types.js").State} State */
/** @typedef {import("./recording.js").Recording} Recording */

/** @param {any} value @param {number} count @param {number} otherwise */
const within = (value, count, otherwise) =>
  Number.isInteger(value) && value >= 0 && value < count ? value : otherwise;

/**
 * A complete, valid state for `recording`; what is missing or out of range in `wanted` is chosen.
 * @param {Recording} recording
 * @param {Partial<State>} wanted
 * @returns {State}
 */
export function settle(recording, wanted = {}) {
  const step = within(wanted.step, recording.steps, recording.steps - 1);
  const entry = recording.blockAt(wanted.block) ?? recording.attention.at(-1);
  const [rows, columns] = recording.grid ?? [1, 1];
  const row = within(wanted.row, rows, -1),
    column = within(wanted.column, columns, -1);
  const token = row >= 0 && column >= 0 ? row * columns + column : -1;
  const head = within(wanted.head, entry?.heads ?? 1, -1);
  const [busyHead, patch] = token >= 0 && head >= 0 ? [head, token] : busiest(recording, entry, step, head, token);
  const block = entry ? entry.block : 0;
  const layer = settleLayer(recording, wanted.layer, block);
  return {
    sample: recording.sample,
    step,
    block,
    head: busyHead,
    row: Math.floor(patch / columns),
    column: patch % columns,
    layer,
    neuron: settleNeuron(recording, layer, wanted.neuron),
    range: oneOf(recording.ranges, wanted.range, recording.fields.range),
    stage: oneOf(recording.stages, wanted.stage, recording.fields.stage),
    key: wanted.key && placeOf(recording, wanted.key) ? wanted.key : "",
  };
}

/** @param {Record<string, string>} words @param {any} value @param {any} otherwise @returns {string} */
const oneOf = (words, value, otherwise) => (Object.hasOwn(words, value) ? value : otherwise);

/**
 * The patch of a step that "step.row.column" names, counted from 0; null for "", the strongest, and for what is not there.
 * @param {Recording} recording
 * @param {string} [text]
 * @returns {import("./types.js").Patch | null}
 */
export function placeOf(recording, text = "") {
  if (!/^\d+\.\d+\.\d+$/.test(text)) return null;
  const [step, row, column] = text.split(".").map(Number),
    [rows, columns] = recording.grid ?? [1, 1];
  return step < recording.steps && row < rows && column < columns ? { step, row, column } : null;
}

/** @param {Recording} recording @param {any} wanted @param {number} block @returns {string} */
function settleLayer(recording, wanted, block) {
  const layers = recording.neuronLayers();
  const has = (/** @type {string} */ name) => layers.some((layer) => layer.name === name);
  if (has(wanted)) return wanted;
  const readout = `blocks.${block}.attention.neuron`;
  return has(readout) ? readout : (layers.at(-1)?.name ?? "");
}

// A neuron is known by its place in the whole layer; a hidden one gives way to one of middling activity.
/** @param {Recording} recording @param {string} name @param {any} wanted @returns {number} */
function settleNeuron(recording, name, wanted) {
  const position = recording.layers.findIndex((layer) => layer.name === name);
  const index = recording.array(`layer.${position}.index`);
  if (!index) return 0;
  const active = Math.min(index.length, recording.layers[position].active ?? 0);
  return index.includes(wanted) ? wanted : (index[active >> 1] ?? 0);
}

// The head and patch that attend most, as a first question worth asking; -1 leaves either open.
/**
 * @param {Recording} recording
 * @param {import("./types.js").Block | null | undefined} block
 * @param {number} step
 * @param {number} head
 * @param {number} token
 */
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

// Whether one probe stands before another in the page, where each may be in a shadow of its own.
/** @param {Store} one @param {Store} other */
function stands(one, other) {
  const [a, b] = [one, other].map(({ root }) => /** @type {ShadowRoot} */ (root.getRootNode()).host ?? root);
  return Boolean(a.compareDocumentPosition(b) & Node.DOCUMENT_POSITION_FOLLOWING);
}

const partsOf = (/** @type {State} */ state) => /** @type {(keyof State)[]} */ (Object.keys(state));

// Holds the state; tells panels at once and the host when things are quiet (not while playing).
export class Store {
  /**
   * @param {Recording} recording
   * @param {Partial<State>} wanted
   * @param {(state: Record<string, any>) => void} tell
   * @param {HTMLElement} root where the probe is in the page
   */
  constructor(recording, wanted, tell, root) {
    this.recording = recording;
    this.root = root;
    this.state = settle(recording, wanted);
    this.wanted = this.state;
    this.asked = QUESTION.some((name) => Number(wanted[name]) >= 0);
    this.held = this.following = false;
    /** @type {((changed: string[]) => void)[]} */
    this.listeners = [];
    this.reporter = new Reporter(tell, { revision: recording.revision }); // the page has yet to hear what is chosen here
    this.hear = (/** @type {any} */ { detail }) => this.follow(detail);
    addEventListener(MOVE, this.hear);
    this.call({ asks: true }); // one that comes later starts where the others are, or leads them
  }

  /** @param {Partial<State>} changes */
  set(changes) {
    if (!this.move(changes, false)) return;
    this.lead();
  }

  /**
   * @param {Partial<State>} changes
   * @param {boolean} following whether another probe went there first
   */
  move(changes, following) {
    const asks = QUESTION.some((name) => name in changes && changes[name] !== this.state[name]);
    const next = settle(this.recording, { ...this.state, ...(asks && { key: "" }), ...changes });
    const changed = partsOf(next).filter((name) => next[name] !== this.state[name]);
    if (!changed.length) return false;
    this.state = this.wanted = next;
    this.asked = true;
    this.following = following;
    for (const listener of this.listeners) listener(changed);
    this.schedule();
    return true;
  }

  // Other probes of the same group, if it is in one, go to the same place, as far as they have it.
  lead() {
    this.call({ held: this.held, state: this.state });
  }

  /** @param {{ asks?: boolean, held?: boolean, state?: State }} what */
  call(what) {
    const { group } = this.recording;
    if (group) dispatchEvent(new CustomEvent(MOVE, { detail: { from: this, group, ...what } }));
  }

  /** @param {{ from: Store, group: string, asks?: boolean, held: boolean, state: State }} call */
  follow({ from, group, asks, held, state }) {
    if (from === this || group !== this.recording.group) return;
    if (asks) return this.asked || !stands(from, this) ? this.lead() : from.lead();
    if (held !== this.held) this.pause(held);
    this.move({ ...state, sample: this.state.sample }, true);
  }

  // New data, perhaps with a new place that the page asks for. What does not exist gives way to what is
  // chosen for it, and comes back with the data that have it; a host that starts there with the same
  // wish is led to the same place, so that there is nothing to tell.
  /** @param {Recording} recording */
  replace(recording) {
    const wanted = this.reporter.hear(recording) ?? {};
    this.recording = recording;
    this.following = Boolean(recording.group);
    this.wanted = { ...this.wanted, ...wanted, sample: recording.sample };
    this.state = settle(recording, this.wanted);
    const there = partsOf(this.state).every((name) => this.state[name] === this.wanted[name]);
    if (there && Object.keys(wanted).length) this.lead();
  }

  /** @param {boolean} held */
  hold(held) {
    this.pause(held);
    this.lead();
  }

  /** @param {boolean} held */
  pause(held) {
    this.held = held;
    if (held) this.reporter.hold();
    else this.schedule();
  }

  // The host hears of those that follow first, so that it need not send them after the one that leads.
  schedule() {
    if (this.held) return;
    const wait = this.following ? QUIET - SOONER : QUIET;
    this.reporter.report(() => ({ ...this.state, ...(this.following && { following: true }) }), wait);
  }

  stop() {
    this.reporter.hold();
    removeEventListener(MOVE, this.hear);
  }
}
