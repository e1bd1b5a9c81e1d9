// Where a user writes, and the buttons beside it.

import { icon, iconButton, make } from "./dom.js";

/** @import { Words } from "./words.js" */

const TYPING_EVERY_MS = 2_000;

/**
 * @typedef {object} ComposerActs
 * @property {(text: string) => void} send
 * @property {() => void} stop
 * @property {() => void} typing
 * @property {() => void} talk
 */

export class Composer {
  element = make("form", { class: "vv-composer", id: "say" });
  #text;
  #send;
  #stop;
  /** @type {HTMLButtonElement | null} */
  #talk;
  #acts;
  #toldMs = 0;
  #isAnswering = false;
  #isOffline = false;

  /** @param {Words} words @param {boolean} hasVoice @param {ComposerActs} acts */
  constructor(words, hasVoice, acts) {
    this.#acts = acts;
    const given = { id: "text", rows: 1, maxlength: 16_000, autocomplete: "off", dir: "auto" };
    this.#text = make("textarea", { ...given, placeholder: words.placeholder });
    const field = make(
      "label",
      { class: "vv-input" },
      make("span", { class: "vv-hidden", text: words.message }),
      this.#text,
    );
    this.#send = make(
      "button",
      { class: "vv-button vv-main vv-round vv-send", "aria-label": words.send, title: words.send },
      icon("send"),
    );
    this.#stop = iconButton("stop", words.stop ?? "", acts.stop, "main");
    this.#stop.classList.add("vv-stop");
    this.#stop.hidden = true;
    this.#talk = hasVoice ? iconButton("mic", words.start_voice ?? "", acts.talk) : null;
    this.#talk?.classList.add("vv-talk-button");
    this.element.append(field, ...(this.#talk ? [this.#talk] : []), this.#stop, this.#send);
    this.element.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.#text.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#submit();
    });
    this.#text.addEventListener("input", () => this.#typed());
    this.#show();
  }

  focus() {
    this.#text.focus({ preventScroll: true });
  }

  set text(/** @type {string} */ text) {
    this.#text.value = text;
    this.#show();
  }

  get isAnswering() {
    return this.#isAnswering;
  }

  set isAnswering(isAnswering) {
    this.#isAnswering = isAnswering;
    this.#show();
  }

  set isOffline(/** @type {boolean} */ isOffline) {
    this.#isOffline = isOffline;
    this.#show();
  }

  set isTalking(/** @type {boolean} */ isTalking) {
    if (this.#talk) this.#talk.hidden = isTalking;
  }

  #show() {
    const hasText = this.#text.value.trim() !== "";
    // What is written can be sent while the agent still speaks: that interrupts it.
    this.#stop.hidden = !this.#isAnswering || hasText;
    this.#send.hidden = !this.#stop.hidden;
    this.#send.disabled = this.#isOffline || !hasText;
  }

  #submit() {
    const text = this.#text.value;
    if (!text.trim() || this.#isOffline) return;
    this.#text.value = "";
    this.#show();
    this.#acts.send(text);
  }

  #typed() {
    this.#show();
    const nowMs = Date.now();
    if (nowMs - this.#toldMs < TYPING_EVERY_MS) return;
    this.#toldMs = nowMs;
    this.#acts.typing();
  }
}
