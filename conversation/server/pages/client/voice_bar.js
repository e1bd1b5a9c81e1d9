// The strip above the message field while a conversation is held aloud: who speaks, how loud, and
// what can be done about it.

import { icon, iconButton, make } from "./dom.js";
import { microphones } from "./sound.js";

/** @import { Words } from "./words.js" */

/** @typedef {"connecting" | "listening" | "you_speak" | "thinking" | "agent_speaks" | "muted" | "holding"} VoiceState */

/**
 * @typedef {object} VoiceActs
 * @property {(isMuted: boolean) => void} mute
 * @property {(deviceId: string) => void} choose
 * @property {() => void} end
 * @property {() => {state: VoiceState, level: number}} now
 */

export class VoiceBar {
  element = make("section", { class: "vv-voice", "data-state": "connecting" });
  #state = make("p", { class: "vv-state", role: "status" });
  #orb = make("span", { class: "vv-orb", "aria-hidden": "true" });
  #devices = make("select", { class: "vv-select" });
  /** @type {HTMLButtonElement} */
  #mute;
  /** @type {HTMLButtonElement} */
  #holdButton;
  #words;
  #acts;
  #isMuted = false;
  #isHolding = false;
  #isHeld = false;
  #frame = 0;
  #letGo = () => this.hold(false);

  /** @param {Words} words @param {VoiceActs} acts */
  constructor(words, acts) {
    this.#words = words;
    this.#acts = acts;
    this.element.setAttribute("aria-label", words.start_voice ?? "");
    this.#mute = iconButton("mic", words.mute ?? "", () => this.mute(!this.#isMuted));
    this.#mute.classList.add("vv-mute");
    const mode = iconButton("hold", words.hold_mode ?? "", () => {
      this.#isHolding = !this.#isHolding;
      mode.setAttribute("aria-pressed", String(this.#isHolding));
      this.#holdButton.hidden = !this.#isHolding;
      this.#isHeld = false;
      this.#apply();
      // The space bar is for talking now, not for the button that was pressed.
      if (this.#isHolding) this.#holdButton.focus({ preventScroll: true });
    });
    mode.setAttribute("aria-pressed", "false");
    this.#holdButton = make("button", {
      type: "button",
      class: "vv-button vv-main vv-hold",
      text: words.hold,
    });
    this.#holdButton.hidden = true;
    for (const [type, isHeld] of /** @type {const} */ ([
      ["pointerdown", true],
      ["pointerup", false],
      ["pointercancel", false],
      ["pointerleave", false],
    ]))
      this.#holdButton.addEventListener(type, () => this.hold(isHeld));
    // Whoever goes to another window lets go of the key there.
    window.addEventListener("blur", this.#letGo);
    this.#devices.setAttribute("aria-label", words.microphone ?? "");
    this.#devices.hidden = true;
    this.#devices.addEventListener("change", () => acts.choose(this.#devices.value));
    const end = iconButton("chat", words.end_voice ?? "", acts.end);
    end.classList.add("vv-end-voice");
    const controls = make("div", { class: "vv-controls" }, this.#devices, this.#mute, mode, end);
    this.element.append(this.#orb, this.#state, this.#holdButton, controls);
  }

  get isHolding() {
    return this.#isHolding;
  }

  /** @param {boolean} isMuted */
  mute(isMuted) {
    this.#isMuted = isMuted;
    const name = (isMuted ? this.#words.unmute : this.#words.mute) ?? "";
    this.#mute.replaceChildren(icon(isMuted ? "muted" : "mic"));
    this.#mute.setAttribute("aria-label", name);
    this.#mute.title = name;
    this.#apply();
  }

  /** The button or the space bar is held, or let go. @param {boolean} isHeld */
  hold(isHeld) {
    if (this.#isHeld === isHeld) return;
    this.#isHeld = isHeld;
    this.#holdButton.classList.toggle("vv-held", isHeld);
    this.#apply();
  }

  #apply() {
    this.#acts.mute(this.#isMuted || (this.#isHolding && !this.#isHeld));
  }

  /** Name the microphones there are, which browsers tell only once one is in use. @param {string | null} current */
  async listDevices(current) {
    const found = (await microphones()).filter((each) => each.deviceId !== "");
    this.#devices.replaceChildren(
      ...found.map((each, at) =>
        make("option", {
          value: each.deviceId,
          text: each.label || `${this.#words.microphone} ${at + 1}`,
        }),
      ),
    );
    this.#devices.hidden = found.length < 2;
    if (current) this.#devices.value = current;
  }

  start() {
    const paint = () => {
      const { state, level } = this.#acts.now();
      const shown = this.#isMuted
        ? "muted"
        : this.#isHolding && !this.#isHeld && state === "listening"
          ? "holding"
          : state;
      if (this.element.dataset.state !== shown || !this.#state.textContent) {
        this.element.dataset.state = shown;
        this.#state.textContent = this.#words[shown] ?? "";
      }
      this.#orb.style.setProperty("--vv-level", Math.min(1, level * 6).toFixed(3));
      this.#frame = requestAnimationFrame(paint);
    };
    this.#frame = requestAnimationFrame(paint);
  }

  close() {
    cancelAnimationFrame(this.#frame);
    window.removeEventListener("blur", this.#letGo);
    this.element.remove();
  }
}
