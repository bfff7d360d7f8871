// The probe: builds the panels around one state, handles keys, playing, theme and size.

import { el, focusedBeside } from "./dom.js";
import { decode } from "./recording.js";
import { readTheme } from "./theme.js";
import { offerImage } from "./capture.js";
import { Store, placeOf } from "./state.js";
import { Frames, timeRail, inputPanel, askedPerStep } from "./input.js";
import { question } from "./film.js";
import { attentionPanel, spoken } from "./attention.js";
import { decisionPanel } from "./decision.js";
import { stemPanel } from "./stem.js";
import { coincidencePanel } from "./coincidence.js";
import { readoutPanel } from "./values.js";
import { stageRow, PANEL_OF } from "./stages.js";
import { tauPanel } from "./tau.js";
import { rasterPanel, membranePanel } from "./neurons.js";

const LOOKS = ["range", "layer", "neuron", "stage", "key"]; // parts of the state that are not a question
const PACE = 700; // ms a step while playing
const CENTRE = ["stem", "qkv", "attention", "values"]; // panels that take turns in one place

// Mounts a probe inside `parent`. `tell(state)` hears of the reader's changes. Returns an object
// with update(bytes), set(state), refresh() and remove().
export function mount(parent, bytes, tell, wanted = {}) {
  const recording = decode(bytes);
  const root = el("div", { class: "dista-probe" });
  const live = el("p", { class: "spoken", "aria-live": "polite" });
  const grid = el("div", { class: "grid" });
  root.append(grid, live);
  parent.append(root);
  const store = new Store(recording, { ...recording.state, ...wanted }, tell, root);
  const app = { playing: false, play: () => play(!app.playing), point, reveal };
  /** @type {{ node: HTMLElement, draw(view: any): void }[]} */
  let panels = [];
  /** @type {import("./types.js").Theme | null} */
  let theme = null;
  /** @type {Frames | null} */
  let frames = null;
  /** @type {import("./types.js").Patch | null} what the pointer is at */
  let hover = null;
  let queued = 0;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  let timer;

  function build() {
    panels = [
      timeRail,
      stageRow,
      inputPanel,
      stemPanel,
      coincidencePanel,
      attentionPanel,
      readoutPanel,
      decisionPanel,
      tauPanel,
      rasterPanel,
      membranePanel,
    ].map((make) => make(store, app));
    panels.slice(2).forEach(({ node }) => offerImage(node)); // the rail and the stages are there to be clicked
    if (store.recording.name) nameRegions();
    const focused = focusables().indexOf(/** @type {HTMLElement} */ (focusedBeside(root)));
    grid.replaceChildren(...panels.map(({ node }) => node));
    if (focused >= 0) focusables()[focused]?.focus({ preventScroll: true });
  }

  // Of two probes on a page each region says whose it is; a reader of the screen lists them by name alone.
  function nameRegions() {
    const regions = panels.flatMap(({ node }) => [node, ...node.querySelectorAll("[role=group], [role=application]")]);
    for (const region of regions) {
      const label = region.getAttribute("aria-label");
      if (label) region.setAttribute("aria-label", `${store.recording.name}: ${label}`);
    }
  }

  function focusables() {
    return /** @type {HTMLElement[]} */ ([...grid.querySelectorAll("button, canvas[tabindex]")]);
  }

  // A host may mount first and attach later: colours are read when there is something to see.
  function draw() {
    queued = 0;
    if (!root.isConnected || !root.clientWidth) return;
    if (!theme) dress();
    const { state, recording: current } = store;
    const view = {
      state,
      recording: current,
      theme,
      frames,
      hover,
      pinned: placeOf(current, state.key),
      asked: askedPerStep(current, state),
      question: question(current, state),
    };
    open(PANEL_OF[state.stage]);
    panels.filter(({ node }) => node.clientWidth).forEach((panel) => panel.draw(view));
  }

  // Marks the panel of the open stage. Panels of the centre make room for each other; on a narrow page,
  // whose stylesheet says so, all panels of stages do.
  function open(name) {
    for (const { node } of panels) {
      const is = (other) => node.classList.contains(other);
      if (!Object.values(PANEL_OF).some(is)) continue;
      node.toggleAttribute("data-open", is(name));
      node.toggleAttribute("data-closed", !is(name));
      node.toggleAttribute("data-away", CENTRE.some(is) && !is(CENTRE.includes(name) ? name : "attention"));
    }
  }

  // Brings the top of the open panel into view, if it is below.
  function reveal() {
    draw();
    const { node } = panels.find((panel) => panel.node.hasAttribute("data-open")) ?? panels[0];
    const hidden = node.getBoundingClientRect().top > innerHeight - 160;
    if (hidden) node.scrollIntoView({ block: "center" });
  }

  function dress() {
    theme = readTheme(root, store.recording.theme);
    frames = new Frames(store.recording, theme);
  }

  function redraw() {
    if (!queued) queued = requestAnimationFrame(draw);
  }

  function refresh() {
    theme = null;
    redraw();
  }

  function point(place) {
    const same = hover?.step === place?.step && hover?.row === place?.row && hover?.column === place?.column;
    hover = place || null;
    if (!same) redraw();
  }

  function play(on) {
    app.playing = on;
    clearInterval(timer);
    store.hold(on);
    if (on) {
      if (store.state.step === store.recording.steps - 1) store.set({ step: 0 });
      timer = setInterval(advance, PACE);
    }
    redraw();
  }

  function advance() {
    if (store.state.step < store.recording.steps - 1) store.set({ step: store.state.step + 1 });
    else play(false);
  }

  root.addEventListener("keydown", (event) => {
    const changes = command(event, store, app);
    if (!changes) return;
    event.preventDefault();
    if (app.playing && "step" in changes) play(false);
    store.set(changes);
  });
  store.listeners.push((changed) => {
    const moved = changed.some((name) => !LOOKS.includes(name));
    hover = null;
    if (!app.playing && moved) {
      live.textContent = spoken(store.recording, store.state);
    }
    redraw();
  });
  const sizes = new ResizeObserver(redraw);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const around = new MutationObserver(refresh);
  sizes.observe(root);
  dark.addEventListener("change", refresh);
  around.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light", "class", "style"] });
  build();
  refresh();

  return {
    root,
    store,
    update(next) {
      store.replace(decode(next));
      build();
      refresh();
    },
    set: (state) => store.set(state),
    refresh,
    remove() {
      clearInterval(timer);
      store.stop();
      [sizes, around].forEach((observer) => observer.disconnect());
      dark.removeEventListener("change", refresh);
      root.remove();
    },
  };
}

// What a key asks for: changes of the state, {} for a key that was used otherwise, null if not ours.
function command(event, { state, recording }, app) {
  if (event.ctrlKey || event.metaKey || event.altKey) return null;
  const [rows, columns] = recording.grid ?? [1, 1];
  const heads = recording.blockAt(state.block)?.heads ?? 1;
  const clamp = (value, count) => Math.min(count - 1, Math.max(0, value));
  switch (event.key) {
    case "ArrowUp":
      return { row: clamp(state.row - 1, rows) };
    case "ArrowDown":
      return { row: clamp(state.row + 1, rows) };
    case "ArrowLeft":
      return { column: clamp(state.column - 1, columns) };
    case "ArrowRight":
      return { column: clamp(state.column + 1, columns) };
    case "[":
      return { step: clamp(state.step - 1, recording.steps) };
    case "]":
      return { step: clamp(state.step + 1, recording.steps) };
    case ",":
      return { head: (state.head + heads - 1) % heads };
    case ".":
      return { head: (state.head + 1) % heads };
    case " ":
      return space(event.target, app);
    default:
      return null;
  }
}

// Space plays, except on a button that it would press to some effect.
function space(target, app) {
  const idle = ["aria-pressed", "aria-current"].some((name) => ["true", "step"].includes(target.getAttribute(name)));
  if (target.tagName === "BUTTON" && !idle) return null;
  app.play();
  return {};
}
