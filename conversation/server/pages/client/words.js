// What the page and the widget say to users: in English here, in other languages as the server
// has them, and otherwise where an agent file says so.

/** @import { Look } from "./types.js" */
/** @typedef {Record<string, string>} Words */

/** @type {Words} */
const ENGLISH = {
  title: "",
  subtitle: "Answers from its documents",
  open: "Ask {name}",
  close: "Close",
  placeholder: "Write a message",
  send: "Send",
  stop: "Stop the answer",
  start_voice: "Talk",
  end_voice: "Stop talking, go on in writing",
  mute: "Mute the microphone",
  unmute: "Unmute the microphone",
  hold: "Hold to talk (space bar)",
  hold_mode: "Push to talk",
  microphone: "Microphone",
  microphone_title: "May this page use your microphone?",
  microphone_why:
    "You talk, and the agent answers aloud. Your voice goes to {host} and nowhere else. You can mute it or go back to writing at any time; your browser asks you next.",
  microphone_allow: "Use the microphone",
  cancel: "Not now",
  no_microphone: "No microphone was found. You can write instead.",
  microphone_refused:
    "The browser does not let this page use the microphone. Allow it beside the address of the page, or write.",
  microphone_insecure: "Browsers give microphones only to pages with https. You can write here.",
  microphone_gone: "The microphone is gone. Choose another one, or write.",
  thinking: "Thinking",
  still_thinking: "Still at it. A careful answer can take a while.",
  listening: "Listening",
  you_speak: "I hear you",
  agent_speaks: "Speaking",
  muted: "Muted",
  holding: "Not listening",
  connecting: "Connecting",
  lost: "The connection was lost. Trying again.",
  gone: "The connection could not be restored.",
  reloaded: "This page was loaded again, which ended the conversation {id}.",
  ended: "The conversation is over.",
  new_conversation: "New conversation",
  end: "End conversation",
  more: "More",
  copy: "Copy",
  copy_all: "Copy the conversation",
  copied: "Copied",
  conversation_id: "Conversation",
  show_times: "Show times",
  language: "Language",
  sources: "Sources",
  page: "page {page}",
  passage: "In context",
  tool_running: "Using {tool}",
  tool_done: "Used {tool}",
  tool_failed: "{tool} failed",
  good: "Good answer",
  bad: "Bad answer",
  retry: "Ask again",
  interrupted: "interrupted",
  rate: "How was this conversation?",
  stars: "{count} of 5",
  comment: "Anything to add?",
  send_rating: "Send",
  thanks: "Thank you.",
  terms_title: "Before we begin",
  terms_accept: "Accept",
  terms_decline: "Decline",
  variables_title: "Before we begin",
  variables_why: "The agent needs to know:",
  begin: "Begin",
  key_title: "This agent is not public",
  key_why:
    "An API key with the scope converse opens it. The page keeps the key only while it is open.",
  key: "API key",
  conversation: "Conversation",
  message: "Your message",
  unreachable: "The server could not be reached.",
  you: "You",
  examples: "You could ask",
  disclaimer: "",
};

const RIGHT_TO_LEFT = new Set([
  "ar",
  "arc",
  "ckb",
  "dv",
  "fa",
  "he",
  "ku",
  "ps",
  "sd",
  "ug",
  "ur",
  "yi",
]);

/**
 * The words for a language, English where there are none.
 * @param {string} language
 * @param {Record<string, Record<string, string>>} own  As the server gives them, by language.
 * @returns {Words}
 */
export function wordsFor(language, own) {
  const [base = "en"] = language.toLowerCase().split("-");
  return { ...ENGLISH, ...own[base], ...own[language] };
}

/**
 * The agent's language that suits best: the wanted one, one of the browser's, the agent's own.
 * @param {Look} look
 * @param {string | null} [wanted]
 */
export function languageFor(look, wanted) {
  const { languages, language } = look;
  const has = (/** @type {string | null | undefined} */ code) =>
    languages.find((each) => each === code) ??
    languages.find((each) => each === code?.split("-")[0]);
  const found = [wanted, ...navigator.languages].map(has);
  return found.find((each) => each !== undefined) ?? language;
}

/** @param {string} language @returns {"ltr" | "rtl"} */
export function directionOf(language) {
  return RIGHT_TO_LEFT.has(language.toLowerCase().split("-")[0] ?? "") ? "rtl" : "ltr";
}

/** A language by its own name. @param {string} code */
export function nameOfLanguage(code) {
  try {
    return new Intl.DisplayNames([code], { type: "language" }).of(code) ?? code;
  } catch {
    return code;
  }
}

/**
 * `text` with `{name}` filled in.
 * @param {string} text
 * @param {Record<string, string | number>} values
 */
export function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole));
}
