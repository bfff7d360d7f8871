import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { chart, numbered } from "../../dista/widgets/js/chart.js";
import { decode } from "../../dista/widgets/js/recording.js";
import { layout as film, largest, locate, question, visible } from "../../dista/widgets/js/film.js";
import { layout as histogram, split } from "../../dista/widgets/js/histogram.js";
import { lagShares } from "../../dista/widgets/js/lags.js";
import { tiles } from "../../dista/widgets/js/maps.js";
import { settle } from "../../dista/widgets/js/state.js";
import { css, pixel, scale, shade } from "../../dista/widgets/js/theme.js";
import { readValues } from "../../dista/widgets/js/values.js";
import * as small from "./fixtures.js";

const recording = decode(small.bytes());
const near = (value, expected) => assert.ok(Math.abs(value - expected) < 1e-6, `${value} is not ${expected}`);

// Whether boxes lie inside a width and no two of them share a point.
function apart(boxes, width) {
  for (const [i, a] of boxes.entries()) {
    assert.ok(a.x >= 0 && a.x + a.width <= width, `${a.x} to ${a.x + a.width} in ${width}`);
    for (const b of boxes.slice(i + 1)) {
      const beside = a.x + a.width <= b.x || b.x + b.width <= a.x;
      assert.ok(beside || a.y + a.height <= b.y || b.y + b.height <= a.y, "maps lie on each other");
    }
  }
}

describe("the range of colours", () => {
  const [block] = recording.attention;
  const faint = { raw: Float32Array.of(0, 1, 0), kept: null };

  it("is that of the head at first: a lone count of 1 is not as dark as the head's largest", () => {
    for (const head of [0, 1]) {
      const state = settle(recording, { head });
      assert.equal(largest(recording, block, state, faint), small.ARRAYS["attention.1.head_max"].values[head]);
    }
  });

  it("is that of each map where a link says so", () => {
    assert.equal(largest(recording, block, settle(recording, { head: 1, range: "map" }), faint), 1);
  });
});

describe("a chart over time", () => {
  const plot = chart(330, 200, 10, { left: 20, right: 10, top: 15, bottom: 25, low: -1, high: 3 });

  it("has a band a step, whose middle a click finds again", () => {
    assert.equal(plot.band, 30);
    for (let step = 0; step < 10; step++) assert.equal(plot.step(plot.x(step)), step);
    assert.deepEqual([plot.step(-50), plot.step(1000)], [0, 9]);
  });

  it("runs from its lowest value to its highest", () => {
    assert.deepEqual([plot.y(3), plot.y(-1), plot.y(1)], [15, 175, 95]);
    assert.ok(Number.isFinite(chart(300, 100, 4, { low: 2, high: 2 }).y(2)), "a flat line has a place");
  });

  it("numbers as many steps as fit, the current one always", () => {
    assert.deepEqual(numbered(plot, 4), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert.deepEqual(
      numbered({ steps: 10, band: 10 }, 4),
      [0, 4, 9].map((i) => i),
    );
    assert.deepEqual(numbered({ steps: 10, band: 10 }, 3), [0, 3, 6, 9]);
  });
});

describe("the film", () => {
  for (const [width, steps, cross] of [
    [1100, 8, true],
    [360, 8, true],
    [700, 16, false],
    [330, 1, true],
  ]) {
    it(`of ${steps} steps fits ${width} pixels`, () => {
      const plan = film(width, { steps, grid: [7, 11] }, ["raw", "kept", "removed"], cross ? 150 : 100);
      const boxes = Array.from({ length: steps * 3 }, (_, i) => plan.at(Math.floor(i / 3), i % 3));
      apart(boxes, width);
      assert.ok(boxes.every(({ y, height }) => y + height <= plan.lines * plan.line));
      assert.ok(boxes.every(({ width: wide, height }) => wide > 20 && Math.abs(height - (wide * 7) / 11) <= 0.5));
    });
  }

  it("finds the step and the patch under the pointer", () => {
    const places = [
      { step: 2, x: 10, y: 0, width: 60, height: 24 },
      { step: 2, map: "kept", rows: 2, columns: 3, x: 10, y: 30, width: 60, height: 40 },
    ];
    assert.deepEqual(locate(places, 12, 5), { step: 2 });
    assert.deepEqual(locate(places, 69.9, 30), { step: 2, map: "kept", row: 0, column: 2 });
    assert.deepEqual(locate(places, 30, 69.9), { step: 2, map: "kept", row: 1, column: 1 });
    assert.equal(locate(places, 5, 5), undefined);
  });

  it("shows what was counted, kept and removed at each step up to now", () => {
    const state = { step: 1, block: 1, head: 1, row: 1, column: 0 };
    const asked = question(recording, state);
    assert.deepEqual([asked.token, asked.columns.length, asked.rows], [3, 2, ["raw", "kept", "removed"]]);
    asked.columns.forEach(({ raw, kept, removed }, key) => {
      assert.deepEqual([...raw], small.row(1, key, 1, 3));
      raw.forEach((count, i) => assert.equal(kept[i] + removed[i], count));
    });
    assert.deepEqual(
      visible(asked, state, "raw").map(([key]) => key),
      [0, 1],
    );
    assert.equal(question(recording, { ...state, block: 0 }), null);
  });

  it("shows each step its own map where maps compare patches of one step", () => {
    const within = { ...small.HEADER.attention[0], cross: false };
    const state = { step: 2, block: 1, head: 0, row: 0, column: 1 };
    const asked = question(decode(small.bytes({ attention: [within] })), state);
    asked.columns.forEach(({ raw }, step) => assert.deepEqual([...raw], small.row(step, step, 0, 1)));
    assert.deepEqual(
      visible(asked, state, "kept").map(([key]) => key),
      [2],
    );
  });
});

describe("maps side by side", () => {
  for (const [count, width, least] of [
    [3, 900, 74],
    [24, 500, 44],
    [24, 250, 44],
    [7, 180, 74],
    [1, 300, 74],
  ]) {
    it(`stand apart: ${count} in ${width} pixels`, () => {
      const plan = tiles(count, width, [7, 11], 150, least);
      const boxes = Array.from({ length: count }, (_, i) => plan.at(i));
      apart(boxes, width);
      assert.ok(plan.width <= width && boxes.every(({ y, height }) => y + height <= plan.height));
      assert.ok(boxes[0].width <= 150);
    });
  }
});

describe("the histograms", () => {
  const blocks = [
    { before: [50, 8, 4, 2], after: [56, 4, 2, 2] },
    { before: [10, 1000, 0, 1, 1], after: [10, 1000, 0, 1, 1] },
  ];
  const plan = histogram(400, { blocks, most: 16 }, 3);

  it("have a place for each count, which the pointer finds again", () => {
    for (let a = 1; a <= plan.right; a++) near(plan.count(plan.x(a)), a);
    assert.ok(plan.x(1) > 42 && plan.x(plan.right) < 400 - 12);
    assert.equal(plan.right, 5, "one more than was counted, to drag the line beyond");
    assert.equal(histogram(400, { blocks, most: 16 }, 12).right, 12);
    assert.equal(histogram(400, { blocks, most: 4 }, 3).right, 4, "but none that cannot be");
  });

  it("rise with the logarithm, up to the panel's height", () => {
    assert.equal(plan.rise(0), 0);
    assert.ok(plan.rise(1) > 0 && plan.rise(1000) <= plan.tall);
    near(plan.rise(100) - plan.rise(10), plan.rise(10) - plan.rise(1));
    assert.ok(plan.top(1) - plan.top(0) > plan.tall && plan.height > plan.top(1) + plan.tall);
  });

  it("count what a threshold removes, or what the denoiser did", () => {
    assert.deepEqual(split(blocks[0], 2).removed, [50, 8, 4, 0]);
    const { gone, mass, entries, nonzero } = split(blocks[0], 2);
    assert.deepEqual([gone, mass, entries, nonzero], [8 + 8, 8 + 8 + 6, 12, 14]);
    assert.deepEqual(split(blocks[0], null).removed, [-6, 4, 2, 0]);
    assert.equal(split(blocks[0], null).gone, 4 + 4);
    assert.equal(split(blocks[1], null).gone, 0);
  });
});

describe("what a step adds to Q, K and V", () => {
  it("is a share of what all in reach add, the oldest first", () => {
    const shape = [3, 3, small.STEPS, small.HEADS, small.TOKENS];
    const values = Float32Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => i);
    const at = (part, lag, step, head, token) =>
      (((part * 3 + lag) * small.STEPS + step) * small.HEADS + head) * small.TOKENS + token;
    const lagged = decode(small.pack(small.HEADER, { ...small.ARRAYS, "attention.1.lags": { values, shape } }));
    const shares = lagShares(lagged, { step: 1, head: 1 }, lagged.blockAt(1), 4);
    assert.deepEqual(
      shares.map((share) => share.length),
      [2, 2, 2],
    );
    const [old, now] = [at(2, 1, 1, 1, 4), at(2, 0, 1, 1, 4)];
    near(shares[2][0], old / (old + now));
    near(shares[2][1], now / (old + now));
  });
});

describe("what is read from the values", () => {
  it("is scale / n times the kept map times the spikes of V, over the steps in reach", () => {
    const [step, head] = [2, 1];
    const currents = readValues(recording, recording.blockAt(1), step, head);
    for (let query = 0; query < small.TOKENS; query++) {
      for (let c = 0; c < 2; c++) {
        let expected = 0;
        for (let from = 0; from <= step; from++) {
          small.row(step, from, head, query).forEach((count, key) => {
            expected += small.TABLE[count] * small.spike(from, 2 * head + c, key);
          });
        }
        near(currents[c * small.TOKENS + query], (0.5 / 3) * expected);
      }
    }
  });
});

describe("colours", () => {
  const theme = { paper: [200, 200, 200], ink: [0, 20, 40], off: [0, 0, 100], on: [100, 0, 0] };
  const colours = scale(["#000000", "#646464", "#c8c8ff"]);

  it("run evenly through the stops of a scale", () => {
    assert.equal(colours.length, 65);
    assert.deepEqual(
      [colours[0], colours[16], colours[32], colours[64]],
      [
        [0, 0, 0],
        [50, 50, 50],
        [100, 100, 100],
        [200, 200, 255],
      ].map(css),
    );
  });

  it("end at the largest value, and are those of nothing where there is nothing", () => {
    assert.deepEqual(
      [shade(colours, 0, 8), shade(colours, 4, 8), shade(colours, 9, 8)],
      [colours[0], colours[32], colours[64]],
    );
    assert.equal(shade(colours, 0, 0), colours[0]);
  });

  it("of a pixel are ink on paper, its own, or two hues for events", () => {
    assert.deepEqual(pixel(theme, "gray", [0, 255], 1, 2, 1), theme.ink);
    assert.deepEqual(pixel(theme, "rgb", [1, 2, 3, 4, 5, 6], 1, 2, 1), [2, 4, 6]);
    assert.deepEqual(pixel(theme, "events", [0, 0], 0, 1, 3), theme.paper);
    assert.deepEqual(pixel(theme, "events", [0, 3], 0, 1, 3), theme.on);
    assert.deepEqual(pixel(theme, "events", [3, 0], 0, 1, 3), theme.off);
    assert.deepEqual(pixel(theme, "events", [3, 3], 0, 1, 3), [50, 0, 50]);
  });
});
