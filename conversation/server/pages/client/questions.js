// What has to be asked before anything is sent: terms, variables, and the microphone.

import { microphonePanel, termsPanel, variablesPanel } from "./panels.js";
import { isMicrophoneAllowed } from "./sound.js";

/** @import { Look } from "./types.js" */
/** @import { Words } from "./words.js" */

/** @typedef {<T>(form: (done: (answer: T) => void, words: Words) => HTMLElement) => Promise<T>} Ask */

export class Questions {
  /** That the page around it knows. @type {Record<string, string | number | boolean>} */
  given;
  /** That the user gave. @type {Record<string, string>} */
  #answered = {};
  #look;
  #ask;
  /** @type {{text: string, atMs: number} | null} */
  #terms = null;
  /** @type {Promise<boolean> | null} */
  #asking = null;

  /**
   * @param {Look} look
   * @param {Record<string, string | number | boolean>} given  Variables that are known already.
   * @param {Ask} ask  Shows a form until it is answered.
   */
  constructor(look, given, ask) {
    this.#look = look;
    this.#ask = ask;
    this.given = { ...given };
  }

  /** @returns {Record<string, string | number | boolean>} */
  get variables() {
    return { ...this.given, ...this.#answered };
  }

  /** Terms that were accepted, and how long ago. @returns {{text: string, age_s: number} | null} */
  get accepted() {
    if (!this.#terms) return null;
    return { text: this.#terms.text, age_s: (performance.now() - this.#terms.atMs) / 1_000 };
  }

  /** Whether a conversation may begin; who asks twice is answered together. */
  mayBegin() {
    this.#asking ??= this.#askAll().finally(() => {
      this.#asking = null;
    });
    return this.#asking;
  }

  async #askAll() {
    const { terms, variables } = this.#look;
    if (terms && !this.#terms) {
      if (!(await this.#ask((done, words) => termsPanel(words, terms, done)))) return false;
      this.#terms = { text: terms, atMs: performance.now() };
    }
    const known = this.variables;
    const missing = variables.filter((name) => !(name in known));
    if (missing.length > 0) {
      const given = await this.#ask(
        (/** @type {(values: Record<string, string>) => void} */ done, words) =>
          variablesPanel(words, missing, done),
      );
      this.#answered = { ...this.#answered, ...given };
    }
    return true;
  }

  /** Say what a microphone is for, before the browser asks. @param {string} host */
  async mayListen(host) {
    if (await isMicrophoneAllowed()) return true;
    return this.#ask((/** @type {(isWanted: boolean) => void} */ done, words) =>
      microphonePanel(words, host, done),
    );
  }
}
