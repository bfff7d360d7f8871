// A prediction: the reader decides, then the run's result is drawn beside it, with a score and words.

import { el } from "./dom.js";
import { choice } from "./predict_choice.js";
import { order } from "./predict_order.js";
import { pick } from "./predict_pick.js";
import { sizes } from "./predict_sizes.js";
import { steps } from "./predict_steps.js";

/** @typedef {import("./lesson.js").Model} Model */
/**
 * A kind of prediction: draws the reader's values and, once it is not null, the truth; then nothing can be moved.
 * @typedef {{ node: HTMLElement, legend?: HTMLElement, ready?: (values: any) => boolean, draw(values: any, truth: any): void }} Kind
 */

const KINDS = { steps, bars: sizes, curve: sizes, order, pick, choice };

/**
 * @param {HTMLElement} root
 * @param {Model} model
 */
export function predict(root, model) {
  const spec = model.get("spec");
  const tell = (/** @type {any} */ values) => {
    if (model.get("committed")) return;
    model.set("values", values);
    model.save_changes();
    draw();
  };
  const kind = /** @type {Kind} */ (KINDS[/** @type {keyof typeof KINDS} */ (spec.kind)](spec, tell));
  const commit = (/** @type {boolean} */ whether) => {
    model.set("committed", whether);
    model.save_changes();
    draw();
  };
  const decide = el("button", { type: "button", class: "decide", onclick: () => commit(true) }, "I predict this");
  const again = el(
    "button",
    {
      type: "button",
      onclick: () => {
        commit(false);
        decide.focus();
      },
    },
    "Again",
  );
  const said = el("div", { class: "said", role: "status" });
  const side = el("div", { class: "side" }, said, el("div", { class: "buttons" }, decide, again));
  root.append(
    el(
      "section",
      { class: "panel prediction", "data-kind": spec.kind, "aria-label": spec.question },
      el("h3", {}, spec.question),
      el("div", { class: "columns" }, el("div", { class: "ask" }, kind.node), side),
    ),
  );

  function draw() {
    const committed = model.get("committed");
    const result = model.get("result");
    const truth = committed && "truth" in result ? result.truth : null;
    const values = model.get("values");
    kind.draw(values, truth);
    decide.hidden = committed;
    again.hidden = !committed;
    decide.disabled = kind.ready ? !kind.ready(values) : false;
    said.replaceChildren(...boxes(committed, result));
  }
  for (const name of ["values", "committed", "result"]) model.on(`change:${name}`, draw);
  return { draw };
}

/**
 * @param {boolean} committed
 * @param {any} result
 */
function boxes(committed, result) {
  if (!committed) return [];
  if (result.problem) return [el("p", { class: "wrong" }, result.problem)];
  if (!("score" in result)) return [el("p", { class: "open" }, "Asking the run …")];
  const score = el(
    "p",
    { class: result.right ? "right" : "wrong" },
    el("b", {}, `${result.points}. `),
    written(result.words),
  );
  return result.misconception ? [score, el("p", { class: "open" }, written(result.misconception))] : [score];
}

/** A sentence with its *stressed* words and its `code`, as checks of exercises show them. @param {string} text */
function written(text) {
  const parts = text.split(/(\*\S[^*]*\*|`[^`]+`)/);
  return parts.map((part, i) => (i % 2 ? el(part.startsWith("*") ? "em" : "code", {}, part.slice(1, -1)) : part));
}
