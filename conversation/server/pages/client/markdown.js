// Markdown of an answer as elements. Nothing of the text is ever read as markup: every letter goes
// through text nodes, and a link keeps its address only where that is of a harmless kind. Each
// letter is looked at a bounded number of times.

import { make } from "./dom.js";

const MOST_LABEL = 400;
const MOST_ADDRESS = 2_000;
const HARMLESS = new Set(["https:", "http:", "mailto:", "tel:"]);
const MARKS = /** @type {const} */ ({
  "**": "strong",
  __: "strong",
  "*": "em",
  _: "em",
  "~~": "s",
});
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

/**
 * Put a text with its marks into an element.
 * @param {Node} parent
 * @param {string} text
 */
function appendInline(parent, text) {
  new Inline(text).into(parent);
}

class Inline {
  /** @type {{mark: keyof typeof MARKS, element: HTMLElement}[]} */
  #open = [];
  /** Lengths of runs of backquotes that nothing closes. @type {Set<number>} */
  #unclosed = new Set();
  #plain = "";
  #at = 0;
  #text;
  /** @type {Node} */
  #top = document.createDocumentFragment();

  /** @param {string} text */
  constructor(text) {
    this.#text = text;
  }

  /** @param {Node} parent */
  into(parent) {
    while (this.#at < this.#text.length) {
      const letter = this.#text[this.#at] ?? "";
      if (!this.#special(letter)) {
        this.#plain += letter;
        this.#at += 1;
      }
    }
    this.#flush();
    while (this.#open.length > 0) this.#giveUp();
    parent.appendChild(this.#top);
  }

  /**
   * Take what begins here, if it means something.
   * @param {string} letter
   * @returns {boolean}
   */
  #special(letter) {
    switch (letter) {
      case "\\":
        return this.#escape();
      case "\n":
        return this.#put(make("br"), 1);
      case "`":
        return this.#code();
      case "[":
        return this.#link();
      case "h":
      case "H":
        return this.#bareAddress();
      case "*":
      case "_":
      case "~":
        return this.#mark(letter);
      default:
        return false;
    }
  }

  #escape() {
    const next = this.#text[this.#at + 1];
    if (next === undefined || !/[!-/:-@[-`{-~]/.test(next)) return false;
    this.#plain += next;
    this.#at += 2;
    return true;
  }

  #code() {
    let length = 1;
    while (this.#text[this.#at + length] === "`") length += 1;
    const begin = this.#at + length;
    const end = this.#unclosed.has(length) ? -1 : this.#text.indexOf("`".repeat(length), begin);
    if (end < 0) {
      this.#unclosed.add(length);
      this.#plain += "`".repeat(length);
      this.#at = begin;
      return true;
    }
    const inside = this.#text.slice(begin, end).replaceAll("\n", " ");
    return this.#put(make("code", { text: inside }), end + length - this.#at);
  }

  #link() {
    const label = this.#text.slice(this.#at + 1, this.#at + MOST_LABEL);
    const close = label.indexOf("](");
    if (close < 1 || label.slice(0, close).includes("\n\n")) return false;
    const begin = this.#at + 1 + close + 2;
    const rest = this.#text.slice(begin, begin + MOST_ADDRESS);
    const end = closingBracket(rest);
    if (end < 0) return false;
    const [address = ""] = rest.slice(0, end).trim().replace(/^<|>$/g, "").split(/\s/);
    const shown = label.slice(0, close).replace(/^\[|[*_`]/g, "");
    return this.#put(linkTo(address, shown), begin + end + 1 - this.#at);
  }

  #bareAddress() {
    const before = this.#text[this.#at - 1] ?? " ";
    if (/[\p{L}\p{N}]/u.test(before)) return false;
    const rest = this.#text.slice(this.#at, this.#at + MOST_ADDRESS);
    const found = /^https?:\/\/[^\s<>"'`*|\\^{}]+/i.exec(rest);
    if (!found) return false;
    const address = trimmedAddress(found[0]);
    return this.#put(linkTo(address, address), address.length);
  }

  /** @param {string} letter */
  #mark(letter) {
    const isDouble = this.#text[this.#at + 1] === letter;
    if (letter === "~" && !isDouble) return false;
    const mark = /** @type {keyof typeof MARKS} */ (isDouble ? letter + letter : letter);
    const before = this.#text[this.#at - 1] ?? " ";
    const after = this.#text[this.#at + mark.length] ?? " ";
    const inWord = letter === "_" && /[\p{L}\p{N}]/u.test(before) && /[\p{L}\p{N}]/u.test(after);
    const isOpen = this.#open.some((each) => each.mark === mark);
    if (inWord) return false;
    if (isOpen && !/\s/.test(before)) this.#close(mark);
    else if (!isOpen && !/\s/.test(after)) this.#begin(mark);
    else return false;
    this.#at += mark.length;
    return true;
  }

  /** @param {keyof typeof MARKS} mark */
  #begin(mark) {
    this.#flush();
    const element = make(MARKS[mark]);
    this.#here().appendChild(element);
    this.#open.push({ mark, element });
  }

  /** @param {keyof typeof MARKS} mark */
  #close(mark) {
    this.#flush();
    while (this.#open.at(-1)?.mark !== mark) this.#giveUp();
    this.#open.pop();
  }

  /** The innermost mark was never closed: it is what it looks like. */
  #giveUp() {
    const last = this.#open.pop();
    last?.element.replaceWith(last.mark, ...last.element.childNodes);
  }

  #here() {
    return this.#open.at(-1)?.element ?? this.#top;
  }

  #flush() {
    if (this.#plain) this.#here().appendChild(document.createTextNode(this.#plain));
    this.#plain = "";
  }

  /**
   * @param {Node} node
   * @param {number} length  Of what it stands for.
   */
  #put(node, length) {
    this.#flush();
    this.#here().appendChild(node);
    this.#at += length;
    return true;
  }
}

/**
 * Where the bracket is that closes the one before this text.
 * @param {string} text
 */
function closingBracket(text) {
  let depth = 0;
  for (let at = 0; at < text.length; at += 1) {
    const letter = text[at];
    if (letter === "\n") return -1;
    if (letter === "(") depth += 1;
    else if (letter === ")" && depth === 0) return at;
    else if (letter === ")") depth -= 1;
  }
  return -1;
}

/** An address without what belongs to the sentence around it. @param {string} address */
function trimmedAddress(address) {
  let end = address.length;
  while (end > 0) {
    const last = address[end - 1] ?? "";
    const body = address.slice(0, end);
    const isOfSentence = ".,;:!?]'_~".includes(last);
    if (isOfSentence || (last === ")" && !body.includes("("))) end -= 1;
    else break;
  }
  return address.slice(0, end);
}

/**
 * A link, or the words alone where the address is not of a harmless kind.
 * @param {string} address
 * @param {string} label
 * @returns {Node}
 */
function linkTo(address, label) {
  const target = harmless(address);
  if (target === null) return document.createTextNode(label);
  const given = { href: target, target: "_blank", rel: "noopener noreferrer nofollow" };
  return make("a", { ...given, title: target, text: label });
}

/**
 * @param {string} address
 * @returns {string | null}
 */
export function harmless(address) {
  try {
    const found = new URL(address);
    return HARMLESS.has(found.protocol) && !found.username && !found.password ? found.href : null;
  } catch {
    return null;
  }
}
