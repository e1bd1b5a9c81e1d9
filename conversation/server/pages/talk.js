// A conversation by text. Uses the published JavaScript SDK where the server has it, and a client
// of the same shape where not. Everything that was said goes through `textContent`.

import { Conversation as OwnConversation } from "./client.js";

const Conversation = globalThis.ElevenLabsClient?.Conversation ?? OwnConversation;
const { agent: agentId, public: isPublic } = document.body.dataset;
const at = (id) => document.getElementById(id);
const [turns, status, say, text, unlock, again, end] =
  ["turns", "status", "say", "text", "unlock", "again", "end"].map(at);
const base = new URL("..", location.href);
const socketOrigin = base.origin.replace(/^http/, "ws") + base.pathname.replace(/\/$/, "");

let conversation = null;
let streaming = null;
let ended = false;
let key = null;

function show(kind, content) {
  const line = document.createElement("div");
  line.className = kind;
  line.textContent = content;
  turns.append(line);
  turns.scrollTop = turns.scrollHeight;
  return line;
}

function think() {
  streaming ??= show("turn agent thinking", "…");
}

function onPart({ text: piece, type }) {
  if (type !== "delta") return;
  think();
  if (streaming.classList.contains("thinking")) {
    streaming.classList.remove("thinking");
    streaming.textContent = "";
  }
  streaming.textContent += piece;
  turns.scrollTop = turns.scrollHeight;
}

function onMessage({ message, source, role }) {
  if ((role ?? source) === "user") return;
  if (streaming) {
    streaming.classList.remove("thinking");
    streaming.textContent = message;
    streaming = null;
  } else show("turn agent", message);
  turns.scrollTop = turns.scrollHeight;
}

function stopThinking() {
  if (streaming?.classList.contains("thinking")) streaming.remove();
  streaming = null;
}

function onDisconnect(details) {
  if (ended) return;
  ended = true;
  stopThinking();
  conversation = null;
  status.textContent = "ended";
  const reason = details?.closeReason || details?.message;
  const alert = details?.reason === "error";
  show(alert ? "note alert" : "note", reason || (alert ? "The connection was lost." : "The conversation is over."));
  say.hidden = end.hidden = true;
  again.hidden = false;
  again.querySelector("button").focus();
}

async function address() {
  if (isPublic === "true") return { agentId, origin: socketOrigin };
  const query = new URLSearchParams({ agent_id: agentId });
  const answer = await fetch(new URL("v1/convai/conversation/get-signed-url?" + query, base), {
    headers: { "xi-api-key": key },
  });
  const body = await answer.json();
  if (!answer.ok) throw new Error(body.detail?.message ?? "The server refused the key.");
  return { signedUrl: body.signed_url };
}

async function start() {
  ended = false;
  streaming = null;
  turns.replaceChildren();
  unlock.hidden = again.hidden = true;
  status.textContent = "connecting";
  try {
    conversation = await Conversation.startSession({
      ...(await address()),
      connectionType: "websocket",
      textOnly: true,
      onMessage,
      onAgentChatResponsePart: onPart,
      onDisconnect,
      onError: (problem) => {
        stopThinking();
        show("note alert", String(problem));
      },
    });
  } catch (problem) {
    status.textContent = "not connected";
    show("note alert", problem?.message || problem?.reason || "The server could not be reached.");
    if (isPublic === "true") again.hidden = false;
    else unlock.hidden = false;
    return;
  }
  if (ended) return;
  status.textContent = "connected";
  say.hidden = end.hidden = false;
  text.focus();
}

say.addEventListener("submit", (event) => {
  event.preventDefault();
  const said = text.value.trim();
  if (!said || !conversation) return;
  if (streaming) {
    if (streaming.classList.contains("thinking")) streaming.remove();
    else streaming.classList.add("cut");
    streaming = null;
  }
  show("turn user", said);
  conversation.sendUserMessage(said);
  think();
  text.value = "";
});

text.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    say.requestSubmit();
  }
});

let lastActivity = 0;
text.addEventListener("input", () => {
  if (conversation && Date.now() - lastActivity > 2000) {
    lastActivity = Date.now();
    conversation.sendUserActivity();
  }
});

end.addEventListener("click", () => conversation?.endSession());
again.addEventListener("submit", (event) => {
  event.preventDefault();
  start();
});
unlock.addEventListener("submit", (event) => {
  event.preventDefault();
  key = at("key").value.trim();
  start();
});

if (isPublic === "true") start();
else {
  unlock.hidden = false;
  at("key").focus();
}
