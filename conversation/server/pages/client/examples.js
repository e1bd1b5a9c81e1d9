// Questions that a user may begin with.

import { make } from "./dom.js";

/** @import { Look } from "./types.js" */
/** @import { Words } from "./words.js" */

/**
 * Null where the agent has none.
 * @param {Look} look
 * @param {Words} words
 * @param {(text: string) => void} ask
 */
export function examplesOf(look, words, ask) {
  if (look.examples.length === 0) return null;
  const given = { class: "vv-examples", role: "group", "aria-label": words.examples };
  const buttons = look.examples.map((text) =>
    make("button", {
      type: "button",
      class: "vv-example",
      dir: "auto",
      text,
      onclick: () => ask(text),
    }),
  );
  return make("div", given, ...buttons);
}
