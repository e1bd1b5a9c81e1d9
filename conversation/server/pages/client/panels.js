// What is asked before or after a conversation: terms, variables, a key, the microphone, stars.

import { icon, make } from "./dom.js";
import { renderMarkdown } from "./markdown.js";
import { fill } from "./words.js";

/** @import { Words } from "./words.js" */

/**
 * A form in place of the conversation.
 * @param {string} id
 * @param {string} title
 * @param {(Node | null)[]} content
 * @param {HTMLElement[]} buttons
 */
function panel(id, title, content, buttons) {
  const heading = make("h2", { text: title, id: `${id}-title` });
  const form = make("form", { class: "vv-panel", id, "aria-labelledby": `${id}-title` });
  form.append(heading, ...content.filter((each) => each !== null));
  form.append(make("div", { class: "vv-buttons" }, ...buttons));
  return form;
}

/** @param {string} text */
const main = (text) => make("button", { class: "vv-button vv-main", text });

/** @param {string} text @param {() => void} act */
const other = (text, act) =>
  make("button", { class: "vv-button vv-quiet", type: "button", text, onclick: act });

/**
 * @param {Words} words
 * @param {string} terms
 * @param {(isAccepted: boolean) => void} done
 */
export function termsPanel(words, terms, done) {
  const text = make("div", { class: "vv-terms", tabindex: "0", dir: "auto", role: "region" });
  text.setAttribute("aria-labelledby", "terms-title");
  text.append(renderMarkdown(terms));
  const form = panel(
    "terms",
    words.terms_title ?? "",
    [text],
    [main(words.terms_accept ?? ""), other(words.terms_decline ?? "", () => done(false))],
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    done(true);
  });
  return form;
}

/**
 * @param {Words} words
 * @param {string[]} names
 * @param {(values: Record<string, string>) => void} done
 */
export function variablesPanel(words, names, done) {
  const fields = names.map((name) => {
    const input = make("input", { name, required: true, maxlength: 4_000, autocomplete: "off" });
    return make("label", { class: "vv-field" }, make("span", { text: readable(name) }), input);
  });
  const why = make("p", { class: "vv-soft", text: words.variables_why });
  const form = panel(
    "variables",
    words.variables_title ?? "",
    [why, ...fields],
    [main(words.begin ?? "")],
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const given = Object.fromEntries(new FormData(form));
    done(Object.fromEntries(Object.entries(given).map(([name, value]) => [name, String(value)])));
  });
  return form;
}

/**
 * @param {Words} words
 * @param {(key: string) => void} done
 */
export function keyPanel(words, done) {
  const input = make("input", { id: "key", type: "password", required: true, autocomplete: "off" });
  const field = make("label", { class: "vv-field" }, make("span", { text: words.key }), input);
  const why = make("p", { class: "vv-soft", text: words.key_why });
  const form = panel("unlock", words.key_title ?? "", [why, field], [main(words.begin ?? "")]);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    done(input.value.trim());
  });
  return form;
}

/**
 * Says what the microphone is for, before the browser asks.
 * @param {Words} words
 * @param {string} host
 * @param {(isWanted: boolean) => void} done
 */
export function microphonePanel(words, host, done) {
  const why = make("p", { text: fill(words.microphone_why ?? "", { host }) });
  const form = panel(
    "permission",
    words.microphone_title ?? "",
    [icon("mic"), why],
    [main(words.microphone_allow ?? ""), other(words.cancel ?? "", () => done(false))],
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    done(true);
  });
  return form;
}

/**
 * @param {Words} words
 * @param {(rating: number, comment: string | null) => Promise<boolean>} send  Whether it arrived.
 */
function starsPanel(words, send) {
  const stars = make("fieldset", { class: "vv-stars" });
  stars.append(make("legend", { text: words.rate }));
  const comment = make("textarea", { rows: 2, maxlength: 2_000, placeholder: words.comment });
  comment.setAttribute("aria-label", words.comment ?? "");
  const more = make("div", { class: "vv-comment" }, comment, main(words.send_rating ?? ""));
  more.hidden = true;
  let rating = 0;
  for (let count = 1; count <= 5; count += 1) {
    const name = fill(words.stars ?? "", { count });
    const choice = make("input", {
      type: "radio",
      name: "stars",
      value: count,
      "aria-label": name,
    });
    const label = make("label", { class: "vv-star", title: name }, choice, icon("star"));
    choice.addEventListener("change", () => {
      rating = count;
      more.hidden = false;
      for (const [at, each] of [...stars.querySelectorAll("label")].entries())
        each.classList.toggle("vv-lit", at < count);
      void send(count, null);
    });
    stars.append(label);
  }
  const form = make("form", { class: "vv-rating", id: "rating" }, stars, more);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const text = comment.value.trim();
    void send(rating, text || null).then((hasArrived) => {
      form.querySelector(".vv-alert")?.remove();
      if (hasArrived)
        form.replaceChildren(make("p", { class: "vv-soft", role: "status", text: words.thanks }));
      else
        form.append(
          make("p", { class: "vv-note vv-alert", role: "alert", text: words.unreachable }),
        );
    });
  });
  return form;
}

/**
 * What is left to do when a conversation is over: rate it, or begin another one.
 * @param {Words} words
 * @param {((rating: number, comment: string | null) => Promise<boolean>) | null} rate
 * @param {() => void} again
 */
export function afterPanel(words, rate, again) {
  const form = make("form", { class: "vv-again", id: "again" });
  form.append(make("button", { class: "vv-button vv-main", text: words.new_conversation }));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    again();
  });
  return make("div", { class: "vv-after" }, rate ? starsPanel(words, rate) : null, form);
}

/** A name as a person reads it. @param {string} name */
function readable(name) {
  const text = name.replaceAll(/[_.-]+/g, " ").trim();
  return text.charAt(0).toUpperCase() + text.slice(1);
}
