// What stands below an answer: what it rests on, what can be done with it, how long it took.

import { copied } from "./copying.js";
import { iconButton, make } from "./dom.js";
import { sourcesOf } from "./sources.js";

/** @import { AgentTurn } from "./agent_turn.js" */
/** @import { Details, Look } from "./types.js" */
/** @import { Words } from "./words.js" */

/**
 * What a user can do with a turn.
 * @typedef {object} TurnActs
 * @property {(eventId: number, score: "like" | "dislike" | null) => void} rate
 * @property {(text: string) => void} ask
 */

/**
 * @param {AgentTurn} turn
 * @param {Details | null} details  Null as long as the server has not told them.
 * @param {Look} look
 * @param {Words} words
 * @param {TurnActs} acts
 * @returns {HTMLElement[]}
 */
export function footerOf(turn, details, look, words, acts) {
  /** @type {HTMLElement[]} */
  const parts = [];
  if (details && details.sources.length > 0) parts.push(sourcesOf(details.sources, words));
  if (turn.eventId >= 0) parts.push(actionsOf(turn, look, words, acts));
  const times = details ? timesOf(details.latency_ms) : "";
  if (times) parts.push(make("p", { class: "vv-times-line", text: times }));
  return parts;
}

/**
 * @param {AgentTurn} turn
 * @param {Look} look
 * @param {Words} words
 * @param {TurnActs} acts
 */
function actionsOf(turn, look, words, acts) {
  const bar = make("div", { class: "vv-actions", role: "group" });
  bar.append(iconButton("copy", words.copy ?? "", () => void copied(turn.text, bar, words)));
  if (look.feedback === "thumbs" || look.feedback === "both")
    bar.append(...thumbsOf(turn, words, acts));
  const { asked } = turn;
  if (asked) bar.append(iconButton("retry", words.retry ?? "", () => acts.ask(asked)));
  return bar;
}

/** @param {AgentTurn} turn @param {Words} words @param {TurnActs} acts */
function thumbsOf(turn, words, acts) {
  const scores = /** @type {const} */ (["like", "dislike"]);
  const show = () => {
    for (const [at, each] of thumbs.entries())
      each.setAttribute("aria-pressed", String(turn.score === scores[at]));
  };
  const thumbs = scores.map((score) => {
    const [picture, name] = score === "like" ? ["up", words.good] : ["down", words.bad];
    const thumb = iconButton(picture ?? "", name ?? "", () => {
      turn.score = turn.score === score ? null : score;
      acts.rate(turn.eventId, turn.score);
      show();
    });
    thumb.classList.add("vv-thumb");
    return thumb;
  });
  show();
  return thumbs;
}

/** @param {Record<string, number>} latency */
function timesOf(latency) {
  return Object.entries(latency)
    .map(([name, ms]) => `${readableStep(name)} ${seconds(ms)}`)
    .join(" · ");
}

/** `speech_end_to_first_audio_ms` as a person reads it. @param {string} name */
function readableStep(name) {
  const step = name.replace(/_ms$/, "").replaceAll("_", " ");
  return step.replace(/^speech end to (.*)$/, "$1 after speech").replace(/^request to /, "");
}

/** @param {number} ms */
function seconds(ms) {
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`;
}
