// ---- the labels that were given, kept in the browser

const FORMAT = "byola-hear answers 1";

class Answers {
  /** Windows are lists of file, start, end (null for the file's end) and the label that is asked for. */
  constructor(windows, name) {
    this.ids = windows.map((window) => JSON.stringify(window));
    this.place = new Map(this.ids.map((id, place) => [id, place]));
    this.name = `byola-hear ${name}`;
    this.kept = true; // whether the browser keeps them
    this.clear();
    try {
      const stored = localStorage.getItem(this.name);
      if (stored) this.read(stored);
    } catch {
      this.kept = false;
    }
  }

  clear() {
    this.given = new Map(); // window → labels
    this.before = []; // windows that were answered, and what they had before
  }

  /** Labels of a window: none if it was rejected; undefined if it has no answer. */
  of(place) {
    return this.given.get(this.ids[place]);
  }

  give(place, labels) {
    this.change(this.ids[place], labels);
    this.keep();
  }

  /** Set an answer, and remember the one before. */
  change(id, labels) {
    this.before.push([id, this.given.get(id) ?? null]);
    if (this.before.length > 1000) this.before.shift();
    this.set(id, labels);
  }

  set(id, labels) {
    if (labels) this.given.set(id, labels);
    else this.given.delete(id);
  }

  /** Take the last answer back; the place of its window, -1 if there is none. */
  undo() {
    if (!this.before.length) return -1;
    const [id, labels] = this.before.pop();
    this.set(id, labels);
    this.keep();
    return this.place.get(id);
  }

  keep() {
    try {
      localStorage.setItem(this.name, this.text());
      this.kept = true;
    } catch {
      this.kept = false; // forbidden, or full
    }
  }

  text() {
    return JSON.stringify({ format: FORMAT, answers: [...this.given], before: this.before });
  }

  /** Answers of a file that an earlier page saved; how many there are of this page's windows, and of others. */
  load(text) {
    const known = Answers.parsed(text).answers.filter(([id]) => this.place.has(id));
    const all = Answers.parsed(text).answers.length;
    for (const [id, labels] of known) {
      if (JSON.stringify(this.given.get(id)) !== JSON.stringify(labels)) this.change(id, labels);
    }
    this.keep(); // once: thousands of answers are half a megabyte
    return [known.length, all - known.length];
  }

  /** Take on what the browser keeps. */
  read(text) {
    const { answers, before } = Answers.parsed(text);
    this.given = new Map(answers.filter(([id]) => this.place.has(id)));
    this.before = before.filter(([id]) => this.place.has(id));
  }

  static parsed(text) {
    const { format, answers, before = [] } = JSON.parse(text);
    const labels = (value) => Array.isArray(value) && value.every((label) => typeof label === "string");
    const pair = (value) => Array.isArray(value) && value.length === 2 && typeof value[0] === "string";
    const right = format === FORMAT && [answers, before].every((list) => Array.isArray(list) && list.every(pair));
    if (!right || !answers.every(([, value]) => labels(value)) || !before.every(([, value]) => value === null || labels(value))) {
      throw new Error("not a file of answers");
    }
    return { answers, before };
  }

  rows() {
    return rowsOf([...this.given].map(([id, labels]) => [JSON.parse(id), labels]));
  }
}
