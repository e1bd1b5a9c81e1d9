// The whole of a talk with an agent, on a page of its own or in a widget: what is shown, what is
// asked first, and what happens in which order.

import { Header } from "./header.js";
import { Composer } from "./composer.js";
import { make } from "./dom.js";
import { afterPanel } from "./panels.js";
import { Questions } from "./questions.js";
import { NoMicrophoneError } from "./sound.js";
import { copied, Turns } from "./turns.js";
import { VoiceLine } from "./voice_line.js";
import { directionOf, wordsFor } from "./words.js";

/** @import { Ending, Events, Held, Look, Start } from "./types.js" */

/**
 * @typedef {object} TalkOptions
 * @property {Look} look
 * @property {URL} base  Of the server.
 * @property {string} client
 * @property {Start} start  Begins a conversation.
 * @property {"page" | "frame" | "widget"} kind
 * @property {string | null} [signedUrl]
 * @property {string | null} [language]
 * @property {Record<string, string | number | boolean>} [variables]
 * @property {(name: string, parameters: Record<string, unknown>) => Promise<unknown> | null} [runTool]
 * @property {(name: string, detail: Record<string, unknown>) => void} [tell]  The page around it.
 * @property {() => void} [close]
 */

export class Talk {
  element = make("div", { class: "vv vv-talk", tabindex: "-1" });
  #options;
  #look;
  #language;
  #words;
  /** @type {Turns} */
  #turns;
  /** @type {Header} */
  #header;
  /** @type {Composer} */
  #composer;
  #voice;
  #stage = make("div", { class: "vv-stage" });
  #bottom = make("div", { class: "vv-bottom" });
  /** @type {Held | null} */
  #conversation = null;
  /** @type {Promise<Held | null> | null} */
  #opening = null;
  #questions;
  #lastId = "";
  /** @type {HTMLElement | null} */
  #lostNote = null;

  /** @param {TalkOptions} options */
  constructor(options) {
    this.#options = options;
    this.#look = options.look;
    this.#questions = new Questions(this.#look, options.variables ?? {}, (form) => this.#ask(form));
    this.#language = this.#firstLanguage();
    this.#words = wordsFor(this.#language, this.#look.texts);
    this.#voice = new VoiceLine(new URL("page/capture.js", options.base).href, () => this.#weigh());
    this.#turns = this.#newTurns();
    this.#header = this.#newHeader();
    this.#composer = this.#newComposer();
    this.#build();
    // On a page of its own keys count wherever they are pressed; a page of others keeps its own.
    const hears = options.kind === "widget" ? this.element : document;
    hears.addEventListener("keydown", (event) =>
      this.#key(/** @type {KeyboardEvent} */ (event), true),
    );
    hears.addEventListener("keyup", (event) =>
      this.#key(/** @type {KeyboardEvent} */ (event), false),
    );
  }

  get isOpen() {
    return this.#conversation !== null;
  }

  focus() {
    const field = this.element.querySelector("form.vv-panel input, form.vv-panel button");
    if (field instanceof HTMLElement) field.focus();
    else this.#composer.focus();
  }

  /** Say something in the name of the user. @param {string} text */
  async send(text) {
    const said = text.trim();
    if (!said) return;
    const isFirst = this.#conversation === null;
    if (isFirst && !(await this.#mayBegin())) {
      this.#composer.text = said;
      return;
    }
    this.#hideExamples();
    this.#turns.user(said);
    this.#composer.isAnswering = true;
    const conversation = this.#conversation ?? (await this.#begin(false));
    if (!conversation) return;
    if (!conversation.say(said)) this.#turns.note(this.#words.lost ?? "", true);
    this.#tell("message", { role: "user", text: said });
  }

  /** Tell the agent something that the user did not say. @param {string} text @param {string} [key] */
  note(text, key) {
    this.#conversation?.note(text, key);
  }

  /** Talk, and be answered aloud. */
  async startVoice() {
    if (this.#voice.isOn || !this.#look.voice || !(await this.#mayBegin())) return;
    if (!(await this.#questions.mayListen(this.#words, this.#options.base.host))) return;
    try {
      await this.#voice.open(
        (base64) => this.#conversation?.hear(base64),
        this.#words,
        () => void this.stopVoice(),
      );
    } catch (problem) {
      const why = problem instanceof NoMicrophoneError ? problem.why : "no_microphone";
      this.#turns.note(this.#words[why] ?? "", true);
      return;
    }
    this.#hideExamples();
    this.#bottom.prepend(this.#voice.element);
    this.#composer.isTalking = true;
    // The button that was pressed is gone; the field would open a keyboard on phones.
    this.element.focus({ preventScroll: true });
    if (this.#conversation) await this.#switchTo(true);
    else await this.#begin(true);
    if (!this.#conversation) this.#endVoice();
    else this.#tell("voice", { on: true });
  }

  /** Go on in writing. */
  async stopVoice() {
    if (!this.#voice.isOn) return;
    this.#endVoice();
    if (this.#conversation) await this.#switchTo(false);
    this.#composer.focus();
    this.#tell("voice", { on: false });
  }

  /** Stop what the agent says. */
  stop() {
    this.#voice.silence();
    this.#conversation?.stop();
  }

  end() {
    this.#conversation?.leave();
  }

  #firstLanguage() {
    const wanted = [this.#options.language, ...navigator.languages];
    const { languages, language } = this.#look;
    const has = (/** @type {string | null | undefined} */ code) =>
      languages.find((each) => each === code || each === code?.split("-")[0]);
    return wanted.map(has).find((each) => each !== undefined) ?? language;
  }

  #newTurns() {
    return new Turns(this.#look, this.#words, {
      rate: (eventId, score) => {
        this.#conversation?.rate(eventId, score);
        this.#tell("feedback", { score });
      },
      ask: (text) => void this.send(text),
    });
  }

  #newHeader() {
    return new Header(this.#look, this.#words, this.#language, {
      copy: (beside) => void copied(this.#turns.transcript(), beside, this.#words),
      times: (isOn) => this.element.classList.toggle("vv-times", isOn),
      language: (code) => this.#setLanguage(code),
      end: () => this.end(),
      close: this.#options.close ?? null,
    });
  }

  #newComposer() {
    return new Composer(this.#words, this.#look.voice, {
      send: (text) => void this.send(text),
      stop: () => this.stop(),
      typing: () => this.#conversation?.typing(),
      talk: () => void this.startVoice(),
    });
  }

  #build() {
    this.element.lang = this.#language;
    this.element.dir = directionOf(this.#language);
    const note = this.#words.disclaimer
      ? make("p", { class: "vv-disclaimer", text: this.#words.disclaimer })
      : null;
    this.#stage.replaceChildren(this.#turns.element);
    this.#bottom.replaceChildren(this.#composer.element, ...(note ? [note] : []));
    this.element.replaceChildren(
      this.#header.element,
      this.#stage,
      this.#bottom,
      this.#turns.spoken,
    );
    this.#greet();
  }

  #greet() {
    const greeting =
      this.#look.greetings[this.#language] ?? this.#look.greetings[this.#look.language];
    if (greeting) this.#turns.greet(greeting);
    if (this.#look.examples.length === 0) return;
    const list = make("div", {
      class: "vv-examples",
      role: "group",
      "aria-label": this.#words.examples,
    });
    for (const text of this.#look.examples)
      list.append(
        make("button", {
          type: "button",
          class: "vv-example",
          dir: "auto",
          text,
          onclick: () => void this.send(text),
        }),
      );
    this.#turns.element.append(list);
  }

  #hideExamples() {
    this.#turns.element.querySelector(".vv-examples")?.remove();
  }

  /** @param {string} code */
  #setLanguage(code) {
    this.#language = code;
    this.#words = wordsFor(code, this.#look.texts);
    this.#turns = this.#newTurns();
    this.#header = this.#newHeader();
    this.#composer = this.#newComposer();
    this.#build();
  }

  /** @returns {Promise<boolean>} */
  async #mayBegin() {
    return this.#conversation !== null || this.#questions.mayBegin(this.#words);
  }

  /**
   * Show a form in place of the turns until it is answered.
   * @template T
   * @param {(done: (answer: T) => void) => HTMLElement} form
   * @returns {Promise<T>}
   */
  #ask(form) {
    return new Promise((resolve) => {
      const done = (/** @type {T} */ answer) => {
        this.#stage.replaceChildren(this.#turns.element);
        this.#bottom.hidden = false;
        this.#composer.focus();
        resolve(answer);
      };
      this.#stage.replaceChildren(form(done));
      this.#bottom.hidden = true;
      this.focus();
    });
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
    this.#header.status(this.#words.connecting ?? "");
    try {
      this.#conversation = await this.#options.start(
        {
          address: () => this.#address(),
          isVoice,
          language: this.#language === this.#look.language ? null : this.#language,
          variables: this.#questions.variables,
          client: this.#options.client,
        },
        this.#events(),
      );
    } catch (problem) {
      const said = problem instanceof Error ? problem.message : "";
      this.#turns.settle();
      this.#composer.isAnswering = false;
      this.#header.status("");
      this.#turns.note(said || (this.#words.unreachable ?? ""), true);
      this.#tell("error", { message: said });
      return null;
    }
    this.#header.live(this.#conversation.id);
    return this.#conversation;
  }

  /** @param {boolean} isVoice */
  async #switchTo(isVoice) {
    try {
      await this.#conversation?.switchTo(isVoice);
    } catch (problem) {
      this.#endVoice();
      this.#over({ by: "error", reason: problem instanceof Error ? problem.message : "" });
    }
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
    const turns = this.#turns;
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
        this.#composer.isAnswering = false;
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
    this.#composer.isOffline = isLost;
    if (isLost) {
      this.#turns.settle();
      this.#voice.silence();
      this.#lostNote = this.#turns.note(this.#words.lost ?? "", true);
      this.#lostNote.classList.add("vv-lost");
    }
    this.#composer.isAnswering = false;
    this.#tell("network", { lost: isLost });
  }

  /** Whether there is an answer that can be stopped. */
  #weigh() {
    this.#composer.isAnswering = this.#turns.isPending || this.#voice.isPlaying;
  }

  #endVoice() {
    this.#voice.close();
    this.#composer.isTalking = false;
  }

  /** @param {Ending} ending */
  #over(ending) {
    this.#conversation = null;
    this.#lostNote?.remove();
    this.#endVoice();
    this.#turns.settle();
    this.#composer.isAnswering = this.#composer.isOffline = false;
    this.#header.status("");
    const isWrong = ending.by === "error" || ending.by === "lost";
    const plain = ending.by === "lost" ? this.#words.gone : this.#words.ended;
    this.#turns.note(
      ending.by === "user" ? (plain ?? "") : ending.reason || (plain ?? ""),
      isWrong,
    );
    this.#bottom.replaceChildren(this.#after());
    this.#turns.toEnd();
    this.element.querySelector("#again")?.querySelector("button")?.focus();
    this.#tell("end", { by: ending.by, reason: ending.reason });
  }

  #after() {
    const { feedback } = this.#look;
    const asksStars = (feedback === "stars" || feedback === "both") && this.#lastId !== "";
    return afterPanel(
      this.#words,
      asksStars ? (rating, comment) => this.#sendStars(rating, comment) : null,
      () => {
        this.#turns.clear();
        this.#build();
        this.#composer.focus();
      },
    );
  }

  /** @param {number} rating @param {string | null} comment */
  async #sendStars(rating, comment) {
    const url = new URL(`v1/convai/conversations/${this.#lastId}/feedback`, this.#options.base);
    const body = JSON.stringify(comment === null ? { rating } : { rating, comment });
    const answer = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
    }).catch(() => null);
    if (!answer?.ok) return false;
    this.#tell("rating", { rating });
    return true;
  }

  /** @param {KeyboardEvent} event @param {boolean} isDown */
  #key(event, isDown) {
    if (event.key === "Escape" && isDown && (this.#composer.isAnswering || this.#voice.isPlaying)) {
      event.preventDefault();
      event.stopPropagation();
      this.stop();
    }
    const field = event.composedPath()[0];
    const isWriting =
      field instanceof HTMLElement &&
      field.matches("input, textarea, select, button:not(.vv-hold), summary");
    if (event.key === " " && this.#voice.isHolding && !isWriting) {
      event.preventDefault();
      this.#voice.hold(isDown);
    }
  }

  /** @param {string} name @param {Record<string, unknown>} detail */
  #tell(name, detail) {
    this.#options.tell?.(name, detail);
  }
}
