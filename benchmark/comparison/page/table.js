// ---- the table: a heat map, sortable, with keyboard navigation

const layout = [];
for (const group of data.groups) {
  const tasks = data.columns.filter((column) => column.domain === group);
  tasks.forEach((column, place) => layout.push({ kind: "task", name: column.name, group, first: !place, title: column.title }));
  if (data.in_means[group].length > 1) layout.push({ kind: "mean", name: group, group, title: "mean" });
}
layout.push({ kind: "mean", name: "overall", group: "all", first: true, title: "mean" });
layout.push({ kind: "hear", name: "hear", group: "all", title: "HEAR average" });

/** The content of a column of a row: value, interval, gain for ranking; null if empty. */
function content(row, column) {
  if (column.kind === "task") {
    const cell = row.cells[column.name], of = columnOf.get(column.name);
    if (!cell) return null;
    return { value: cell.score * of.scale, low: times(cell.low, of.scale), high: times(cell.high, of.scale),
      digits: of.digits, unit: of.unit, gain: cell.gain, cell, of };
  }
  const mean = column.kind === "mean" ? row.means[column.name] : row.hear;
  if (!mean) return null;
  const scale = column.kind === "mean" ? 100 : 1;
  return { value: mean.value * scale, low: times(mean.low, scale), high: times(mean.high, scale),
    digits: scale === 1 ? 2 : 1, unit: scale === 1 ? "" : "%", gain: mean.value };
}

const texts = new Map(data.rows.map((row, place) => [row, data.texts[place]])); // rounded as in the other tables
const rounded = (row, column) => texts.get(row)[column.name].split(/ ± | (?=\[)/);
const times = (value, factor) => (value === null ? null : value * factor);
const columnTitle = (column) => column.kind === "task" ? column.title
  : column.kind === "hear" ? "HEAR average" : column.name === "overall" ? "mean of all tasks" : `${data.domains[column.name]} mean`;

function described(row, column) {
  const shown = content(row, column), title = columnTitle(column);
  if (!shown) return `${row.name}, ${title}: ${row.missing[column.name] || (column.kind === "task" ? row.reason || "not run" : "not all of its tasks were run")}`;
  const lines = [`${row.name}, ${title}: ${rounded(row, column)[0]}${shown.unit && " " + shown.unit}`];
  if (shown.low !== null) {
    lines[0] += ` (${fixed(shown.low, shown.digits)} to ${fixed(shown.high, shown.digits)}${shown.cell && shown.cell.interval === "folds" ? ", over folds" : ""})`;
  }
  if ((data.best[column.name] || []).includes(row.name)) lines[0] += ", best";
  if (shown.cell) {
    const { cell, of } = shown;
    lines.push(`${of.metric_title}, ${of.files} files${cell.spread === null ? "" : `, ${of.folds} folds, standard deviation ${fixed(cell.spread * of.scale, of.digits)}`}`);
    for (const [name, value] of Object.entries(cell.others)) lines.push(`${name} ${fixed(value, 3)}`);
  }
  return lines.join("\n");
}

const measured = data.rows.filter((row) => Object.keys(row.cells).length);
let order = [...data.rows], sorting = null, walker = null;

/** The standing of each row in a column, 0 to 1. */
function standings(column) {
  const gains = measured.map((row) => [row, content(row, column)]).filter(([, shown]) => shown).map(([row, shown]) => [row, shown.gain]);
  const values = gains.map(([, gain]) => gain), mean = values.reduce((a, b) => a + b, 0) / values.length;
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
  const byScore = $("colouring").value === "score", bounded = column.kind === "mean" || (column.kind === "task" && columnOf.get(column.name).fraction);
  return new Map(gains.map(([row, gain]) =>
    [row, byScore && bounded ? gain : deviation < 1e-12 ? 0.5 : (Math.min(Math.max((gain - mean) / deviation, -1), 1) + 1) / 2]));
}

function drawTable() {
  const groups = [];
  for (const column of layout) {
    const last = groups[groups.length - 1];
    if (last && last.group === column.group) last.span++;
    else groups.push({ group: column.group, span: 1 });
  }
  const head = el("thead", {},
    el("tr", {}, el("td", { class: "corner" }), groups.map(({ group, span }) =>
      el("th", { scope: "colgroup", colspan: span, class: `group first ${group}` }, data.domains[group] || "all tasks"))),
    el("tr", {},
      el("th", { scope: "col", class: "corner", "aria-sort": null },
        el("button", { type: "button", onclick: () => sort(null) }, "model")),
      layout.map((column) => {
        const of = columnOf.get(column.name), lower = of && of.lower_is_better;
        const button = el("button", { type: "button", onclick: () => sort(column) }, column.title + (lower ? ", lower is better" : ""));
        tipped(button, () => of && column.kind === "task" ? [of.description || of.title, `${of.metric_title}, ${of.files} files`].join("\n") : columnTitle(column));
        return el("th", { scope: "col", class: column.first ? "first" : null,
          "aria-sort": sorting && sorting.column === column ? (sorting.down ? "descending" : "ascending") : "none" }, button);
      })));
  const colours = new Map(layout.map((column) => [column, standings(column)]));
  const body = el("tbody", {}, order.map((row) => tableRow(row, colours)));
  const parts = [head, body];
  if ($("published").checked) parts.push(el("tbody", { class: "published" }, data.published.rows.map(publishedRow)));
  $("grid").replaceChildren(...parts);
  $("grid").classList.toggle("intervals", $("intervals").checked);
  const first = $("grid").querySelector("td[data-task]");
  if (first) walkTo($("grid").querySelector("td.chosen") || first, false);
}

function tableRow(row, colours) {
  const name = el("th", { scope: "row", title: row.note || null }, row.name);
  if (!Object.keys(row.cells).length) {
    const word = row.status === "failed" ? "failed" : "not measured";
    const why = el("div", {}, `${word}: ${row.reason || "not run"}`);
    return el("tr", {}, name, tipped(el("td", { class: "why first", colspan: layout.length }, why), () => why.textContent));
  }
  return el("tr", {}, name, layout.map((column) => {
    const shown = content(row, column), best = (data.best[column.name] || []).includes(row.name);
    const classes = [column.first && "first", !shown && "missing", column.kind !== "task" && "mean", best && shown && "best",
      chosen.task === column.name && chosen.model === row.name && "chosen"].filter(Boolean).join(" ");
    const cell = el("td", { class: classes || null, tabindex: "-1", "data-task": column.name, "data-model": row.name,
      "aria-label": described(row, column) },
    rounded(row, column)[0], rounded(row, column)[1] ? el("small", {}, rounded(row, column)[1].replace(/^(?!\[)/, "± ")) : null);
    if (shown) {
      const { fill, ink } = heat(colours.get(column).get(row));
      cell.style.background = fill;
      cell.style.color = ink;
    }
    cell.addEventListener("click", () => pick(row, column, cell));
    return tipped(cell, () => described(row, column));
  }));
}

function publishedRow(row) {
  return el("tr", {}, el("th", { scope: "row" }, `${row.name} (published)`), layout.map((column) => {
    const score = column.kind === "task" ? row.scores[column.name] : undefined, of = columnOf.get(column.name);
    return el("td", { class: column.first ? "first" : null }, score === undefined ? NOTHING : fixed(score * of.scale, of.digits));
  }));
}

function sort(column) {
  if (!column) {
    sorting = null;
    order = [...data.rows];
  } else {
    const again = sorting && sorting.column === column;
    sorting = { column, down: again ? !sorting.down : !(columnOf.get(column.name) || {}).lower_is_better };
    const key = (row) => (content(row, column) || { value: null }).value;
    order = data.rows.map((row, place) => ({ row, place, value: key(row) })).sort((a, b) =>
      a.value === null || b.value === null ? (a.value === null) - (b.value === null) || a.place - b.place
        : (sorting.down ? b.value - a.value : a.value - b.value) || a.place - b.place).map(({ row }) => row);
  }
  drawTable();
  const place = column ? layout.indexOf(column) + 1 : 0;
  $("grid").querySelectorAll("thead button")[place].focus();
}

function pick(row, column, cell) {
  $("detail").textContent = described(row, column).replaceAll("\n", "; ");
  $("grid").querySelectorAll(".chosen").forEach((each) => each.classList.remove("chosen"));
  cell.classList.add("chosen");
  walkTo(cell, false);
  if (column.kind === "task") choose(column.name, row.name);
}

function walkTo(cell, focus = true) {
  if (walker) walker.tabIndex = -1;
  walker = cell;
  walker.tabIndex = 0;
  if (focus) walker.focus();
}

$("grid").addEventListener("keydown", (event) => {
  const cell = event.target.closest("td[data-task]");
  if (!cell || event.ctrlKey || event.altKey || event.metaKey) return;
  if (event.key === "Enter" || event.key === " ") cell.click();
  else {
    const rows = [...cell.closest("tbody").rows].filter((row) => row.querySelector("td[data-task]"));
    const y = rows.indexOf(cell.parentNode), x = cell.cellIndex;
    const to = { ArrowLeft: [x - 1, y], ArrowRight: [x + 1, y], ArrowUp: [x, y - 1], ArrowDown: [x, y + 1],
      Home: [1, y], End: [layout.length, y] }[event.key];
    if (!to) return;
    const next = rows[to[1]] && to[0] > 0 && rows[to[1]].cells[to[0]];
    if (next) walkTo(next);
  }
  event.preventDefault();
});

function drawScale() {
  const bar = $("scale-bar"), pen = bar.getContext("2d"), byScore = $("colouring").value === "score";
  for (let x = 0; x < bar.width; x++) {
    pen.fillStyle = heat(x / (bar.width - 1)).fill;
    pen.fillRect(x, 0, 1, bar.height);
  }
  $("scale-low").textContent = byScore ? "0 %" : "−1 SD or worse";
  $("scale-high").textContent = byScore ? "100 %" : "+1 SD or better";
}

$("published-label").hidden = !data.published.rows.length;
for (const id of ["colouring", "intervals", "published"]) $(id).addEventListener("change", () => (drawScale(), drawTable()));
$("caption").append(...data.caption.map((line) => el("p", {}, line)));
drawScale();
drawTable();
