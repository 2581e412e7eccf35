// Flashed and masked digits, counted in pictures of the screen. All times are those of requestAnimationFrame: when the
// browser draws, not when the screen lights up.

const SIDE = 320; // px of the square in which digits and masks appear
const FLASH_MS = 17;
const MASK_MS = 200;
const STILL_MS = 1000; // from the last change of the square to the next digit: at most two flashes in a second
const MEASURED = 60; // pictures, to measure the rate of the screen
const SLOWEST_MS = 36; // the longest time between two pictures with which trials are worth it
const LATE = 1.5; // times the usual: at least one picture was missed
const MOST_REPEATS = 20;

const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];

class Session {
  constructor(root, model) {
    Object.assign(this, { root, model, isRunning: false, key: null, frameMs: null });
    root.className = "cs-trials";
    root.tabIndex = 0;
    root.innerHTML = `
      <div class="screen" data-part="screen"><canvas width="${SIDE}" height="${SIDE}" data-part="square"></canvas></div>
      <div class="row digits" data-part="digits" role="group" aria-label="which digit was it?"></div>
      <div class="row"><button class="primary" data-part="start"></button><button data-part="stop">stop (Escape)</button>
        <span data-part="count"></span></div>
      <div data-part="says" role="status"></div>`;
    this.canvas = this.part("square").getContext("2d");
    for (const digit of model.get("content").classes) {
      const button = document.createElement("button");
      button.textContent = digit;
      button.addEventListener("click", () => this.key?.(digit));
      this.part("digits").append(button);
    }
    this.part("start").addEventListener("click", () => this.start());
    this.part("stop").addEventListener("click", () => this.stop());
    root.addEventListener("keydown", (event) => this.press(event));
    this.onHidden = () => document.hidden && this.stop();
    document.addEventListener("visibilitychange", this.onHidden);
    // wherever the focus is
    this.onEscape = (event) => event.key === "Escape" && this.stop();
    document.addEventListener("keydown", this.onEscape, true);
    this.fill();
    this.rest();
  }

  part(name) {
    return this.root.querySelector(`[data-part=${name}]`);
  }

  get content() {
    return this.model.get("content");
  }

  // trials of the present round that count
  get done() {
    return this.model.get("trials").filter((one) => one.round === this.content.round && !one.missed);
  }

  get isComplete() {
    return this.done.length >= this.content.conditions.length;
  }

  say(text) {
    this.part("says").textContent = text;
  }

  // between trials: what the buttons do now
  rest(text) {
    this.isRunning = false;
    this.key = null;
    const n = this.content.conditions.length;
    const waits = this.model.get("waits");
    this.part("start").textContent = this.isComplete ? `${n} more` : this.done.length ? "continue" : `start ${n} trials`;
    this.part("start").disabled = waits;
    this.part("stop").disabled = true;
    this.answers(false);
    this.count();
    if (text !== undefined) return this.say(text);
    if (waits) this.say("Predict first: choose an answer above.");
    else if (this.isComplete) this.say("Done. More trials make the bars shorter.");
    else this.say("Look at the cross. A digit appears for an instant: then press its key, or click it. Guess if you saw none.");
  }

  answers(areAsked) {
    for (const button of this.part("digits").children) button.disabled = !areAsked;
    this.root.classList.toggle("asks", areAsked);
  }

  count() {
    this.part("count").textContent = `${this.done.length} of ${this.content.conditions.length}`;
  }

  // --- the square

  fill() {
    this.canvas.fillStyle = "#808080";
    this.canvas.fillRect(0, 0, SIDE, SIDE);
  }

  cross() {
    this.fill();
    this.canvas.fillStyle = "#000";
    this.canvas.fillRect(SIDE / 2 - 12, SIDE / 2 - 2, 24, 4);
    this.canvas.fillRect(SIDE / 2 - 2, SIDE / 2 - 12, 4, 24);
  }

  // the picture of a digit (which = 0) or of its mask (which = 1), ready to be drawn at once
  picture(at, which) {
    const { size } = this.content;
    const view = this.model.get("pixels");
    const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
    const data = new ImageData(size, size);
    const from = (2 * at + which) * size * size * 3;
    for (let k = 0; k < size * size; k++) {
      for (let c = 0; c < 3; c++) data.data[4 * k + c] = bytes[from + 3 * k + c];
      data.data[4 * k + 3] = 255;
    }
    const small = Object.assign(document.createElement("canvas"), { width: size, height: size });
    small.getContext("2d").putImageData(data, 0, 0);
    const large = Object.assign(document.createElement("canvas"), { width: SIDE, height: SIDE });
    const context = large.getContext("2d");
    context.imageSmoothingEnabled = false;
    context.drawImage(small, 0, 0, SIDE, SIDE);
    return large;
  }

  // --- time

  frame() {
    return new Promise((resolve) => requestAnimationFrame(resolve));
  }

  // waits at least so long; false if the session was stopped
  async still(ms) {
    const from = await this.frame();
    while (this.isRunning && (await this.frame()) - from < ms);
    return this.isRunning;
  }

  async measureScreen() {
    const times = [];
    while (this.isRunning && times.length <= MEASURED) times.push(await this.frame());
    const gaps = times.slice(1).map((time, k) => time - times[k]);
    this.frameMs = gaps.length ? median(gaps) : null;
    return this.isRunning;
  }

  // Shows digit and mask; returns when each picture was drawn, and whether one was missed.
  async flash(target, mask, soaMs) {
    const inFrames = (ms) => Math.max(1, Math.round(ms / this.frameMs));
    const duration = inFrames(FLASH_MS);
    const soa = soaMs === null ? null : Math.max(duration, inFrames(soaMs));
    const last = soa === null ? duration : soa + inFrames(MASK_MS);
    const times = [];
    for (let frame = 0; frame <= last; frame++) {
      times.push(await this.frame());
      if (!this.isRunning) return null;
      if (frame === 0) this.canvas.drawImage(target, 0, 0);
      if (frame === duration) this.fill();
      if (frame === soa) this.canvas.drawImage(mask, 0, 0);
      if (frame === last) this.fill();
    }
    const gaps = times.slice(1).map((time, k) => time - times[k]);
    // what comes after the mask's onset changes neither the flash nor the SOA
    const decisive = gaps.slice(0, soa ?? duration);
    return {
      flash_ms: times[duration] - times[0],
      soa_ms: soa === null ? null : times[soa] - times[0],
      missed: document.hidden || decisive.some((gap) => gap > LATE * this.frameMs),
    };
  }

  // --- trials

  async start() {
    if (this.isRunning || this.model.get("waits")) return;
    if (this.isComplete) {
      this.say("drawing other digits …");
      this.part("start").disabled = true;
      this.model.set("round", this.content.round + 1);
      return this.model.save_changes(); // the new digits start it
    }
    this.isRunning = true;
    this.part("start").disabled = true;
    this.part("stop").disabled = false;
    this.root.focus();
    this.say("measuring your screen …");
    if (!(await this.measureScreen())) return;
    const rate = `${(1000 / this.frameMs).toFixed(0)} pictures a second`;
    if (this.frameMs > SLOWEST_MS) {
      return this.rest(`Your browser draws only ${rate} now: too few for flashes. Close other programs and try again.`);
    }
    this.say(`Your screen: ${rate}.`);
    await this.run();
  }

  async run() {
    const { conditions, digits, round } = this.content;
    let repeats = 0;
    while (!this.isComplete) {
      const all = this.model.get("trials").filter((one) => one.round === round);
      const at = all.length; // each trial has a digit of its own, also a repeated one
      if (at >= digits.length || repeats >= MOST_REPEATS) {
        return this.rest("Your browser misses too many pictures for flashes to be timed. Close other programs and try again.");
      }
      // a condition that was missed comes again
      const open = [...conditions];
      for (const { condition } of this.done) open.splice(open.indexOf(condition), 1);
      const condition = open[repeats % open.length];
      const soaMs = this.content.soas_ms[condition] ?? null;
      const [target, mask] = [this.picture(at, 0), this.picture(at, 1)];
      this.cross();
      if (!(await this.still(STILL_MS))) return;
      const shown = await this.flash(target, mask, soaMs);
      if (shown === null) return;
      const trial = { round, condition, digit: digits[at], frame_ms: this.frameMs, ...shown };
      if (shown.missed) {
        repeats += 1;
        this.add({ ...trial, answer: null, response_ms: null });
        this.say("The browser missed a picture: this trial does not count, another follows.");
        continue;
      }
      const asked = performance.now();
      const answer = await this.answer();
      if (answer === null) return;
      this.add({ ...trial, answer, response_ms: performance.now() - asked });
      this.count();
      this.say("");
    }
    this.fill();
    this.rest();
  }

  add(trial) {
    this.model.set("trials", [...this.model.get("trials"), trial]);
    this.model.save_changes();
  }

  answer() {
    this.answers(true);
    this.say("Which digit was it?");
    return new Promise((resolve) => {
      this.key = (digit) => {
        this.key = null;
        this.answers(false);
        // a button that is disabled loses the focus, and the keys would go nowhere
        if (this.isRunning) this.root.focus({ preventScroll: true });
        resolve(digit);
      };
    });
  }

  press(event) {
    if (!this.key || !/^[0-9]$/.test(event.key)) return;
    this.key(Number(event.key));
    event.preventDefault();
    event.stopPropagation();
  }

  stop() {
    if (!this.isRunning) return;
    this.isRunning = false;
    this.key?.(null);
    this.fill();
    this.rest("Stopped. What you answered is kept.");
  }

  end() {
    this.isRunning = false;
    document.removeEventListener("visibilitychange", this.onHidden);
    document.removeEventListener("keydown", this.onEscape, true);
  }
}

function render({ model, el }) {
  const root = document.createElement("div");
  el.append(root);
  const session = new Session(root, model);
  const waits = () => session.isRunning || session.rest();
  const next = () => {
    session.rest();
    if (!session.isComplete && model.get("content").round > 0) session.start();
  };
  model.on("change:waits", waits);
  model.on("change:pixels", next);
  return () => {
    model.off("change:waits", waits);
    model.off("change:pixels", next);
    session.end();
  };
}

export default following({ render });
