// A value that browser and server both may change. The server repeats what it was told some time ago; that
// is no news, and must not undo what the reader has done meanwhile.

export class Echo {
  constructor(value) {
    Object.assign(this, { last: value, told: [] });
  }

  tell(value) {
    this.told.push(value);
  }

  // Whether `value` from the server is one that the browser should take over.
  news(value) {
    const at = this.told.indexOf(value);
    if (at >= 0) this.told.splice(0, at + 1);
    else if (value !== this.last) this.told = [];
    else return false;
    this.last = value;
    return at < 0;
  }
}
