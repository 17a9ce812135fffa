// ---- the windows, one after the other

const windows = data.windows, total = windows.length;
const name = (place) => data.shown[windows[place].file];
const asked = (place) => data.labels[windows[place].label];
let current = 0;

const player = new Player($("audio"), played, trouble);
const picture = new Spectrogram($("spectrogram"), 640, 160);
const answers = new Answers(windows.map((each, place) => [data.files[each.file], each.start, each.end, asked(place)]), data.name);
const labelling = new Labelling($("labelling"), answers, data.classes, data.title, { current: () => current, asked, answered, show, reloaded });

function played() {
  picture.follow(player.playing ? player.position : null);
  $("play").lastElementChild.textContent = player.playing ? "Stop" : "Play";
}

function trouble(text) {
  $("trouble").textContent = text;
  $("trouble").hidden = false;
}

function play() {
  $("trouble").hidden = true;
  player.play(windows[current].sound);
}

const toggle = () => (player.playing ? player.stop() : play());

function show(place) {
  const old = rows[current];
  current = place;
  const each = windows[place], score = each.score === null ? "" : `score ${each.score.toFixed(2)}`;
  player.stop();
  $("trouble").hidden = true;
  $("question").textContent = `Is this ${asked(place)}?`;
  $("about").textContent = [`${place + 1} of ${total}`, name(place), `${clock(each.start)} – ${clock(each.end)}`, score].filter(Boolean).join(" · ");
  $("begin").textContent = clock(each.begin);
  $("end").textContent = clock(each.begin + each.seconds);
  picture.show(each.sound, each.rate, each.seconds, each.start - each.begin, each.end - each.begin).then((drawn) => {
    if (!drawn && current === place) trouble("The browser can't decode this sound.");
  });
  old.removeAttribute("aria-current");
  rows[place].setAttribute("aria-current", "true");
  const list = $("list").parentNode, top = rows[place].offsetTop - list.offsetTop;
  // On a phone the list is below, and the page stays where it is.
  if (top < list.scrollTop + 40 || top > list.scrollTop + list.clientHeight - 60) list.scrollTop = top - list.clientHeight / 2;
  marked(place);
  labelling.refresh();
}

/** Show in the list what a window was answered. */
function marked(place) {
  const labels = answers.of(place), [sign, words] = rows[place].children;
  const kind = !labels ? "" : !labels.length ? "no" : labels.includes(asked(place)) ? "yes" : "other";
  sign.className = `sign ${kind}`;
  sign.textContent = { "": "", no: "✗", yes: "✓", other: "→" }[kind];
  const said = !labels ? "no answer" : labels.join(", ") || "none of the classes";
  words.textContent = name(place) + (kind === "other" ? `: ${said}` : "");
  rows[place].setAttribute("aria-label", `${asked(place)}, ${name(place)}, ${clock(windows[place].start)}: ${said}`);
}

/** Go on to the next window without an answer. */
function answered(place, more) {
  marked(place);
  if (more) return;
  for (let offset = 1; offset < total; offset++) {
    const next = (place + offset) % total;
    if (answers.of(next)) continue;
    show(next);
    if ($("automatic").checked) play();
    return;
  }
  player.stop();
  labelling.say(`All ${total} answered. Download the labels.`);
}

const rows = windows.map((each, place) => element("button", { type: "button", click: () => (show(place), play()) },
  element("span", { class: "sign" }), element("span", { class: "name" }), element("small", {}, clock(each.start))));
rows.forEach((row, place) => {
  if (!place || asked(place) !== asked(place - 1)) $("list").append(element("li", { class: "kind" }, element("h3", {}, asked(place))));
  $("list").append(element("li", {}, row));
  marked(place);
});

function reloaded() {
  rows.forEach((_, place) => marked(place));
  show(current);
}

const step = (by) => show((current + by + total) % total);
$("previous").addEventListener("click", () => step(-1));
$("next").addEventListener("click", () => step(1));
$("play").addEventListener("click", toggle);
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || written(event.target)) return;
  const { key } = event;
  if (key === " " && event.target.matches("button, input")) return; // presses the button
  if (key === "ArrowRight" || key === "ArrowDown") step(1);
  else if (key === "ArrowLeft" || key === "ArrowUp") step(-1);
  else if (key === " ") toggle();
  else return;
  event.preventDefault();
});
// After the mouse, the space bar plays: it would press the button again, and answer the next window.
document.addEventListener("click", (event) => {
  const focused = document.activeElement;
  if (event.detail && focused.matches("button, input") && !written(focused)) focused.blur();
});
const first = windows.findIndex((_, place) => !answers.of(place));
show(Math.max(first, 0));
