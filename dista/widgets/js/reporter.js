// What a component tells its page, and when the page's word counts: one way for all of them.
//
// Page and reader both may change a value, and what the page sends may be older than what the reader has done
// since. So the page numbers what it wants, a report names the number that it knows, and the component moves only
// for a new one. The page's side, which decides what is news, is dista/widgets/reports.py.

/** @typedef {Record<string, any>} State parts of a state by name, JSON-able */
/** @typedef {{ state?: State, revision?: number }} Word what a page wants, and the how manieth wish that is */

export class Reporter {
  /**
   * @param {(report: State) => void} tell how the page hears of a report
   * @param {Word} word what the page wanted when the component was made; without a number there are no numbers
   */
  constructor(tell, { state, revision }) {
    this.tell = tell;
    this.revision = revision;
    this.told = JSON.stringify(state);
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
  }

  /**
   * Reports what `read` finds when nothing has been reported or held for `wait` ms, unless the page knows it.
   * @param {() => State} read
   * @param {number} wait
   */
  report(read, wait = 0) {
    this.hold();
    this.timer = setTimeout(() => {
      const state = read();
      const text = JSON.stringify(state);
      if (text === this.told) return;
      this.told = text;
      this.tell(this.revision === undefined ? state : { ...state, revision: this.revision });
    }, wait);
  }

  // Nothing is reported until `report` is called again: the reader is in the middle of something.
  hold() {
    clearTimeout(this.timer);
  }

  /**
   * What the page wants if that is news, which then counts more than what was still to be reported; else null.
   * @param {Word} word
   * @returns {State | null}
   */
  hear({ state, revision }) {
    if (revision === undefined || revision === this.revision) return null;
    this.hold();
    this.revision = revision;
    this.told = JSON.stringify(state);
    return state ?? {};
  }
}
