// hearing.js
async function initialize({ model }) {
  const name = model.get("own");
  if (!name || !model.widget_manager) return;
  hear(model, await model.widget_manager.get_model(name));
}
function hear(model, own) {
  const anywidget = Object.getPrototypeOf(own);
  const plain = Object.getPrototypeOf(anywidget)._handle_comm_msg;
  if (!own.comm?.on_msg || !plain) return;
  own.comm.on_msg(plain.bind(own));
  model.send?.("again");
}

// dom.js
var SVG = "http://www.w3.org/2000/svg";
function fill(node, props, children) {
  const element = (
    /** @type {HTMLElement} */
    node
  );
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === void 0 || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "style") element.style.cssText = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== void 0));
  return node;
}
function el(tag, props = {}, ...children) {
  return fill(document.createElement(tag), props, children);
}
function svg(tag, props = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), props, children);
}
function number(value, digits = 2) {
  if (!Number.isFinite(value)) return "?";
  return Number.isInteger(value) ? String(value) : value.toFixed(digits).replace(/\.0+$|(\.\d*[1-9])0+$/, "$1");
}
function plural(count, word) {
  return `${count} ${word}${count === 1 ? "" : "s"}`;
}

// predict_choice.js
var groups = 0;
function choice(spec, tell) {
  groups += 1;
  const inputs = spec.options.map(
    (option) => el("input", { type: "radio", name: `dista-choice-${groups}`, value: option, onchange: () => tell(option) })
  );
  const labels = spec.options.map(
    (option, index) => el("label", { class: "option" }, inputs[index], el("span", {}, option))
  );
  const node = el("div", { role: "radiogroup", "aria-label": spec.question }, ...labels);
  return {
    node,
    ready: (value) => value !== null,
    /** @param {string | null} value @param {string | null} truth */
    draw(value, truth) {
      spec.options.forEach((option, index) => {
        inputs[index].checked = option === value;
        inputs[index].disabled = truth !== null;
        labels[index].classList.toggle("is-run", option === truth);
      });
    }
  };
}

// predict_order.js
function order(spec, tell) {
  let names = spec.names;
  let locked = false;
  let dragged = null;
  const move = (name, to) => {
    if (locked || to < 0 || to >= names.length) return;
    const others = names.filter((other) => other !== name);
    tell([...others.slice(0, to), name, ...others.slice(to)]);
    items.get(name)?.node.focus();
  };
  const by = (name, way) => move(name, names.indexOf(name) + way);
  const items = new Map(spec.names.map((name) => [name, item(name)]));
  function item(name) {
    const place = el("b", {});
    const button = (sign, word, way) => el(
      "button",
      { type: "button", tabindex: -1, "aria-label": `${name} ${word}`, onclick: () => by(name, way) },
      sign
    );
    const buttons = [button("↑", "up", -1), button("↓", "down", 1)];
    const node2 = el(
      "li",
      {
        tabindex: 0,
        draggable: "true",
        onkeydown: (event) => {
          const way = { ArrowUp: -1, ArrowDown: 1 }[event.key];
          if (!way || event.target !== node2) return;
          event.preventDefault();
          by(name, way);
        },
        ondragstart: () => {
          dragged = name;
        },
        ondragover: (event) => event.preventDefault(),
        ondrop: (event) => {
          event.preventDefault();
          if (dragged !== null && dragged !== name) move(dragged, names.indexOf(name));
          dragged = null;
        }
      },
      place,
      el("span", {}, name),
      el("span", { class: "movers" }, ...buttons)
    );
    return { node: node2, place, buttons };
  }
  const mine = el("ol", { class: "sorted", "aria-label": "Your order, the largest first; arrow keys move" });
  const run = el("ol", { class: "sorted run", "aria-label": "The order of the run" });
  const theirs = el("div", {}, el("p", { class: "caption" }, "the run"), run);
  const node = el(
    "div",
    { class: "orders" },
    el("div", {}, el("p", { class: "caption" }, "you: largest first"), mine),
    theirs
  );
  return {
    node,
    /** @param {string[]} values @param {[string, string][] | null} truth */
    draw(values, truth) {
      names = values ?? spec.names;
      locked = truth !== null;
      const nodes = names.map((name) => items.get(name)?.node).filter((one) => one !== void 0);
      const focused = (
        /** @type {HTMLElement | null} */
        mine.querySelector("li:focus")
      );
      if (nodes.some((one, i) => one !== mine.children[i])) mine.replaceChildren(...nodes);
      focused?.focus();
      names.forEach((name, index) => {
        const entry = items.get(name);
        if (!entry) return;
        entry.place.textContent = `${index + 1}`;
        entry.node.setAttribute("aria-label", `${index + 1}: ${name}`);
        entry.node.draggable = !locked;
        entry.node.classList.toggle("misplaced", truth !== null && truth[index][0] !== name);
        for (const button of entry.buttons) button.hidden = locked;
      });
      theirs.hidden = !truth;
      const rows = (truth ?? []).map(
        ([name, size], index) => el("li", {}, el("b", {}, `${index + 1}`), el("span", {}, name), el("small", {}, size))
      );
      run.replaceChildren(...rows);
    }
  };
}

// legend.js
function legend(mine, theirs) {
  const run = el("span", {}, el("i", { class: "swatch run" }), theirs);
  const node = el("p", { class: "legend" }, el("span", {}, el("i", { class: "swatch you" }), mine), run);
  return { node, show: (revealed) => Object.assign(run, { hidden: !revealed }) };
}

// predict_pick.js
var KEYS = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] };
function pick(spec, tell) {
  const [rows, columns] = spec.shape;
  let locked = false;
  const cells = Array.from(
    { length: rows },
    (_, row) => Array.from({ length: columns }, (_2, column) => cell(row, column))
  );
  function cell(row, column) {
    const marked = spec.marked?.[0] === row && spec.marked?.[1] === column;
    return el("button", {
      type: "button",
      class: marked ? "cell marked" : "cell",
      tabindex: row || column ? -1 : 0,
      "aria-label": `row ${row + 1}, column ${column + 1}${marked ? ", the one that asks" : ""}`,
      onclick: () => {
        if (!locked) tell([row, column]);
      },
      onkeydown: (event) => walk(event, row, column)
    });
  }
  function walk(event, row, column) {
    const way = KEYS[
      /** @type {keyof typeof KEYS} */
      event.key
    ];
    if (!way) return;
    event.preventDefault();
    const next = cells[row + way[0]]?.[column + way[1]];
    if (!next) return;
    cells[row][column].tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  }
  const side = `grid-template-columns: repeat(${columns}, minmax(0, 1fr))`;
  const grid = el("div", { class: "places", role: "group", "aria-label": spec.question, style: side }, ...cells.flat());
  const key = legend("you", "the run, darker is more");
  const node = el("div", {}, grid, key.node);
  return {
    node,
    ready: (values) => values !== null,
    /** @param {[number, number] | null} values @param {{ place: [number, number], sizes: number[][] } | null} truth */
    draw(values, truth) {
      locked = truth !== null;
      cells.flat().forEach((node2, index) => {
        const [row, column] = [Math.floor(index / columns), index % columns];
        node2.setAttribute("aria-pressed", String(values?.[0] === row && values?.[1] === column));
        node2.classList.toggle("is-run", truth?.place[0] === row && truth?.place[1] === column);
        const size = truth ? truth.sizes[row][column] : spec.image?.[row][column] ?? 0;
        node2.style.background = `color-mix(in srgb, var(--${truth ? "accent" : "ink"}) ${Math.round(100 * size)}%, var(--paper))`;
      });
      key.show(locked);
    }
  };
}

// predict_sizes.js
var [LEFT, RIGHT] = [62, 10];
var FOOT = 40;
var MOVES = { ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1, PageUp: 10, PageDown: -10 };
function sizes(spec, tell) {
  const isCurve = spec.kind === "curve";
  const TALL2 = spec.height ?? 230;
  const TOP2 = spec.y_title ? 30 : 14;
  const [low, high] = isCurve ? [spec.low, spec.high] : [0, spec.top];
  const labels = isCurve ? spec.x : spec.labels;
  const total = isCurve ? null : spec.total;
  const unit = (value) => spec.unit === "%" ? `${Math.round(100 * value)} %` : `${number(value)} ${spec.unit}`.trim();
  let values = spec.start;
  let locked = false;
  let width = 480;
  let held = false;
  const band = () => (width - LEFT - RIGHT) / labels.length;
  const across = (index) => LEFT + (index + 0.5) * band();
  const down = (value) => TOP2 + (TALL2 - TOP2 - FOOT) * (1 - (value - low) / (high - low));
  const clip = (value) => Math.min(high, Math.max(low, value));
  const chart = svg("svg", { class: "sizes", role: "group", "aria-label": spec.question });
  const key = legend("you", "the run");
  const node = el("div", {}, chart, key.node);
  const grips = labels.map(
    (label, index) => svg("g", {
      class: "grip",
      tabindex: 0,
      role: "slider",
      "aria-label": label,
      "aria-valuemin": low,
      "aria-valuemax": high,
      onkeydown: (event) => step(event, index)
    })
  );
  const back = svg("g", { "aria-hidden": true });
  const front = svg("g", { "aria-hidden": true });
  chart.append(back, ...grips, front);
  function change(index, value) {
    const next = [...values];
    next[index] = clip(value);
    tell(total === null ? next : whole(next, index, total));
  }
  function step(event, index) {
    if (locked) return;
    const ways = (
      /** @type {Record<string, number>} */
      MOVES
    );
    const ends = (
      /** @type {Record<string, number>} */
      { Home: low, End: high }
    );
    if (event.key in ways) change(index, values[index] + ways[event.key] * (high - low) / 50);
    else if (event.key in ends) change(index, ends[event.key]);
    else return;
    event.preventDefault();
  }
  function drag(event) {
    const box = chart.getBoundingClientRect();
    const index = Math.floor((event.clientX - box.left - LEFT) / band());
    const share = 1 - (event.clientY - box.top - TOP2) / (TALL2 - TOP2 - FOOT);
    change(Math.min(labels.length - 1, Math.max(0, index)), low + share * (high - low));
  }
  chart.addEventListener("pointerdown", (event) => {
    if (locked || event.button) return;
    held = true;
    chart.setPointerCapture(event.pointerId);
    drag(event);
  });
  chart.addEventListener("pointermove", (event) => {
    if (held) drag(event);
  });
  for (const name of ["pointerup", "pointercancel"]) {
    chart.addEventListener(name, () => {
      held = false;
    });
  }
  function axes() {
    const ticks = [low, (low + high) / 2, high].flatMap((value) => [
      svg("line", { class: "axis", x1: LEFT, x2: width - RIGHT, y1: down(value), y2: down(value) }),
      svg("text", { class: "tick end", x: LEFT - 6, y: down(value) + 4 }, unit(value))
    ]);
    const every = Math.ceil((Math.max(...labels.map((label) => label.length)) * 7 + 6) / band());
    const names = labels.map(
      (label, index) => index % every ? null : svg("text", { class: "middle", x: across(index), y: TALL2 - FOOT + 16 }, label)
    );
    const title = spec.x_title ? [svg("text", { class: "middle", x: width / 2, y: TALL2 - 5 }, spec.x_title)] : [];
    const side = spec.y_title ? [svg("text", { x: 2, y: 10 }, spec.y_title)] : [];
    return [...ticks, ...names.filter((name) => name !== null), ...title, ...side];
  }
  const path = (sizes2) => sizes2.map((value, index) => `${index ? "L" : "M"}${across(index)},${down(value)}`).join(" ");
  function curves(truth) {
    const others = Object.entries(
      /** @type {Record<string, number[]>} */
      spec.shown
    ).flatMap(([name, sizes2]) => [
      svg("path", { class: "other", d: path(sizes2) }),
      svg("text", { class: "halo end", x: width - RIGHT, y: down(sizes2[sizes2.length - 1]) - 6 }, name)
    ]);
    const run = truth ? [svg("path", { class: "run", d: path(truth) })] : [];
    return [...others, svg("path", { class: "you", d: path(values) }), ...run];
  }
  function grip(index, revealed) {
    if (isCurve) return [svg("circle", { class: "you", cx: across(index), cy: down(values[index]), r: 6 })];
    const wide = Math.min(48, band() * (revealed ? 0.38 : 0.62));
    const left = revealed ? across(index) - wide - 1 : across(index) - wide / 2;
    const top = down(values[index]);
    const bar = svg("rect", { class: "you", x: left, y: top, width: wide, height: TALL2 - FOOT - top, rx: 2 });
    const edge = svg("rect", { class: "edge", x: left, y: top - 2, width: wide, height: 4, rx: 2 });
    return [bar, edge];
  }
  function runBars(truth) {
    const wide = Math.min(48, band() * 0.38);
    return truth.map(
      (value, index) => svg("rect", {
        class: "run",
        x: across(index) + 1,
        y: down(value),
        width: wide,
        height: TALL2 - FOOT - down(value),
        rx: 2
      })
    );
  }
  return {
    node,
    /** @param {number[]} next @param {number[] | null} truth */
    draw(next, truth) {
      values = next ?? spec.start;
      locked = truth !== null;
      width = Math.max(240, node.clientWidth || width);
      chart.setAttribute("viewBox", `0 0 ${width} ${TALL2}`);
      chart.setAttribute("width", `${width}`);
      chart.setAttribute("height", `${TALL2}`);
      back.replaceChildren(...axes(), ...isCurve ? curves(truth) : []);
      grips.forEach((node2, index) => {
        node2.replaceChildren(...grip(index, locked));
        node2.setAttribute("aria-valuenow", String(values[index]));
        node2.setAttribute("aria-valuetext", unit(values[index]));
      });
      front.replaceChildren(...truth && !isCurve ? runBars(truth) : []);
      key.show(locked);
    }
  };
}
function whole(sizes2, moved, total) {
  const own = Math.min(total, sizes2[moved]);
  const others = sizes2.reduce((sum, value, index) => index === moved ? sum : sum + value, 0);
  const many = sizes2.length - 1;
  return sizes2.map((value, index) => {
    if (index === moved) return many ? own : total;
    return others > 0 ? value * (total - own) / others : (total - own) / many;
  });
}

// predict_steps.js
var HEIGHT = 70;
function steps(spec, tell) {
  let marked = [];
  let locked = false;
  const flip = (step) => {
    if (locked) return;
    tell(marked.includes(step) ? marked.filter((other) => other !== step) : [...marked, step].sort((a, b) => a - b));
  };
  const move = (event, step) => {
    const way = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!way) return;
    event.preventDefault();
    buttons[Math.min(spec.steps - 1, Math.max(0, step + way))].focus();
  };
  const buttons = spec.labels.map(
    (label, step) => el(
      "button",
      {
        type: "button",
        class: "mark",
        "aria-label": `step ${label}`,
        onclick: () => flip(step),
        onkeydown: (event) => move(event, step)
      },
      el("span", {}, label)
    )
  );
  const run = spec.labels.map(() => el("i", { class: "hit" }));
  const columns = `grid-template-columns: repeat(${spec.steps}, minmax(0, 1fr))`;
  const rows = [
    el("div", { class: "marks", role: "group", "aria-label": "Your steps", style: columns }, ...buttons),
    el("div", { class: "hits", style: columns }, ...run)
  ];
  const key = legend("you", "the run");
  const drawn = spec.current ? [currents(spec.current)] : [];
  const node = el("div", {}, ...drawn, ...rows, key.node);
  return {
    node,
    /** @param {number[]} values @param {number[] | null} truth */
    draw(values, truth) {
      marked = values ?? [];
      locked = truth !== null;
      buttons.forEach((button, step) => {
        button.setAttribute("aria-pressed", String(marked.includes(step)));
        button.toggleAttribute("aria-disabled", locked);
      });
      run.forEach((cell, step) => {
        cell.classList.toggle("spike", truth?.includes(step) ?? false);
      });
      rows[1].hidden = !truth;
      key.show(locked);
    }
  };
}
function currents(values) {
  const largest = Math.max(...values.map(Math.abs), 1e-9);
  const low = Math.min(0, ...values);
  const zero = HEIGHT * (largest / (largest - low));
  const bars = values.map((value, step) => {
    const tall = Math.abs(value) / (largest - low) * HEIGHT;
    const props2 = { x: step + 0.25, y: value < 0 ? zero : zero - tall, width: 0.5, height: tall, class: "flow" };
    return svg("rect", props2, svg("title", {}, String(Math.round(value * 100) / 100)));
  });
  const words = `Input current by step: ${values.map((value) => Math.round(value * 100) / 100).join(", ")}`;
  const props = { viewBox: `0 0 ${values.length} ${HEIGHT}`, preserveAspectRatio: "none", height: HEIGHT };
  const chart = svg("svg", { ...props, width: "100%", role: "img", "aria-label": words }, ...bars);
  return el("figure", { class: "flows" }, el("figcaption", {}, `input current, at most ${largest.toFixed(2)}`), chart);
}

// predict.js
var KINDS = { steps, bars: sizes, curve: sizes, order, pick, choice };
function predict(root, model) {
  const spec = model.get("spec");
  const tell = (values) => {
    if (model.get("committed")) return;
    model.set("values", values);
    model.save_changes();
    draw();
  };
  const kind = (
    /** @type {Kind} */
    KINDS[
      /** @type {keyof typeof KINDS} */
      spec.kind
    ](spec, tell)
  );
  const commit = (whether) => {
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
      }
    },
    "Again"
  );
  const said = el("div", { class: "said", role: "status" });
  const side = el("div", { class: "side" }, said, el("div", { class: "buttons" }, decide, again));
  root.append(
    el(
      "section",
      { class: "panel prediction", "data-kind": spec.kind, "aria-label": spec.question },
      el("h3", {}, spec.question),
      el("div", { class: "columns" }, el("div", { class: "ask" }, kind.node), side)
    )
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
function boxes(committed, result) {
  if (!committed) return [];
  if (result.problem) return [el("p", { class: "wrong" }, result.problem)];
  if (!("score" in result)) return [el("p", { class: "open" }, "Asking the run …")];
  const score = el(
    "p",
    { class: result.right ? "right" : "wrong" },
    el("b", {}, `${result.points}. `),
    written(result.words)
  );
  return result.misconception ? [score, el("p", { class: "open" }, written(result.misconception))] : [score];
}
function written(text) {
  const parts = text.split(/(\*\S[^*]*\*|`[^`]+`)/);
  return parts.map((part, i) => i % 2 ? el(part.startsWith("*") ? "em" : "code", {}, part.slice(1, -1)) : part);
}

// tau_lab.js
var [TALL, TOP, FOOT2] = [200, 16, 12];
function tauLab(root, model) {
  const set = (name, value) => {
    model.set(name, value);
    model.save_changes();
    draw();
  };
  const steps2 = model.get("current").length;
  const current = sizes(
    {
      kind: "bars",
      labels: Array.from({ length: steps2 }, (_, step) => `${step + 1}`),
      top: model.get("top"),
      total: null,
      unit: "",
      height: 150,
      start: model.get("current"),
      question: "Input current, a bar a step",
      x_title: "step",
      y_title: "input current: draw it"
    },
    (values) => set("current", values)
  );
  const slide = (name, label, range) => {
    const value = el("output", {});
    const props = { type: "range", ...range, "aria-label": label };
    const input = el("input", { ...props, oninput: () => set(name, Number(input.value)) });
    const show = () => {
      input.value = String(model.get(name));
      value.textContent = number(model.get(name));
    };
    return { node: el("label", { class: "slide" }, el("span", {}, label), input, value), show };
  };
  const sliders = [
    slide("tau", "time constant tau", { min: 1, max: 12, step: 0.1 }),
    slide("threshold", "threshold", { min: 0.2, max: 2.5, step: 0.05 })
  ];
  const resets = ["hard", "soft"].map(
    (kind) => el("button", { type: "button", class: "choice", onclick: () => set("reset", kind) }, `${kind} reset`)
  );
  const chart = svg("svg", { class: "trace", role: "img" });
  const said = el("p", { class: "readout", role: "status" });
  root.append(
    el(
      "section",
      { class: "panel", "aria-label": "Tau lab" },
      el("div", { class: "levers" }, ...sliders.map(({ node }) => node), el("div", { class: "choices" }, ...resets)),
      said,
      chart,
      current.node
    )
  );
  function draw() {
    for (const { show } of sliders) show();
    resets.forEach((button) => {
      button.setAttribute("aria-pressed", String(button.textContent === `${model.get("reset")} reset`));
    });
    current.draw(model.get("current"), null);
    const { h, v, spikes, half_life } = model.get("drawn");
    if (!h) return;
    const forgets = model.get("tau") > 1 ? `half of the potential leaks away in ${plural(Number(half_life.toFixed(1)), "step")}` : "nothing of the past stays";
    said.textContent = `${plural(spikes.length, "spike")}; ${forgets}.`;
    const width = Math.max(240, current.node.clientWidth);
    chart.setAttribute("viewBox", `0 0 ${width} ${TALL}`);
    chart.setAttribute("width", `${width}`);
    chart.setAttribute("height", `${TALL}`);
    chart.setAttribute("aria-label", `Membrane potential; ${said.textContent}`);
    chart.replaceChildren(...membrane(h, v, spikes, model.get("threshold"), width));
  }
  for (const name of ["current", "tau", "threshold", "reset", "drawn"]) model.on(`change:${name}`, draw);
  return { draw };
}
function membrane(h, v, spikes, threshold, width) {
  const high = Math.max(1.25 * threshold, ...h);
  const low = Math.min(0, ...v);
  const band = (width - LEFT - RIGHT) / h.length;
  const x = (step) => LEFT + (step + 0.5) * band;
  const y = (value) => TOP + (TALL - TOP - FOOT2) * (1 - (value - low) / (high - low));
  const points = h.flatMap((value, step) => [`${x(step)},${y(value)}`, `${x(step)},${y(v[step])}`]);
  const level = (value, name) => [
    svg("line", { class: name, x1: LEFT, x2: width - RIGHT, y1: y(value), y2: y(value) }),
    svg("text", { class: "tick end", x: LEFT - 6, y: y(value) + 4 }, number(value))
  ];
  return [
    ...level(0, "axis"),
    ...level(threshold, "threshold"),
    svg("text", { class: "halo end", x: width - RIGHT, y: y(threshold) - 5 }, "threshold"),
    svg("text", { x: 2, y: 11 }, "membrane potential"),
    svg("polyline", { class: "you", points: [`${LEFT},${y(0)}`, ...points].join(" ") }),
    ...spikes.map((step) => svg("circle", { class: "spike", cx: x(step), cy: y(h[step]), r: 4 }))
  ];
}

// theme.js
var LEVELS = 64;
var parse = (hex) => [channel(hex, 1), channel(hex, 3), channel(hex, 5)];
var channel = (hex, at) => parseInt(hex.slice(at, at + 2), 16);
var mix = (a, b, share) => {
  const at = (i) => Math.round(a[i] + (b[i] - a[i]) * share);
  return [at(0), at(1), at(2)];
};
var css = (rgb) => `rgb(${rgb.join(",")})`;
function scale(colours) {
  const stops = colours.map(parse);
  return Array.from({ length: LEVELS + 1 }, (_, level) => {
    const at = level / LEVELS * 2;
    return css(at < 1 ? mix(stops[0], stops[1], at) : mix(stops[1], stops[2], at - 1));
  });
}
function readTheme(root, forced) {
  root.dataset.theme = forced ?? "";
  root.toggleAttribute("data-forced", Boolean(forced));
  const style = getComputedStyle(root);
  const [red, green, blue] = /(\d+)[ ,]+(\d+)[ ,]+(\d+)/.exec(style.backgroundColor)?.slice(1).map(Number) ?? [
    255,
    255,
    255
  ];
  const bright = 0.3 * red + 0.59 * green + 0.11 * blue;
  const name = forced ?? (bright < 110 ? "dark" : "light");
  root.dataset.theme = name;
  const color = (key) => getComputedStyle(root).getPropertyValue(`--${key}`).trim();
  return {
    name,
    amount: scale(color("amount").split(/\s+/)),
    removed: scale(color("removed").split(/\s+/)),
    paper: parse(color("paper")),
    ink: parse(color("ink")),
    ink_: color("ink"),
    accent: color("accent"),
    orange: color("orange"),
    muted: color("muted"),
    line: color("line"),
    panel: color("panel"),
    cursor: color("cursor"),
    off: parse(color("off")),
    on: parse(color("on")),
    font: style.fontFamily
  };
}

// lesson.js
var PARTS = { predict, tau_lab: tauLab };
var lesson_default = {
  // not waited for: the widget is drawn meanwhile
  initialize: (widget) => void initialize(widget),
  /** @param {{ model: Model, el: HTMLElement }} view */
  render({ model, el: parent }) {
    const root = el("div", { class: "dista-probe lesson", "data-lm-suppress-shortcuts": "true" });
    parent.append(root);
    const part = (
      /** @type {Part} */
      PARTS[
        /** @type {keyof typeof PARTS} */
        model.get("part")
      ](root, model)
    );
    const draw = () => {
      if (!root.isConnected || !root.clientWidth) return;
      readTheme(root, null);
      part.draw();
    };
    const sizes2 = new ResizeObserver(draw);
    const around = new MutationObserver(draw);
    const dark = matchMedia("(prefers-color-scheme: dark)");
    sizes2.observe(root);
    around.observe(document.body, { attributes: true });
    dark.addEventListener("change", draw);
    return () => {
      sizes2.disconnect();
      around.disconnect();
      dark.removeEventListener("change", draw);
      root.remove();
    };
  }
};
export {
  lesson_default as default
};
