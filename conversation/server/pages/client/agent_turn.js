// A turn of the agent as it is shown.

import { icon, make } from "./dom.js";
import { renderMarkdown } from "./markdown.js";
import { fill } from "./words.js";

/** @import { Words } from "./words.js" */

const PATIENCE_MS = 7_000;

/** A turn of the agent, from the first thought to the last correction. */
export class AgentTurn {
  text = "";
  eventId = -1;
  /** What it answers. */
  asked = "";
  isDone = false;
  isCut = false;
  /** @type {"like" | "dislike" | null} */
  score = null;
  element;
  bubble = make("div", { class: "turn agent thinking vv-bubble", dir: "auto" });
  #tools = make("ul", { class: "vv-tools" });
  #below = make("div", { class: "vv-below" });
  #isWaiting = true;
  #isPainting = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #patience;
  #words;

  /** @param {string} name @param {Words} words */
  constructor(name, words) {
    this.#words = words;
    this.bubble.append(
      make("span", { class: "vv-dots", role: "img", "aria-label": words.thinking ?? "" }),
    );
    this.element = make("article", { class: "vv-turn vv-agent", "aria-label": name });
    this.element.append(this.#tools, this.bubble, this.#below);
    this.#patience = setTimeout(() => {
      if (this.#isWaiting)
        this.bubble.append(make("span", { class: "vv-patience", text: words.still_thinking }));
    }, PATIENCE_MS);
  }

  get isWaiting() {
    return this.#isWaiting;
  }

  /** @param {string} piece */
  add(piece) {
    this.text += piece;
    this.#paint();
  }

  /** @param {string} text */
  set(text) {
    this.text = text;
    this.#paint();
  }

  cut() {
    this.isCut = true;
    clearTimeout(this.#patience);
    this.bubble.classList.add("cut");
    if (!this.element.querySelector(".vv-cut"))
      this.bubble.after(make("p", { class: "vv-cut", text: this.#words.interrupted }));
  }

  /** @param {string} id @param {string} name @param {string} state */
  tool(id, name, state) {
    const key =
      state === "running" ? "tool_running" : state === "done" ? "tool_done" : "tool_failed";
    const text = fill(this.#words[key] ?? "", { tool: name });
    const line = make("li", { class: `vv-tool vv-${state}`, "data-tool": id }, icon("tool"), text);
    const before = [...this.#tools.children].find((each) => each.getAttribute("data-tool") === id);
    if (before) before.replaceWith(line);
    else this.#tools.append(line);
  }

  /** @param {HTMLElement[]} parts */
  below(...parts) {
    this.#below.replaceChildren(...parts);
  }

  /** Paint once in a frame of the screen, however fast the words come. */
  #paint() {
    clearTimeout(this.#patience);
    this.#isWaiting = false;
    if (this.#isPainting) return;
    this.#isPainting = true;
    const paint = () => {
      this.#isPainting = false;
      this.bubble.classList.remove("thinking");
      this.bubble.replaceChildren(renderMarkdown(this.text));
    };
    if (document.visibilityState === "visible") requestAnimationFrame(paint);
    else setTimeout(paint);
  }
}
