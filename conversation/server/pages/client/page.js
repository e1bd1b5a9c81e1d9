// The talk page: an agent that everybody may talk to at once, and any other with a key.

import { Conversation } from "./connection.js";
import { make } from "./dom.js";
import { paint } from "./colours.js";
import { keyPanel } from "./panels.js";
import { published } from "./published.js";
import { Talk } from "./talk.js";
import { wordsFor } from "./words.js";

/** @import { Look } from "./types.js" */

const base = new URL("..", location.href);
const place = document.getElementById("talk") ?? document.body;
/** @type {"frame" | "page"} */
const kind = document.body.classList.contains("vv-frame") ? "frame" : "page";

/** @param {Look} look @param {string | null} signedUrl */
function begin(look, signedUrl) {
  const start = published() ?? ((wish, events) => Conversation.start(wish, events));
  // The published SDK takes and plays sound by itself, without the levels and choices of this page.
  const shown = published() ? { ...look, voice: false } : look;
  const before = history.state?.conversation;
  note(null);
  const tell = (/** @type {string} */ name, /** @type {Record<string, unknown>} */ detail) => {
    if (name === "open") note(detail.conversationId);
    if (name === "end") note(null);
  };
  const given = { look: shown, base, client: "viva_voce_page", start, kind, signedUrl, tell };
  const talk = new Talk({ ...given, before });
  document.title = `${look.name} – Viva Voce`;
  paint(document, look.colours);
  place.replaceChildren(talk.element);
  if (kind === "page") talk.focus();
}

/**
 * In the tab's entry of this page, which a reload keeps and nothing else: not to be told that a
 * conversation is gone is worse than the note.
 * @param {unknown} conversation
 */
function note(conversation) {
  history.replaceState(conversation === null ? null : { conversation }, "");
}

/** @param {string} [problem] */
function unlock(problem) {
  const words = wordsFor(document.documentElement.lang, {});
  const panel = keyPanel(words, (key) => void open(key));
  const said = problem
    ? make("p", { class: "note alert vv-note vv-alert", role: "alert", text: problem })
    : null;
  const title = make("h1", { class: "vv-hidden", text: document.body.dataset.agent });
  place.replaceChildren(make("div", { class: "vv vv-talk vv-locked" }, title, panel, said));
  document.getElementById("key")?.focus();
}

/** @param {string} key */
async function open(key) {
  const agentId = document.body.dataset.agent ?? "";
  try {
    const query = new URLSearchParams({ agent_id: agentId });
    const headers = { "xi-api-key": key };
    const signed = await answered(
      new URL(`v1/convai/conversation/get-signed-url?${query}`, base),
      headers,
    );
    const signature = new URL(signed.signed_url).searchParams.get("conversation_signature") ?? "";
    const asked = new URL(`widget/${encodeURIComponent(agentId)}`, base);
    asked.searchParams.set("conversation_signature", signature);
    begin(await answered(asked, {}), signed.signed_url);
  } catch (problem) {
    unlock(problem instanceof Error ? problem.message : String(problem));
  }
}

/** @param {URL} url @param {Record<string, string>} headers */
async function answered(url, headers) {
  const answer = await fetch(url, { headers });
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(body.detail?.message ?? wordsFor("en", {}).unreachable);
  return body;
}

const given = JSON.parse(document.getElementById("look")?.textContent ?? "null");
if (given) begin(given, null);
else unlock();
