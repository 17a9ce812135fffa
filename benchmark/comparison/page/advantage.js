// ---- domain advantage: a point with its interval for each task, and the means over the domains

const SHAPES = { speech: "circle", nonspeech: "square", cross: "triangle" };
const DOT = 5;

/** A mark around (x, y). */
function mark(shape, x, y, r, attributes) {
  if (shape === "circle") return svg("circle", { cx: x, cy: y, r, ...attributes });
  const corners = {
    square: [[-0.9, -0.9], [0.9, -0.9], [0.9, 0.9], [-0.9, 0.9]],
    triangle: [[0, -1.2], [1.1, 0.8], [-1.1, 0.8]],
    down: [[0, 1.2], [1.1, -0.8], [-1.1, -0.8]],
    diamond: [[0, -1.3], [1.3, 0], [0, 1.3], [-1.3, 0]],
    bar: [[-1.3, -0.55], [1.3, -0.55], [1.3, 0.55], [-1.3, 0.55]],
    post: [[-0.55, -1.3], [0.55, -1.3], [0.55, 1.3], [-0.55, 1.3]],
  }[shape];
  return svg("polygon", { points: corners.map(([dx, dy]) => `${x + dx * r},${y + dy * r}`).join(" "), ...attributes });
}

const contrastName = (each) => `${each.network} − ${each.reference}`;
const range = (each, digits = 1) =>
  each.low === null ? "" : ` (${signed(each.low, digits)} to ${signed(each.high, digits)})`;

function advantageLines(each) {
  const other = each.domain === "speech" ? "nonspeech" : "speech";
  const tasks = each.differences.map((difference) => {
    const column = columnOf.get(difference.task);
    const tested = difference.p === null ? "no test" : `p ${pText(difference.p)}, ${pText(difference.p_holm)} after Holm`;
    const only = difference.only_network === null ? "" : `\nfiles that only one has right: ${difference.only_network} ${each.network}, ${difference.only_reference} ${each.reference}`;
    return { title: column.title, domain: column.domain, ...difference, sure: difference.p_holm !== null && difference.p_holm < 0.05,
      text: `${column.title} (${data.domains[column.domain]}): ${signed(difference.value)} points${range(difference)}\n${tested}${only}` };
  }).sort((a, b) => b.value - a.value);
  const means = [
    { title: `${data.domains[each.domain]} mean`, domain: each.domain, value: each.inside, low: null, high: null, sure: true },
    { title: `${data.domains[other]} mean`, domain: other, value: each.outside, low: null, high: null, sure: true },
    { title: "domain advantage", domain: "", value: each.value, low: each.low, high: each.high, sure: true, bold: true },
  ];
  means.forEach((line) => (line.text = `${line.title}: ${signed(line.value)} points${range(line)}`));
  return [tasks, means];
}

function drawAdvantage() {
  const each = data.advantages[Number($("contrast").value) || 0], [tasks, means] = advantageLines(each);
  const lines = [...tasks, ...means], step = 24, top = 8, gap = 14;
  const width = Math.min($("advantage-plot").clientWidth, 1000), left = Math.min(190, width * 0.42), right = 20;
  const reach = lines.flatMap((line) => [line.value, line.low ?? 0, line.high ?? 0, 0]).map((value) => 100 * value);
  const nice = [0.5, 1, 2, 5, 10, 20, 50].find((unit) => (Math.max(...reach) - Math.min(...reach)) / unit <= Math.min(8, (width - left) / 45)) || 100;
  const low = Math.floor(Math.min(...reach) / nice) * nice, high = Math.max(Math.ceil(Math.max(...reach) / nice) * nice, low + nice);
  const x = (value) => left + ((100 * value - low) / (high - low)) * (width - left - right);
  const y = (place) => top + step * (place + 0.5) + (place >= tasks.length ? gap : 0);
  const height = y(lines.length - 1) + step / 2 + 34;
  const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "group", "aria-label": `${contrastName(each)} by task, points` });
  for (let tick = low; tick <= high + 1e-9; tick += nice) {
    const at = x(tick / 100);
    picture.append(svg("line", { x1: at, x2: at, y1: top, y2: height - 34, class: Math.abs(tick) < 1e-9 ? "zero" : "axis" }),
      svg("text", { x: at, y: height - 19, "text-anchor": "middle", class: "faint" }, fixed(tick, nice < 1 ? 1 : 0)));
  }
  const below = (at, anchor, text) => svg("text", { x: at, y: height - 4, "text-anchor": anchor, class: "faint" }, text);
  picture.append(below(width < 500 ? 0 : Math.min(left, width * 0.2), "start", `← ${each.reference} better`), below(width - right, "end", `points, ${each.network} better →`));
  picture.append(svg("line", { x1: 0, x2: width, y1: y(tasks.length) - (step + gap) / 2, y2: y(tasks.length) - (step + gap) / 2, class: "axis" }));
  lines.forEach((line, place) => {
    const own = svg("g", { class: line.domain || null, tabindex: "0", role: "img", "aria-label": line.text });
    const ink = line.domain ? "currentColor" : "var(--ink)";
    own.append(svg("rect", { x: 0, y: y(place) - step / 2, width, height: step, fill: "transparent" }),
      svg("text", { x: left - 12, y: y(place) + 4, "text-anchor": "end", "font-weight": line.bold ? 700 : 400 },
        svg("title", {}, line.title), cut(line.title, Math.floor(left / 6.6))));
    if (line.low !== null) own.append(svg("line", { x1: x(line.low), x2: x(line.high), y1: y(place), y2: y(place), stroke: ink, "stroke-width": line.bold ? 3 : 2 }));
    own.append(mark(place >= tasks.length ? "diamond" : SHAPES[line.domain], x(line.value), y(place), DOT,
      { fill: line.sure ? ink : "var(--paper)", stroke: ink, "stroke-width": 2 }));
    tipped(own, () => line.text);
    picture.append(own);
  });
  $("advantage-plot").replaceChildren(picture);
  const other = each.domain === "speech" ? "non-speech" : "speech";
  $("advantage-text").textContent = `The difference between ${each.network} and ${each.reference} is ${signed(each.inside)} points on the ${each.n_inside} ${data.domains[each.domain]} tasks and ${signed(each.outside)} on the ${each.n_outside} ${other} tasks: a domain advantage of ${signed(each.value)} points${range(each)}, p ${pText(each.p)} of exchanging tasks between the domains${each.least_p < 0.001 ? "" : ` (at least ${pText(each.least_p)} with so few tasks)`}. Filled marks: the difference on the task is significant after Holm's correction (p < 0.05).`;
  $("advantage-table").replaceChildren(plainTable(["", "domain", "difference, points", "95 % interval", "p", "p (Holm)"],
    lines.map((line) => [line.title, data.domains[line.domain] || "", signed(line.value), line.low === null ? NOTHING : `${signed(line.low)} to ${signed(line.high)}`, pText(line.p), pText(line.p_holm)])));
}

if (data.advantages.length) {
  $("advantage").hidden = false;
  options($("contrast"), data.advantages.map((each, place) => [String(place), contrastName(each)]));
  const shown = data.groups.filter((group) => data.columns.some((column) => column.domain === group));
  $("domain-legend").append(...shown.map((group) => el("span", { class: group }, `${{ circle: "●", square: "■", triangle: "▲" }[SHAPES[group]]} ${data.domains[group]}`)));
  $("contrast").addEventListener("change", drawAdvantage);
  redrawn("advantage-plot", drawAdvantage);
}
