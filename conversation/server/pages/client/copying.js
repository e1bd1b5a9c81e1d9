// Puts text where the user can paste it from.

import { make } from "./dom.js";

/** @import { Words } from "./words.js" */

/**
 * @param {string} text
 * @param {HTMLElement} beside
 * @param {Words} words
 */
export async function copied(text, beside, words) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // No clipboard for pages without TLS, nor in frames that were not given it.
    if (!copiedFromField(text, beside)) return;
  }
  const note = make("span", { class: "vv-copied", role: "status", text: words.copied });
  beside.append(note);
  setTimeout(() => note.remove(), 1_500);
}

/** @param {string} text @param {HTMLElement} beside */
function copiedFromField(text, beside) {
  const root = beside.getRootNode();
  const focused = root instanceof Document || root instanceof ShadowRoot ? root.activeElement : null;
  const field = make("textarea", { class: "vv-hidden", "aria-hidden": "true", tabindex: "-1" });
  field.value = text;
  beside.append(field);
  field.select();
  const isCopied = document.execCommand("copy");
  field.remove();
  if (focused instanceof HTMLElement) focused.focus({ preventScroll: true });
  return isCopied;
}
