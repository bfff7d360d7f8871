// term_places.js
var NAME = "dista-term";
var LOOK = `:root, :host { text-decoration-skip-ink: none; }
::highlight(${NAME}) { text-decoration: underline dotted; text-decoration-thickness: 1px; }`;
function places(text, expression, hints) {
  const listed = [];
  for (const match of text.matchAll(expression)) {
    const word = match[0];
    const hint = hints[word] ?? hints[word[0].toLowerCase() + word.slice(1)] ?? hints[word[0].toUpperCase() + word.slice(1)];
    if (hint) listed.push({ begin: match.index, end: match.index + word.length, hint });
  }
  return listed;
}

// terms.js
var LEFT_OUT = "code, pre, textarea, input, select, button, abbr, script, style, h1, a, [role=option], [contenteditable], .glossary dt, .glossary small";
var BLOCK = "p, li, dd, dt, td, th, label, figcaption, section, div";
var QUIET = 300;
var Terms = class {
  /** @type {Map<Element, Mark[]>} */
  #marks = /* @__PURE__ */ new Map();
  #roots = /* @__PURE__ */ new WeakSet();
  #timer = 0;
  #hint = document.createElement("div");
  #watcher = new MutationObserver(() => this.#later());
  #stop = new AbortController();
  /** @param {{ expression: string, hints: Record<string, string> }} data */
  constructor(data) {
    this.expression = new RegExp(data.expression, "g");
    this.hints = data.hints;
    this.#hint.className = NAME;
    this.#hint.setAttribute("role", "tooltip");
    this.#hint.hidden = true;
    document.body.append(this.#hint);
    const { signal } = this.#stop;
    for (const kind of ["pointermove", "pointerdown"]) {
      document.addEventListener(kind, (event) => this.#point(
        /** @type {PointerEvent} */
        event
      ), {
        passive: true,
        signal
      });
    }
    document.addEventListener("keydown", (event) => event.key === "Escape" && this.#hide(), { signal });
    document.addEventListener("scroll", () => this.#hide(), { passive: true, capture: true, signal });
    this.#read();
  }
  end() {
    this.#stop.abort();
    this.#watcher.disconnect();
    this.#hint.remove();
    clearTimeout(this.#timer);
    if (globalThis.CSS?.highlights) CSS.highlights.delete(NAME);
  }
  #later() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#read(), QUIET);
  }
  #read() {
    this.#marks.clear();
    const main = document.querySelector(".stMain") ?? document.body;
    this.#watch(main);
    this.#walk(main);
    const ranges = [...this.#marks.values()].flat().map((mark) => mark.range);
    if (globalThis.CSS?.highlights) CSS.highlights.set(NAME, new Highlight(...ranges));
  }
  // A root is watched once, and has to hold the rule that draws the line: highlights are styled by tree.
  /** @param {Element | ShadowRoot} root */
  #watch(root) {
    if (this.#roots.has(root)) return;
    this.#roots.add(root);
    this.#watcher.observe(root, { subtree: true, childList: true, characterData: true });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(LOOK);
    const tree = root instanceof ShadowRoot ? root : document;
    tree.adoptedStyleSheets = [...tree.adoptedStyleSheets, sheet];
  }
  /** @param {Element | ShadowRoot} root */
  #walk(root) {
    const seen = /* @__PURE__ */ new WeakMap();
    const walker = document.createTreeWalker(
      root,
      NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT,
      (node) => node instanceof Element && node.matches(LEFT_OUT) ? NodeFilter.FILTER_REJECT : NodeFilter.FILTER_ACCEPT
    );
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      if (node instanceof Element) {
        if (node.shadowRoot) {
          this.#watch(node.shadowRoot);
          this.#walk(node.shadowRoot);
        }
      } else this.#mark(
        /** @type {Text} */
        node,
        seen
      );
    }
  }
  /** @param {Text} node @param {WeakMap<Element, Set<string>>} seen */
  #mark(node, seen) {
    const parent = node.parentElement;
    if (!parent || node.data.length < 2) return;
    const block = parent.closest(BLOCK) ?? parent;
    const before = seen.get(block) ?? /* @__PURE__ */ new Set();
    seen.set(block, before);
    for (const { begin, end, hint } of places(node.data, this.expression, this.hints)) {
      if (before.has(hint)) continue;
      before.add(hint);
      const range = document.createRange();
      range.setStart(node, begin);
      range.setEnd(node, end);
      this.#marks.set(parent, [...this.#marks.get(parent) ?? [], { range, hint }]);
    }
  }
  /** @param {PointerEvent} event */
  #point(event) {
    const [target] = event.composedPath();
    const marks = target instanceof Element && this.#marks.get(target) || [];
    for (const { range, hint } of marks) {
      for (const box of range.getClientRects()) {
        const inside = event.clientX >= box.left && event.clientX <= box.right;
        if (inside && event.clientY >= box.top && event.clientY <= box.bottom) return this.#show(hint, box);
      }
    }
    this.#hide();
  }
  /** @param {string} hint @param {DOMRect} box */
  #show(hint, box) {
    if (this.#hint.textContent !== hint) this.#hint.textContent = hint;
    this.#hint.hidden = false;
    const { offsetWidth: width, offsetHeight: height } = this.#hint;
    const below = box.bottom + 6 + height < innerHeight;
    this.#hint.style.left = `${Math.max(8, Math.min(box.left, innerWidth - width - 8))}px`;
    this.#hint.style.top = `${below ? box.bottom + 6 : box.top - height - 6}px`;
  }
  #hide() {
    this.#hint.hidden = true;
  }
};
var shown = null;
function arrive() {
  const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target) target.scrollIntoView({ block: "center" });
}
function terms_default({ data }) {
  if (!shown) {
    shown = new Terms(data);
    setTimeout(arrive, QUIET);
  }
  return () => {
    shown?.end();
    shown = null;
  };
}
export {
  terms_default as default
};
