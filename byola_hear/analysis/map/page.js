// ---- the clips

const total = data.file.length;
const canvas = $("map"), pen = canvas.getContext("2d");
const radius = total < 300 ? 6 : total < 3000 ? 4.5 : total < 15000 ? 3.2 : 2.4;
const colours = data.labels.map(colour);
const shown = new Array(data.labels.length).fill(true); // labels that the legend leaves on
let matching = null; // per point, whether the search finds it; null where nothing is searched
let chosen = -1, hovered = -1, scheduled = false;
let view = { scale: 1, x: 0, y: 0 }, whole = 1; // pixels to the map's width, and where its corner is
let sprites = [];

function colour(name, index, names) {
  if (name === "(no label)") return "hsl(0 0% 55%)";
  if (names.length <= 12) return `hsl(${(360 * index) / names.length + 10} 70% 48%)`;
  return `hsl(${(index * 137.508 + 10) % 360} ${[75, 55, 90][index % 3]}% ${[46, 60, 36][(index >> 1) % 3]}%)`;
}

function name(point) {
  return data.files[data.file[point]];
}

function span(point) {
  return data.whole ? "" : data.span[point].map(clock).join(" – ");
}

const label = (point) => data.labels[data.label[point]];
// What stands for a label where there is none can't be confirmed.
const asked = (point) => (data.unnamed.includes(label(point)) ? "" : label(point));
// A label that is the folder's name stands before the file's already.
const news = (point) => (name(point).startsWith(`${label(point)}/`) || data.labels.length < 2 ? "" : label(point));
const described = (point) => [name(point), span(point), news(point)].filter(Boolean).join(" · ");
const visible = (point) => shown[data.label[point]];
const found = (point) => visible(point) && (!matching || matching[point]);

/** Where a point is on the canvas. */
function pixels(point) {
  return [view.x + data.place[point][0] * view.scale, view.y + (1 - data.place[point][1]) * view.scale];
}

// ---- drawing

function sprite(fill, size, ratio) {
  const side = Math.ceil((2 * size + 2) * ratio), image = new OffscreenCanvas(side, side);
  const ink = image.getContext("2d");
  ink.scale(ratio, ratio);
  ink.fillStyle = fill;
  ink.strokeStyle = "rgb(255 255 255 / 60%)";
  ink.lineWidth = 0.7;
  ink.beginPath();
  ink.arc(size + 1, size + 1, size, 0, 2 * Math.PI);
  ink.fill();
  ink.stroke();
  return image.transferToImageBitmap(); // twice as fast to draw as the canvas itself
}

function size() {
  return radius * Math.min(Math.max(Math.sqrt(view.scale / whole), 1), 2.5);
}

function redraw() {
  if (scheduled) return;
  scheduled = true;
  requestAnimationFrame(draw);
}

function draw() {
  scheduled = false;
  const ratio = window.devicePixelRatio || 1, width = canvas.clientWidth, height = canvas.clientHeight;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
  }
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, width, height);
  const r = size();
  if (sprites.r !== r || sprites.ratio !== ratio) {
    sprites = Object.assign(colours.map((fill) => sprite(fill, r, ratio)), { r, ratio });
  }
  const put = (point) => {
    const [x, y] = pixels(point);
    if (x < -r || y < -r || x > width + r || y > height + r) return;
    // On whole pixels, at its own size: copied, not resampled.
    const image = sprites[data.label[point]], side = image.width / ratio;
    pen.drawImage(image, Math.round((x - side / 2) * ratio) / ratio, Math.round((y - side / 2) * ratio) / ratio, side, side);
  };
  if (matching) {
    pen.globalAlpha = 0.12;
    for (let point = 0; point < total; point++) if (visible(point) && !matching[point]) put(point);
  }
  pen.globalAlpha = 0.85;
  for (let point = 0; point < total; point++) if (found(point)) put(point);
  pen.globalAlpha = 1;
  const style = getComputedStyle(document.documentElement);
  pen.strokeStyle = style.getPropertyValue("--mark");
  if (chosen >= 0) {
    const from = pixels(chosen);
    pen.lineWidth = 1;
    for (const near of data.near[chosen].filter(visible)) {
      pen.beginPath();
      pen.moveTo(...from);
      pen.lineTo(...pixels(near));
      pen.stroke();
      put(near);
    }
    put(chosen);
    ring(chosen, r + 3, 2.5);
  }
  pen.strokeStyle = style.getPropertyValue("--ink");
  for (const id of answers.given.keys()) {
    const point = answers.place.get(id);
    if (found(point)) ring(point, r, 2);
  }
  if (hovered >= 0) ring(hovered, r + 2, 1.5);
}

function ring(point, r, width) {
  pen.lineWidth = width;
  pen.beginPath();
  pen.arc(...pixels(point), r, 0, 2 * Math.PI);
  pen.stroke();
}

function fit() {
  // The help covers the bottom, and would hide points.
  const width = canvas.clientWidth, height = canvas.clientHeight - $("help").offsetHeight;
  const xs = data.place.map((place) => place[0]), ys = data.place.map((place) => 1 - place[1]);
  const [left, right] = xs.reduce(([a, b], x) => [Math.min(a, x), Math.max(b, x)], [1, 0]);
  const [top, bottom] = ys.reduce(([a, b], y) => [Math.min(a, y), Math.max(b, y)], [1, 0]);
  const room = (pixels) => Math.max(pixels - 70, 20);
  whole = Math.min(room(width) / Math.max(right - left, 0.05), room(height) / Math.max(bottom - top, 0.05));
  view = { scale: whole, x: width / 2 - ((left + right) / 2) * whole, y: height / 2 - ((top + bottom) / 2) * whole };
  redraw();
}

function zoom(factor, x, y) {
  const scale = Math.min(Math.max(view.scale * factor, whole / 2), whole * 200);
  view.x = x - ((x - view.x) * scale) / view.scale;
  view.y = y - ((y - view.y) * scale) / view.scale;
  view.scale = scale;
  redraw();
}

// ---- choosing and playing

function at(x, y, reach) {
  let best = -1, least = (size() + reach) ** 2;
  for (let point = 0; point < total; point++) {
    if (!found(point)) continue;
    const [px, py] = pixels(point), distance = (px - x) ** 2 + (py - y) ** 2;
    if (distance <= least) [best, least] = [point, distance];
  }
  return best;
}

function row(text, fill, note, act) {
  const dot = element("i");
  dot.style.background = fill;
  return element("li", {}, element("button", { type: "button", click: act }, dot, element("span", {}, text), element("small", {}, note)));
}

function choose(point, sound) {
  player.stop();
  chosen = point;
  $("chosen").hidden = $("nearest").hidden = point < 0;
  $("trouble").hidden = true;
  if (point >= 0) {
    $("name").textContent = name(point);
    $("about").textContent = [label(point), span(point)].filter(Boolean).join(" · ");
    $("near").replaceChildren(
      ...data.near[point].map((near, place) =>
        row(described(near), colours[data.label[near]], data.cosine[point][place].toFixed(2), () => choose(near, true))
      )
    );
    const [x, y] = pixels(point), edge = 20;
    if (x < edge || y < edge || x > canvas.clientWidth - edge || y > canvas.clientHeight - edge) {
      view.x += canvas.clientWidth / 2 - x;
      view.y += canvas.clientHeight / 2 - y;
    }
    if (data.previews) picture.show(data.previews[point], data.rate);
    if (sound) play();
  }
  labelling.refresh();
  redraw();
}

function play() {
  const source = data.previews ? data.previews[chosen] : data.links[data.file[chosen]];
  if (!source) return trouble("There is no preview of this clip.");
  $("trouble").hidden = true;
  player.play(source, ...(data.previews ? [] : data.span[chosen]));
}

function trouble(text) {
  $("trouble").textContent = text;
  $("trouble").hidden = false;
}

function played() {
  picture.follow(player.playing ? player.position : null);
  $("play").textContent = player.playing ? "Stop" : "Play";
}

const toggle = () => chosen >= 0 && (player.playing ? player.stop() : play());
$("play").addEventListener("click", toggle);

// ---- pointer: mouse, pen, one finger or two

const down = new Map();
let travelled = 0;

function place(event) {
  const box = canvas.getBoundingClientRect();
  return [event.clientX - box.left, event.clientY - box.top];
}

canvas.addEventListener("pointerdown", (event) => {
  canvas.setPointerCapture(event.pointerId);
  if (!down.size) travelled = 0;
  down.set(event.pointerId, place(event));
});

canvas.addEventListener("pointermove", (event) => {
  const [x, y] = place(event), before = down.get(event.pointerId);
  if (!before) return hover(event.pointerType === "mouse" ? at(x, y, 4) : -1, x, y);
  travelled += Math.hypot(x - before[0], y - before[1]);
  if (down.size === 2) {
    const other = [...down].find(([id]) => id !== event.pointerId)[1];
    const reach = (p) => Math.max(Math.hypot(p[0] - other[0], p[1] - other[1]), 1);
    zoom(reach([x, y]) / reach(before), other[0], other[1]);
  } else if (travelled > 4) {
    view.x += x - before[0];
    view.y += y - before[1];
    hover(-1);
  }
  down.set(event.pointerId, [x, y]);
  redraw();
});

canvas.addEventListener("pointerup", (event) => {
  const point = at(...place(event), event.pointerType === "mouse" ? 4 : 14);
  if (down.size === 1 && travelled <= 4) choose(point, true);
  down.delete(event.pointerId);
});

canvas.addEventListener("pointercancel", (event) => down.delete(event.pointerId));
canvas.addEventListener("pointerleave", () => hover(-1));
canvas.addEventListener("dblclick", (event) => at(...place(event), 4) < 0 && fit());
canvas.addEventListener(
  "wheel",
  (event) => {
    event.preventDefault();
    const pixels = event.deltaY * (event.deltaMode === 1 ? 16 : event.deltaMode === 2 ? 400 : 1);
    zoom(Math.exp(-pixels / 400), ...place(event));
  },
  { passive: false }
);

function hover(point, x, y) {
  const tip = $("tip");
  tip.hidden = point < 0;
  if (point >= 0) {
    $("tip-text").textContent = described(point);
    if (point !== hovered && data.previews) {
      $("tip-picture").hidden = true; // until it is drawn
      thumbnail.show(data.previews[point], data.rate);
    }
    const left = Math.min(x + 14, canvas.clientWidth - tip.offsetWidth - 6);
    tip.style.left = `${Math.max(left, 6)}px`;
    tip.style.top = `${y > canvas.clientHeight - (data.previews ? 160 : 60) ? y - tip.offsetHeight - 12 : y + 14}px`;
  }
  if (point !== hovered) {
    hovered = point;
    canvas.style.cursor = point < 0 ? "" : "pointer";
    redraw();
  }
}

// ---- keyboard

const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

function step([dx, dy]) {
  const from = chosen < 0 ? [canvas.clientWidth / 2, canvas.clientHeight / 2] : pixels(chosen);
  let best = -1, least = Infinity;
  for (let point = 0; point < total; point++) {
    if (point === chosen || !found(point)) continue;
    const [x, y] = pixels(point), along = (x - from[0]) * dx + (y - from[1]) * dy;
    const across = Math.abs((x - from[0]) * dy - (y - from[1]) * dx);
    if (chosen >= 0 && (along <= 0 || across > along)) continue;
    const far = Math.abs(along) + 2 * across;
    if (far < least) [best, least] = [point, far];
  }
  if (best >= 0) choose(best, false);
}

document.addEventListener("keydown", (event) => {
  // Nothing has the focus when the page opens, and after a click on a neighbour, whose button is gone.
  if (event.ctrlKey || event.metaKey || event.altKey || ![canvas, document.body].includes(event.target)) return;
  const middle = [canvas.clientWidth / 2, canvas.clientHeight / 2];
  if (event.key in arrows) step(arrows[event.key]);
  else if (event.key === "Enter" || event.key === " ") toggle();
  else if (event.key === "Escape") choose(-1);
  else if (event.key === "+" || event.key === "=") zoom(1.4, ...middle);
  else if (event.key === "-") zoom(1 / 1.4, ...middle);
  else if (event.key === "0") fit();
  else return;
  event.preventDefault();
});

document.addEventListener("keydown", (event) => {
  if (event.key === "/" && !event.target.matches("input")) {
    event.preventDefault();
    $("search").focus();
  }
});

// ---- search and legend

function search() {
  const text = $("search").value.trim().toLowerCase();
  matching = text ? data.file.map((file) => data.files[file].toLowerCase().includes(text)) : null;
  let count = 0;
  for (let point = 0; point < total; point++) count += found(point);
  $("found").textContent = text ? `${count} found${count ? ", Enter for the next" : ""}` : "";
  redraw();
}

$("search").addEventListener("input", search);
$("search").addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    $("search").value = "";
    search();
    canvas.focus();
  } else if (event.key === "Enter" && matching) {
    for (let offset = 1; offset <= total; offset++) {
      const point = (chosen + offset) % total;
      if (found(point)) return choose(point, true);
    }
  }
});

function legend(changed) {
  [...$("legend").children].forEach((item, label) => item.firstChild.setAttribute("aria-pressed", shown[label]));
  if (changed && chosen >= 0 && !visible(chosen)) choose(-1);
  search();
}

const counts = new Array(data.labels.length).fill(0);
data.label.forEach((label) => counts[label]++);
$("legend").append(
  ...data.labels.map((text, label) =>
    row(text || "(empty)", colours[label], String(counts[label]), (event) => {
      if (event.shiftKey) shown.fill(false);
      shown[label] = event.shiftKey || !shown[label];
      legend(true);
    })
  )
);
[["all", true], ["none", false]].forEach(([id, on]) =>
  $(id).addEventListener("click", () => {
    shown.fill(on);
    legend(true);
  })
);
// ---- labels by key; a file's end is the clip's where the clip is the whole file

const windows = data.file.map((file, point) => [data.folder + (data.exact[file] || data.files[file]), ...data.span[point], ""]);
const answers = new Answers(windows, data.name);
const byCount = data.labels.filter((text) => !data.unnamed.includes(text)).sort((a, b) => counts[data.labels.indexOf(b)] - counts[data.labels.indexOf(a)]);
const player = new Player($("audio"), played, trouble);
const picture = new Spectrogram($("picture"), 300, 96), thumbnail = new Spectrogram($("tip-picture"), 200, 64);
$("picture").hidden = $("tip-picture").hidden = true;
const labelling = new Labelling($("labelling"), answers, byCount, data.title, {
  current: () => chosen, asked, answered, show: (point) => choose(point, false), reloaded: answered,
});
$("yours").open = answers.given.size > 0;

function answered() {
  $("yours").open = true;
  redraw();
}

const files = data.files.length;
$("count").textContent = `${total} ${total === 1 ? "clip" : "clips"}${files < total ? ` of ${files} ${files === 1 ? "file" : "files"}` : ""}`;
legend(false);
new ResizeObserver(() => (view.scale === whole ? fit() : redraw())).observe(canvas);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
fit();
