// ---- confusions: a row a true label, a column a predicted label

const confusionTasks = data.columns.filter((column) => data.confusions[column.name]);

function drawConfusion() {
  const of = data.confusions[$("confusion-task").value], flat = of.models[$("confusion-model").value], labels = of.labels, n = labels.length;
  const total = new Array(n).fill(0), right = new Array(n).fill(0), pairs = [];
  for (let at = 0; at < flat.length; at += 3) {
    const [truth, predicted, files] = flat.slice(at, at + 3);
    total[truth] += files;
    if (truth === predicted) right[truth] = files;
    pairs.push({ truth, predicted, files });
  }
  const width = Math.min($("confusion-plot").clientWidth, 720), longest = Math.max(...labels.map((label) => Math.min(label.length, 18)));
  const space = Math.min(longest * 6.4 + 14, width * 0.3), side = Math.max(Math.min((width - space - 4) / n, 46), 2);
  const words = side >= 9, size = Math.min(12, side * 0.95), head = words ? space : 16;
  const height = head + side * n + 22;
  const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img",
    "aria-label": `Confusion matrix of ${n} labels; the table below has the numbers by label` });
  picture.append(svg("rect", { x: space, y: head, width: side * n, height: side * n, fill: "var(--none)", stroke: "var(--line)" }));
  for (const { truth, predicted, files } of pairs) {
    const part = files / total[truth], x = space + predicted * side, y = head + truth * side;
    const text = `${labels[truth]}${truth === predicted ? ", correct" : ` classified as ${labels[predicted]}`}: ${files} of ${total[truth]} files (${fixed(100 * part, 0)} %)`;
    const alpha = 0.08 + 0.92 * part, cell = svg("g", {}, svg("rect", { x, y, width: side, height: side, fill: `rgba(var(--hot), ${alpha.toFixed(3)})` }));
    if (side >= 22) {
      const dark = matchMedia("screen and (prefers-color-scheme: dark)").matches;
      cell.append(svg("text", { x: x + side / 2, y: y + side / 2 + 4, "text-anchor": "middle", "font-size": Math.min(12, side / 2.4),
        style: null, fill: "currentColor" }, String(files)));
      cell.lastChild.style.fill = alpha > (dark ? 0.6 : 0.45) ? (dark ? "#000" : "#fff") : "var(--ink)";
    }
    picture.append(tipped(cell, () => text));
  }
  if (words) {
    labels.forEach((label, place) => {
      const middle = (place + 0.5) * side, text = cut(label || "(empty)", 18);
      picture.append(svg("text", { x: space - 6, y: head + middle + size * 0.35, "text-anchor": "end", "font-size": size }, svg("title", {}, label), text),
        svg("text", { transform: `translate(${space + middle + size * 0.35} ${head - 6}) rotate(-90)`, "font-size": size }, svg("title", {}, label), text));
    });
  }
  for (let place = 1; n <= 60 && place < n; place++) {
    const at = place * side;
    picture.append(svg("line", { x1: space + at, x2: space + at, y1: head, y2: head + n * side, class: "axis", "stroke-width": 0.5 }),
      svg("line", { x1: space, x2: space + n * side, y1: head + at, y2: head + at, class: "axis", "stroke-width": 0.5 }));
  }
  picture.append(svg("text", { x: space, y: height - 5, class: "faint" }, "rows: true label; columns: predicted label"));
  $("confusion-plot").replaceChildren(picture);
  const wrong = pairs.filter(({ truth, predicted }) => truth !== predicted).sort((a, b) => b.files - a.files);
  const named = ({ truth, predicted, files }) => `${labels[truth]} as ${labels[predicted]} (${files})`;
  const all = total.reduce((a, b) => a + b, 0), good = right.reduce((a, b) => a + b, 0);
  $("confusion-text").textContent = `${good} of ${all} files are correct, all folds together. ${wrong.length ? `Most frequent errors: ${wrong.slice(0, 3).map(named).join(", ")}.` : "There are no errors."}`;
  $("confusion-table").replaceChildren(plainTable(["label", "files", "correct, %", "most frequent error"], labels.map((label, place) => {
    const worst = wrong.find(({ truth }) => truth === place);
    return [label, String(total[place]), total[place] ? fixed((100 * right[place]) / total[place], 1) : NOTHING, worst ? `${labels[worst.predicted]} (${worst.files})` : NOTHING];
  })));
}

function confusionModels() {
  const models = data.confusions[$("confusion-task").value].models;
  const shown = data.rows.filter((row) => models[row.name]).map((row) => [row.name, row.name]);
  options($("confusion-model"), shown, chosen.model);
}

if (confusionTasks.length) {
  $("confusion").hidden = false;
  options($("confusion-task"), confusionTasks.map((column) => [column.name, column.title]));
  confusionModels();
  const follow = () => {
    if (data.confusions[chosen.task]) $("confusion-task").value = chosen.task;
    confusionModels();
    drawConfusion();
  };
  followers.push(follow);
  $("confusion-task").addEventListener("change", () => {
    const before = $("confusion-model").value;
    chosen.model = before;
    confusionModels();
    drawConfusion();
    choose($("confusion-task").value, $("confusion-model").value, follow);
  });
  $("confusion-model").addEventListener("change", () => {
    drawConfusion();
    choose($("confusion-task").value, $("confusion-model").value, follow);
  });
  redrawn("confusion-plot", drawConfusion);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawConfusion);
}
