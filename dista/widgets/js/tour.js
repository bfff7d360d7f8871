// Brings what a step of a tour speaks of into view, and marks it: pages are longer than screens. It waits until the
// page has come to rest, and leaves the reader who scrolls by himself where he is.

const LOOKS = 300; // ms between looks for it
const PATIENCE = 100; // looks
const UNDER_HEADER = "4.5rem";
const BESIDE = "(min-width: 900.1px)"; // narrower, the step stands above the page, and would be scrolled away

/** The first of those that `selector` finds and that have a size, in shadow roots as well. */
function find(/** @type {string} */ selector, /** @type {Document | ShadowRoot} */ root = document) {
  for (const node of root.querySelectorAll("*")) {
    /** @type {Element | null} */
    const found = node.shadowRoot ? find(selector, node.shadowRoot) : node.matches(selector) ? node : null;
    if (found?.getBoundingClientRect().height) return found;
  }
  return null;
}

class Look {
  #stop = new AbortController();
  #looks = 0;
  #last = "";
  /** @type {HTMLElement | null} */
  #node = null;
  #timer = setInterval(() => this.#look(), LOOKS);

  /** @param {{ selector: string, step: string }} data */
  constructor({ selector, step }) {
    this.selector = selector;
    this.step = step;
    const { signal } = this.#stop;
    for (const kind of ["wheel", "touchmove", "keydown", "pointerdown"]) {
      addEventListener(kind, () => clearInterval(this.#timer), { passive: true, capture: true, signal });
    }
  }

  end() {
    clearInterval(this.#timer);
    this.#stop.abort();
    this.#mark(false);
  }

  #look() {
    this.#looks += 1;
    if (this.#looks > PATIENCE) clearInterval(this.#timer);
    const found = /** @type {HTMLElement | null} */ (find(this.selector));
    if (!found) return;
    const { top, height } = found.getBoundingClientRect();
    const place = `${top} ${height}`;
    const rests = place === this.#last && !document.querySelector("[data-test-script-state=running]");
    this.#last = place;
    if (!rests) return;
    clearInterval(this.#timer);
    this.#node = found;
    this.#mark(true);
    if (matchMedia(BESIDE).matches && (top < 0 || top + height > innerHeight)) this.#show(height);
  }

  #show(/** @type {number} */ height) {
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const block = height > 0.8 * innerHeight ? "start" : "center";
    this.#node?.scrollIntoView({ block, behavior: calm ? "auto" : "smooth" });
  }

  #mark(/** @type {boolean} */ on) {
    if (!this.#node) return;
    Object.assign(this.#node.style, {
      outline: on ? "2px solid var(--accent)" : "",
      outlineOffset: on ? "2px" : "",
      scrollMarginTop: on ? UNDER_HEADER : "",
    });
  }
}

/** @type {Look | null} */
let shown = null;

/** @param {{ data: { selector: string, step: string } }} component */
export default function ({ data }) {
  if (shown?.step !== data.step) {
    shown?.end();
    shown = new Look(data);
  }
  return () => {
    shown?.end();
    shown = null;
  };
}
