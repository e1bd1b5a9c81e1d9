// A text client of the conversation WebSocket, in the shape of the published JavaScript SDK.

export class Conversation {
  static startSession(options) {
    return new Promise((resolve, reject) => {
      const url =
        options.signedUrl ??
        `${options.origin}/v1/convai/conversation?agent_id=${encodeURIComponent(options.agentId)}`;
      const socket = new WebSocket(url, ["convai"]);
      const conversation = new Conversation(socket, options);
      socket.addEventListener("open", () =>
        conversation.#send({
          type: "conversation_initiation_client_data",
          conversation_config_override: { conversation: { text_only: true } },
          source_info: { source: "viva_voce_page", version: "1" },
        }),
      );
      socket.addEventListener("message", ({ data }) => {
        const frame = JSON.parse(data);
        if (frame.type === "conversation_initiation_metadata") {
          conversation.#id = frame.conversation_initiation_metadata_event.conversation_id;
          resolve(conversation);
        } else conversation.#take(frame);
      });
      socket.addEventListener("close", ({ code, reason }) => {
        if (!conversation.#id) {
          reject(new Error(reason || "The server could not be reached."));
          return;
        }
        const why = conversation.#left ? "user" : code === 1000 ? "agent" : "error";
        options.onDisconnect?.({ reason: why, closeCode: code, closeReason: reason });
      });
    });
  }

  #socket;
  #options;
  #id = null;
  #left = false;

  constructor(socket, options) {
    this.#socket = socket;
    this.#options = options;
  }

  getId() {
    return this.#id;
  }

  sendUserMessage(text) {
    this.#send({ type: "user_message", text });
  }

  sendUserActivity() {
    this.#send({ type: "user_activity" });
  }

  async endSession() {
    this.#left = true;
    this.#socket.close(1000, "User ended conversation");
  }

  #take(frame) {
    if (frame.type === "ping") this.#send({ type: "pong", event_id: frame.ping_event.event_id });
    else if (frame.type === "agent_chat_response_part")
      this.#options.onAgentChatResponsePart?.(frame.text_response_part);
    else if (frame.type === "agent_response") {
      const { agent_response: message, event_id } = frame.agent_response_event;
      this.#options.onMessage?.({ message, role: "agent", event_id });
    } else if (frame.type === "error") this.#options.onError?.(frame.error_event.message);
    else if (frame.type === "client_tool_call") this.#refuseTool(frame.client_tool_call);
  }

  #refuseTool({ tool_name, tool_call_id }) {
    const result = `This page has no tool ${tool_name}.`;
    this.#send({ type: "client_tool_result", tool_call_id, result, is_error: true });
  }

  #send(frame) {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(frame));
  }
}
