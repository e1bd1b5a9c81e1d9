// Markdown of an answer as elements. Nothing of the text is ever read as markup: every letter goes
// through text nodes, and a link keeps its address only where that is of a harmless kind. Each
// letter is looked at a bounded number of times.

import { make } from "./dom.js";
import { appendInline } from "./markdown_marks.js";

const BULLET = /^(\s{0,12})(?:[-*+•]|(\d{1,6})[.)])\s+(.*)$/;
const RULE = /^ {0,3}(?:(?:- ?){3,}|(?:\* ?){3,}|(?:_ ?){3,})$/;
const TABLE_RULE = /^(?=.*(?:\||--))\s*\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*$/;

/**
 * @param {string} text
 * @returns {DocumentFragment}
 */
export function renderMarkdown(text) {
  const lines = text.replace(/\r\n?/g, "\n").split("\n");
  const fragment = document.createDocumentFragment();
  let at = 0;
  while (at < lines.length) {
    const [block, next] = blockAt(lines, at);
    if (block) fragment.append(block);
    at = next;
  }
  return fragment;
}

/**
 * The block that begins at a line, and where the next one does.
 * @param {string[]} lines
 * @param {number} at
 * @returns {[Node | null, number]}
 */
function blockAt(lines, at) {
  const line = lines[at] ?? "";
  if (!line.trim()) return [null, at + 1];
  const fence = /^ {0,3}(`{3,}|~{3,})/.exec(line);
  if (fence) return codeAt(lines, at, fence[1] ?? "```");
  const heading = /^ {0,3}#{1,6}\s+(.*)$/.exec(line);
  if (heading) return [paragraph((heading[1] ?? "").replace(/\s#+\s*$/, ""), "vv-heading"), at + 1];
  if (RULE.test(line)) return [make("hr"), at + 1];
  if (BULLET.test(line)) return listAt(lines, at);
  if (/^ {0,3}>/.test(line)) return quoteAt(lines, at);
  if (line.includes("|") && TABLE_RULE.test(lines[at + 1] ?? "")) return tableAt(lines, at);
  return paragraphAt(lines, at);
}

/**
 * @param {string[]} lines
 * @param {number} at
 * @param {string} fence
 * @returns {[Node, number]}
 */
function codeAt(lines, at, fence) {
  let end = at + 1;
  while (end < lines.length && !(lines[end] ?? "").trim().startsWith(fence)) end += 1;
  const code = make("code", { text: lines.slice(at + 1, end).join("\n") });
  return [make("pre", { tabindex: "0", dir: "ltr" }, code), end + 1];
}

/**
 * @param {string[]} lines
 * @param {number} at
 * @returns {[Node, number]}
 */
function listAt(lines, at) {
  const first = BULLET.exec(lines[at] ?? "");
  const isOrdered = first?.[2] !== undefined;
  const start = Number(first?.[2] ?? 1);
  const list = make(isOrdered ? "ol" : "ul", start === 1 ? {} : { start });
  const depth = (first?.[1] ?? "").length;
  /** @type {HTMLLIElement | null} */
  let item = null;
  let end = at;
  let count = start - 1;
  let deeperCount = 0;
  for (; end < lines.length; end += 1) {
    const line = lines[end] ?? "";
    const found = BULLET.exec(line);
    if (found && (found[1] ?? "").length <= depth + 1 && (found[2] !== undefined) !== isOrdered)
      break;
    if (found) {
      const isNumbered = found[2] !== undefined;
      item = make("li");
      // Deeper ones are set apart by their look: a list in a list in a list says no more.
      if ((found[1] ?? "").length > depth + 1) {
        item.className = `vv-deeper ${isNumbered ? "vv-number" : "vv-bullet"}`;
        deeperCount = deeperCount === 0 ? Number(found[2] ?? 1) : deeperCount + 1;
        if (isNumbered) item.value = deeperCount;
      } else {
        count += 1;
        deeperCount = 0;
        // What lies deeper between two of them does not count.
        if (isOrdered) item.value = count;
      }
      appendInline(item, found[3] ?? "");
      list.append(item);
    } else if (line.trim() && item && /^\s{2,}/.test(line)) {
      item.append(make("br"));
      appendInline(item, line.trim());
    } else if (line.trim() || !BULLET.test(lines[end + 1] ?? "")) break;
  }
  return [list, end];
}

/**
 * @param {string[]} lines
 * @param {number} at
 * @returns {[Node, number]}
 */
function quoteAt(lines, at) {
  const quote = make("blockquote");
  let end = at;
  for (; end < lines.length && /^ {0,3}>/.test(lines[end] ?? ""); end += 1) {
    if (end > at) quote.append(make("br"));
    appendInline(quote, (lines[end] ?? "").replace(/^ {0,3}>\s?/, ""));
  }
  return [quote, end];
}

/**
 * @param {string[]} lines
 * @param {number} at
 * @returns {[Node, number]}
 */
function tableAt(lines, at) {
  const head = make("thead", {}, row(lines[at] ?? "", "th"));
  const body = make("tbody");
  let end = at + 2;
  for (; end < lines.length && (lines[end] ?? "").includes("|"); end += 1)
    body.append(row(lines[end] ?? "", "td"));
  const table = make("table", {}, head, body);
  return [make("div", { class: "vv-wide", tabindex: "0", role: "group" }, table), end];
}

/**
 * @param {string} line
 * @param {"td" | "th"} kind
 */
function row(line, kind) {
  const element = make("tr");
  const cells = line.trim().replace(/^\|/, "").replace(/\|$/, "").split("|").slice(0, 40);
  for (const cell of cells) {
    const field = make(kind, kind === "th" ? { scope: "col" } : {});
    appendInline(field, cell.trim());
    element.append(field);
  }
  return element;
}

/**
 * @param {string[]} lines
 * @param {number} at
 * @returns {[Node, number]}
 */
function paragraphAt(lines, at) {
  let end = at + 1;
  while (end < lines.length && isContinued(lines, end)) end += 1;
  const element = make("p");
  appendInline(element, lines.slice(at, end).join("\n"));
  return [element, end];
}

/**
 * Whether a line goes on with the paragraph before it.
 * @param {string[]} lines
 * @param {number} at
 */
function isContinued(lines, at) {
  const line = lines[at] ?? "";
  if (!line.trim() || /^ {0,3}(?:`{3}|~{3}|#{1,6}\s|>)/.test(line)) return false;
  return !BULLET.test(line) && !(line.includes("|") && TABLE_RULE.test(lines[at + 1] ?? ""));
}

/**
 * @param {string} text
 * @param {string} kind
 */
function paragraph(text, kind) {
  const element = make("p", { class: kind });
  appendInline(element, text);
  return element;
}
