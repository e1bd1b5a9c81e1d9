// The whole of a talk with an agent, on a page of its own or in a widget: what is shown, what is
// asked first, and what happens in which order.

import { listenToKeys } from "./keys.js";
import { Outbox } from "./outbox.js";
import { afterPanel } from "./panels.js";
import { Questions } from "./questions.js";
import { sendStars } from "./rating.js";
import { Screen } from "./screen.js";
import { NoMicrophoneError } from "./sound.js";
import { VoiceLine } from "./voice_line.js";
import { fill, languageFor } from "./words.js";

/** @import { Ending, Events, Given, Held, TalkOptions } from "./types.js" */

const MOST_NOTES = 20;

export class Talk {
  #options;
  #look;
  #screen;
  #voice;
  /** @type {Held | null} */
  #conversation = null;
  /** @type {Promise<Held | null> | null} */
  #opening = null;
  #questions;
  #lastId = "";
  /** @type {HTMLElement | null} */
  #lostNote = null;
  #outbox = new Outbox((waiting) => this.#sendAll(waiting));
  #isStartingVoice = false;
  /** That wait for a conversation, as the page knows them. @type {{text: string, key?: string}[]} */
  #notes = [];
  /** That waits for the next conversation. @type {string | null} */
  #nextLanguage = null;

  /** @param {TalkOptions} options */
  constructor(options) {
    this.#options = options;
    this.#look = options.look;
    this.#screen = new Screen(this.#look, languageFor(this.#look, options.language), {
      send: (text) => void this.send(text),
      stop: () => this.stop(),
      typing: () => this.#conversation?.typing(),
      talk: () => void this.startVoice(),
      end: () => this.end(),
      close: options.close ?? null,
      rate: (eventId, score) => {
        if (!this.#conversation) return;
        this.#conversation.rate(eventId, score);
        this.#tell("feedback", { score });
      },
    });
    this.#questions = new Questions(this.#look, options.variables ?? {}, (form) =>
      this.#screen.ask(form),
    );
    this.#voice = new VoiceLine(new URL("page/capture.js", options.base).href, () => this.#weigh());
    if (options.before) this.#noteBefore(options.before);
    // On a page of its own keys count wherever they are pressed; a page of others keeps its own.
    listenToKeys(options.kind === "widget" ? this.element : document, {
      canStop: () => this.#screen.composer.isAnswering || this.#voice.isPlaying,
      stop: () => this.stop(),
      canHold: () => this.#voice.isHolding,
      hold: (isHeld) => this.#voice.hold(isHeld),
    });
  }

  get element() {
    return this.#screen.element;
  }

  get isOpen() {
    return this.#conversation !== null;
  }

  focus() {
    this.#screen.focus();
  }

  /** Say something in the name of the user, after all that was to be said before. @param {string} text */
  async send(text) {
    const said = text.trim();
    if (said) await this.#outbox.put(said);
  }

  /**
   * Language and variables: at once before a conversation, else from the next one on.
   * @param {Given} given
   */
  change({ language, variables }) {
    this.#questions.given = variables;
    const wanted = languageFor(this.#look, language);
    this.#nextLanguage = wanted === this.#screen.language ? null : wanted;
    if (!this.#isHeld && this.#lastId === "") this.#followLanguage();
  }

  /** Tell the agent something that the user did not say. @param {string} text @param {string} [key] */
  note(text, key) {
    if (this.#conversation) return this.#conversation.note(text, key);
    const others = this.#notes.filter((each) => key === undefined || each.key !== key);
    this.#notes = [...others, { text, key }].slice(-MOST_NOTES);
  }

  /** Talk, and be answered aloud. */
  async startVoice() {
    if (this.#voice.isOn || !this.#look.voice || this.#isStartingVoice) return;
    this.#isStartingVoice = true;
    try {
      await this.#startVoice();
    } finally {
      this.#isStartingVoice = false;
    }
  }

  async #startVoice() {
    if (!(await this.#mayBegin())) return;
    if (!(await this.#questions.mayListen(this.#options.base.host))) return;
    try {
      const isOpen = await this.#voice.open(
        (base64) => this.#conversation?.hear(base64),
        this.#screen.words,
        () => void this.stopVoice(),
        () => {
          this.#screen.turns.note(this.#screen.words.microphone_gone ?? "", true);
          void this.stopVoice();
        },
      );
      if (!isOpen) return;
    } catch (problem) {
      const why = problem instanceof NoMicrophoneError ? problem.why : "no_microphone";
      this.#screen.turns.note(this.#screen.words[why] ?? "", true);
      return;
    }
    this.#renew();
    this.#screen.hideExamples();
    this.#screen.bottom.prepend(this.#voice.element);
    this.#screen.composer.isTalking = true;
    // The button that was pressed is gone; the field would open a keyboard on phones.
    this.element.focus({ preventScroll: true });
    const conversation = this.#conversation ?? (await this.#begin(true));
    if (!conversation) return this.#endVoice();
    // Unlike where a call was closed while it was opened, or a talk in writing was being opened.
    const { isOn } = this.#voice;
    if (conversation.isVoice !== isOn) await conversation.switchTo(isOn);
    if (this.#voice.isOn) this.#tell("voice", { on: true });
  }

  /** Go on in writing. */
  async stopVoice() {
    if (!this.#voice.isOn) return;
    this.#endVoice();
    await this.#conversation?.switchTo(false);
    this.#screen.composer.focus();
    this.#tell("voice", { on: false });
  }

  /** Stop what the agent says. */
  stop() {
    this.#voice.silence();
    this.#conversation?.stop();
  }

  end() {
    if (this.#conversation) return this.#conversation.leave();
    this.#endVoice();
    void this.#opening?.then((conversation) => conversation?.leave());
  }

  /** Whether a conversation is held, or about to be. */
  get #isHeld() {
    return this.#conversation !== null || this.#opening !== null;
  }

  /** @param {string[]} waiting  Taken out as it is said. */
  async #sendAll(waiting) {
    if (!(await this.#mayBegin())) return this.#giveBack(waiting);
    while (waiting.length > 0) {
      const said = waiting.shift() ?? "";
      this.#screen.hideExamples();
      this.#screen.turns.user(said);
      this.#screen.composer.isAnswering = true;
      const conversation = this.#conversation ?? (await this.#begin(false));
      if (!conversation) return this.#giveBack(waiting);
      if (!conversation.say(said)) this.#screen.turns.note(this.#screen.words.lost ?? "", true);
      this.#tell("message", { role: "user", text: said });
    }
  }

  /** What could not be said stands in the field again. @param {string[]} waiting */
  #giveBack(waiting) {
    const text = waiting.splice(0).join("\n");
    if (text) this.#screen.composer.text = text;
  }

  /** @param {string} id */
  #noteBefore(id) {
    this.#screen.turns.note(fill(this.#screen.words.reloaded ?? "", { id }));
  }

  #followLanguage() {
    if (this.#nextLanguage !== null) this.#screen.setLanguage(this.#nextLanguage);
    this.#nextLanguage = null;
  }

  /** @returns {Promise<boolean>} */
  async #mayBegin() {
    if (this.#conversation) return true;
    this.#renew();
    return this.#questions.mayBegin();
  }

  /** What is said after a conversation begins another, with nothing of the one before. */
  #renew() {
    if (this.#isHeld || this.#lastId === "") return;
    this.#lastId = "";
    this.#screen.turns.clear();
    if (this.#nextLanguage === null) this.#screen.build();
    else this.#followLanguage();
  }

  /** @param {boolean} isVoice @returns {Promise<Held | null>} */
  #begin(isVoice) {
    this.#opening ??= this.#open(isVoice).finally(() => {
      this.#opening = null;
    });
    return this.#opening;
  }

  /** @param {boolean} isVoice */
  async #open(isVoice) {
    this.#screen.header.status(this.#screen.words.connecting ?? "");
    try {
      this.#conversation = await this.#options.start(
        {
          address: () => this.#address(),
          isVoice,
          language: this.#screen.language === this.#look.language ? null : this.#screen.language,
          variables: this.#questions.variables,
          terms: this.#questions.accepted,
          client: this.#options.client,
        },
        this.#events(),
      );
    } catch (problem) {
      const said = problem instanceof Error ? problem.message : "";
      this.#screen.turns.settle();
      this.#screen.composer.isAnswering = false;
      this.#screen.header.status("");
      this.#screen.turns.note(said || (this.#screen.words.unreachable ?? ""), true);
      this.#tell("error", { message: said });
      return null;
    }
    this.#screen.header.live(this.#conversation.id);
    for (const { text, key } of this.#notes.splice(0)) this.#conversation.note(text, key);
    return this.#conversation;
  }

  async #address() {
    if (this.#options.signedUrl) return this.#options.signedUrl;
    const url = new URL("v1/convai/conversation", this.#options.base);
    url.protocol = url.protocol.replace("http", "ws");
    url.searchParams.set("agent_id", this.#look.agent_id);
    return url.href;
  }

  /** @returns {Events} */
  #events() {
    const turns = this.#screen.turns;
    return {
      onOpen: (id) => {
        this.#lastId = id;
        this.#tell("open", { conversationId: id });
      },
      onPiece: (eventId, piece) => turns.piece(eventId, piece),
      onAgent: (eventId, text) => {
        turns.agent(eventId, text);
        this.#weigh();
        this.#tell("message", { role: "agent", text });
      },
      onCorrected: (eventId, text) => turns.corrected(eventId, text),
      onInterrupted: (eventId) => {
        this.#voice.cut(eventId);
        turns.interrupted(eventId);
        this.#weigh();
      },
      onUser: (text, isFinal, eventId) => {
        turns.heard(text, isFinal, eventId);
        this.#voice.isThinking = isFinal;
        if (isFinal) this.#tell("message", { role: "user", text });
      },
      onDetails: (details) => turns.details(details),
      onTool: (id, name, state) => turns.tool(id, name, state),
      onAudio: (base64, eventId) => this.#voice.play(base64, eventId),
      onVoice: (score) => this.#voice.score(score),
      onNetwork: (isLost) => this.#network(isLost),
      onResumed: (past, isAnswerDue) => {
        turns.resumed(past);
        if (isAnswerDue) turns.pend();
        this.#weigh();
      },
      onProblem: (message) => {
        turns.settle();
        this.#screen.composer.isAnswering = false;
        turns.note(message, true);
        this.#tell("error", { message });
      },
      onClientTool: (name, parameters) => this.#options.runTool?.(name, parameters) ?? null,
      onEnd: (ending) => this.#over(ending),
    };
  }

  /** @param {boolean} isLost */
  #network(isLost) {
    this.#lostNote?.remove();
    this.#lostNote = null;
    this.#screen.composer.isOffline = isLost;
    if (isLost) {
      this.#screen.turns.settle();
      this.#voice.silence();
      this.#lostNote = this.#screen.turns.note(this.#screen.words.lost ?? "", true);
      this.#lostNote.classList.add("vv-lost");
    }
    this.#screen.composer.isAnswering = false;
    this.#tell("network", { lost: isLost });
  }

  /** Whether there is an answer that can be stopped. */
  #weigh() {
    this.#screen.composer.isAnswering = this.#screen.turns.isPending || this.#voice.isPlaying;
  }

  #endVoice() {
    this.#voice.close();
    this.#screen.composer.isTalking = false;
  }

  /** @param {Ending} ending */
  #over(ending) {
    this.#conversation = null;
    this.#lostNote?.remove();
    this.#endVoice();
    this.#screen.turns.close();
    this.#screen.composer.isAnswering = this.#screen.composer.isOffline = false;
    this.#screen.header.status("");
    const isWrong = ending.by === "error" || ending.by === "lost";
    const plain = ending.by === "lost" ? this.#screen.words.gone : this.#screen.words.ended;
    this.#screen.turns.note(
      ending.by === "user" ? (plain ?? "") : ending.reason || (plain ?? ""),
      isWrong,
    );
    this.#screen.bottom.replaceChildren(this.#after());
    this.#screen.turns.toEnd();
    this.element.querySelector("#again")?.querySelector("button")?.focus();
    this.#tell("end", { by: ending.by, reason: ending.reason });
  }

  #after() {
    const { feedback } = this.#look;
    const asksStars = (feedback === "stars" || feedback === "both") && this.#lastId !== "";
    return afterPanel(
      this.#screen.words,
      asksStars ? (rating, comment) => this.#rate(rating, comment) : null,
      () => {
        this.#renew();
        this.#screen.composer.focus();
      },
    );
  }

  /** @param {number} rating @param {string | null} comment */
  async #rate(rating, comment) {
    const hasArrived = await sendStars(this.#options.base, this.#lastId, rating, comment);
    if (hasArrived) this.#tell("rating", { rating });
    return hasArrived;
  }

  /** @param {string} name @param {Record<string, unknown>} detail */
  #tell(name, detail) {
    this.#options.tell?.(name, detail);
  }
}
