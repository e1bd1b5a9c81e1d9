// Keys that count wherever the focus is: Escape stops the agent, the space bar is held to talk.

/**
 * @typedef {object} KeyActs
 * @property {() => boolean} canStop
 * @property {() => void} stop
 * @property {() => boolean} canHold
 * @property {(isHeld: boolean) => void} hold
 */

/** @param {HTMLElement | Document} place @param {KeyActs} acts */
export function listenToKeys(place, acts) {
  const hear = (/** @type {Event} */ event) => {
    if (event instanceof KeyboardEvent) pressed(event, event.type === "keydown", acts);
  };
  place.addEventListener("keydown", hear);
  place.addEventListener("keyup", hear);
}

/** @param {KeyboardEvent} event @param {boolean} isDown @param {KeyActs} acts */
function pressed(event, isDown, acts) {
  if (event.key === "Escape" && isDown && acts.canStop()) {
    event.preventDefault();
    event.stopPropagation();
    acts.stop();
  }
  const field = event.composedPath()[0];
  const isWriting =
    field instanceof HTMLElement &&
    field.matches("input, textarea, select, button:not(.vv-hold), summary");
  if (event.key === " " && acts.canHold() && !isWriting) {
    event.preventDefault();
    acts.hold(isDown);
  }
}
