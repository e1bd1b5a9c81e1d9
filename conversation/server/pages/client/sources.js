// What an answer rests on: documents with page and words, and the passage around them on demand.

import { icon, make } from "./dom.js";
import { fill } from "./words.js";

/** @import { Source } from "./types.js" */
/** @import { Words } from "./words.js" */

/**
 * @param {Source[]} sources
 * @param {Words} words
 * @returns {HTMLElement}
 */
export function sourcesOf(sources, words) {
  const shown = make("div", { class: "vv-passages" });
  const chips = make("ul", { class: "vv-chips" });
  const label = make("span", { class: "vv-hidden", text: words.sources });
  for (const group of byPlace(sources)) {
    const panel = passageOf(group, words);
    panel.hidden = true;
    const chip = make(
      "button",
      { type: "button", class: "vv-chip", "aria-expanded": "false" },
      icon("source"),
      make("bdi", { text: group[0].document }),
      group[0].page ? make("span", { class: "vv-soft", text: placeOf(group[0], words) }) : null,
    );
    chip.addEventListener("click", () => {
      panel.hidden = !panel.hidden;
      chip.setAttribute("aria-expanded", String(!panel.hidden));
      if (!panel.hidden) panel.scrollIntoView({ block: "nearest" });
    });
    chips.append(make("li", {}, chip));
    shown.append(panel);
  }
  return make("section", { class: "vv-sources" }, label, chips, shown);
}

/**
 * Sources of the same document and page, in the order in which they are first named.
 * @param {Source[]} sources
 * @returns {[Source, ...Source[]][]}
 */
function byPlace(sources) {
  /** @type {Map<string, [Source, ...Source[]]>} */
  const groups = new Map();
  for (const source of sources) {
    const key = JSON.stringify([source.document, source.page]);
    const group = groups.get(key);
    if (!group) groups.set(key, [source]);
    else if (!group.some((each) => each.quote === source.quote)) group.push(source);
  }
  return [...groups.values()];
}

/**
 * @param {[Source, ...Source[]]} group
 * @param {Words} words
 */
function passageOf(group, words) {
  const [first] = group;
  const where = [first.document, placeOf(first, words), ...first.heading].filter(Boolean);
  const panel = make("div", { class: "vv-passage" });
  panel.append(make("p", { class: "vv-where", dir: "auto", text: where.join(" › ") }));
  for (const source of group) panel.append(make("blockquote", { dir: "auto", text: source.quote }));
  if (first.passage && first.passage.trim() !== first.quote.trim()) {
    const inContext = make("details", {}, make("summary", { text: words.passage }));
    inContext.append(
      marked(
        first.passage,
        group.map((each) => each.quote),
      ),
    );
    panel.append(inContext);
  }
  return panel;
}

/** @param {Source} source @param {Words} words */
function placeOf(source, words) {
  return source.page ? fill(words.page ?? "", { page: source.page }) : "";
}

/**
 * A passage with the quoted words marked.
 * @param {string} passage
 * @param {string[]} quotes
 */
function marked(passage, quotes) {
  const text = make("p", { class: "vv-context", dir: "auto" });
  let at = 0;
  for (const [begin, end] of placesOf(passage, quotes)) {
    if (begin < at) continue;
    text.append(passage.slice(at, begin), make("mark", { text: passage.slice(begin, end) }));
    at = end;
  }
  text.append(passage.slice(at));
  return text;
}

/**
 * @param {string} passage
 * @param {string[]} quotes
 * @returns {[number, number][]}
 */
function placesOf(passage, quotes) {
  return quotes
    .map((quote) => /** @type {[number, number]} */ ([passage.indexOf(quote), quote.length]))
    .filter(([begin, length]) => begin >= 0 && length > 0)
    .map(([begin, length]) => /** @type {[number, number]} */ ([begin, begin + length]))
    .sort((one, other) => one[0] - other[0]);
}
