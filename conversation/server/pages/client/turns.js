// The conversation as it is shown: one element for each turn, whatever happens to it.

import { AgentTurn } from "./agent_turn.js";
import { make } from "./dom.js";
import { footerOf } from "./turn_footer.js";

/** @import { Details, Look, PastTurn } from "./types.js" */
/** @import { TurnActs } from "./turn_footer.js" */
/** @import { Words } from "./words.js" */

/** Of the agent's first words: what comes before an answer takes the number else. */
const GREETING_ID = 1;

export class Turns {
  element = make("div", {
    class: "vv-turns",
    id: "turns",
    role: "log",
    "aria-live": "off",
    tabindex: "0",
  });
  /** What is read out: whole answers, not every word as it comes. */
  spoken = make("div", { class: "vv-hidden", "aria-live": "polite" });
  /** @type {Map<number, AgentTurn>} */
  #byEvent = new Map();
  /** @type {AgentTurn | null} */
  #pending = null;
  /** @type {HTMLElement | null} */
  #tentative = null;
  /** @type {{element: HTMLElement, eventId: number} | null} */
  #lastUser = null;
  /** @type {{role: "user" | "agent", text: () => string}[]} */
  #said = [];
  /** @type {AgentTurn | null} */
  #greeting = null;
  #look;
  #words;
  #acts;
  /** @type {Map<number, Details>} */
  #details = new Map();
  #lastAsked = "";

  /** @param {Look} look @param {Words} words @param {TurnActs} acts */
  constructor(look, words, acts) {
    this.#look = look;
    this.#words = words;
    this.#acts = acts;
    this.element.setAttribute("aria-label", words.conversation ?? "");
    this.element.addEventListener("keydown", (event) => this.#scrollByKey(event));
  }

  /** Shown before anybody spoke; the agent's own first turn takes its place. @param {string} text */
  greet(text) {
    const turn = this.#newAgent();
    turn.set(text);
    turn.isDone = true;
    this.#greeting = turn;
    this.#said.push({ role: "agent", text: () => turn.text });
  }

  /** @param {string} text */
  user(text) {
    this.#dropPending();
    this.#said.push({ role: "user", text: () => text });
    this.#lastAsked = text;
    this.#append(this.#userTurn(text, "turn user vv-bubble"));
    this.pend();
  }

  /** What the user says aloud, as far as it is understood. @param {string} text @param {boolean} isFinal @param {number} eventId */
  heard(text, isFinal, eventId) {
    if (isFinal && this.#lastUser?.eventId === eventId) {
      // The user went on after a pause: the turn is longer than it seemed.
      this.#lastUser.element.querySelector(".turn")?.replaceChildren(text);
      this.#lastAsked = text;
      if (this.#pending) this.#pending.asked = text;
      return;
    }
    if (!text.trim()) return this.#dropTentative();
    if (!this.#tentative) {
      this.#tentative = this.#userTurn(text, "turn user vv-bubble vv-tentative");
      this.#append(this.#tentative);
    }
    const bubble = this.#tentative.querySelector(".turn");
    bubble?.replaceChildren(text);
    this.#scroll(false);
    if (!isFinal) return;
    bubble?.classList.remove("vv-tentative");
    const element = this.#tentative;
    this.#lastUser = { element, eventId };
    this.#lastAsked = text;
    this.#said.push({ role: "user", text: () => bubble?.textContent ?? "" });
    this.#tentative = null;
    this.pend();
  }

  /** The agent is at it. */
  pend() {
    this.#pending ??= this.#newAgent();
  }

  get isPending() {
    return this.#pending !== null || [...this.#byEvent.values()].some((each) => !each.isDone);
  }

  /** @param {number} eventId @param {string} piece */
  piece(eventId, piece) {
    this.#turn(eventId).add(piece);
    this.#scroll(false);
  }

  /** @param {number} eventId @param {string} text */
  agent(eventId, text) {
    if (eventId === GREETING_ID) this.#greetLate();
    const greeting = this.#takeGreeting(eventId);
    const turn = greeting ?? this.#turn(eventId);
    const isNew = !turn.isDone;
    turn.set(text);
    turn.isDone = true;
    if (isNew) this.#read(text);
    // There is nothing to think of a greeting.
    if (!greeting) this.#dress(turn);
    this.#scroll(false);
  }

  /** @param {number} eventId @param {string} text */
  corrected(eventId, text) {
    const turn = this.#byEvent.get(eventId);
    if (!turn) return;
    turn.set(text);
    turn.bubble.hidden = text === "";
    turn.isDone = true;
    turn.cut();
  }

  /** @param {number} eventId */
  interrupted(eventId) {
    const turn = this.#byEvent.get(eventId);
    if (turn) {
      turn.isDone = true;
      turn.cut();
      this.#dress(turn);
    } else if (this.#pending && !this.#tentative) this.#dropPending();
  }

  /** @param {Details} details */
  details(details) {
    this.#details.set(details.event_id, details);
    const turn = this.#byEvent.get(details.event_id);
    if (turn) this.#dress(turn);
    this.#scroll(false);
  }

  /** @param {string} id @param {string} name @param {"running" | "done" | "failed"} state */
  tool(id, name, state) {
    if (!this.#look.tool_calls) return;
    const turns = [...this.#byEvent.values()];
    const holder = turns.find((each) =>
      each.element.querySelector(`[data-tool="${CSS.escape(id)}"]`),
    );
    if (!holder) this.#pending ??= turns.findLast((each) => !each.isDone) ?? this.#newAgent();
    (holder ?? this.#pending)?.tool(id, name.replaceAll("_", " "), state);
    this.#scroll(false);
  }

  /** @param {string} text @param {boolean} [isAlert] */
  note(text, isAlert = false) {
    const line = make("p", {
      class: isAlert ? "note alert vv-note vv-alert" : "note vv-note",
      text,
    });
    if (isAlert) line.setAttribute("role", "alert");
    this.#append(line);
    return line;
  }

  /** Nothing will come any more. */
  settle() {
    this.#dropPending();
    this.#dropTentative();
    for (const turn of this.#byEvent.values()) {
      if (!turn.isDone) turn.cut();
      turn.isDone = true;
    }
  }

  /** The conversation is over: its answers can be rated no more. */
  close() {
    this.settle();
    for (const thumb of this.element.querySelectorAll("button.vv-thumb"))
      thumb.setAttribute("disabled", "");
  }

  /** The turns as the server knows them, after the network was away. @param {PastTurn[]} turns */
  resumed(turns) {
    this.settle();
    const last = turns.at(-1);
    for (const turn of turns) {
      if (turn.role === "agent" && turn.event_id !== null) {
        const shown = this.#byEvent.get(turn.event_id);
        if (!shown && turn === last) this.agent(turn.event_id, turn.text);
        else if (shown && turn.interrupted) this.corrected(turn.event_id, turn.text);
        else if (shown) shown.set(turn.text);
      }
    }
    const agents = [...this.#byEvent.values()];
    const newest = agents.at(-1);
    if (newest && newest.isCut) this.#dress(newest);
  }

  /** The conversation as plain text. */
  transcript() {
    const names = { user: this.#words.you, agent: this.#look.name };
    return this.#said
      .map(({ role, text }) => ({ role, text: text().trim() }))
      .filter(({ text }) => text)
      .map(({ role, text }) => `${names[role]}: ${text}`)
      .join("\n\n");
  }

  clear() {
    this.element.replaceChildren();
    this.#byEvent.clear();
    this.#details.clear();
    this.#pending = this.#tentative = this.#lastUser = this.#greeting = null;
    this.#said = [];
    this.#lastAsked = "";
  }

  /** @param {number} eventId @returns {AgentTurn} */
  #turn(eventId) {
    const known = this.#byEvent.get(eventId);
    if (known) return known;
    const turn = this.#pending ?? this.#newAgent();
    this.#pending = null;
    return this.#bind(turn, eventId);
  }

  /** @param {AgentTurn} turn @param {number} eventId */
  #bind(turn, eventId) {
    turn.eventId = eventId;
    this.#byEvent.set(eventId, turn);
    if (turn !== this.#greeting) this.#said.push({ role: "agent", text: () => turn.text });
    return turn;
  }

  /** A greeting that had to wait for what the user was asked stands above what they wrote. */
  #greetLate() {
    if (this.#greeting || this.#byEvent.size > 0) return;
    const turn = this.#newAgent();
    turn.asked = "";
    this.element.prepend(turn.element);
    this.#greeting = turn;
    this.#said.unshift({ role: "agent", text: () => turn.text });
  }

  /** @param {number} eventId @returns {AgentTurn | null} */
  #takeGreeting(eventId) {
    const turn = this.#greeting;
    if (!turn || this.#byEvent.size > 0) return null;
    this.#bind(turn, eventId);
    this.#greeting = null;
    return turn;
  }

  #newAgent() {
    const turn = new AgentTurn(this.#look.name, this.#words);
    turn.asked = this.#lastAsked;
    this.#append(turn.element);
    return turn;
  }

  /** @param {string} text @param {string} kind */
  #userTurn(text, kind) {
    const bubble = make("div", { class: kind, dir: "auto", text });
    return make("article", { class: "vv-turn vv-user", "aria-label": this.#words.you }, bubble);
  }

  /** What stands below an answer. @param {AgentTurn} turn */
  #dress(turn) {
    const details = this.#details.get(turn.eventId) ?? null;
    turn.below(...footerOf(turn, details, this.#look, this.#words, this.#acts));
  }

  #dropPending() {
    this.#pending?.element.remove();
    this.#pending = null;
  }

  #dropTentative() {
    this.#tentative?.remove();
    this.#tentative = null;
  }

  /** @param {HTMLElement} element */
  #append(element) {
    this.element.append(element);
    this.#scroll(true);
  }

  toEnd() {
    this.#scroll(true);
  }

  /** Follow the end, unless the user reads further up. @param {boolean} always */
  #scroll(always) {
    const { scrollHeight, scrollTop, clientHeight } = this.element;
    if (always || scrollHeight - scrollTop - clientHeight < 160)
      requestAnimationFrame(() => this.element.scrollTo({ top: this.element.scrollHeight }));
  }

  /** @param {KeyboardEvent} event */
  #scrollByKey(event) {
    if (event.target !== this.element) return;
    if (event.key === "End") this.element.scrollTo({ top: this.element.scrollHeight });
    if (event.key === "Home") this.element.scrollTo({ top: 0 });
  }

  /** @param {string} text */
  #read(text) {
    this.spoken.textContent = text;
  }
}
