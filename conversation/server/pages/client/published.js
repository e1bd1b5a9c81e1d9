// The published JavaScript SDK in place of the page's own client, where the server has it.

/** @import { Start } from "./types.js" */

/**
 * Starts conversations by the published SDK; null where there is none.
 * @returns {Start | null}
 */
export function published() {
  const sdk = /** @type {any} */ (globalThis).ElevenLabsClient?.Conversation;
  if (!sdk) return null;
  return async (wish, events) => {
    let eventId = 0;
    const address = new URL(await wish.address());
    const place = address.searchParams.has("conversation_signature")
      ? { signedUrl: address.href }
      : { agentId: address.searchParams.get("agent_id"), origin: originOf(address) };
    const session = await sdk.startSession({
      ...place,
      connectionType: "websocket",
      textOnly: true,
      dynamicVariables: wish.variables,
      overrides: wish.language === null ? {} : { agent: { language: wish.language } },
      onMessage: (/** @type {any} */ { message, source, role, event_id }) => {
        if ((role ?? source) === "user") return;
        events.onAgent(event_id ?? eventId + 1, message);
      },
      onAgentChatResponsePart: (/** @type {any} */ part) => {
        eventId = part.event_id;
        if (part.type === "delta") events.onPiece(part.event_id, part.text);
      },
      onInterruption: (/** @type {any} */ event) => events.onInterrupted(event.event_id),
      onAgentResponseCorrection: (/** @type {any} */ event) =>
        events.onCorrected(event.event_id, event.corrected_agent_response),
      onAgentToolRequest: (/** @type {any} */ tool) =>
        events.onTool(tool.tool_call_id, tool.tool_name, "running"),
      onAgentToolResponse: (/** @type {any} */ tool) =>
        events.onTool(tool.tool_call_id, tool.tool_name, tool.is_error ? "failed" : "done"),
      onError: (/** @type {unknown} */ problem) => events.onProblem(String(problem)),
      onDisconnect: (/** @type {any} */ details) =>
        events.onEnd({ by: details.reason, reason: details.closeReason ?? details.message ?? "" }),
    });
    events.onOpen(session.getId());
    return {
      id: session.getId(),
      isVoice: false,
      say: (text) => {
        session.sendUserMessage(text);
        return true;
      },
      typing: () => session.sendUserActivity(),
      stop: () => {},
      note: (text) => session.sendContextualUpdate(text),
      rate: (_eventId, score) => session.sendFeedback(score === null ? null : score === "like"),
      hear: () => {},
      switchTo: async () => {},
      leave: () => void session.endSession(),
    };
  };
}

/** @param {URL} address */
function originOf(address) {
  return address.origin + address.pathname.replace(/\/v1\/convai\/conversation$/, "");
}
