import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { LOOK, places } from "../../dista/widgets/js/term_places.js";

const HINTS = { µJ: "a millionth of a joule", u: "the threshold of the denoiser", membrane: "what a neuron holds" };
const WORDS = /(?<![\w\u00aa-\u024f])(?:µJ|u|[mM]embrane)(?![\w\u00aa-\u024f])/g;
const marked = (text) => places(text, WORDS, HINTS).map(({ begin, end }) => text.slice(begin, end));

describe("terms in a text", () => {
  it("marks a unit as a whole, and no letter of it", () => {
    assert.deepEqual(marked("An answer takes 27 µJ, with u = 1."), ["µJ", "u"]);
    assert.deepEqual(marked("3 µu, µs"), []);
  });

  it("knows a word by its small or capital letter", () => {
    const [first] = places("Membrane", WORDS, HINTS);
    assert.deepEqual(first, { begin: 0, end: 8, hint: HINTS.membrane });
  });

  it("draws the line below the whole word, letters that reach below it included", () => {
    assert.match(LOOK, /text-decoration-skip-ink: none/);
  });
});
