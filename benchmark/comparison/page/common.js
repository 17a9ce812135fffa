"use strict";
const $ = (id) => document.getElementById(id);
const data = JSON.parse($("data").textContent);
const NOTHING = "–";
const columnOf = new Map(data.columns.map((column) => [column.name, column]));
const chosen = { task: null, model: null }; // shown in the confusions and the map
const followers = []; // called when a cell is chosen

/** An element with attributes; children are elements or text, never HTML. */
function el(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

function svg(tag, attributes = {}, ...children) {
  return filled(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function filled(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return node;
}

const options = (select, pairs, value) => {
  select.replaceChildren(...pairs.map(([key, text]) => el("option", { value: key }, text)));
  if (pairs.some(([key]) => key === value)) select.value = value;
};

const fixed = (value, digits) => (value === null || value === undefined ? NOTHING : value.toFixed(digits).replace("-", "−"));
const signed = (value, digits = 1) =>
  value === null ? NOTHING : (value > 0 ? "+" : "") + fixed(100 * value, digits);
const pText = (p) => (p === null || p === undefined ? NOTHING : p < 0.001 ? "< 0.001" : p.toFixed(3));

/** A table of plain text. */
function plainTable(header, rows, caption) {
  return el("table", { class: "plain" },
    caption ? el("caption", {}, caption) : null,
    el("thead", {}, el("tr", {}, header.map((text) => el("th", { scope: "col" }, text)))),
    el("tbody", {}, rows.map((row) => el("tr", {}, row.map((text, place) =>
      place ? el("td", {}, text) : el("th", { scope: "row" }, text))))));
}

// ---- colours: cividis, which reads the same with and without colour vision; and Okabe and Ito's eight

const CIVIDIS = ["#00224e", "#123570", "#3b496c", "#575d6d", "#707173", "#8a8678", "#a59c74", "#c3b369", "#e1cc55", "#fee838"];
const LABEL_COLOURS = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#b8a800", "#8a8a8a"];
const channels = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));

/** Colour of a number in [0, 1], and the ink that can be read on it. */
function heat(t) {
  const place = Math.min(Math.max(t, 0), 1) * (CIVIDIS.length - 1), low = Math.min(Math.floor(place), CIVIDIS.length - 2);
  const [a, b] = [channels(CIVIDIS[low]), channels(CIVIDIS[low + 1])];
  const mixed = a.map((value, at) => Math.round(value + (b[at] - value) * (place - low)));
  const linear = mixed.map((value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4));
  const luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
  return { fill: `rgb(${mixed.join(" ")})`, ink: luminance > 0.179 ? "#000" : "#fff" };
}

// ---- tips

function tip(text, x, y) {
  const box = $("tip");
  box.hidden = !text;
  if (!text) return;
  box.textContent = text;
  box.style.left = `${Math.max(Math.min(x + 14, innerWidth - box.offsetWidth - 8), 6)}px`;
  box.style.top = `${y + box.offsetHeight + 24 > innerHeight ? Math.max(y - box.offsetHeight - 12, 4) : y + 16}px`;
}

/** Show a text where the pointer or the focus is on a node. */
function tipped(node, text) {
  node.addEventListener("pointermove", (event) => tip(text(), event.clientX, event.clientY));
  node.addEventListener("pointerleave", () => tip(""));
  node.addEventListener("focus", () => {
    if (!node.matches(":focus-visible")) return;
    const box = node.getBoundingClientRect();
    tip(text(), box.right - 8, box.bottom - 12);
  });
  node.addEventListener("blur", () => tip(""));
  return node;
}
document.addEventListener("keydown", (event) => event.key === "Escape" && tip(""));

/** Draw again when a place has another width. */
function redrawn(id, draw) {
  let width = 0;
  new ResizeObserver(() => {
    const now = $(id).clientWidth;
    if (now && now !== width) {
      width = now;
      draw();
    }
  }).observe($(id));
}

function choose(task, model, from) {
  chosen.task = task;
  chosen.model = model;
  followers.forEach((follower) => follower !== from && follower());
}
const cut = (text, length) => (text.length > length ? `${text.slice(0, length - 1)}…` : text);
