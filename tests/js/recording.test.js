import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { decode, strongest, sum, totals, unpack } from "../../dista/widgets/js/recording.js";
import * as small from "./fixtures.js";

const { HEADS, STEPS, TOKENS } = small;
const recording = decode(small.bytes());
const block = recording.blockAt(1);
const denoised = (values) => values.map((value) => small.TABLE[value]);

describe("what Payload.to_bytes wrote", () => {
  it("is read wherever it starts in memory", () => {
    const bytes = small.bytes();
    const shifted = new Uint8Array(bytes.length + 3);
    shifted.set(bytes, 3);
    const { header, arrays } = unpack(shifted.subarray(3));
    assert.equal(header.steps, STEPS);
    for (const [name, { values, shape }] of Object.entries(small.ARRAYS)) {
      assert.deepEqual(arrays[name], { values, shape });
      assert.equal(arrays[name].values.constructor, values.constructor, `${name} keeps its type`);
    }
  });

  it("is left as it is", () => {
    const bytes = small.bytes();
    const before = bytes.slice();
    decode(bytes).array("attention.1.raw").fill(0);
    assert.deepEqual(bytes, before);
  });

  it("says nothing of what it does not hold", () => {
    assert.equal(recording.array("logits"), null);
    assert.equal(recording.spikesOf("blocks.1.attention.neuron"), null);
    assert.equal(recording.blockAt(0), null);
    assert.throws(() => recording.firing("stem.position.neuron", 0), /stem\.position\.neuron are not in this/);
  });
});

describe("a map", () => {
  it("is that of the pair of steps, the head and the query, before the denoiser and after", () => {
    for (const [query, key] of small.PAIRS) {
      for (let head = 0; head < HEADS; head++) {
        for (let token = 0; token < TOKENS; token++) {
          const expected = small.row(query, key, head, token);
          assert.deepEqual([...recording.keyMap(block, "raw", query, key, head, token)], expected);
          assert.deepEqual([...recording.keyMap(block, "kept", query, key, head, token)], denoised(expected));
        }
      }
    }
  });

  it("of a step that is out of reach is none", () => {
    assert.equal(recording.keyMap(block, "raw", 0, 1, 0, 0), null);
    assert.deepEqual([recording.reaches(block, 2, 0), recording.reaches(block, 0, 2)], [true, false]);
    assert.equal(recording.reach(block, 2), 3);
  });

  it("that travels whole is not looked up", () => {
    const whole = { values: small.ARRAYS["attention.1.raw"].values.map((a) => 2 * a), shape: [6, 2, 6, 6] };
    const header = { ...small.HEADER, attention: [{ ...small.HEADER.attention[0], kept: "array" }] };
    const other = decode(small.pack(header, { ...small.ARRAYS, "attention.1.kept": whole }));
    const map = other.keyMap(other.blockAt(1), "kept", 2, 1, 1, 3);
    assert.deepEqual(
      [...map],
      small.row(2, 1, 1, 3).map((a) => 2 * a),
    );
    assert.equal(
      other.attends(other.blockAt(1), 2, 1, 3),
      2 * [0, 1, 2].reduce((all, key) => all + sum(small.row(2, key, 1, 3)), 0),
    );
  });

  it("is summed over all keys in reach, of what the network goes on with", () => {
    const expected = [0, 1].reduce((all, key) => all + sum(denoised(small.row(1, key, 1, 4))), 0);
    assert.ok(expected > 0);
    assert.equal(recording.attends(block, 1, 1, 4), expected);
  });
});

describe("spikes", () => {
  const name = "blocks.1.attention.value.neuron";

  it("are unpacked bit by bit", () => {
    const { values, channels } = recording.spikesOf(name);
    assert.equal(channels, 4);
    values.forEach((value, i) => {
      assert.equal(value, small.spike(Math.floor(i / 24), Math.floor(i / 6) % 4, i % 6));
    });
    assert.equal(recording.spikesOf(name).values, values, "once");
  });

  it("are counted per patch, over all channels or some", () => {
    const expected = (first, end) =>
      Array.from({ length: TOKENS }, (_, token) =>
        [0, 1, 2, 3].slice(first, end).reduce((all, channel) => all + small.spike(2, channel, token), 0),
      );
    assert.deepEqual([...recording.firing(name, 2)], expected(0, 4));
    assert.deepEqual([...recording.firing(name, 2, 1, 3)], expected(1, 3));
  });

  it("of a patch are those of the head's channels", () => {
    assert.deepEqual(recording.train(name, 1, block, 1, 5), [small.spike(1, 2, 5), small.spike(1, 3, 5)]);
  });

  it("are a share of the layer, where they were recorded", () => {
    assert.deepEqual(
      [0, 1, 2].map((step) => recording.rate(name, step)),
      [0.25, 0.5, 0],
    );
    assert.equal(recording.rate("blocks.1.attention.neuron", 0), null);
  });
});

describe("sums over maps", () => {
  const maps = [
    [0, [1, 0, 2]],
    [2, [4, 5, 0]],
  ];

  it("say where attention goes", () => {
    assert.deepEqual(totals(maps, 2, 1), {
      same_patch: 0,
      same_step: 9,
      elsewhere: 3,
      self: 5,
      others: 4,
      total: 12,
    });
    assert.equal(totals(maps, 2, 0).same_patch, 1);
  });

  it("find the strongest entry, and none in nothing", () => {
    assert.deepEqual(strongest(maps), { value: 5, step: 2, token: 1 });
    assert.equal(strongest([[0, [0, 0]]]).value, 0);
    assert.equal(sum(null), 0);
  });
});
