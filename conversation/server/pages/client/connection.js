// A conversation over a WebSocket, by text or by voice, that outlives a lost network.

/** @import { Events, Wish } from "./types.js" */

const VERSION = "2";
const SILENCE_MS = 30_000;
/** How long a server may take that holds the conversation already. */
const RESUME_MS = 10_000;
const WAITS_MS = [300, 1_000, 2_000, 4_000, 8_000, 8_000, 8_000, 8_000, 8_000];
const LOST = new Set([1001, 1005, 1006, 1012, 1013, 4001]);
const SWITCH = 4000;
const MOST_WAITING_BYTES = 262_144;

/** A key that nobody guesses. @returns {string} */
function randomKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(24));
  return [...bytes].map((each) => each.toString(16).padStart(2, "0")).join("");
}

/** Why a socket did not open: its code, and in words of the server what is wrong, if it said that. */
class ClosedError extends Error {
  /** @param {number} code @param {string} reason */
  constructor(code, reason) {
    super(reason);
    this.code = code;
  }
}

export class Conversation {
  /**
   * Begin one; resolves when it is open.
   * @param {Wish} wish
   * @param {Events} events
   * @returns {Promise<Conversation>}
   */
  static async start(wish, events) {
    const conversation = new Conversation(wish, events);
    await conversation.#dial();
    return conversation;
  }

  /** @type {WebSocket | null} */
  #socket = null;
  #wish;
  #events;
  #id = "";
  #key = randomKey();
  #isOver = false;
  /** Whether the network is away, and tried again. */
  #isAway = false;
  /** What was to be sent while there was no socket. @type {{type: string}[]} */
  #unsent = [];
  /** What was said last, until the agent shows that it heard it. */
  #unheard = "";
  /** The same, of the socket before this one. */
  #doubtful = "";
  #heardMs = 0;
  #lastEventId = 0;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #watch;

  /**
   * @param {Wish} wish
   * @param {Events} events
   */
  constructor(wish, events) {
    this.#wish = wish;
    this.#events = events;
  }

  get id() {
    return this.#id;
  }

  get isVoice() {
    return this.#wish.isVoice;
  }

  /** Say it now, or as soon as the line stands again. @param {string} text */
  say(text) {
    if (this.#isOver) return false;
    const isSent = this.#sendOrKeep({ type: "user_message", text });
    if (isSent) this.#unheard = text.trim();
    return true;
  }

  typing() {
    this.#send({ type: "user_activity" });
  }

  stop() {
    this.#send({ type: "stop_agent" });
  }

  /**
   * @param {string} text
   * @param {string} [key]
   */
  note(text, key) {
    this.#sendOrKeep({ type: "contextual_update", text, context_id: key });
  }

  /**
   * @param {number} eventId
   * @param {"like" | "dislike" | null} score
   */
  rate(eventId, score) {
    this.#sendOrKeep({ type: "feedback", event_id: eventId, score });
  }

  /** @param {string} base64  16-bit samples at 16 kHz. */
  hear(base64) {
    const waiting = this.#socket?.bufferedAmount ?? 0;
    // Sound that comes late is worth nothing: on a slow network it is dropped.
    if (waiting < MOST_WAITING_BYTES) this.#send({ user_audio_chunk: base64 });
  }

  /** Go on by voice, or without it. @param {boolean} isVoice */
  async switchTo(isVoice) {
    if (this.#isOver) return;
    this.#wish = { ...this.#wish, isVoice };
    const old = this.#socket;
    this.#socket = null;
    clearInterval(this.#watch);
    old?.close(SWITCH, "switch");
    // While the network is away, whoever tries again does it.
    if (this.#isAway) return;
    try {
      await this.#dial();
    } catch (problem) {
      if (!(problem instanceof ClosedError)) throw problem;
      this.#closed(problem.code, problem.message);
    }
  }

  leave() {
    this.#over({ by: "user", reason: "" });
    this.#socket?.close(1000, "User ended conversation");
  }

  /**
   * Resolves when it is open, or when another socket has taken its place meanwhile.
   * @returns {Promise<void>}
   */
  async #dial() {
    this.#doubtful ||= this.#unheard;
    this.#unheard = "";
    const address = new URL(await this.#wish.address());
    if (this.#id) address.searchParams.set("resume", this.#id);
    const socket = new WebSocket(address, ["convai"]);
    this.#socket = socket;
    this.#heardMs = Date.now();
    return new Promise((resolve, reject) => {
      let isOpen = false;
      const patience = this.#id ? setTimeout(() => socket.close(4001), RESUME_MS) : undefined;
      socket.addEventListener("open", () => this.#send(this.#opening()));
      socket.addEventListener("message", ({ data }) => {
        this.#heardMs = Date.now();
        const frame = this.#read(data);
        if (frame === null || socket !== this.#socket) return;
        if (frame.type !== "conversation_initiation_metadata") return this.#take(frame);
        isOpen = true;
        clearTimeout(patience);
        const isNew = this.#id === "";
        this.#id = frame.conversation_initiation_metadata_event.conversation_id;
        this.#watchNetwork(socket);
        if (isNew) this.#events.onOpen(this.#id);
        else this.#events.onNetwork(false);
        resolve();
      });
      const gone = (/** @type {number} */ code, /** @type {string} */ reason) => {
        clearTimeout(patience);
        if (socket !== this.#socket) return resolve();
        this.#socket = null;
        clearInterval(this.#watch);
        // Whoever dialled decides what follows: two of them would dial twice as often each time.
        if (isOpen) this.#closed(code, reason);
        else reject(new ClosedError(code, reason));
      };
      socket.addEventListener("close", ({ code, reason }) => gone(code, reason));
      // A socket that the policy of the page forbids has an error and no end.
      socket.addEventListener("error", () => setTimeout(() => gone(1006, ""), 500));
    });
  }

  #opening() {
    const { isVoice, language, variables, terms, client } = this.#wish;
    return {
      type: "conversation_initiation_client_data",
      conversation_config_override: {
        agent: language === null ? {} : { language },
        conversation: isVoice ? {} : { text_only: true },
      },
      dynamic_variables: {
        system__timezone: Intl.DateTimeFormat().resolvedOptions().timeZone,
        ...variables,
      },
      source_info: { source: client, version: VERSION },
      accepted_terms: terms,
      extras: ["details"],
      resume_key: this.#key,
      last_event_id: this.#lastEventId,
    };
  }

  /** @param {WebSocket} socket */
  #watchNetwork(socket) {
    clearInterval(this.#watch);
    this.#watch = setInterval(() => {
      // A network that is gone without a word: the server pings more often than this.
      if (Date.now() - this.#heardMs > SILENCE_MS) socket.close(4001, "nothing comes");
    }, 2_000);
  }

  /**
   * @param {number} code
   * @param {string} reason
   */
  #closed(code, reason) {
    if (this.#isOver) return;
    if (code === 1000) this.#over({ by: "agent", reason });
    else if (LOST.has(code)) void this.#reconnect();
    else this.#over({ by: "error", reason });
  }

  async #reconnect() {
    this.#isAway = true;
    this.#events.onNetwork(true);
    await this.#tryAgain().finally(() => {
      this.#isAway = false;
    });
  }

  async #tryAgain() {
    for (const wait of WAITS_MS) {
      await this.#pause(wait);
      if (this.#isOver) return;
      try {
        await this.#dial();
        if (this.#socket) return;
      } catch (problem) {
        if (!(problem instanceof ClosedError)) throw problem;
        const { code, message } = problem;
        if (!LOST.has(code)) return this.#closed(code, message);
        // The server spoke: it knows the conversation no longer.
        if (message) return this.#over({ by: "lost", reason: message });
      }
    }
    this.#over({ by: "lost", reason: "" });
  }

  /** Wait, but no longer than until the network is back. @param {number} ms */
  #pause(ms) {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        removeEventListener("online", done);
        resolve(undefined);
      };
      const timer = setTimeout(done, ms);
      addEventListener("online", done);
    });
  }

  /** @param {import("./types.js").Ending} ending */
  #over(ending) {
    if (this.#isOver) return;
    this.#isOver = true;
    clearInterval(this.#watch);
    this.#events.onEnd(ending);
  }

  /**
   * @param {unknown} data
   * @returns {any}
   */
  #read(data) {
    try {
      const frame = JSON.parse(String(data));
      return typeof frame?.type === "string" ? frame : null;
    } catch {
      return null;
    }
  }

  /** @param {any} frame */
  #take(frame) {
    const take = this.#takers[frame.type];
    if (take) take(frame);
  }

  /** What each frame means. @type {Record<string, (frame: any) => void>} */
  #takers = {
    ping: ({ ping_event }) => this.#send({ type: "pong", event_id: ping_event.event_id }),
    agent_chat_response_part: ({ text_response_part: part }) => {
      if (part.type === "delta") this.#events.onPiece(this.#seen(part.event_id), part.text);
    },
    agent_response: ({ agent_response_event: event }) =>
      this.#events.onAgent(this.#seen(event.event_id), event.agent_response),
    agent_response_correction: ({ agent_response_correction_event: event }) =>
      this.#events.onCorrected(event.event_id, event.corrected_agent_response),
    agent_response_details: ({ agent_response_details }) =>
      this.#events.onDetails(agent_response_details),
    interruption: ({ interruption_event }) =>
      this.#events.onInterrupted(this.#seen(interruption_event.event_id)),
    user_transcript: ({ user_transcription_event: event }) =>
      this.#events.onUser(event.user_transcript, true, event.event_id),
    tentative_user_transcript: ({ tentative_user_transcription_event: event }) =>
      this.#events.onUser(event.user_transcript, false, event.event_id),
    audio: ({ audio_event: event }) =>
      this.#events.onAudio(event.audio_base_64, this.#seen(event.event_id)),
    vad_score: ({ vad_score_event }) => this.#events.onVoice(vad_score_event.vad_score),
    agent_tool_request: ({ agent_tool_request: tool }) =>
      this.#events.onTool(tool.tool_call_id, tool.tool_name, "running"),
    agent_tool_response: ({ agent_tool_response: tool }) =>
      this.#events.onTool(tool.tool_call_id, tool.tool_name, tool.is_error ? "failed" : "done"),
    client_tool_call: ({ client_tool_call: call }) => void this.#runTool(call),
    conversation_resumed: ({ conversation_resumed: event }) => {
      // A network that is gone takes what is sent for a while, and says nothing.
      const heard = event.turns.findLast((/** @type {any} */ turn) => turn.role === "user")?.text;
      const text = this.#doubtful;
      const lost = text !== "" && text !== heard ? [{ type: "user_message", text }] : [];
      this.#doubtful = "";
      const unsent = [...lost, ...this.#unsent.splice(0)];
      this.#events.onResumed(
        event.turns,
        unsent.some(({ type }) => type === "user_message"),
      );
      for (const frame of unsent) this.#send(frame);
    },
    error: ({ error_event: event }) => this.#events.onProblem(event.message ?? event.reason ?? ""),
  };

  /** @param {number} eventId */
  #seen(eventId) {
    this.#unheard = "";
    this.#lastEventId = Math.max(this.#lastEventId, eventId);
    return eventId;
  }

  /** @param {{tool_name: string, tool_call_id: string, parameters: Record<string, unknown>}} call */
  async #runTool({ tool_name, tool_call_id, parameters }) {
    let result = `This page has no tool ${tool_name}.`;
    let isError = true;
    try {
      const running = this.#events.onClientTool(tool_name, parameters);
      if (running !== null) {
        result = JSON.stringify((await running) ?? "done");
        isError = false;
      }
    } catch (problem) {
      result = `The tool failed: ${problem}`;
    }
    this.#send({ type: "client_tool_result", tool_call_id, result, is_error: isError });
  }

  /**
   * Now, or as soon as the line stands again.
   * @param {{type: string} & Record<string, unknown>} frame
   * @returns {boolean} Whether it went out now.
   */
  #sendOrKeep(frame) {
    const isSent = this.#send(frame);
    if (!isSent && !this.#isOver) this.#unsent.push(frame);
    return isSent;
  }

  /**
   * @param {object} frame
   * @returns {boolean} Whether it went out.
   */
  #send(frame) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(frame));
    return true;
  }
}
