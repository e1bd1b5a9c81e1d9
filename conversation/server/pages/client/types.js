// Types that the modules share; there is nothing to run in here.

/**
 * What a page knows of an agent before anybody talks, as `client_config` of the server gives it.
 * @typedef {object} Look
 * @property {string} agent_id
 * @property {string} name
 * @property {string | null} avatar
 * @property {string} language
 * @property {string[]} languages  Empty where a user may not choose.
 * @property {Record<string, string>} greetings  By language.
 * @property {string[]} examples
 * @property {string[]} variables  Names that a user has to give.
 * @property {string[] | null} settable  Names that a page may set; null for any.
 * @property {boolean} voice
 * @property {{accent?: string, background?: string}} colours
 * @property {string} position
 * @property {Record<string, Record<string, string>>} texts
 * @property {string | null} terms
 * @property {"thumbs" | "stars" | "both" | "none"} feedback
 * @property {boolean} sources
 * @property {boolean} tool_calls
 */

/**
 * @typedef {object} Source
 * @property {string} document
 * @property {string | null} page
 * @property {string[]} heading
 * @property {string} quote
 * @property {string} passage
 */

/**
 * What a turn rests on and how long it took.
 * @typedef {object} Details
 * @property {number} event_id
 * @property {Source[]} sources
 * @property {Record<string, number>} latency_ms
 */

/**
 * A turn of a conversation that goes on after its network was lost.
 * @typedef {object} PastTurn
 * @property {"user" | "agent"} role
 * @property {string} text
 * @property {boolean} interrupted
 * @property {number | null} event_id
 */

/**
 * Why a conversation is over.
 * @typedef {object} Ending
 * @property {"user" | "agent" | "error" | "lost"} by
 * @property {string} reason  For the user; may be empty.
 */

/**
 * What happens in a conversation.
 * @typedef {object} Events
 * @property {(id: string) => void} onOpen
 * @property {(eventId: number, piece: string) => void} onPiece  More of the agent's text.
 * @property {(eventId: number, text: string) => void} onAgent  The agent's whole turn.
 * @property {(eventId: number, text: string) => void} onCorrected  What of it was heard.
 * @property {(eventId: number) => void} onInterrupted
 * @property {(text: string, isFinal: boolean, eventId: number) => void} onUser  What was said aloud.
 * @property {(details: Details) => void} onDetails
 * @property {(id: string, name: string, state: "running" | "done" | "failed") => void} onTool
 * @property {(base64: string, eventId: number) => void} onAudio
 * @property {(score: number) => void} onVoice  How likely the user speaks, 0 to 1.
 * @property {(isLost: boolean) => void} onNetwork
 * @property {(turns: PastTurn[], isAnswerDue: boolean) => void} onResumed
 * @property {(message: string) => void} onProblem
 * @property {(name: string, parameters: Record<string, unknown>) => Promise<unknown> | null} onClientTool
 * @property {(ending: Ending) => void} onEnd
 */

/**
 * A conversation that is held.
 * @typedef {object} Held
 * @property {string} id
 * @property {boolean} isVoice
 * @property {(text: string) => boolean} say  Whether it went out.
 * @property {() => void} typing
 * @property {() => void} stop
 * @property {(text: string, key?: string) => void} note
 * @property {(eventId: number, score: "like" | "dislike" | null) => void} rate
 * @property {(base64: string) => void} hear
 * @property {(isVoice: boolean) => Promise<void>} switchTo
 * @property {() => void} leave
 */

/** @typedef {(wish: Wish, events: Events) => Promise<Held>} Start */

/**
 * How a conversation is begun.
 * @typedef {object} Wish
 * @property {() => Promise<string>} address  Of the socket; asked again after each loss.
 * @property {boolean} isVoice
 * @property {string | null} language
 * @property {Record<string, string | number | boolean>} variables
 * @property {{text: string, age_s: number} | null} terms  That the user accepted, and how long ago.
 * @property {string} client  Name of the client.
 */

/**
 * @typedef {object} TalkOptions
 * @property {Look} look
 * @property {URL} base  Of the server.
 * @property {string} client
 * @property {Start} start  Begins a conversation.
 * @property {"page" | "frame" | "widget"} kind
 * @property {string | null} [signedUrl]
 * @property {string | null} [language]
 * @property {Record<string, string | number | boolean>} [variables]
 * @property {(name: string, parameters: Record<string, unknown>) => Promise<unknown> | null} [runTool]
 * @property {(name: string, detail: Record<string, unknown>) => void} [tell]  The page around it.
 * @property {() => void} [close]
 * @property {string} [before]  Id of a conversation that a reload of the page ended.
 */

/**
 * What the page around it may change.
 * @typedef {object} Given
 * @property {string | null} language
 * @property {Record<string, string | number | boolean>} variables
 */

export {};
