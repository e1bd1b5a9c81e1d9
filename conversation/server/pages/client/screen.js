// What is shown of a talk: who speaks, what was said, where to write, and forms in their place.

import { Composer } from "./composer.js";
import { copied } from "./copying.js";
import { make } from "./dom.js";
import { examplesOf } from "./examples.js";
import { Header } from "./header.js";
import { Turns } from "./turns.js";
import { directionOf, wordsFor } from "./words.js";

/** @import { Look } from "./types.js" */
/** @import { Words } from "./words.js" */

/**
 * What a user can do with what is shown.
 * @typedef {object} ScreenActs
 * @property {(text: string) => void} send
 * @property {() => void} stop
 * @property {() => void} typing
 * @property {() => void} talk
 * @property {() => void} end
 * @property {(() => void) | null} close
 * @property {(eventId: number, score: "like" | "dislike" | null) => void} rate
 */

export class Screen {
  element = make("div", { class: "vv vv-talk", tabindex: "-1" });
  bottom = make("div", { class: "vv-bottom" });
  language;
  words;
  /** @type {Turns} */
  turns;
  /** @type {Header} */
  header;
  /** @type {Composer} */
  composer;
  #stage = make("div", { class: "vv-stage" });
  /** Shows again what is being asked. @type {(() => void) | null} */
  #askAgain = null;
  #look;
  #acts;

  /** @param {Look} look @param {string} language @param {ScreenActs} acts */
  constructor(look, language, acts) {
    this.#look = look;
    this.#acts = acts;
    this.language = language;
    this.words = wordsFor(language, look.texts);
    this.turns = this.#newTurns();
    this.header = this.#newHeader();
    this.composer = this.#newComposer();
    this.build();
  }

  focus() {
    const field = this.element.querySelector("form.vv-panel input, form.vv-panel button");
    if (field instanceof HTMLElement) field.focus();
    else this.composer.focus();
  }

  /** All of it, as it is before a conversation. */
  build() {
    this.element.lang = this.language;
    this.element.dir = directionOf(this.language);
    const note = this.words.disclaimer
      ? make("p", { class: "vv-disclaimer", text: this.words.disclaimer })
      : null;
    this.#stage.replaceChildren(this.turns.element);
    this.bottom.replaceChildren(this.composer.element, ...(note ? [note] : []));
    this.element.replaceChildren(
      this.header.element,
      this.#stage,
      this.bottom,
      this.turns.spoken,
    );
    this.#greet();
    this.#askAgain?.();
  }

  /** @param {string} code */
  setLanguage(code) {
    this.language = code;
    this.words = wordsFor(code, this.#look.texts);
    this.turns = this.#newTurns();
    this.header = this.#newHeader();
    this.composer = this.#newComposer();
    this.build();
  }

  /**
   * Show a form in place of the turns until it is answered; in the language that is chosen then.
   * @template T
   * @param {(done: (answer: T) => void, words: Words) => HTMLElement} form
   * @returns {Promise<T>}
   */
  ask(form) {
    return new Promise((resolve) => {
      const done = (/** @type {T} */ answer) => {
        this.#askAgain = null;
        this.#stage.replaceChildren(this.turns.element);
        this.bottom.hidden = false;
        this.composer.focus();
        resolve(answer);
      };
      this.#askAgain = () => {
        this.#stage.replaceChildren(form(done, this.words));
        this.bottom.hidden = true;
        this.focus();
      };
      this.#askAgain();
    });
  }

  hideExamples() {
    this.turns.element.querySelector(".vv-examples")?.remove();
  }

  #greet() {
    const { greetings, language } = this.#look;
    const greeting = greetings[this.language] ?? greetings[language];
    if (greeting) this.turns.greet(greeting);
    const examples = examplesOf(this.#look, this.words, this.#acts.send);
    if (examples) this.turns.element.append(examples);
  }

  #newTurns() {
    return new Turns(this.#look, this.words, { rate: this.#acts.rate, ask: this.#acts.send });
  }

  #newHeader() {
    return new Header(this.#look, this.words, this.language, {
      copy: (beside) => void copied(this.turns.transcript(), beside, this.words),
      times: (isOn) => this.element.classList.toggle("vv-times", isOn),
      language: (code) => this.setLanguage(code),
      end: this.#acts.end,
      close: this.#acts.close,
    });
  }

  #newComposer() {
    return new Composer(this.words, this.#look.voice, this.#acts);
  }
}
