// The line of a talk that is held aloud: microphone, loudspeaker and the strip that shows them.

import { make } from "./dom.js";
import { Microphone, Player } from "./sound.js";
import { VoiceBar } from "./voice_bar.js";

/** @import { VoiceState } from "./voice_bar.js" */
/** @import { Words } from "./words.js" */

const SPEAKS = 0.5;
const LOUD = 0.03;

export class VoiceLine {
  element = make("div");
  /** Whether the agent has the turn and is not heard yet. */
  isThinking = false;
  #workletUrl;
  /** @type {AudioContext | null} */
  #context = null;
  /** @type {Microphone | null} */
  #microphone = null;
  /** @type {Player | null} */
  #player = null;
  /** @type {VoiceBar | null} */
  #bar = null;
  #level = 0;
  /** Null where the server tells nothing. @type {number | null} */
  #score = null;
  #isReady = false;
  #wasPlaying = false;
  #onPlaying;

  /**
   * @param {string} workletUrl
   * @param {() => void} onPlaying  When the agent begins to be heard, and when it ends.
   */
  constructor(workletUrl, onPlaying) {
    this.#workletUrl = workletUrl;
    this.#onPlaying = onPlaying;
  }

  get isOn() {
    return this.#context !== null;
  }

  get isPlaying() {
    return this.#player?.isPlaying ?? false;
  }

  get isHolding() {
    return this.#bar?.isHolding ?? false;
  }

  /**
   * Take the microphone. Has to be called while a click is handled, or no sound may be played.
   * @param {(base64: string) => void} hear
   * @param {Words} words
   * @param {() => void} end
   * @param {() => void} gone  The microphone was pulled out, or the chosen one cannot be had.
   * @returns {Promise<boolean>}  False if it was closed meanwhile.
   */
  async open(hear, words, end, gone) {
    const context = new AudioContext({ latencyHint: "interactive" });
    this.#context = context;
    this.#isReady = false;
    this.#player = new Player(context);
    const microphone = new Microphone(context, (base64, level) => {
      this.#level = Math.max(level, this.#level * 0.8);
      this.#isReady = true;
      hear(base64);
    });
    this.#microphone = microphone;
    try {
      await context.resume();
      await microphone.open(this.#workletUrl, null);
    } catch (problem) {
      if (this.#context !== context) return false;
      this.close();
      throw problem;
    }
    const bar = new VoiceBar(words, {
      mute: (isMuted) => microphone.mute(isMuted),
      choose: (deviceId) => void microphone.open(this.#workletUrl, deviceId).catch(() => this.isOn && gone()),
      end,
      now: () => ({
        state: this.#state(),
        level: this.isPlaying ? (this.#player?.level ?? 0) : this.#level,
      }),
    });
    microphone.onGone = gone;
    this.#bar = bar;
    this.element.replaceChildren(bar.element);
    bar.start();
    void bar.listDevices(microphone.deviceId);
    return true;
  }

  /** @param {string} base64 @param {number} eventId */
  play(base64, eventId) {
    this.isThinking = false;
    this.#player?.play(base64, eventId);
  }

  /** @param {number} eventId */
  cut(eventId) {
    this.#player?.cut(eventId);
  }

  /** Stop what is heard at this moment; later turns are heard again. */
  silence() {
    this.#player?.cut(this.#player.newestId);
    this.isThinking = false;
  }

  /** @param {number} score */
  score(score) {
    this.#score = score;
  }

  /** @param {boolean} isHeld */
  hold(isHeld) {
    this.#bar?.hold(isHeld);
  }

  close() {
    this.#bar?.close();
    this.#microphone?.close();
    this.#player?.close();
    void this.#context?.close();
    this.#context = this.#microphone = this.#player = this.#bar = null;
    this.#score = null;
    this.isThinking = false;
    this.element.remove();
  }

  /** @returns {VoiceState} */
  #state() {
    if (this.#wasPlaying !== this.isPlaying) {
      this.#wasPlaying = this.isPlaying;
      this.#onPlaying();
    }
    if (!this.#isReady) return "connecting";
    if (this.isPlaying) return "agent_speaks";
    const speaks = this.#score === null ? this.#level > LOUD : this.#score > SPEAKS;
    if (speaks) return "you_speak";
    return this.isThinking ? "thinking" : "listening";
  }
}
