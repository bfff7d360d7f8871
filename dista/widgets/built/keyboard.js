// keyboard.js
var WAITS = '[data-stale="true"] .stPageLink a';
var NEVER_WAITS = ".st-key-phone-menu *";
var LISTINGS = ".stMain pre, [data-testid=stPopoverBody] pre, .stDialog pre";
var waits = (link) => link.matches(WAITS) && !link.matches(NEVER_WAITS);
var Keyboard = class {
  #stop = new AbortController();
  #due = 0;
  #watcher = new MutationObserver(() => this.#later());
  constructor() {
    const { signal } = this.#stop;
    document.addEventListener("click", (event) => this.#click(event), { capture: true, signal });
    addEventListener("resize", () => this.#later(), { signal });
    const changes = { subtree: true, childList: true, attributes: true, attributeFilter: ["data-stale"] };
    this.#watcher.observe(document.body, changes);
    this.#read();
  }
  end() {
    this.#stop.abort();
    this.#watcher.disconnect();
    cancelAnimationFrame(this.#due);
  }
  #later() {
    cancelAnimationFrame(this.#due);
    this.#due = requestAnimationFrame(() => this.#read());
  }
  #read() {
    for (const link of document.querySelectorAll(".stPageLink a")) {
      if (waits(link)) link.setAttribute("aria-disabled", "true");
      else if (link.hasAttribute("aria-disabled")) link.removeAttribute("aria-disabled");
    }
    for (const listing of document.querySelectorAll(LISTINGS)) {
      const scrolls = listing.scrollWidth > listing.clientWidth || listing.scrollHeight > listing.clientHeight;
      if (scrolls) listing.setAttribute("tabindex", "0");
      else listing.removeAttribute("tabindex");
    }
  }
  // Before the page hears of it: Streamlit follows links by itself.
  /** @param {MouseEvent} event */
  #click(event) {
    const link = event.target instanceof Element && event.target.closest("a");
    if (!link || !waits(link)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }
};
var shown = null;
function keyboard_default() {
  shown ??= new Keyboard();
  return () => {
    shown?.end();
    shown = null;
  };
}
export {
  keyboard_default as default
};
