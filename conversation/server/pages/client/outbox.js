// What a user says, one after the other, however long the first of it has to wait.

export class Outbox {
  /** @type {string[]} */
  #waiting = [];
  /** @type {Promise<void> | null} */
  #sending = null;
  #sendAll;

  /**
   * @param {(waiting: string[]) => Promise<void>} sendAll  Takes out what it sends, and gives up
   *   what is left; what comes meanwhile is put behind.
   */
  constructor(sendAll) {
    this.#sendAll = sendAll;
  }

  /** Resolves when it is said, or given up. @param {string} text */
  put(text) {
    this.#waiting.push(text);
    return this.#send();
  }

  /** @returns {Promise<void>} */
  #send() {
    this.#sending ??= this.#sendAll(this.#waiting)
      .finally(() => {
        this.#sending = null;
      })
      // What was put behind in the moment when the last of it had just gone out.
      .then(() => (this.#waiting.length > 0 ? this.#send() : undefined));
    return this.#sending;
  }
}
