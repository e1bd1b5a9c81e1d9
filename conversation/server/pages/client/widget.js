// <vivavoce-widget agent-id="support">: the talk with an agent on a page of others.

import { paint } from "./colours.js";
import { Conversation } from "./connection.js";
import { icon, make } from "./dom.js";
import { avatarOf } from "./header.js";
import { Talk } from "./talk.js";
import { directionOf, fill, languageFor, wordsFor } from "./words.js";

/** @import { Look } from "./types.js" */

/** The style, which the server puts in front of this script. @type {string} */
const styleText = STYLE_TEXT;
const script = document.currentScript;
const home = script instanceof HTMLScriptElement ? new URL(".", script.src) : null;
/** An element that is moved is out of the page for a moment; a framework may need a few frames. */
const MOVE_MS = 500;
const VALUES = new Set(["string", "number", "boolean"]);
const REM = /(?<![\w.-])(\d*\.?\d+)rem\b/g;
const WHOM = new Set(["agent-id", "signed-url", "server"]);
const POSITIONS = new Set(["bottom-right", "bottom-left", "top-right", "top-left", "inline"]);

class VivaVoceWidget extends HTMLElement {
  /** Functions that the agent may call on this page, by name. @type {Record<string, (parameters: Record<string, unknown>) => unknown>} */
  tools = {};
  #root = this.attachShadow({ mode: "open", delegatesFocus: true });
  /** @type {Talk | null} */
  #talk = null;
  /** @type {Look | null} */
  #look = null;
  #panel = make("div", {
    class: "vv vv-panel-window",
    part: "panel",
    role: "dialog",
    "aria-modal": "false",
  });
  #button = make("button", {
    class: "vv-launcher",
    part: "button",
    type: "button",
    "aria-expanded": "false",
  });
  #sheet = new CSSStyleSheet();
  #loading = 0;
  #isStarted = false;
  #frame = make("div", { class: "vv", part: "widget" });
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #leaving;
  #watch = new MutationObserver((changes) =>
    this.#follow(new Set(changes.map((each) => each.attributeName ?? ""))),
  );
  /** What was asked of it before it was there. @type {(() => void)[]} */
  #later = [];

  constructor() {
    super();
    this.#root.adoptedStyleSheets = [this.#sheet];
    this.#button.addEventListener("click", () => (this.isOpen ? this.close() : this.open()));
    this.#panel.hidden = true;
    this.#panel.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.#position() !== "inline") this.close();
    });
  }

  connectedCallback() {
    clearTimeout(this.#leaving);
    this.#sheet.replaceSync(styleText.replace(REM, this.#sized()));
    this.#watch.observe(this, { attributes: true });
    if (!this.#isStarted) void this.#load();
  }

  /** A `rem` is the page's own, often 10 px; here it is the size that the user reads with. */
  #sized() {
    const probe = make("span");
    probe.style.fontSize = "medium";
    this.#root.append(probe);
    const size = parseFloat(getComputedStyle(probe).fontSize) || 16;
    probe.remove();
    return (/** @type {string} */ _rem, /** @type {string} */ count) => `${Number(count) * size}px`;
  }

  disconnectedCallback() {
    clearTimeout(this.#leaving);
    this.#leaving = setTimeout(() => this.#talk?.end(), MOVE_MS);
  }

  /** Moved in one piece, where browsers can: nothing changes. */
  connectedMoveCallback() {}

  /** @param {Set<string>} names  Of attributes. */
  #follow(names) {
    if ([...names].some((name) => WHOM.has(name))) return void this.#load();
    if (names.has("position")) this.#place();
    const isGiven = [...names].some((name) => name === "variables" || name.startsWith("var-"));
    if (!this.#talk || !this.#look || !(isGiven || names.has("language"))) return;
    this.#talk.change({
      language: this.getAttribute("language"),
      variables: this.#variables(this.#look),
    });
    if (names.has("language")) this.#name(this.#look);
  }

  get isOpen() {
    return !this.#panel.hidden;
  }

  /** Show the conversation. */
  open() {
    if (!this.#talk) return void this.#later.push(() => this.open());
    this.#show(true);
    this.#talk?.focus();
  }

  /** Hide it; a conversation by text goes on, one by voice ends. */
  close() {
    if (!this.#talk) return void this.#later.push(() => this.close());
    if (this.#position() === "inline") return;
    void this.#talk?.stopVoice();
    this.#show(false);
    this.#button.focus();
  }

  /** Say something in the name of the user. @param {string} text */
  async send(text) {
    if (!this.#talk) return void this.#later.push(() => void this.send(text));
    this.#show(true);
    await this.#talk.send(text);
  }

  /** Tell the agent something that the user did not say, e.g. which page is open. @param {string} text @param {string} [key] */
  note(text, key) {
    if (!this.#talk) return void this.#later.push(() => this.note(text, key));
    this.#talk.note(text, key);
  }

  /** Begin to talk; only while a click is handled. */
  async startVoice() {
    this.#show(true);
    await this.#talk?.startVoice();
  }

  /** End the conversation. */
  end() {
    this.#talk?.end();
  }

  /** @param {boolean} isOpen */
  #show(isOpen) {
    if (!this.#talk || this.isOpen === isOpen) return;
    this.#panel.hidden = !isOpen;
    this.#button.setAttribute("aria-expanded", String(isOpen));
    this.#button.classList.toggle("vv-opened", isOpen);
    this.#tell(isOpen ? "opened" : "closed", {});
  }

  #position() {
    const given = this.getAttribute("position") ?? this.#look?.position ?? "";
    return POSITIONS.has(given) ? given : "bottom-right";
  }

  #place() {
    const position = this.#position();
    this.#root.host.setAttribute("data-position", position);
    this.#button.hidden = position === "inline";
    if (position === "inline") this.#panel.hidden = false;
  }

  /** Where the server is: `server` names it, else the script came from there. */
  #server() {
    const given = this.getAttribute("server");
    if (given) return new URL(given.endsWith("/") ? given : `${given}/`, location.href);
    if (home) return home;
    throw new Error("vivavoce-widget: give the attribute `server` where the script is a module");
  }

  async #load() {
    this.#isStarted = true;
    this.#loading += 1;
    const turn = this.#loading;
    const signedUrl = this.getAttribute("signed-url");
    try {
      const agentId = this.getAttribute("agent-id") ?? agentOf(signedUrl);
      if (!agentId) throw new Error("give the attribute `agent-id`");
      const base = this.#server();
      const look = await lookOf(base, agentId, signedUrl);
      if (turn === this.#loading) this.#build(look, base, signedUrl);
    } catch (problem) {
      if (turn !== this.#loading) return;
      this.#fail(problem instanceof Error ? problem.message : String(problem));
    }
  }

  /** @param {Look} look @param {URL} base @param {string | null} signedUrl */
  #build(look, base, signedUrl) {
    this.#talk?.end();
    this.#look = look;
    this.#talk = new Talk({
      look,
      base,
      client: "viva_voce_widget",
      kind: "widget",
      start: (wish, events) => Conversation.start(wish, events),
      signedUrl,
      language: this.getAttribute("language"),
      variables: this.#variables(look),
      runTool: (name, parameters) => {
        const tool = this.tools[name];
        return tool ? Promise.resolve(tool(parameters)) : null;
      },
      tell: (name, detail) => this.#tell(name, detail),
      close: () => this.close(),
    });
    this.#button.replaceChildren(look.avatar ? avatarOf(look) : icon("chat"));
    this.#panel.setAttribute("aria-label", look.name);
    this.#panel.replaceChildren(this.#talk.element);
    this.#name(look);
    this.#frame.replaceChildren(this.#panel, this.#button);
    this.#root.replaceChildren(this.#frame);
    paint(this.#root, look.colours);
    this.#place();
    if (this.hasAttribute("opened")) this.#show(true);
    this.#tell("ready", { agentId: look.agent_id, voice: look.voice });
    for (const act of this.#later.splice(0)) act();
  }

  /** In the language of the talk. @param {Look} look */
  #name(look) {
    const language = languageFor(look, this.getAttribute("language"));
    const words = wordsFor(language, look.texts);
    this.#button.setAttribute("aria-label", fill(words.open ?? "", { name: look.name }));
    this.#frame.dir = directionOf(language);
  }

  /** Dynamic variables: `variables` holds JSON, and `var-order-id` gives `order_id`. @param {Look} look */
  #variables(look) {
    /** @type {Record<string, string | number | boolean>} */
    const found = {};
    try {
      Object.assign(found, JSON.parse(this.getAttribute("variables") ?? "{}"));
    } catch {
      console.error("vivavoce-widget: the attribute `variables` is no JSON");
    }
    for (const { name, value } of this.attributes)
      if (name.startsWith("var-")) found[name.slice(4).replaceAll("-", "_")] = value;
    const { settable } = look;
    // What is no value is asked for, as the server would leave it out.
    const isGiven = (/** @type {[string, unknown]} */ [name, value]) =>
      VALUES.has(typeof value) && (!settable || settable.includes(name));
    return Object.fromEntries(Object.entries(found).filter(isGiven));
  }

  /** @param {string} name @param {Record<string, unknown>} detail */
  #tell(name, detail) {
    this.dispatchEvent(
      new CustomEvent(`vivavoce:${name}`, { detail, bubbles: true, composed: true }),
    );
  }

  /** @param {string} message */
  #fail(message) {
    console.error(`vivavoce-widget: ${message}`);
    this.#root.replaceChildren();
    this.#talk?.end();
    this.#talk = null;
    this.#isStarted = false;
    this.#later = [];
    this.#tell("error", { message });
  }
}

/** @param {string | null} signedUrl */
function agentOf(signedUrl) {
  if (signedUrl && !URL.canParse(signedUrl))
    throw new Error("the attribute `signed-url` is no address");
  return signedUrl ? new URL(signedUrl).searchParams.get("agent_id") : null;
}

/**
 * @param {URL} base
 * @param {string} agentId
 * @param {string | null} signedUrl
 * @returns {Promise<Look>}
 */
async function lookOf(base, agentId, signedUrl) {
  const url = new URL(`widget/${encodeURIComponent(agentId)}`, base);
  const signature = signedUrl && new URL(signedUrl).searchParams.get("conversation_signature");
  if (signature) url.searchParams.set("conversation_signature", signature);
  const answer = await fetch(url);
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(body.detail?.message ?? `the server answered ${answer.status}`);
  return body;
}

if (!customElements.get("vivavoce-widget"))
  customElements.define("vivavoce-widget", VivaVoceWidget);
