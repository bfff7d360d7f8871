// What Streamlit leaves open on every page: links of a page that still runs, which the stylesheet dims and the keyboard
// would follow to what was shown before; what scrolls, which the keyboard could not reach; the menu of a phone,
// which would begin at its first page wherever the reader is; and another theme, for which figures are drawn anew.

const WAITS = '[data-stale="true"] .stPageLink a';
const NEVER_WAITS = ".st-key-phone-menu *"; // the menu is of no run
const MENU = ".st-key-phone-menu";
const HERE = ".st-key-phone-here";
const DRAWN = 300; // ms in which Streamlit has taken on the system's theme
const SCROLLING = ".stMain pre, [data-testid=stPopoverBody], [data-testid=stPopoverBody] pre, .stDialog pre";

/** @param {Element} link */
const waits = (link) => link.matches(WAITS) && !link.matches(NEVER_WAITS);

class Keyboard {
  #stop = new AbortController();
  #due = 0;
  /** @type {WeakSet<Element>} */
  #reached = new WeakSet(); // what the keyboard can reach because it scrolls
  #page = "";
  #told = "";
  /** @type {{ theme: string, tell: (theme: string) => void } | null} */
  drawn = null; // the theme of the page's last run, and who hears of another one
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
}

/** @type {Keyboard | null} */
let shown = null;

/** @param {{ data: { theme: string }, setStateValue: (name: string, value: any) => void }} component */
export default function ({ data, setStateValue }) {
  shown ??= new Keyboard();
  shown.drawn = { theme: data.theme, tell: (theme) => setStateValue("theme", theme) };
  shown.later();
  return () => {
    shown?.end();
    shown = null;
  };
}
