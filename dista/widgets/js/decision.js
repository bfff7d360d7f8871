// Decision, step by step: logits as lines, the averaged steps, and where the answer settles.

import { el, svg, panel, number, plural } from "./dom.js";
import { chart, timeAxis, timeChart, path } from "./chart.js";

export function decisionPanel(store) {
  const { recording } = store;
  const { node, note, body } = panel("decision", "Decision, step by step");
  if (!recording.decision) {
    note.textContent = recording.missing.logits;
    return { node, draw() {} };
  }
  const { node: figure, show } = timeChart(store);
  const values = el("p", { class: "readout" });
  body.append(figure, values);

  function draw({ state }) {
    const logits = recording.array("logits");
    const classes = recording.arrays.logits.shape[1];
    const at = (step, name) => logits[step * classes + name];
    note.textContent = recording.decision.note;
    const named = namedClasses(recording, classes, at);
    const ends = Math.max(...named.map((name) => recording.className(name).length)) * 7 + 32;
    const plot = chart(
      body.clientWidth,
      Math.round(Math.min(280, Math.max(170, body.clientWidth * 0.55))),
      recording.steps,
      {
        left: 30,
        right: Math.min(110, ends),
        top: 30,
        low: Math.min(0, ...logits),
        high: Math.max(0, ...logits),
      },
    );
    const line = (name) =>
      path(
        Array.from({ length: recording.steps }, (_, step) => [plot.x(step), plot.y(at(step, name))]),
        { class: `line ${role(recording, name, classes)}` },
      );
    const order = Array.from({ length: classes }, (_, i) => i).sort(
      (a, b) => Number(named.includes(a)) - Number(named.includes(b)),
    );
    show(plot, `Logits of ${classes} classes over ${plural(recording.steps, "step")}. ${note.textContent}`, [
      timeAxis(plot, state.step),
      readout(recording, plot),
      settled(recording, plot),
      svg("line", { x1: plot.left, x2: plot.width - plot.right, y1: plot.y(0), y2: plot.y(0), class: "axis" }),
      svg("text", { x: plot.left - 6, y: plot.y(0) + 4, class: "tick end" }, "0"),
      order.map(line),
      labels(recording, plot, named, classes, (name) => at(recording.steps - 1, name)),
    ]);
    const top = Array.from({ length: classes }, (_, i) => i)
      .sort((a, b) => at(state.step, b) - at(state.step, a))
      .slice(0, 2);
    values.textContent = `${recording.decision.averaged} At step ${state.step + 1}: ${top.map((name) => `${recording.className(name)} ${number(at(state.step, name))}`).join(", ")}.`;
  }
  return { node, draw };
}

const role = (recording, name, classes) => {
  if (name === recording.decision.answer) return "answer";
  if (name === recording.label) return "label";
  return classes <= 3 ? "other strong" : "other";
};

// Classes worth a name: the answer, the label, and with few classes all of them, else the runner-up.
function namedClasses(recording, classes, at) {
  const order = Array.from({ length: classes }, (_, i) => i).sort(
    (a, b) => at(recording.steps - 1, b) - at(recording.steps - 1, a),
  );
  const wanted = [recording.decision.answer, recording.label, ...order.slice(0, classes <= 3 ? 3 : 2)];
  return [...new Set(wanted.filter((name) => name !== null))];
}

function labels(recording, plot, named, classes, last) {
  let floor = -Infinity;
  return named
    .map((name) => ({ name, y: plot.y(last(name)) }))
    .sort((a, b) => a.y - b.y)
    .map(({ name, y }) => {
      floor = Math.max(y, floor + 14);
      const words = recording.className(name) + (name === recording.label ? " ✓" : "");
      return svg(
        "text",
        { x: plot.width - plot.right + 6, y: floor + 4, class: `end ${role(recording, name, classes)}` },
        svg(
          "title",
          {},
          name === recording.label ? `${recording.className(name)}, the label` : recording.className(name),
        ),
        words,
      );
    });
}

function readout(recording, plot) {
  const { first } = recording.decision;
  const [x, end] = [plot.left + first * plot.band, plot.width - plot.right];
  return [
    svg("line", { x1: x + 2, x2: end - 2, y1: 19.5, y2: 19.5, class: "bracket" }),
    svg("text", { x: end, y: 12, class: "tick end" }, svg("title", {}, "averaged to the answer"), "averaged"),
  ];
}

function settled(recording, plot) {
  const { settled: step } = recording.decision;
  if (!step) return [];
  const x = plot.left + step * plot.band;
  return [
    svg("line", { x1: x, x2: x, y1: plot.top, y2: plot.height - plot.bottom, class: "mark" }),
    svg("text", { x: x + 4, y: plot.height - plot.bottom - 4, class: "tick halo" }, "settles"),
  ];
}
