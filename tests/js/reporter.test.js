import assert from "node:assert/strict";
import { beforeEach, describe, it, mock } from "node:test";
import { Reporter } from "../../dista/widgets/js/reporter.js";

function reporter(word) {
  const told = [];
  return { told, made: new Reporter((state) => told.push(state), word) };
}

beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout"] });
});

describe("a report", () => {
  it("is made once, of what is there when all has been quiet for a while", () => {
    const { told, made } = reporter({ state: { u: null }, revision: 7 });
    let u = 1;
    const read = () => ({ u });
    made.report(read, 300);
    mock.timers.tick(200);
    u = 2;
    made.report(read, 300);
    mock.timers.tick(299);
    assert.deepEqual(told, []);
    u = 3;
    mock.timers.tick(1);
    assert.deepEqual(told, [{ u: 3, revision: 7 }]);
  });

  it("is not made of what the page wanted or has been told", () => {
    const { told, made } = reporter({ state: { u: 2 }, revision: 0 });
    for (const u of [2, 5, 5, 2]) {
      made.report(() => ({ u }));
      mock.timers.tick(0);
    }
    assert.deepEqual(
      told.map(({ u }) => u),
      [5, 2],
    );
  });

  it("waits while the reader is in the middle of something", () => {
    const { told, made } = reporter({ state: {}, revision: 0 });
    made.report(() => ({ strokes: 1 }), 400);
    made.hold();
    mock.timers.tick(10_000);
    assert.deepEqual(told, []);
  });

  it("has no number where the page gives none", () => {
    const { told, made } = reporter({});
    made.report(() => ({ step: 1 }));
    mock.timers.tick(0);
    assert.deepEqual(told, [{ step: 1 }]);
    assert.equal(made.hear({ state: { step: 2 } }), null);
  });
});

describe("what the page wants", () => {
  it("counts when its number is new, and only once", () => {
    const { made } = reporter({ state: { u: 1 }, revision: 0 });
    assert.equal(made.hear({ state: { u: 1 }, revision: 0 }), null, "new data alone");
    assert.deepEqual(made.hear({ state: { u: 4 }, revision: 1 }), { u: 4 });
    assert.equal(made.hear({ state: { u: 4 }, revision: 1 }), null);
    assert.deepEqual(made.hear({ state: { u: 4 }, revision: 2 }), { u: 4 }, "asked for again");
  });

  it("counts more than what was still to be reported", () => {
    const { told, made } = reporter({ state: { u: 1 }, revision: 0 });
    made.report(() => ({ u: 2 }), 300);
    made.hear({ state: { u: 4 }, revision: 1 });
    mock.timers.tick(1000);
    assert.deepEqual(told, []);
  });

  it("is old when it crosses with a report, which names the number that it knew", () => {
    const { told, made } = reporter({ state: { u: 1 }, revision: 0 });
    made.report(() => ({ u: 2 }));
    mock.timers.tick(0);
    assert.equal(made.hear({ state: { u: 1 }, revision: 0 }), null, "the page lags: it knew nothing of the report");
    made.hear({ state: { u: 1 }, revision: 1 });
    made.report(() => ({ u: 2 }));
    mock.timers.tick(0);
    assert.deepEqual(told, [
      { u: 2, revision: 0 },
      { u: 2, revision: 1 },
    ]);
  });
});
