// ---- buttons and keys for labels, the same on every page

/** Digits that stand for classes. */
const MOST_KEYS = 9;

class Labelling {
  /**
   * `classes` are names, `name` the beginning of the names of files to save. `page` has the functions `current()`, the
   * place of the window that is shown, -1 for none; `asked(place)`, the label that Y confirms, "" for none;
   * `answered(place, more)` after an answer, where more are to come with `more`; `show(place)` after an undo; and
   * `reloaded()` after many answers changed.
   */
  constructor(box, answers, classes, name, page) {
    Object.assign(this, { answers, name, page });
    this.classes = classes.filter((label) => !negative(label));
    for (const label of [...answers.given.values()].flat()) this.learn(label);
    const button = (key, text, act, what) => element("button", { type: "button", click: act, ...(what ? { class: what } : {}) },
      element("kbd", {}, key), ` ${text}`);
    this.yes = button("Y", "Yes", () => this.confirm(), "yes");
    this.no = button("N", "No, none", () => this.give([]), "no");
    this.back = button("Z", "Undo", () => this.undo());
    this.keys = element("div", { class: "keys" });
    this.other = element("input", { list: "known", "aria-label": "Another label", placeholder: "another label (C)", autocomplete: "off",
      maxlength: "200", keydown: (event) => this.typed(event) });
    this.known = element("datalist", { id: "known" });
    this.bar = element("progress", { "aria-label": "Answered" });
    this.state = element("p", { class: "state", role: "status" });
    this.file = element("input", { type: "file", accept: ".json,application/json", hidden: true, change: () => this.load() });
    const tool = (text, act) => element("button", { type: "button", click: act }, text);
    box.classList.add("labelling");
    box.append(
      element("div", { class: "keys", role: "group", "aria-label": "Answer" }, this.yes, this.no, this.back),
      this.keys, this.other, this.known, this.bar, this.state,
      element("div", { class: "keys" }, tool("Download labels", () => this.saveLabels()),
        tool("Save progress", () => this.saveProgress()), tool("Load progress", () => this.file.click()), this.file)
    );
    document.addEventListener("keydown", (event) => this.key(event));
    addEventListener("storage", (event) => {
      if (event.key !== answers.name) return;
      if (event.newValue) answers.read(event.newValue); // another tab has this page
      else answers.clear();
      this.refresh();
      page.reloaded();
    });
    this.showKeys();
    this.refresh();
  }

  learn(label) {
    if (!this.classes.includes(label) && !negative(label)) this.classes.push(label);
  }

  showKeys() {
    this.keys.replaceChildren(...this.classes.slice(0, MOST_KEYS).map((label, place) =>
      element("button", { type: "button", click: (event) => this.choose(place, event.shiftKey), "data-label": label, title: label },
        element("kbd", {}, String(place + 1)), ` ${label}`)));
    this.known.replaceChildren(...[...this.classes, NOISE].map((label) => element("option", { value: label })));
  }

  /** Show the answer to the window that is shown, and how many there are. */
  refresh() {
    const place = this.page.current(), labels = place < 0 ? undefined : this.answers.of(place);
    const asked = place < 0 ? "" : this.page.asked(place);
    const pressed = (button, on) => button.setAttribute("aria-pressed", String(on));
    pressed(this.yes, Boolean(asked) && labels?.includes(asked) === true);
    pressed(this.no, labels?.length === 0);
    for (const button of this.keys.children) pressed(button, labels?.includes(button.dataset.label) === true);
    for (const button of [this.no, this.other, ...this.keys.children]) button.disabled = place < 0;
    this.yes.disabled = !asked;
    this.back.disabled = !this.answers.before.length;
    this.bar.max = this.answers.ids.length;
    this.bar.value = this.answers.given.size;
    const kept = this.answers.kept ? "" : " This browser does not keep them: save your progress before you leave.";
    this.say(`${this.answers.given.size} of ${this.answers.ids.length} answered.${kept}`);
  }

  say(text) {
    this.state.textContent = text;
  }

  give(labels, more = false) {
    const place = this.page.current();
    if (place < 0) return;
    this.answers.give(place, labels);
    this.refresh();
    this.page.answered(place, more);
  }

  confirm() {
    const place = this.page.current();
    if (place >= 0 && this.page.asked(place)) this.give([this.page.asked(place)]);
  }

  /** Give a class by its number; in addition to the others with `more`. */
  choose(number, more) {
    const label = this.classes[number], place = this.page.current();
    if (label === undefined || place < 0) return;
    const labels = this.answers.of(place) || [];
    if (!more) this.give([label]);
    else this.give(labels.includes(label) ? labels.filter((each) => each !== label) : [...labels, label], true);
  }

  typed(event) {
    // An input method ends a word by Enter; Safari says so by the code alone.
    if (event.isComposing || event.keyCode === 229 || (event.key !== "Enter" && event.key !== "Escape")) return;
    const label = event.key === "Enter" ? event.target.value.trim() : "";
    event.target.value = "";
    event.target.blur();
    if (!label) return;
    this.learn(label);
    this.showKeys();
    this.give([label]);
  }

  undo() {
    const place = this.answers.undo();
    this.refresh();
    if (place >= 0) this.page.show(place);
    else this.say("Nothing to undo.");
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || written(event.target)) return;
    if (event.repeat) return; // a key that is held down would answer one window after the other
    const digit = /^(?:Digit|Numpad)([1-9])$/.exec(event.code), letter = /^Key([A-Z])$/.exec(event.code);
    // On a Russian or Greek keyboard, the key at the place of the Latin letter.
    const key = (letter && event.key > "\x7f" ? letter[1] : event.key).toLowerCase();
    if (key === "y") this.confirm();
    else if (key === "n") this.give([]);
    else if (key === "z") this.undo();
    else if (key === "c" && !this.other.disabled) this.other.focus();
    else if (/^[1-9]$/.test(key)) this.choose(Number(key) - 1, false);
    else if (digit) this.choose(Number(digit[1]) - 1, event.shiftKey);
    else return;
    event.preventDefault();
  }

  saveLabels() {
    const { lines, left } = this.answers.rows();
    if (!lines.length) return this.say("There is no answer to download yet.");
    save(bytesOf(`file,start,end,label\n${lines.join("\n")}\n`), `${this.name}.labels.csv`);
    const less = left ? ` ${left} without a class left out, because a class was confirmed at the same place.` : "";
    this.say(`${count(lines.length, "label")} in ${this.name}.labels.csv.${less}`);
  }

  saveProgress() {
    save(new Blob([this.answers.text()], { type: "application/json" }), `${this.name}.progress.json`);
  }

  async load() {
    const [file] = this.file.files;
    if (!file) return;
    try {
      const [known, others] = this.answers.load(await file.text());
      for (const label of [...this.answers.given.values()].flat()) this.learn(label);
      this.showKeys();
      this.refresh();
      this.page.reloaded();
      this.say(`${count(known, "answer")} loaded.${others ? ` ${others} are about windows that are not on this page.` : ""}`);
    } catch {
      this.say(`${file.name} is not a file that "Save progress" wrote.`);
    }
    this.file.value = "";
  }
}
