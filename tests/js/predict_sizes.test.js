import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { whole } from "../../dista/widgets/js/predict_sizes.js";

const sum = (sizes) => sizes.reduce((a, b) => a + b, 0);

describe("shares of one whole", () => {
  it("keep their sum, and the one that was moved its place", () => {
    const shares = whole([0.5, 0.3, 0.4], 2, 1);
    assert.equal(shares[2], 0.4);
    assert.ok(Math.abs(sum(shares) - 1) < 1e-12);
    assert.ok(Math.abs(shares[0] / shares[1] - 5 / 3) < 1e-12);
  });
  it("are given to all others alike where these have nothing", () => {
    assert.deepEqual(whole([0.4, 0, 0], 0, 1), [0.4, 0.3, 0.3]);
  });
  it("are at most the whole", () => {
    assert.deepEqual(whole([3, 1, 1], 0, 1), [1, 0, 0]);
    assert.deepEqual(whole([0.2], 0, 1), [1]);
  });
});
