// The tracer in a page or a panel: the drawing, the time bar, the interventions, the controls and the charts.
// Nothing here asks a kernel: the models run in a worker of the browser.

const TAG = [255, 153, 0];
const WRONG = [86, 180, 233];
const LENGTHS = [9, 20, 40, 60];
const SIZES = [32, 48, 64, 96];
const SPEEDS = [5, 10, 20, 40, 60];
const LONGEST_RUN = 400; // steps
const CHANNELS_A_ROW = 4;
const MARKUP = `
<section class="ask" data-part="ask" aria-label="question">
<div class="asked"><strong data-part="title" class="title" role="status"></strong> <span data-part="question"></span></div>
<span class="group"><button type="button" class="primary" data-part="answer">Answer</button>
<button type="button" class="primary" data-part="next">Next question</button>
<button type="button" data-part="skip">Skip the questions</button></span>
</section>
<section class="stage" aria-label="the drawing and the model">
<p data-part="verdict" class="verdict" role="status"></p>
<fieldset class="tools" data-part="tools" aria-label="drawing">
<div role="radiogroup" aria-label="tool">
<button type="button" data-tool="draw" role="radio" aria-checked="true">Draw</button>
<button type="button" data-tool="erase" role="radio" aria-checked="false">Erase</button>
<button type="button" data-tool="dot" role="radio" aria-checked="false">Place dot</button></div>
<div><button type="button" data-part="undo">Undo</button>
<button type="button" data-part="clear">Clear</button></div>
<div><button type="button" data-part="random">Random</button>
<select data-part="length" aria-label="length of random curves"></select>
<button type="button" data-part="maze">Maze</button></div>
<div><label>canvas <select data-part="size" aria-label="canvas size"></select></label></div>
</fieldset>
<div class="layers"><canvas data-part="board" tabindex="0"
 aria-label="Drawing board. Arrow keys move the cursor, space draws or erases a pixel, D places the dot."></canvas>
<canvas data-part="channels" role="img" aria-label="the 16 channels of V1 at this time" hidden></canvas></div>
<div class="row bar">
<button type="button" data-part="start" aria-label="back to time 0">t = 0</button>
<button type="button" data-part="play" class="play">Play</button>
<button type="button" data-part="next-step" aria-label="one step further">+1</button>
<input type="range" data-part="time" min="0" max="60" value="0" aria-label="time in steps">
<output data-part="now" class="now">t = 0</output>
<select data-part="speed" aria-label="steps per second"></select>
</div>
<fieldset class="row" data-part="interventions" aria-label="interventions">
<span class="group"><button type="button" data-part="mask" aria-pressed="false">Mask at this time</button>
<select data-part="mask-kind" aria-label="kind of mask">
<option value="noise">noise</option><option value="lines">other lines</option>
<option value="same">the picture itself</option><option value="blank">nothing</option>
</select></span>
<label class="group"><input type="checkbox" data-part="latch"> keep decisions (latch)</label>
<label class="group"><input type="checkbox" data-part="cut"> cut lateral connections</label>
<button type="button" data-part="see-channels" aria-pressed="false">V1's channels</button>
</fieldset>
</section>
<section class="compare" aria-label="control models and charts">
<div class="controls">
<figure><canvas data-part="unshared" role="img" aria-label="answer of the control with unshared weights"></canvas>
<figcaption><strong>Weights not shared</strong> <span data-part="says-unshared"></span></figcaption></figure>
<figure><canvas data-part="deep" role="img" aria-label="answer of the deep feedforward control"></canvas>
<figcaption><strong data-part="name-deep"></strong> <span data-part="says-deep"></span></figcaption></figure>
</div>
<figure class="chart"><svg data-part="accuracy" aria-label="percentage right over time"></svg></figure>
<figure class="chart"><svg data-part="chart" aria-label="steps needed against length"></svg></figure>
</section>
<details class="about"><summary>What you see</summary>
<p data-part="about-recurrent"></p><p data-part="about-unshared"></p><p data-part="about-deep"></p><p data-part="about-chart"></p>
</details>`;

class TracerView {
  // content: models, colours, trainedTime, known, accuracy, questions, about; workerSource: the code of the worker as text;
  // answers: those given before
  constructor(root, content, workerSource, answers = []) {
    this.root = root;
    this.content = content;
    root.classList.add("cs-tracer");
    root.innerHTML = MARKUP; // fixed text, without any of the content
    this.#fill();
    this.board = new Board(48);
    this.distances = this.board.distances();
    this.films = { recurrent: [], unshared: [], deep: null };
    Object.assign(this, {
      version: 0, time: 0, until: 60, playing: false,
      mask: null, maskFrom: Infinity, // a frame that replaces the drawing, and from when
      changedAt: 0, // the time from which the present drawing is shown
      waiting: [], // callbacks for the end of the present run
    });
    const isShown = (name) => this.questions.isShown(name);
    this.charts = {
      steps: new StepsChart(this.part("chart"), content.known, isShown),
      accuracy: new AccuracyChart(this.part("accuracy"), { ...content.accuracy, trainedTime: content.trainedTime }, isShown),
    };
    this.#startWorker(workerSource);
    this.questions = new Questions(this, content.questions, answers);
    this.input = new BoardInput(this, this.part("board"));
    this.#listen();
    this.resized = new ResizeObserver(() => Object.values(this.charts).forEach((chart) => chart.draw()));
    this.resized.observe(this.part("chart"));
  }

  part(name) {
    return this.root.querySelector(`[data-part="${name}"]`);
  }

  end() {
    this.play(false);
    this.worker.terminate();
    this.resized.disconnect();
  }

  #fill() {
    const options = (name, values, chosen, text) => {
      for (const value of values) this.part(name).append(new Option(text(value), value, value === chosen, value === chosen));
    };
    options("length", LENGTHS, 40, (px) => `${px} px`);
    options("size", SIZES, 48, (px) => `${px}x${px}`);
    options("speed", SPEEDS, 20, (steps) => `${steps} /s`);
    for (const [name, text] of Object.entries(this.content.about)) this.part(`about-${name}`).textContent = text;
    this.part("name-deep").textContent = `${this.content.models.deep.steps.flat().length} layers`;
  }

  // --- running -------------------------------------------------------------------------------------------------------

  #startWorker(source) {
    this.worker = new Worker(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
    this.worker.postMessage({ models: this.content.models });
    this.worker.onmessage = ({ data }) => this.#receive(data);
  }

  #receive({ version, model, time, logits, rates }) {
    if (version !== this.version) return;
    if (model === "channels") {
      if (time === this.time) this.#paintChannels(rates);
      return;
    }
    if (model === "deep") this.films.deep = logits;
    else this.films[model][time] = logits;
    if (model === "recurrent" && time === this.until) this.#finished();
    if (model !== "recurrent" || time === this.time) this.draw();
  }

  get isUndisturbed() {
    return this.mask === null && this.changedAt === 0 && !this.part("cut").checked;
  }

  get curveLength() {
    return this.distances.reduce((most, steps) => Math.max(most, steps), -1) + 1;
  }

  get isFinished() {
    return this.films.recurrent.length > this.until;
  }

  // run again from `from`: from 0 after a new drawing, from the present time after a change during the run
  run(from = 0) {
    this.version += 1;
    this.distances = this.board.distances();
    this.films.recurrent.length = from;
    if (from === 0) Object.assign(this.films, { unshared: [], deep: null });
    this.until = Math.min(LONGEST_RUN, Math.max(60, 3 * this.curveLength));
    this.part("time").max = this.until;
    this.worker.postMessage({
      version: this.version, size: this.board.size, from, until: this.until, frame: this.board.frame(this.content.colours),
      mask: this.mask, maskFrom: this.maskFrom, cut: this.part("cut").checked,
    });
    this.draw();
  }

  restart() {
    Object.assign(this, { time: 0, changedAt: 0, mask: null, maskFrom: Infinity });
    this.part("mask").setAttribute("aria-pressed", "false");
    this.run();
    this.play(this.board.dot !== null && !this.questions.hidesModel);
    this.root.dispatchEvent(new CustomEvent("drawing"));
  }

  // a drawing that changes while it is being watched is shown from the next step on; otherwise time starts again
  drawingChanged() {
    if (!(this.playing && this.time > 0 && this.mask === null)) return this.restart();
    this.changedAt = this.time + 1;
    this.run(this.changedAt);
    this.root.dispatchEvent(new CustomEvent("drawing"));
  }

  play(on) {
    this.playing = on;
    this.part("play").textContent = on ? "Pause" : "Play";
    this.lastTick = performance.now();
    if (on) requestAnimationFrame((now) => this.#tick(now));
  }

  #tick(now) {
    if (!this.playing) return;
    const steps = Math.floor(((now - this.lastTick) * Number(this.part("speed").value)) / 1000);
    if (steps > 0) {
      this.lastTick = now;
      let time = Math.min(this.time + steps, this.until);
      // never ahead of what has been computed
      while (time > this.time && !this.films.recurrent[time]) time -= 1;
      if (time !== this.time) this.goTo(time);
    }
    if (this.time >= this.until) this.play(false);
    else requestAnimationFrame((later) => this.#tick(later));
  }

  goTo(time) {
    this.time = Math.max(0, Math.min(this.until, time));
    this.draw();
  }

  // --- answers of the models -----------------------------------------------------------------------------------------

  // logits at `time`; with decisions kept, the largest so far
  #logitsAt(film, time) {
    const logits = film[Math.min(time, film.length - 1)];
    if (!logits || !this.part("latch").checked) return logits ?? null;
    const most = logits.slice();
    for (let before = 0; before < time && before < film.length; before++) {
      for (let at = 0; at < most.length; at++) if (film[before]?.[at] > most[at]) most[at] = film[before][at];
    }
    return most;
  }

  #score(logits) {
    const { lines } = this.board;
    const score = { tagged: 0, onCurve: 0, right: 0, all: 0 };
    for (let at = 0; at < lines.length; at++) {
      if (!lines[at]) continue;
      const target = this.distances[at] >= 0;
      const tag = logits[at] > 0;
      score.all += 1;
      score.onCurve += target;
      score.tagged += target && tag;
      score.right += target === tag;
    }
    score.solved = score.all > 0 && score.right === score.all;
    return score;
  }

  // first time from which every line pixel stays right to the end of the run; null where there is none, or none yet
  get stepsNeeded() {
    if (!this.isFinished) return null;
    const film = this.films.recurrent;
    let first = null;
    for (let time = this.until; time >= 0 && film[time] && this.#score(film[time]).solved; time--) first = time;
    return first;
  }

  whenFinished(act) {
    this.waiting.push(act);
  }

  #finished() {
    // an answer that waits for the run adds the drawing itself
    if (!this.questions.hidesModel) this.#addDrawing();
    this.waiting.splice(0).forEach((act) => act());
    this.draw();
  }

  #addDrawing() {
    if (this.isUndisturbed && this.board.dot !== null && this.stepsNeeded !== null) {
      this.charts.steps.addDrawing(this.curveLength, this.stepsNeeded);
    }
  }

  #verdict() {
    if (this.questions.hidesModel) return "Which pixels lie on the orange dot's curve?";
    if (this.board.dot === null) return "Draw a curve: the dot goes to where you begin.";
    const logits = this.#logitsAt(this.films.recurrent, this.time);
    if (!logits) return "…";
    const { tagged, onCurve, right, all, solved } = this.#score(logits);
    const needed = this.isUndisturbed ? this.stepsNeeded : null;
    if (needed !== null && this.time >= needed) return `Solved after ${needed} steps: a curve of ${this.curveLength} px`;
    if (solved) return `${onCurve} of ${onCurve} px tagged, every line pixel right`;
    const wrong = all - right - (onCurve - tagged);
    return `${tagged} of ${onCurve} px tagged${wrong ? `, ${wrong} of other curves` : ""}`;
  }

  #verdictOfControl(logits) {
    if (!logits || this.board.dot === null) return "";
    const { tagged, onCurve, right, all, solved } = this.#score(logits);
    return solved ? "every line pixel right" : `${tagged} of ${onCurve} px tagged, ${all - right} line px wrong`;
  }

  // --- questions -----------------------------------------------------------------------------------------------------

  // start with the saved drawing or with random curves, and ask the questions that are not answered yet
  begin(drawn, seed) {
    if (drawn.dot === undefined || drawn.dot === null) this.drawAtRandom(seed);
    else {
      this.board = new Board(drawn.size);
      this.part("size").value = drawn.size;
      for (const at of drawn.lines) this.board.lines[at] = 1;
      this.board.dot = drawn.dot;
      this.restart();
    }
    if (this.questions.asked.length) this.questions.begin();
  }

  // show the curves of a question; the model's answer to them stays covered until it is given
  drawQuestion({ size, length, seed }) {
    this.board = new Board(size);
    this.part("size").value = size;
    drawCurves(this.board, length, 3, randomNumbers(seed));
    this.restart();
  }

  // a question was answered (or all were skipped: null): the covered parts are shown, and the model runs
  uncovered(question) {
    if (question === null || question.truth === null) {
      if (this.isFinished) this.#addDrawing();
      this.time = 0;
      this.play(true);
    }
    for (const chart of Object.values(this.charts)) chart.draw();
    this.draw();
    this.root.dispatchEvent(new CustomEvent("answered"));
  }

  // --- drawing -------------------------------------------------------------------------------------------------------

  draw() {
    const { films, time, questions } = this;
    const masked = this.mask !== null && time >= this.maskFrom;
    const areControlsShown = questions.isShown(this.content.accuracy.control?.after);
    this.#paint("board", questions.hidesModel ? null : this.#logitsAt(films.recurrent, time), masked);
    this.#paint("unshared", areControlsShown ? (films.unshared[Math.min(time, films.unshared.length - 1)] ?? null) : null);
    this.#paint("deep", areControlsShown ? films.deep : null);
    this.part("time").value = time;
    this.part("now").textContent = `t = ${time}`;
    this.part("verdict").textContent = this.#verdict() + (masked ? `; mask since t = ${this.maskFrom}` : "");
    const last = films.unshared.length > this.content.trainedTime ? films.unshared.at(-1) : null;
    this.part("says-unshared").textContent = areControlsShown ? this.#verdictOfControl(last) : "covered";
    this.part("says-deep").textContent = areControlsShown ? this.#verdictOfControl(films.deep) : "covered";
    for (const name of ["tools", "interventions"]) this.part(name).disabled = questions.areOpen;
    for (const name of ["start", "play", "next-step", "time"]) this.part(name).disabled = questions.hidesModel;
    if (this.charts.accuracy.cursor) this.charts.accuracy.showTime(time);
    if (this.#seesChannels) this.worker.postMessage({ version: this.version, channelsAt: time });
  }

  get #seesChannels() {
    return this.part("see-channels").getAttribute("aria-pressed") === "true";
  }

  // the output of each channel of V1 at this time, as a square of pictures; white is the largest rate of all
  #paintChannels(rates) {
    const { size } = this.board;
    const channels = rates.length / (size * size);
    const canvas = this.part("channels");
    const side = CHANNELS_A_ROW * (size + 1) - 1;
    if (canvas.width !== side) Object.assign(canvas, { width: side, height: side });
    const most = rates.reduce((largest, rate) => Math.max(largest, rate), 1e-6);
    const context = canvas.getContext("2d");
    const image = context.createImageData(side, side);
    image.data.fill(90);
    for (let at = 3; at < image.data.length; at += 4) image.data[at] = 255;
    for (let channel = 0; channel < channels; channel++) {
      const [left, top] = [channel % CHANNELS_A_ROW, Math.floor(channel / CHANNELS_A_ROW)].map((place) => place * (size + 1));
      for (let at = 0; at < size * size; at++) {
        const to = ((top + Math.floor(at / size)) * side + left + (at % size)) * 4;
        image.data.fill((rates[at * channels + channel] / most) * 255, to, to + 3);
      }
    }
    context.putImageData(image, 0, 0);
  }

  // lines in grey, fainter behind a mask; tagged pixels in orange; tagged pixels of other curves in blue
  #paint(name, logits, masked = false) {
    const canvas = this.part(name);
    const { size, lines, dot } = this.board;
    if (canvas.width !== size) Object.assign(canvas, { width: size, height: size });
    const context = canvas.getContext("2d");
    const image = context.createImageData(size, size);
    for (let at = 0; at < lines.length; at++) {
      const probability = logits ? 1 / (1 + Math.exp(-logits[at])) : 0;
      const grey = lines[at] ? (masked ? 70 : 150) : 0;
      const tag = lines[at] && this.distances[at] < 0 && probability > 0.5 ? WRONG : TAG;
      const share = lines[at] ? probability : probability / 2;
      for (let c = 0; c < 3; c++) {
        image.data[at * 4 + c] = at === dot ? this.content.colours.dot[c] * 255 : grey + (tag[c] - grey) * share;
      }
      image.data[at * 4 + 3] = 255;
    }
    context.putImageData(image, 0, 0);
    if (name === "board") this.input?.drawCursor(context);
  }

  // --- input of the user ---------------------------------------------------------------------------------------------

  #maskFrame(kind) {
    const { size, dot } = this.board;
    if (kind === "same") return this.board.frame(this.content.colours);
    if (kind === "noise") {
      const random = randomNumbers(dot ?? 0);
      return Float32Array.from({ length: size ** 2 * 3 }, () => random());
    }
    const other = new Board(size);
    if (kind === "lines") {
      drawCurves(other, Math.min(30, size), 3, randomNumbers(17));
      other.dot = null; // a dot on a line of the mask could be traced itself
    }
    return other.frame(this.content.colours);
  }

  drawAtRandom(seed = crypto.getRandomValues(new Uint32Array(1))[0]) {
    const length = Number(this.part("length").value);
    this.board.remember();
    if (drawCurves(this.board, length, 3, randomNumbers(seed))) return this.restart();
    this.board.undo();
    this.draw();
    this.part("verdict").textContent = `Three curves of ${length} px do not fit: choose shorter curves or a larger canvas.`;
  }

  #listen() {
    const tools = [...this.root.querySelectorAll("[data-tool]")];
    for (const button of tools) {
      button.addEventListener("click", () => {
        this.input.tool = button.dataset.tool;
        for (const one of tools) one.setAttribute("aria-checked", String(one === button));
      });
    }
    const on = (name, event, act) => this.part(name).addEventListener(event, act);
    on("undo", "click", () => this.board.undo() && this.restart());
    on("clear", "click", () => {
      this.board.remember();
      this.board.clear();
      this.restart();
    });
    on("random", "click", () => this.drawAtRandom());
    on("maze", "click", () => {
      this.board.remember();
      drawMaze(this.board, randomNumbers(crypto.getRandomValues(new Uint32Array(1))[0]));
      this.restart();
    });
    on("size", "change", () => {
      this.board = new Board(Number(this.part("size").value));
      this.input.cursor = null;
      this.drawAtRandom();
    });
    on("play", "click", () => {
      if (!this.playing && this.time >= this.until) this.time = 0;
      this.play(!this.playing);
    });
    on("start", "click", () => this.goTo(0));
    on("next-step", "click", () => this.#pauseAt(this.time + 1));
    on("time", "input", () => this.#pauseAt(Number(this.part("time").value)));
    on("mask", "click", () => this.#switchMask(this.mask === null));
    on("mask-kind", "change", () => {
      if (this.mask === null) return;
      this.mask = this.#maskFrame(this.part("mask-kind").value);
      this.run(this.maskFrom);
    });
    on("latch", "change", () => this.draw());
    on("cut", "change", () => this.run());
    on("see-channels", "click", () => {
      this.part("see-channels").setAttribute("aria-pressed", String(!this.#seesChannels));
      this.part("channels").hidden = !this.#seesChannels;
      this.draw();
    });
  }

  #pauseAt(time) {
    this.play(false);
    this.goTo(time);
  }

  #switchMask(masked) {
    this.part("mask").setAttribute("aria-pressed", String(masked));
    this.mask = masked ? this.#maskFrame(this.part("mask-kind").value) : null;
    this.maskFrom = masked ? this.time + 1 : Infinity;
    this.run(masked ? this.maskFrom : 0);
  }
}
