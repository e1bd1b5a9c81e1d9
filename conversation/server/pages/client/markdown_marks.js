// The marks inside of a line of Markdown: emphasis, code, links. Each letter is looked at a bounded
// number of times.

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

/**
 * Put a text with its marks into an element.
 * @param {Node} parent
 * @param {string} text
 */
export function appendInline(parent, text) {
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
