// ---- the label file: CSV with the columns file, start, end and label

/** The label of a window in which none of the classes sounds, and all such labels, as `byola-hear learn` knows them. */
const NOISE = "noise";
const NEGATIVES = ["noise", "background", "other", "silence", "none"];
const negative = (label) => NEGATIVES.includes(label.trim().toLowerCase());

/** A cell, in quotes where it needs them. */
const cell = (text) => (/^\s|\s$|[",;\t\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/** Whether two segments share half of the shorter one: then one can't have a class and the other none. */
function together(a, b) {
  const ends = [a, b].map(([, start, end]) => (end === null ? Infinity : Math.max(end, start + 1e-3)));
  const common = Math.min(...ends) - Math.max(a[1], b[1]);
  return a[0] === b[0] && common >= 0.5 * Math.min(ends[0] - a[1], ends[1] - b[1]) - 1e-9;
}

/**
 * The rows of answers: a row for each label. A window without a class is left out where a class was confirmed: the other
 * row says already that its own class is not there.
 */
function rowsOf(answers) {
  const rows = answers.flatMap(([[file, start, end, asked], labels]) =>
    // That a sound is no noise does not say what it is.
    (labels.length || negative(asked) ? labels : [NOISE]).map((label) => [file, start, end, label]));
  const positive = new Map();
  for (const row of rows) if (!negative(row[3])) positive.set(row[0], [...(positive.get(row[0]) || []), row]);
  const kept = rows.filter((row) => !negative(row[3]) || !(positive.get(row[0]) || []).some((other) => together(row, other)));
  const lines = [...new Set(kept.map((row) => row.map((value) => cell(value === null ? "" : String(value))).join(",")))];
  return { lines, left: rows.length - kept.length };
}

/** Text as UTF-8; what stands for bytes that are none, in names of files, becomes these bytes again. */
function bytesOf(text) {
  const encoder = new TextEncoder();
  const parts = text.split(/((?<![\ud800-\udbff])[\udc80-\udcff])/).map((part, place) =>
    place % 2 ? new Uint8Array([part.charCodeAt(0) - 0xdc00]) : encoder.encode(part));
  return new Blob(parts, { type: "text/csv" });
}

function save(blob, name) {
  const address = URL.createObjectURL(blob);
  const link = element("a", { href: address, download: name });
  document.body.append(link); // Firefox does not follow a link outside the page
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
