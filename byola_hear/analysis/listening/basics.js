"use strict";
const $ = (id) => document.getElementById(id);
const data = JSON.parse($("data").textContent);

/** An element with attributes and children. Texts are only ever set as text, so that a name can't become HTML. */
function element(kind, attributes = {}, ...children) {
  const made = document.createElement(kind);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(name, value);
    else if (typeof value === "boolean") made.toggleAttribute(name, value);
    else made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

/** Seconds as minutes and seconds. */
function clock(seconds) {
  const hundredths = Math.round(seconds * 100);
  return `${Math.floor(hundredths / 6000)}:${((hundredths % 6000) / 100).toFixed(2).padStart(5, "0")}`;
}

/** Whether keys are written into an element. */
const written = (target) => target.matches("input:not([type=checkbox]), select, textarea");

const count = (n, noun) => `${n} ${noun}${n === 1 ? "" : "s"}`;
