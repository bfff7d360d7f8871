import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { scrolled } from "../../dista/widgets/js/input.js";

describe("the strip of steps", () => {
  it("stays where the step that is open is seen", () => {
    assert.equal(scrolled(0, 200, 60, 50), 0);
    assert.equal(scrolled(100, 200, 250, 50), 100);
  });

  it("moves so that the step is in its middle, and not before its begin", () => {
    assert.equal(scrolled(0, 200, 400, 50), 325);
    assert.equal(scrolled(300, 200, 10, 50), 0);
  });
});
