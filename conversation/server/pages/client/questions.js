// What has to be asked before anything is sent: terms, variables, and the microphone.

import { microphonePanel, termsPanel, variablesPanel } from "./panels.js";
import { isMicrophoneAllowed } from "./sound.js";

/** @import { Look } from "./types.js" */
/** @import { Words } from "./words.js" */

/** @typedef {<T>(form: (done: (answer: T) => void) => HTMLElement) => Promise<T>} Ask */

export class Questions {
  /** @type {Record<string, string | number | boolean>} */
  variables;
  #look;
  #ask;
  #hasAccepted = false;

  /**
   * @param {Look} look
   * @param {Record<string, string | number | boolean>} variables  That are known already.
   * @param {Ask} ask  Shows a form until it is answered.
   */
  constructor(look, variables, ask) {
    this.#look = look;
    this.#ask = ask;
    this.variables = { ...variables };
  }

  /** Whether a conversation may begin. @param {Words} words @returns {Promise<boolean>} */
  async mayBegin(words) {
    const { terms, variables } = this.#look;
    if (terms && !this.#hasAccepted) {
      this.#hasAccepted = await this.#ask((done) => termsPanel(words, terms, done));
      if (!this.#hasAccepted) return false;
    }
    const missing = variables.filter((name) => !(name in this.variables));
    if (missing.length > 0) {
      const given = await this.#ask(
        (/** @type {(values: Record<string, string>) => void} */ done) =>
          variablesPanel(words, missing, done),
      );
      this.variables = { ...this.variables, ...given };
    }
    return true;
  }

  /** Say what a microphone is for, before the browser asks. @param {Words} words @param {string} host */
  async mayListen(words, host) {
    if (await isMicrophoneAllowed()) return true;
    return this.#ask((/** @type {(isWanted: boolean) => void} */ done) =>
      microphonePanel(words, host, done),
    );
  }
}
