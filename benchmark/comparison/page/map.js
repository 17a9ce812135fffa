// ---- maps of embeddings: a point for each clip, which plays it

const MARKS = ["circle", "square", "triangle", "diamond", "down", "bar", "post"];
const mapTasks = data.columns.filter((column) => data.maps[column.name]);
const labelMark = (label) => [MARKS[label % MARKS.length], LABEL_COLOURS[label % LABEL_COLOURS.length]];
let playing = -1, only = -1;

function drawMap() {
  const of = data.maps[$("map-task").value], places = of.places[$("map-model").value][$("map-layout").value];
  const width = Math.min($("map-plot").clientWidth, 720), height = Math.min(width * 0.8, 520), edge = 18;
  const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "group",
    "aria-label": `Map of ${places.length} clips; arrow keys move between clips, Enter plays` });
  const spread = (axis) => { const all = places.map((place) => place[axis]), least = Math.min(...all); return [least, Math.max(Math.max(...all) - least, 1e-6)]; };
  const [left, wide] = spread(0), [bottom, tall] = spread(1);
  const scale = Math.min((width - 2 * edge) / wide, (height - 2 * edge) / tall);
  const at = places.map(([x, y]) => [width / 2 + (x - left - wide / 2) * scale, height / 2 - (y - bottom - tall / 2) * scale]);
  const points = at.map(([x, y], clip) => {
    const label = of.label[clip], [shape, fill] = labelMark(label), text = `${of.labels[label]} · ${of.names[clip]}`;
    const point = mark(shape, x, y, 6, { fill, stroke: "var(--raised)", "stroke-width": 1, class: "point", role: "button",
      tabindex: clip ? "-1" : "0", "aria-label": `Play ${text}`, opacity: only >= 0 && label !== only ? 0.15 : 0.95 });
    point.addEventListener("click", () => {
      points.forEach((each) => (each.tabIndex = each === point ? 0 : -1));
      playClip(clip, text, point);
    });
    return tipped(point, () => text);
  });
  points.forEach((point, clip) => {
    const ring = (on) => { point.setAttribute("stroke", on ? "var(--ink)" : "var(--raised)"); point.setAttribute("stroke-width", on ? 2.5 : 1); };
    point.addEventListener("focus", () => ring(true));
    point.addEventListener("blur", () => ring(playing === clip));
    point.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
      if (event.key === "Enter" || event.key === " ") point.dispatchEvent(new MouseEvent("click"));
      else if (step) {
        let best = -1, least = Infinity;
        at.forEach(([x, y], other) => {
          const along = (x - at[clip][0]) * step[0] + (y - at[clip][1]) * step[1], across = Math.abs((x - at[clip][0]) * step[1]) + Math.abs((y - at[clip][1]) * step[0]);
          if (other !== clip && along > 0 && across <= along && along + 2 * across < least) [best, least] = [other, along + 2 * across];
        });
        if (best < 0) return event.preventDefault();
        point.tabIndex = -1;
        points[best].tabIndex = 0;
        points[best].focus();
      } else return;
      event.preventDefault();
    });
  });
  picture.append(...points);
  $("map-plot").replaceChildren(picture);
  $("map-legend").replaceChildren(...of.labels.map((label, place) => {
    const [shape, fill] = labelMark(place), count = of.label.filter((each) => each === place).length;
    const button = el("button", { type: "button", "aria-pressed": String(only === place), onclick: () => {
      only = only === place ? -1 : place;
      drawMap();
      $("map-legend").querySelectorAll("button")[place].focus();
    } }, svg("svg", { width: 14, height: 14, "aria-hidden": "true" }, mark(shape, 7, 7, 5, { fill })), `${label || "(empty)"} (${count})`);
    return el("li", {}, button);
  }));
}

function mapSummary() {
  const of = data.maps[$("map-task").value];
  const labels = of.labels.length < of.all_labels ? `${of.labels.length} of ${of.all_labels} labels` : `${of.labels.length} labels`;
  $("map-text").textContent = `${of.names.length} tested clips with ${labels}. Click one to hear its first ${fixed(of.seconds, 1)} s.`;
}

function playClip(clip, text, point) {
  const audio = $("audio"), source = data.maps[$("map-task").value].sounds[clip];
  if (playing === clip && !audio.paused) return audio.pause();
  playing = clip;
  point.parentNode.querySelectorAll(".point").forEach((each) => { each.setAttribute("stroke", "var(--raised)"); each.setAttribute("stroke-width", 1); });
  point.setAttribute("stroke", "var(--ink)");
  point.setAttribute("stroke-width", 2.5);
  $("map-text").textContent = `Playing ${text}`;
  audio.onerror = () => audio.getAttribute("src") && ($("map-text").textContent = `${text}: the browser cannot play it.`);
  audio.src = source;
  audio.play().catch((error) => error.name === "NotAllowedError" && ($("map-text").textContent = "Click again: the browser requires it before it plays sound."));
}

function mapModels() {
  const of = data.maps[$("map-task").value], before = $("map-model").value, names = Object.keys(of.places);
  options($("map-model"), names.map((name) => [name, name]), names.includes(chosen.model) ? chosen.model : before);
  const layouts = Object.keys(of.places[$("map-model").value]), layout = $("map-layout").value;
  options($("map-layout"), layouts.map((name) => [name, { pca: "PCA", umap: "UMAP", tsne: "t-SNE" }[name] || name]), layout);
  $("map-layout").parentNode.hidden = layouts.length < 2;
}

if (mapTasks.length) {
  $("map").hidden = false;
  options($("map-task"), mapTasks.map((column) => [column.name, column.title]));
  const fresh = () => {
    $("audio").pause();
    [playing, only] = [-1, -1];
    mapModels();
    mapSummary();
    drawMap();
  };
  const follow = () => {
    if (data.maps[chosen.task]) $("map-task").value = chosen.task;
    fresh();
  };
  followers.push(follow);
  $("map-task").addEventListener("change", () => {
    chosen.model = $("map-model").value;
    fresh();
    choose($("map-task").value, chosen.model, follow);
  });
  for (const id of ["map-model", "map-layout"]) $(id).addEventListener("change", () => ((playing = -1), drawMap()));
  mapModels();
  mapSummary();
  redrawn("map-plot", drawMap);
}
