// keyboard.js
var WAITS = '[data-stale="true"] .stPageLink a';
var NEVER_WAITS = ".st-key-phone-menu *";
var MENU = ".st-key-phone-menu";
var HERE = ".st-key-phone-here";
var DRAWN = 300;
var SCROLLING = ".stMain pre, [data-testid=stPopoverBody], [data-testid=stPopoverBody] pre, .stDialog pre";
var waits = (link) => link.matches(WAITS) && !link.matches(NEVER_WAITS);
var Keyboard = class {
  #stop = new AbortController();
  #due = 0;
  /** @type {WeakSet<Element>} */
  #reached = /* @__PURE__ */ new WeakSet();
  // what the keyboard can reach because it scrolls
  #page = "";
  #told = "";
  /** @type {{ theme: string, tell: (theme: string) => void } | null} */
  drawn = null;
  // the theme of the page's last run, and who hears of another one
  #system = matchMedia("(prefers-color-scheme: dark)");
  #watcher = new MutationObserver(() => this.later());
  constructor() {
    const { signal } = this.#stop;
    document.addEventListener("click", (event) => this.#click(event), { capture: true, signal });
    addEventListener("resize", () => this.later(), { signal });
    this.#system.addEventListener("change", () => setTimeout(() => this.later(), DRAWN), { signal });
    const changes = { subtree: true, childList: true, attributes: true, attributeFilter: ["data-stale"] };
    this.#watcher.observe(document.body, changes);
    this.#read();
  }
  end() {
    this.#stop.abort();
    this.#watcher.disconnect();
    cancelAnimationFrame(this.#due);
  }
  later() {
    cancelAnimationFrame(this.#due);
    this.#due = requestAnimationFrame(() => this.#read());
  }
  #read() {
    for (const link of document.querySelectorAll(".stPageLink a")) {
      if (waits(link)) link.setAttribute("aria-disabled", "true");
      else if (link.hasAttribute("aria-disabled")) link.removeAttribute("aria-disabled");
    }
    for (const one of document.querySelectorAll(SCROLLING)) {
      const scrolls = one.scrollWidth > one.clientWidth || one.scrollHeight > one.clientHeight;
      if (scrolls && !one.hasAttribute("tabindex")) {
        one.setAttribute("tabindex", "0");
        this.#reached.add(one);
      } else if (!scrolls && this.#reached.delete(one)) one.removeAttribute("tabindex");
    }
    this.#showHere();
    this.#compareThemes();
  }
  // Once a page: who has scrolled the menu is left there.
  #showHere() {
    const menu = document.querySelector(MENU);
    const here = menu?.querySelector(HERE);
    const page = here?.textContent ?? "";
    if (!menu || !here?.clientWidth || page === this.#page) return;
    this.#page = page;
    const { left, width } = here.getBoundingClientRect();
    menu.scrollLeft += left - menu.getBoundingClientRect().left - (menu.clientWidth - width) / 2;
  }
  // Streamlit takes on another theme without another run, in which figures would get its colours.
  #compareThemes() {
    const app = document.querySelector(".stApp");
    const theme = app ? getComputedStyle(app).colorScheme : "";
    if (!this.drawn?.theme || !theme || theme === this.#told) return;
    this.#told = theme;
    if (theme !== this.drawn.theme) this.drawn.tell(theme);
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
function keyboard_default({ data, setStateValue }) {
  shown ??= new Keyboard();
  shown.drawn = { theme: data.theme, tell: (theme) => setStateValue("theme", theme) };
  shown.later();
  return () => {
    shown?.end();
    shown = null;
  };
}
export {
  keyboard_default as default
};
