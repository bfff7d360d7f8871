// A value that browser and server both may change. What the server sends may be older than what the reader
// has done since; so each report has a number, and the server says which one it has heard last.

export class Echo {
  constructor(heard) {
    this.sent = heard;
  }

  // The report of a value, with its number.
  report(value) {
    this.sent += 1;
    return { value, count: this.sent };
  }

  // Whether the server knew all that it was told, so that its value is the one to show.
  current(heard) {
    return heard >= this.sent;
  }
}
