// Sound in and out: the microphone as base64, and the agent's voice as it comes.

const VOICE_HZ = 16_000;
const LEAD_S = 0.06;

/** Why a microphone cannot be had, in the words of `words.js`. */
export class NoMicrophoneError extends Error {
  /** @param {"no_microphone" | "microphone_refused" | "microphone_insecure"} why */
  constructor(why) {
    super(why);
    this.why = why;
  }
}

/** Whether the user has allowed it before. @returns {Promise<boolean>} */
export async function isMicrophoneAllowed() {
  try {
    const name = /** @type {PermissionName} */ ("microphone");
    return (await navigator.permissions.query({ name })).state === "granted";
  } catch {
    return false;
  }
}

export class Microphone {
  /** @type {MediaStream | null} */
  #stream = null;
  /** @type {MediaStreamAudioSourceNode | null} */
  #source = null;
  /** @type {AudioWorkletNode | null} */
  #capture = null;
  #context;
  #onPiece;
  #isMuted = false;
  #isClosed = false;
  #onGone = () => {};

  /**
   * @param {AudioContext} context
   * @param {(base64: string, level: number) => void} onPiece
   */
  constructor(context, onPiece) {
    this.#context = context;
    this.#onPiece = onPiece;
  }

  /** @param {() => void} act  When it is pulled out. */
  set onGone(act) {
    this.#onGone = act;
  }

  /**
   * Ask for it, and listen.
   * @param {string} workletUrl
   * @param {string | null} deviceId
   */
  async open(workletUrl, deviceId) {
    const stream = await requested(deviceId);
    try {
      await this.#prepare(workletUrl);
      if (this.#isClosed) throw new NoMicrophoneError("no_microphone");
    } catch (problem) {
      // The browser may have asked for long: nobody wants to be heard any more.
      for (const track of stream.getTracks()) track.stop();
      throw problem;
    }
    this.#release();
    this.#stream = stream;
    for (const track of stream.getAudioTracks()) {
      track.enabled = !this.#isMuted;
      track.addEventListener("ended", () => stream === this.#stream && this.#onGone());
    }
    this.#source = this.#context.createMediaStreamSource(stream);
    if (this.#capture) this.#source.connect(this.#capture);
  }

  /** @param {string} workletUrl */
  async #prepare(workletUrl) {
    if (!this.#capture && !this.#isClosed) {
      await this.#context.audioWorklet.addModule(workletUrl);
      if (this.#isClosed) return;
      const options = {
        numberOfOutputs: 0,
        channelCount: 1,
        channelCountMode: /** @type {const} */ ("explicit"),
      };
      this.#capture = new AudioWorkletNode(this.#context, "capture", options);
      this.#capture.port.onmessage = ({ data }) =>
        this.#onPiece(base64Of(data.samples), this.#isMuted ? 0 : data.level);
    }
  }

  get isMuted() {
    return this.#isMuted;
  }

  /** Silence goes out in place of sound: the server hears that the line stands. @param {boolean} isMuted */
  mute(isMuted) {
    this.#isMuted = isMuted;
    for (const track of this.#stream?.getAudioTracks() ?? []) track.enabled = !isMuted;
  }

  get deviceId() {
    return this.#stream?.getAudioTracks()[0]?.getSettings().deviceId ?? null;
  }

  close() {
    this.#isClosed = true;
    this.#release();
    if (this.#capture) this.#capture.port.onmessage = null;
    this.#capture = null;
  }

  #release() {
    this.#source?.disconnect();
    this.#source = null;
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    this.#stream = null;
  }
}

/** Microphones that there are; named only once one is allowed. @returns {Promise<MediaDeviceInfo[]>} */
export async function microphones() {
  const devices = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
  return devices.filter((each) => each.kind === "audioinput");
}

/** @param {string | null} deviceId */
async function requested(deviceId) {
  if (!navigator.mediaDevices) throw new NoMicrophoneError("microphone_insecure");
  const wanted = {
    echoCancellation: true,
    noiseSuppression: true,
    autoGainControl: true,
    channelCount: 1,
  };
  const audio = deviceId === null ? wanted : { ...wanted, deviceId: { exact: deviceId } };
  try {
    return await navigator.mediaDevices.getUserMedia({ audio });
  } catch (problem) {
    const name = problem instanceof DOMException ? problem.name : "";
    if (name === "NotAllowedError" || name === "SecurityError")
      throw new NoMicrophoneError("microphone_refused");
    throw new NoMicrophoneError("no_microphone");
  }
}

/** Plays what comes, without gaps, until it is told to be silent. */
export class Player {
  /** @type {Map<AudioBufferSourceNode, number>} With the turn that each belongs to. */
  #playing = new Map();
  #endS = 0;
  #cutId = -1;
  /** Of the turn that was heard last. */
  newestId = -1;
  #context;
  #meter;
  #out;
  #samples;

  /** @param {AudioContext} context */
  constructor(context) {
    this.#context = context;
    this.#meter = context.createAnalyser();
    this.#meter.fftSize = 512;
    this.#samples = new Float32Array(this.#meter.fftSize);
    this.#out = context.createGain();
    this.#out.connect(this.#meter).connect(context.destination);
  }

  /**
   * @param {string} base64  16-bit samples at 16 kHz.
   * @param {number} eventId  Of the turn.
   */
  play(base64, eventId) {
    if (eventId <= this.#cutId) return;
    this.newestId = Math.max(this.newestId, eventId);
    const samples = samplesOf(base64);
    if (samples.length === 0) return;
    const buffer = this.#context.createBuffer(1, samples.length, VOICE_HZ);
    buffer.copyToChannel(samples, 0);
    const source = this.#context.createBufferSource();
    source.buffer = buffer;
    source.connect(this.#out);
    const startS = Math.max(this.#context.currentTime + LEAD_S, this.#endS);
    source.start(startS);
    this.#endS = startS + buffer.duration;
    this.#playing.set(source, eventId);
    source.addEventListener("ended", () => this.#playing.delete(source));
  }

  /** Be silent, now, about this turn and those before. @param {number} eventId */
  cut(eventId) {
    this.#cutId = Math.max(this.#cutId, eventId);
    for (const [source, id] of this.#playing) {
      if (id > eventId) continue;
      source.stop();
      this.#playing.delete(source);
    }
    if (this.#playing.size === 0) this.#endS = 0;
  }

  get isPlaying() {
    return this.#context.currentTime < this.#endS;
  }

  /** Loudness at this moment, 0 to 1. */
  get level() {
    this.#meter.getFloatTimeDomainData(this.#samples);
    let power = 0;
    for (const sample of this.#samples) power += sample * sample;
    return Math.sqrt(power / this.#samples.length);
  }

  close() {
    this.cut(Number.MAX_SAFE_INTEGER);
    this.#out.disconnect();
  }
}

/** @param {Int16Array} samples */
export function base64Of(samples) {
  const bytes = new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength);
  return btoa(String.fromCharCode(...bytes));
}

/** @param {string} base64 @returns {Float32Array<ArrayBuffer>} */
export function samplesOf(base64) {
  const letters = atob(base64);
  const count = letters.length >> 1;
  const samples = new Float32Array(count);
  for (let at = 0; at < count; at += 1) {
    const value = letters.charCodeAt(2 * at) | (letters.charCodeAt(2 * at + 1) << 8);
    samples[at] = (value > 32_767 ? value - 65_536 : value) / 32_768;
  }
  return samples;
}
