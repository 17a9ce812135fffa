// ---- additional sections, notes, provenance, contents

const list = (items) => el("ul", {}, items.map((text) => el("li", {}, text)));
const BLOCKS = {
  text: (block) => el("p", {}, block.text),
  heading: (block) => el("h3", {}, block.text),
  list: (block) => list(block.items),
  table: (block) => el("div", { class: "wide" }, plainTable(block.header, block.rows)),
  figure: (block) => el("figure", {}, el("img", { src: block.source, alt: block.text, loading: "lazy" }), el("figcaption", {}, block.text)),
};
data.sections.forEach((section, place) => {
  const id = `section-${place}`;
  $("sections").append(el("section", { id, "aria-labelledby": `${id}-title` },
    el("h2", { id: `${id}-title` }, section.title), section.blocks.map((block) => BLOCKS[block.kind](block))));
});

const rowNotes = data.rows.map((row) => {
  const has = Object.keys(row.cells).length, lacking = Object.entries(row.missing).map(([task, why]) => `${(columnOf.get(task) || { title: task }).title}: ${why}`);
  const text = has ? [row.note, ...lacking] : [`${row.status === "failed" ? "failed" : "not measured"}: ${row.reason || "not run"}`];
  return `${row.name}: ${text.filter(Boolean).join("; ")}`;
});
$("notes-body").append(
  el("h3", {}, "Rows"), list(rowNotes),
  el("h3", {}, "Tasks"), list(data.columns.map((column) => `${column.title} (${data.domains[column.domain]}${column.metric_title ? `, ${column.metric_title}` : ""}): ${column.description}`)));
if (data.published.rows.length) $("notes-body").append(el("p", {}, `Published rows are from the leaderboard of ${data.published.source}, for HEAR's own tasks; they were not measured here.`));
if (data.notes.length) $("notes-body").append(el("h3", {}, "Notes"), list(data.notes));

function provenance(value, name, into) {
  if (value === null || value === undefined || value === "") return;
  if (typeof value === "object") Object.entries(value).forEach(([key, each]) => provenance(each, name ? `${name} ${key}` : key, into));
  else into.push(el("dt", {}, name.replaceAll("_", " ")), el("dd", {}, String(value)));
}
const facts = [];
provenance(data.about, "", facts);
provenance(data.seed, "bootstrap seed", facts);
data.columns.forEach((column) => column.sha256 && facts.push(el("dt", {}, `task ${column.title}`), el("dd", {}, `SHA-256 ${column.sha256}`)));
$("provenance-body").append(...facts);

const rowsMeasured = measured.length, rowsOut = data.rows.length - rowsMeasured;
$("about").textContent = `${rowsMeasured} models on ${data.columns.length} tasks with HEAR's own probes${rowsOut ? `; ${rowsOut} more could not be measured, for the reasons in the table` : ""}.`;
$("contents").append(...[...document.querySelectorAll("main section")].filter((section) => !section.hidden).map((section) =>
  el("li", {}, el("a", { href: `#${section.id}` }, section.querySelector("h2").textContent))));
