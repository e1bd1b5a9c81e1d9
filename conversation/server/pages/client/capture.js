// Runs in the browser's audio thread: takes sound from the microphone, brings it to 16 kHz, and
// hands it over in pieces of 512 samples (32 ms) with their loudness.

const TARGET_HZ = 16_000;
const PIECE = 512;
const PHASES = 64;
const ZERO_CROSSINGS = 16;

/**
 * Brings sound to another rate, piece by piece, through one low-pass filter: what is above the new
 * rate's half would come back as noise.
 */
class Resampler {
  #step;
  #half;
  /** @type {Float32Array[]} By phase. */
  #kernels;
  /** @type {Float32Array} The end of what came so far. */
  #tail;
  #position;

  /** @param {number} sourceHz @param {number} targetHz */
  constructor(sourceHz, targetHz) {
    this.#step = sourceHz / targetHz;
    const cutoff = 0.92 * Math.min(1, targetHz / sourceHz);
    this.#half = Math.ceil(ZERO_CROSSINGS / cutoff);
    this.#kernels = Array.from({ length: PHASES + 1 }, (_, phase) =>
      this.#kernel(phase / PHASES, cutoff),
    );
    this.#tail = new Float32Array(2 * this.#half);
    this.#position = this.#half;
  }

  /** @param {number} shift @param {number} cutoff */
  #kernel(shift, cutoff) {
    const length = 2 * this.#half;
    const kernel = new Float32Array(length);
    let sum = 0;
    for (let at = 0; at < length; at += 1) {
      const x = at - this.#half + 1 - shift;
      const wave = x === 0 ? cutoff : Math.sin(Math.PI * cutoff * x) / (Math.PI * x);
      const along = Math.min(1, Math.abs(x) / this.#half);
      const window = 0.42 + 0.5 * Math.cos(Math.PI * along) + 0.08 * Math.cos(2 * Math.PI * along);
      kernel[at] = wave * window;
      sum += kernel[at] ?? 0;
    }
    return kernel.map((value) => value / sum);
  }

  /** @param {Float32Array} samples @returns {number[]} */
  push(samples) {
    const all = new Float32Array(this.#tail.length + samples.length);
    all.set(this.#tail);
    all.set(samples, this.#tail.length);
    /** @type {number[]} */
    const out = [];
    while (Math.floor(this.#position) + this.#half < all.length) {
      const whole = Math.floor(this.#position);
      const kernel = this.#kernels[Math.round((this.#position - whole) * PHASES)];
      const first = whole - this.#half + 1;
      let sum = 0;
      if (kernel)
        for (let at = 0; at < kernel.length; at += 1)
          sum += (kernel[at] ?? 0) * (all[first + at] ?? 0);
      out.push(sum);
      this.#position += this.#step;
    }
    const kept = Math.max(0, Math.floor(this.#position) - this.#half + 1);
    this.#tail = all.slice(kept);
    this.#position -= kept;
    return out;
  }
}

class Capture extends AudioWorkletProcessor {
  #resampler = new Resampler(sampleRate, TARGET_HZ);
  #piece = new Int16Array(PIECE);
  #filled = 0;
  #power = 0;

  /** @param {Float32Array[][]} inputs */
  process(inputs) {
    const [left] = inputs[0] ?? [];
    if (left) for (const sample of this.#resampler.push(left)) this.#take(sample);
    return true;
  }

  /** @param {number} sample */
  #take(sample) {
    const bounded = Math.max(-1, Math.min(1, sample));
    this.#piece[this.#filled] = Math.round(bounded * 32_767);
    this.#power += bounded * bounded;
    this.#filled += 1;
    if (this.#filled < PIECE) return;
    const level = Math.sqrt(this.#power / PIECE);
    this.port.postMessage({ samples: this.#piece, level });
    this.#piece = new Int16Array(PIECE);
    this.#filled = 0;
    this.#power = 0;
  }
}

registerProcessor("capture", Capture);
