// The models of the page, in plain loops over Float32Array: the computation of `Cortex.step`, for one image at a time.
//
// Activity is stored pixel by pixel, channels last: the value of channel c at (x, y) is at (y * size + x) * channels + c.
// Sums run in double precision and are stored in single precision.

class Convolution {
  // kernel: (outputs, inputs, k, k) in row-major order, as torch stores it; zero padding keeps the size
  constructor({ kernel, bias, inputs, outputs, width }) {
    Object.assign(this, { bias, inputs, outputs, width });
    // reordered so that the innermost loop, over outputs, reads consecutive weights
    this.weights = new Float32Array(kernel.length);
    const area = width * width;
    for (let o = 0; o < outputs; o++) {
      for (let i = 0; i < inputs; i++) {
        for (let tap = 0; tap < area; tap++) {
          this.weights[(tap * inputs + i) * outputs + o] = kernel[(o * inputs + i) * area + tap];
        }
      }
    }
    this.sums = new Float64Array(outputs);
  }

  // target += this(source), or target = this(source) where `add` is false
  apply(source, target, size, add) {
    const { weights, bias, inputs, outputs, width, sums } = this;
    const reach = (width - 1) / 2;
    for (let y = 0; y < size; y++) {
      for (let x = 0; x < size; x++) {
        if (bias === null) sums.fill(0);
        else sums.set(bias);
        for (let dy = -reach; dy <= reach; dy++) {
          const row = y + dy;
          if (row < 0 || row >= size) continue;
          for (let dx = -reach; dx <= reach; dx++) {
            const column = x + dx;
            if (column < 0 || column >= size) continue;
            const from = (row * size + column) * inputs;
            const tap = ((dy + reach) * width + dx + reach) * inputs;
            for (let i = 0; i < inputs; i++) {
              const value = source[from + i];
              // after the ReLU about half of the values are zero
              if (value === 0) continue;
              const at = (tap + i) * outputs;
              for (let o = 0; o < outputs; o++) sums[o] += value * weights[at + o];
            }
          }
        }
        const to = (y * size + x) * outputs;
        if (add) for (let o = 0; o < outputs; o++) target[to + o] += sums[o];
        else for (let o = 0; o < outputs; o++) target[to + o] = sums[o];
      }
    }
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
times. // h(t) = shortcut * h(t - 1) + layers(h(t - 1)) + preNet(frame t), each layer normalizes, rectifies and
convolves. class Network {
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
