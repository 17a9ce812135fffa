"use strict";

const data = JSON.parse(document.getElementById("data").textContent);
const byId = (id) => document.getElementById(id);

// Texts are only ever set as text, so that a name can't become HTML.
function element(kind, text = "", name = "") {
  const made = document.createElement(kind);
  made.textContent = text;
  if (name) made.className = name;
  return made;
}

function row(kind, cells) {
  const made = document.createElement("tr");
  for (const cell of cells) made.append(cell instanceof Node ? cell : element(kind, cell));
  return made;
}

const number = (value, digits = 2) => (value === null ? "–" : value.toFixed(digits));
const count = (n, noun) => `${n} ${noun}${n === 1 ? "" : "s"}`;

function showFacts() {
  const f = data.facts;
  const fitted = f.strength === null ? "a linear layer, trained with the network" : `logistic regression (C = ${f.strength})`;
  const method = f.method === "logistic" ? fitted : "cosine to the mean of each class";
  byId("facts").textContent =
    `${count(f.examples, "window")} of ${f.window} s from ${count(f.recordings, "recording")}, ` +
    `${f.negatives} without a class; ${method}; network ${f.network}.`;
  byId("measured").textContent = f.folds
    ? `Measured on recordings that were held out, in ${f.folds} folds; precision, recall and F1 at the threshold of the ` +
      `best F1, so they are a little too good. AP is the average precision with its 95 % interval.`
    : "Not measured: there are too few recordings to hold some out.";
  for (const note of data.notes) byId("notes").append(element("li", note));
}

function showClasses() {
  const wished = `threshold of precision ${data.facts.precision}`;
  const heads = ["class", "windows", "groups", "AP", "95 %", "precision", "recall", "F1", "threshold", wished];
  const head = document.createElement("thead");
  head.append(row("th", heads));
  const body = document.createElement("tbody");
  for (const c of data.classes) {
    const interval = c.interval === null ? "–" : `${number(c.interval[0])}–${number(c.interval[1])}`;
    const measures = [c.precision, c.recall, c.f1].map((value) => number(value));
    const wish = c.wished === null ? "not reached" : number(c.wished, 3);
    const cells = [c.examples, c.recordings, number(c.average_precision), interval, ...measures, number(c.threshold, 3), wish];
    body.append(row("td", [element("td", c.label, "name"), ...cells.map(String)]));
  }
  byId("classes").append(head, body);
}

function showConfusion() {
  if (!data.confusion && !data.confused.length) return;
  byId("confusion-part").hidden = false;
  for (const [truth, found, times] of data.confused) {
    byId("confused").append(element("li", `${truth} → ${found}: ${count(times, "window")}`));
  }
  if (!data.confusion) return;
  const head = document.createElement("thead");
  head.append(row("th", ["", ...data.names]));
  const body = document.createElement("tbody");
  data.confusion.forEach((counts, truth) => {
    const total = Math.max(counts.reduce((sum, value) => sum + value, 0), 1);
    const cells = counts.map((value, found) => {
      const cell = element("td", String(value), value === 0 ? "zero" : found === truth ? "right" : "wrong");
      cell.style.setProperty("--share", String(value / total));
      cell.title = `${data.names[truth]} → ${data.names[found]}`;
      return cell;
    });
    body.append(row("td", [element("th", data.names[truth]), ...cells]));
  });
  byId("confusion").append(head, body);
}

let stopAt = Infinity;

function play(mistake) {
  const audio = byId("audio");
  byId("trouble").hidden = true;
  stopAt = mistake.end;
  const url = new URL(mistake.link, document.baseURI).href;
  const begin = () => {
    audio.currentTime = mistake.start;
    // Another choice stops this one before it plays.
    audio.play().catch((error) => error.name !== "AbortError" && failed());
  };
  const failed = () => {
    byId("trouble").textContent = `${mistake.file} can't be played: it was moved, or this browser does not know its format.`;
    byId("trouble").hidden = false;
  };
  audio.onerror = failed;
  if (audio.src === url && audio.readyState > 0) return begin();
  audio.onloadedmetadata = begin;
  audio.src = url;
  audio.load();
}

/** Stop at the end of the window. */
function follow() {
  const audio = byId("audio");
  if (audio.currentTime >= stopAt) audio.pause();
  else if (!audio.paused) requestAnimationFrame(follow);
}

function showMistakes() {
  if (!data.mistakes.length) return;
  byId("mistakes-part").hidden = false;
  byId("audio").onplaying = follow;
  // timeupdate comes four times a second, so a quarter of a second more would be heard. In a hidden page it is all there is.
  byId("audio").ontimeupdate = ({ target }) => target.currentTime >= stopAt && target.pause();
  const head = document.createElement("thead");
  head.append(row("th", ["", "recording", "from s", "to s", "label", "mistake", "score"]));
  const body = document.createElement("tbody");
  for (const m of data.mistakes) {
    const button = element("button", "Play");
    button.type = "button";
    button.setAttribute("aria-label", `Play ${m.file} from ${number(m.start)} s`);
    button.onclick = () => play(m);
    const cell = document.createElement("td");
    cell.append(button);
    const texts = [m.truth.join(", ") || "(none)", `${m.missed ? "missed" : "found"} ${m.found}`];
    const named = texts.map((text) => element("td", text, "text"));
    const place = [element("td", m.file, "text name"), number(m.start), number(m.end)];
    body.append(row("td", [cell, ...place, ...named, number(m.score)]));
  }
  byId("mistakes").append(head, body);
}

showFacts();
showClasses();
showConfusion();
showMistakes();
