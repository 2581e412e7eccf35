// The models of the page, in plain loops over Float32Array: the computation of `Cortex.step`, for one image at a time.
//
// Activity is stored pixel by pixel, channels last: the value of channel c at (x, y) is at (y * size + x) * channels + c.
// Sums run in double precision and are stored in single precision.

// Outputs are summed eight at a time: eight sums stay in registers, and a longer list would not. This halves the time.
const TOGETHER = 8;

class Convolution {
  // kernel: (outputs, inputs, k, k) in row-major order, as torch stores it; zero padding keeps the size
  constructor({ kernel, bias, inputs, outputs, width }) {
    Object.assign(this, { bias, inputs, outputs, width });
    // reordered so that consecutive outputs have consecutive weights, with zeros up to a multiple of eight
    this.padded = Math.ceil(outputs / TOGETHER) * TOGETHER;
    const area = width * width;
    this.weights = new Float32Array(area * inputs * this.padded);
    for (let o = 0; o < outputs; o++) {
      for (let i = 0; i < inputs; i++) {
        for (let tap = 0; tap < area; tap++) {
          this.weights[(tap * inputs + i) * this.padded + o] = kernel[(o * inputs + i) * area + tap];
        }
      }
    }
    this.sums = new Float64Array(this.padded);
  }

  // target += this(source), or target = this(source) where `add` is false
  apply(source, target, size, add) {
    const { outputs, padded, width, sums } = this;
    const reach = (width - 1) / 2;
    for (let y = 0; y < size; y++) {
      const top = Math.max(0, reach - y);
      const bottom = Math.min(width, size - y + reach);
      for (let x = 0; x < size; x++) {
        const left = Math.max(0, reach - x);
        const right = Math.min(width, size - x + reach);
        for (let o = 0; o < padded; o += TOGETHER) this.#sum(source, size, y - reach, x - reach, top, bottom, left, right, o);
        const to = (y * size + x) * outputs;
        if (add) for (let o = 0; o < outputs; o++) target[to + o] += sums[o];
        else for (let o = 0; o < outputs; o++) target[to + o] = sums[o];
      }
    }
  }

  // the sums of eight outputs, from `o` on, over the taps from `top` to `bottom` and from `left` to `right`; the first
  // tap lies at (y, x)
  #sum(source, size, y, x, top, bottom, left, right, o) {
    const { weights, bias, inputs, padded, width, sums } = this;
    let a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0;
    for (let row = top; row < bottom; row++) {
      // the inputs of a row of taps are consecutive, and so are their weights
      const first = ((y + row) * size + x + left) * inputs;
      const last = first + (right - left) * inputs;
      let at = (row * width + left) * inputs * padded + o;
      for (let from = first; from < last; from++, at += padded) {
        const value = source[from];
        // after the ReLU about half of the values are zero
        if (value === 0) continue;
        a += value * weights[at];
        b += value * weights[at + 1];
        c += value * weights[at + 2];
        d += value * weights[at + 3];
        e += value * weights[at + 4];
        f += value * weights[at + 5];
        g += value * weights[at + 6];
        h += value * weights[at + 7];
      }
    }
    sums[o] = a;
    sums[o + 1] = b;
    sums[o + 2] = c;
    sums[o + 3] = d;
    sums[o + 4] = e;
    sums[o + 5] = f;
    sums[o + 6] = g;
    sums[o + 7] = h;
    if (bias !== null) for (let k = o; k < Math.min(o + TOGETHER, bias.length); k++) sums[k] += bias[k];
  }
}

// target = relu(scale * normalized(source) + shift), normalized over the channels of each pixel ("channel") or as it is
function normalizeAndRectify({ normalization, epsilon, scale, shift }, source, target, channels) {
  for (let at = 0; at < source.length; at += channels) {
    let mean = 0;
    let factor = 1;
    if (normalization === "channel") {
      for (let c = 0; c < channels; c++) mean += source[at + c];
      mean /= channels;
      let variance = 0;
      for (let c = 0; c < channels; c++) variance += (source[at + c] - mean) ** 2;
      factor = 1 / Math.sqrt(variance / channels + epsilon);
    }
    for (let c = 0; c < channels; c++) {
      const value = (source[at + c] - mean) * factor * scale[c] + shift[c];
      target[at + c] = value > 0 ? value : 0;
    }
  }
}

// One state with a transition to itself: one set of layers for all times (`shared`), or one for each of `steps.length`
// times. h(t) = shortcut * h(t - 1) + layers(h(t - 1)) + preNet(frame t); each layer normalizes, rectifies and convolves.
class Network {
  constructor({ channels, frameChannels, shared, shortcut, sustained, preNet, steps, readout }) {
    Object.assign(this, { channels, frameChannels, shared, shortcut, sustained });
    const layer = (one, outputs, width) => ({
      ...one, convolution: new Convolution({ ...one, inputs: channels, outputs, width }),
    });
    this.preNet = new Convolution({ ...preNet, inputs: frameChannels, outputs: channels, width: 3 });
    this.steps = steps.map((layers) => layers.map((one) => layer(one, channels, 3)));
    this.readout = layer(readout, 1, 1);
    this.lastTime = shared ? Infinity : steps.length;
    this.buffers = [new Float32Array(0), new Float32Array(0)];
  }

  // the output of the pre-net for a frame: it enters the state at every step at which the frame is shown
  look(frame, size) {
    const entering = new Float32Array(size * size * this.channels);
    this.preNet.apply(frame, entering, size, false);
    return entering;
  }

  #buffer(index, length) {
    if (this.buffers[index].length !== length) this.buffers[index] = new Float32Array(length);
    return this.buffers[index];
  }

  // the state at `time` from the state before it and the input (null: none); `cut` silences the transition
  step(before, entering, size, time, cut = false) {
    const state = entering === null ? new Float32Array(before.length) : entering.slice();
    if (cut) return state;
    if (this.shortcut) for (let at = 0; at < state.length; at++) state[at] += this.shortcut * before[at];
    const layers = this.steps[this.shared ? 0 : time - 1];
    const rates = this.#buffer(0, before.length);
    layers.forEach((layer, index) => {
      const source = index === 0 ? before : this.#buffer(1, before.length);
      normalizeAndRectify(layer, source, rates, this.channels);
      const isLast = index === layers.length - 1;
      layer.convolution.apply(rates, isLast ? state : this.#buffer(1, before.length), size, isLast);
    });
    return state;
  }

  // the input of the first transition: the state, normalized and rectified
  sent(state) {
    const rates = new Float32Array(state.length);
    normalizeAndRectify(this.steps[0][0], state, rates, this.channels);
    return rates;
  }

  // logits (y, x): above 0, the model says that the pixel lies on the curve of the dot
  read(state, size) {
    const rates = this.#buffer(0, state.length);
    normalizeAndRectify(this.readout, state, rates, this.channels);
    const logits = new Float32Array(size * size);
    this.readout.convolution.apply(rates, logits, size, false);
    return logits;
  }
}

function decoded(text, halves) {
  const raw = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  if (!halves) return new Float32Array(raw.buffer);
  const bits = new Uint16Array(raw.buffer);
  return Float32Array.from(bits, (bit) => {
    const sign = bit & 0x8000 ? -1 : 1;
    const exponent = (bit >> 10) & 31;
    const fraction = bit & 1023;
    if (exponent === 0) return sign * fraction * 2 ** -24;
    return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
  });
}

// A description from the page's JSON: every array there is base64 of little-endian float32, and the kernels of the steps of
// float16 where `halves`.
function networkFrom(stored) {
  const array = (text) => (text === null ? null : decoded(text, false));
  const layer = (one, halves) => ({
    ...one, scale: array(one.scale), shift: array(one.shift), kernel: decoded(one.kernel, halves), bias: array(one.bias),
  });
  return new Network({
    ...stored,
    preNet: { kernel: array(stored.preNet.kernel), bias: array(stored.preNet.bias) },
    steps: stored.steps.map((layers) => layers.map((one) => layer(one, stored.halves))),
    readout: layer(stored.readout, false),
  });
}
