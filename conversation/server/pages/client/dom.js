// Elements without markup: whatever is shown goes in as text.

/**
 * Make an element.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, unknown>} [given]  `class`, `text`, `on...` listeners, attributes; false
 *   and null leave one out.
 * @param {...(Node | string | null)} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function make(tag, given = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(given)) {
    if (value === false || value === null || value === undefined) continue;
    if (name === "text") element.textContent = String(value);
    else if (name.startsWith("on") && typeof value === "function")
      element.addEventListener(name.slice(2), /** @type {EventListener} */ (value));
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.filter((each) => each !== null));
  return element;
}

/** @param {string} name  Of an icon. @returns {SVGSVGElement} */
export function icon(name) {
  const space = "http://www.w3.org/2000/svg";
  const picture = document.createElementNS(space, "svg");
  picture.setAttribute("viewBox", "0 0 24 24");
  picture.setAttribute("class", "vv-icon");
  picture.setAttribute("aria-hidden", "true");
  const line = document.createElementNS(space, "path");
  line.setAttribute("d", ICONS[name] ?? "");
  picture.append(line);
  return picture;
}

/**
 * A button with a picture and a name that is read out and shown as a hint.
 * @param {string} picture
 * @param {string} name
 * @param {() => void} act
 * @param {string} [kind]
 */
export function iconButton(picture, name, act, kind = "quiet") {
  const given = { type: "button", class: `vv-button vv-${kind} vv-round`, onclick: act };
  return make("button", { ...given, "aria-label": name, title: name }, icon(picture));
}

/** @type {Record<string, string>} */
const ICONS = {
  send: "M12 19V5M5.5 11.5 12 5l6.5 6.5",
  stop: "M7 7h10v10H7z",
  mic: "M12 3.5a3 3 0 0 1 3 3V12a3 3 0 0 1-6 0V6.5a3 3 0 0 1 3-3zM5.5 11.5a6.5 6.5 0 0 0 13 0M12 18v3",
  muted:
    "M15 9.5v-3a3 3 0 0 0-5.7-1.3M9 9v3a3 3 0 0 0 4.6 2.5M5.5 11.5a6.5 6.5 0 0 0 10.3 5.3M18.5 11.5c0 .8-.1 1.5-.4 2.2M12 18v3M4 4l16 16",
  end: "M6 6l12 12M18 6 6 18",
  chat: "M4.5 5.5h15v11h-8l-4 3.5v-3.5h-3z",
  more: "M5.5 12h.01M12 12h.01M18.5 12h.01",
  up: "M7.5 10.5v9h-3v-9zM7.5 11l4-7c1.5 0 2.3 1 2 2.500L13 9.500h5c1.2 0 2 1 1.7 2.200l-1.5 6.300c-.2.9-1 1.5-1.9 1.500H7.5",
  down: "M16.5 13.5v-9h3v9zM16.5 13l-4 7c-1.5 0-2.3-1-2-2.500l.500-3H6c-1.2 0-2-1-1.7-2.200L5.8 6c.2-.900 1-1.5 1.9-1.500h8.8",
  copy: "M9 9h10.500v10.500H9zM5.5 15H4.500V4.500H15v1",
  retry: "M19.5 12a7.5 7.5 0 1 1-2.2-5.300L19.5 9M19.5 4.500V9H15",
  source: "M6 3.500h8.500L18 7v13.500H6zM14 3.500V7.500h4M9 12h6M9 15.500h6",
  tool: "M14.5 6.500a4 4 0 0 1 5-1l-2.5 2.5 1 1.5 1.5.500L22 7.500a4 4 0 0 1-5.5 4.700L8 20.5 4 16.500l8.3-8.3",
  hold: "M9 11V5.500a1.5 1.5 0 0 1 3 0V11m0-1.500a1.5 1.5 0 0 1 3 0V11m0-.5a1.5 1.5 0 0 1 3 0V15a5.5 5.5 0 0 1-5.5 5.500c-2.5 0-4-1-5.2-3L5 13.500c-.7-1.3 1-2.3 1.9-1.300L9 14.5",
  star: "M12 3.800l2.5 5.2 5.7.800-4.1 4 1 5.7-5.1-2.7-5.1 2.7 1-5.7-4.1-4 5.7-.8z",
};
