// Who speaks, in which language, and what else can be done.

import { icon, iconButton, make } from "./dom.js";
import { nameOfLanguage } from "./words.js";

/** @import { Look } from "./types.js" */
/** @import { Words } from "./words.js" */

/**
 * @typedef {object} HeaderActs
 * @property {(beside: HTMLElement) => void} copy
 * @property {(isOn: boolean) => void} times
 * @property {(code: string) => void} language
 * @property {() => void} end
 * @property {(() => void) | null} close
 */

export class Header {
  element = make("header", { class: "vv-header" });
  #status = make("p", { class: "vv-subtitle", id: "status", role: "status" });
  #end;
  #id = make("p", { class: "vv-id" });
  /** @type {HTMLSelectElement | null} */
  #languages;
  #words;

  /** @param {Look} look @param {Words} words @param {string} language @param {HeaderActs} acts */
  constructor(look, words, language, acts) {
    this.#words = words;
    // A name in letters of the other direction stands beside the picture all the same, and where
    // it is too long its end is cut, not its beginning.
    const title = make("h1", { class: "vv-title", dir: "auto", text: words.title || look.name });
    const names = make("div", { class: "vv-names" }, title, this.#status);
    this.#languages = languageChoice(look, words, language, acts.language);
    this.#end = make("button", {
      type: "button",
      class: "vv-item",
      id: "end",
      text: words.end,
      onclick: acts.end,
    });
    this.#end.hidden = true;
    const close = acts.close ? iconButton("end", words.close ?? "", acts.close) : null;
    close?.classList.add("vv-close");
    this.element.append(avatarOf(look), names);
    if (this.#languages) this.element.append(this.#languages);
    this.element.append(this.#menu(acts));
    if (close) this.element.append(close);
    this.status("");
  }

  /** @param {string} text  Empty says what the agent is. */
  status(text) {
    this.#status.textContent = text || (this.#words.subtitle ?? "");
    this.#end.hidden = true;
    if (this.#languages) this.#languages.disabled = false;
  }

  /** A conversation is held. @param {string} id */
  live(id) {
    this.#status.textContent = this.#words.subtitle ?? "";
    this.#end.hidden = false;
    this.#id.textContent = `${this.#words.conversation_id} ${id}`;
    // It was begun in this language.
    if (this.#languages) this.#languages.disabled = true;
  }

  /** @param {HeaderActs} acts */
  #menu(acts) {
    const words = this.#words;
    const copy = make("button", { type: "button", class: "vv-item", text: words.copy_all });
    copy.addEventListener("click", () => acts.copy(copy));
    const box = make("input", { type: "checkbox" });
    box.addEventListener("change", () => acts.times(box.checked));
    const times = make(
      "label",
      { class: "vv-item" },
      box,
      make("span", { text: words.show_times }),
    );
    const summary = make(
      "summary",
      { class: "vv-button vv-quiet vv-round", "aria-label": words.more, title: words.more },
      icon("more"),
    );
    const list = make("div", { class: "vv-list" }, copy, times, this.#end, this.#id);
    const menu = make("details", { class: "vv-menu" }, summary, list);
    menu.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !menu.open) return;
      event.stopPropagation();
      menu.open = false;
      summary.focus();
    });
    menu.addEventListener("focusout", (event) => {
      if (event.relatedTarget instanceof Node && !menu.contains(event.relatedTarget))
        menu.open = false;
    });
    return menu;
  }
}

/** @param {Look} look */
export function avatarOf(look) {
  const [letter = "?"] = look.name.trim();
  const picture = make("span", {
    class: "vv-avatar",
    "aria-hidden": "true",
    text: letter.toUpperCase(),
  });
  if (!look.avatar) return picture;
  const image = make("img", { alt: "", src: look.avatar, referrerpolicy: "no-referrer" });
  image.addEventListener("load", () => picture.replaceChildren(image));
  return picture;
}

/**
 * @param {Look} look
 * @param {Words} words
 * @param {string} current
 * @param {(code: string) => void} act
 */
function languageChoice(look, words, current, act) {
  if (look.languages.length < 2) return null;
  const select = make("select", { class: "vv-select", "aria-label": words.language });
  for (const code of look.languages)
    select.append(make("option", { value: code, lang: code, text: nameOfLanguage(code) }));
  select.value = current;
  select.addEventListener("change", () => act(select.value));
  return select;
}
