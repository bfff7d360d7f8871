import assert from "node:assert/strict";
import { beforeEach, describe, it, mock } from "node:test";
import { decode } from "../../dista/widgets/js/recording.js";
import { placeOf, settle, Store } from "../../dista/widgets/js/state.js";
import * as small from "./fixtures.js";

const { COLUMNS, HEADS, TOKENS } = small;
const recording = decode(small.bytes());
const PLACE = { step: 1, block: 1, head: 1, row: 1, column: 2 };

// What the page knows of a browser's window, as far as a store does: events that all hear.
function window() {
  const target = new EventTarget();
  globalThis.addEventListener = target.addEventListener.bind(target);
  globalThis.removeEventListener = target.removeEventListener.bind(target);
  globalThis.dispatchEvent = target.dispatchEvent.bind(target);
  globalThis.CustomEvent ??= class extends Event {
    constructor(name, { detail }) {
      super(name);
      this.detail = detail;
    }
  };
  globalThis.Node = { DOCUMENT_POSITION_FOLLOWING: 4 };
}

// An element that stands at a place in the page.
const root = (at) => ({
  at,
  getRootNode: () => ({}),
  compareDocumentPosition: (other) => (other.at > at ? 4 : 2),
});

function store({ wanted = PLACE, at = 0, ...header } = {}) {
  const told = [];
  const made = new Store(decode(small.bytes(header)), wanted, (state) => told.push(state), root(at));
  return { made, told };
}

describe("a state", () => {
  it("holds what the list in the header says, and nothing else", () => {
    assert.deepEqual(Object.keys(settle(recording)), Object.keys(small.HEADER.fields));
  });

  it("keeps what is asked for where it exists", () => {
    const wanted = {
      ...PLACE,
      layer: "blocks.1.attention.value.neuron",
      neuron: 17,
      range: "global",
      stage: "logits",
      key: "0.1.2",
    };
    assert.deepEqual(settle(recording, wanted), { sample: 4, ...wanted });
  });

  it("chooses the last step, the block, and the patch and head that attend most", () => {
    const state = settle(recording);
    const all = Array.from({ length: HEADS * TOKENS }, (_, i) =>
      recording.attends(recording.blockAt(1), 2, Math.floor(i / TOKENS), i % TOKENS),
    );
    const best = all.indexOf(Math.max(...all));
    assert.deepEqual([state.step, state.block, state.head], [2, 1, Math.floor(best / TOKENS)]);
    assert.equal(state.row * COLUMNS + state.column, best % TOKENS);
  });

  it("chooses the read-out layer of the block and a neuron of middling activity", () => {
    const { layer, neuron } = settle(recording, PLACE);
    assert.deepEqual([layer, neuron], ["blocks.1.attention.neuron", 4]);
    assert.equal(
      settle(recording, { ...PLACE, layer: "blocks.1.attention.value.neuron", neuron: 3 }).neuron,
      2,
      "3 is hidden",
    );
  });

  const wrong = {
    step: 3,
    head: HEADS,
    row: -1,
    column: 7,
    block: 0,
    layer: "head",
    range: "wide",
    stage: "toString",
    key: "0.2.0",
  };
  for (const [name, value] of Object.entries(wrong)) {
    it(`has another ${name} than ${JSON.stringify(value)}, which does not exist`, () => {
      const settled = settle(recording, { ...PLACE, [name]: value });
      assert.notEqual(settled[name], value);
      assert.deepEqual(settle(recording, settled), settled);
    });
  }

  it("names a key as step.row.column", () => {
    assert.deepEqual(placeOf(recording, "2.1.0"), { step: 2, row: 1, column: 0 });
    for (const text of ["", "3.0.0", "0.2.0", "0.0.3", "1.1", "1.1.1.1", "-1.0.0", undefined]) {
      assert.equal(placeOf(recording, text), null);
    }
  });
});

describe("a store", () => {
  beforeEach(() => {
    mock.timers.reset();
    mock.timers.enable({ apis: ["setTimeout"] });
    window();
  });

  it("tells its panels at once, and the page once it is quiet", () => {
    const { made, told } = store({ revision: 3 });
    const changes = [];
    made.listeners.push((changed) => changes.push(changed));
    made.set({ row: 0 });
    made.set({ column: 0 });
    assert.deepEqual(changes, [["row"], ["column"]]);
    mock.timers.tick(249);
    assert.deepEqual(told, []);
    mock.timers.tick(1);
    assert.deepEqual(told, [{ ...made.state, revision: 3 }]);
    assert.deepEqual([made.state.row, made.state.column], [0, 0]);
  });

  it("says nothing of a change that is none", () => {
    const { made, told } = store();
    made.set({ row: PLACE.row, step: PLACE.step });
    mock.timers.tick(1000);
    assert.deepEqual(told, []);
  });

  it("is silent while it plays, and speaks at the end", () => {
    const { made, told } = store();
    made.hold(true);
    made.set({ step: 0 });
    mock.timers.tick(1000);
    assert.deepEqual(told, []);
    made.hold(false);
    mock.timers.tick(250);
    assert.equal(told.length, 1);
  });

  it("lets the strongest key be compared again when another question is asked", () => {
    const { made } = store({ wanted: { ...PLACE, key: "0.1.1" } });
    made.set({ range: "global" });
    assert.equal(made.state.key, "0.1.1");
    made.set({ head: 0 });
    assert.equal(made.state.key, "");
  });

  it("keeps the reader's place in new data, unless the page asks for another", () => {
    const { made, told } = store({ revision: 0 });
    made.set({ row: 0 });
    made.replace(decode(small.bytes({ sample: 5, revision: 0, state: { row: 1 } })));
    assert.deepEqual([made.state.row, made.state.sample], [0, 5]);
    made.replace(decode(small.bytes({ sample: 5, revision: 1, state: { row: 1 } })));
    assert.equal(made.state.row, 1);
    mock.timers.tick(1000);
    assert.deepEqual(told, [], "what was to be reported is overtaken by what the page wants");
  });

  it("comes back to what other data did not have", () => {
    const { made } = store({ wanted: { ...PLACE, step: 2 } });
    made.replace(decode(small.bytes({ steps: 2 })));
    assert.equal(made.state.step, 1);
    made.replace(decode(small.bytes()));
    assert.equal(made.state.step, 2);
  });

  it("leads the others of its group, who say that they followed, and say it first", () => {
    const [first, second, other] = ["pair", "pair", "alone"].map((group, at) => store({ group, at }));
    mock.timers.tick(1000);
    for (const { told } of [first, second, other]) told.length = 0;
    second.made.set({ row: 0, column: 1 });
    assert.deepEqual([first.made.state.row, first.made.state.column], [0, 1]);
    assert.deepEqual([other.made.state.row, other.made.state.column], [PLACE.row, PLACE.column]);
    mock.timers.tick(200);
    assert.deepEqual([first.told.length, second.told.length], [1, 0]);
    mock.timers.tick(50);
    assert.equal(first.told[0].following, true);
    assert.ok(!("following" in second.told[0]));
    first.made.stop();
    second.made.set({ row: 1 });
    assert.equal(first.made.state.row, 0, "one that was removed follows nobody");
  });

  it("takes the place of the first of its group when it comes later", () => {
    const { made: first } = store({ group: "pair", at: 0, wanted: {} });
    first.set({ row: 0, column: 0 });
    const { made: later } = store({ group: "pair", at: 1, wanted: {} });
    assert.deepEqual([later.state.row, later.state.column], [0, 0]);
  });
});
