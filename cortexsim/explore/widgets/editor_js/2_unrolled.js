// The graph unrolled in time: a box for each state at each time, a line for each transition that delivers.

const LABEL_EM = 7.2;
const ROW_PX = 50;
const TRAVEL_MS = 450;

class Unrolled {
  constructor(parent, tip, act) {
    this.tip = tip;
    this.act = act;
    this.figure = element("figure", { class: "cs-unrolled" }, parent);
    this.caption = element("figcaption", {}, this.figure);
    this.svg = shape("svg", { role: "img" }, this.figure);
    this.svg.addEventListener("pointerleave", () => this.tip.hide());
    this.svg.addEventListener("pointerdown", (event) => this.press(event));
    this.svg.addEventListener("pointermove", (event) => this.drag(event));
    for (const end of ["pointerup", "pointercancel"]) this.svg.addEventListener(end, (event) => this.drop(event));
    this.pull = null;
    this.picture = null;
    this.time = 0;
  }

  set(picture, readoutTime, covered) {
    Object.assign(this, { picture, readoutTime, covered });
    this.draw();
  }

  x(time) {
    return this.left + this.gap * (time + 0.5);
  }

  // the last state on top: forward is up
  y(name) {
    const { states } = this.picture;
    return 34 + ROW_PX * (states.length - 1 - states.findIndex((state) => state.name === name));
  }

  draw() {
    const { svg, picture } = this;
    svg.replaceChildren();
    this.band = null;
    // outside of a page text has no size; the first size of the page draws it
    if (!picture || !svg.isConnected) return;
    const { states, until } = picture;
    const width = Math.max(this.figure.clientWidth, 300);
    this.em = textSize(this.figure);
    this.left = LABEL_EM * this.em;
    this.gap = (width - this.left - 4) / (until + 1);
    this.half = Math.min(10, this.gap * 0.3);
    this.bottom = 34 + ROW_PX * (states.length - 1) + 26;
    svg.setAttribute("width", width);
    svg.setAttribute("height", this.bottom + 54);
    this.band = shape("rect", { y: 12, height: this.bottom - 4, width: this.gap, class: "cs-band-now" }, svg);
    this.edges = this.covered ? [] : picture.moves.map((move) => this.edge(move));
    this.nodes = [];
    for (const state of states) this.row(state);
    this.axis();
    this.readout();
    this.at(this.time);
  }

  row(state) {
    const y = this.y(state.name);
    shape("text", { x: 2, y: y - 2, class: "cs-area" }, this.svg, state.name);
    const first = this.covered ? "from t = ?" : state.first === null ? "never reached" : `from t = ${state.first}`;
    shape("text", { x: 2, y: y + this.em, class: state.first === null && !this.covered ? "cs-first cs-wrong" : "cs-first" }, this.svg, first);
    for (let time = 0; time <= this.picture.until; time++) {
      const x = this.x(time);
      const size = { x: x - this.half, y: y - 10, width: 2 * this.half, height: 20, rx: 4 };
      const box = shape("rect", { ...size, "data-state": state.name, "data-time": time }, this.svg);
      const known = !this.covered || time === 0;
      const populated = state.populated[time];
      if (!known) shape("text", { x, y: y + 4, "text-anchor": "middle", class: "cs-first" }, this.svg, "?");
      box.addEventListener("pointermove", (event) => this.read(event, state, time, known));
      box.addEventListener("pointerleave", () => this.tip.hide());
      this.nodes.push({ box, time, known, populated });
    }
  }

  edge([source, target, time, needed]) {
    const { states } = this.picture;
    const kind = directionOf(states, source, target);
    const ends = { x1: this.x(time - 1) + this.half, y1: this.y(source), x2: this.x(time) - this.half, y2: this.y(target) };
    const line = shape("line", { ...ends, class: `cs-edge cs-${kind}${needed ? "" : " cs-idle"}` }, this.svg);
    const what = needed ? "the readout needs it" : "delivers, but the readout does not need it";
    line.addEventListener("pointermove", (event) => this.tip.show(event, [`${source} → ${target} at t = ${time}`, what]));
    line.addEventListener("pointerleave", () => this.tip.hide());
    return { line, time, needed, kind, ends };
  }

  axis() {
    const { svg, bottom, picture } = this;
    shape("text", { x: 2, y: bottom + 6, class: "cs-first" }, svg, "on the screen");
    shape("text", { x: 2, y: bottom + 28, class: "cs-first" }, svg, "time (steps)");
    for (let time = 0; time <= picture.until; time++) {
      const x = this.x(time);
      const image = picture.shown[time] !== "nothing";
      shape("rect", { x: x - 6, y: bottom - 4, width: 12, height: 12, class: image ? "cs-image" : "cs-blank" }, svg);
      if (image) shape("line", { x1: x, x2: x, y1: bottom - 5, y2: bottom - 14, class: "cs-enters" }, svg);
      const text = shape("text", { x, y: bottom + 28, "text-anchor": "middle", class: "cs-tick" }, svg, String(time));
      text.addEventListener("click", () => this.act.steer(time));
    }
  }

  readout() {
    const { svg, picture, readoutTime } = this;
    if (this.covered || readoutTime > picture.until) return;
    const [x, y] = [this.x(readoutTime), this.y(picture.states.at(-1).name)];
    const wrong = picture.refused ? " cs-wrong" : "";
    const size = { x: x - this.half - 4, y: y - 14, width: 2 * this.half + 8, height: 28, rx: 6 };
    shape("rect", { ...size, class: `cs-readout${wrong}` }, svg);
    const near = x > this.left + this.gap * (picture.until - 1) ? "end" : x < this.left + this.gap * 2 ? "start" : "middle";
    const at = near === "end" ? x + this.half + 4 : near === "start" ? x - this.half - 4 : x;
    shape("text", { x: at, y: y - 19, "text-anchor": near, class: `cs-read${wrong}` }, svg, wrong ? "✕ nothing to read" : `read at T = ${readoutTime}`);
  }

  // A drag from a box to another links their areas.
  press(event) {
    const { state, time } = event.target.dataset;
    if (state === undefined || event.button) return;
    const [x, y] = [this.x(Number(time)), this.y(state)];
    this.pull = { from: event.target, line: shape("line", { x1: x, y1: y, x2: x, y2: y, class: "cs-pull" }, this.svg) };
    this.svg.setPointerCapture(event.pointerId);
    this.tip.hide();
    event.preventDefault();
  }

  drag(event) {
    if (!this.pull) return;
    const frame = this.svg.getBoundingClientRect();
    // px of the drawing for one px of the page, which may be enlarged
    const scale = this.svg.clientWidth / frame.width;
    this.pull.line.setAttribute("x2", (event.clientX - frame.left) * scale);
    this.pull.line.setAttribute("y2", (event.clientY - frame.top) * scale);
  }

  drop(event) {
    if (!this.pull) return;
    const { from, line } = this.pull;
    this.pull = null;
    line.remove();
    const box = document.elementFromPoint(event.clientX, event.clientY);
    if (event.type === "pointercancel" || box === from || !this.svg.contains(box) || !box.dataset.state) return;
    this.act.connect(from.dataset.state, box.dataset.state);
  }

  at(time) {
    this.time = time;
    if (!this.band) return;
    this.band.setAttribute("x", this.x(time) - this.gap / 2);
    for (const { box, time: own, known, populated } of this.nodes) {
      box.setAttribute("class", !known ? "cs-node cs-unknown" : populated ? `cs-node cs-populated${own <= time ? " cs-lit" : ""}` : "cs-node");
    }
    for (const { line, time: own } of this.edges) {
      line.classList.toggle("cs-on", own === time);
      line.classList.toggle("cs-past", own < time);
    }
    const { states } = this.picture;
    const populated = states.filter((state) => state.populated[time]).map((state) => state.name);
    const text = `t = ${time}: ${populated.length ? `${listed(populated)} ${populated.length > 1 ? "are" : "is"} populated` : "all areas are empty"}`;
    this.caption.textContent = this.covered ? "unrolled in time: covered until you have predicted, or skipped" : `unrolled in time; ${text}`;
    this.svg.setAttribute("aria-label", this.covered ? "covered" : text);
  }

  // Dots move along the lines that deliver at `time`, then the boxes light up.
  travel(time, done) {
    const carrying = this.edges.filter((edge) => edge.time === time);
    if (!carrying.length || matchMedia("(prefers-reduced-motion: reduce)").matches) return done();
    const dots = carrying.map(({ ends, needed, kind }) => {
      const dot = shape("circle", { r: needed ? 4 : 2.5, class: `cs-dot cs-${kind}${needed ? "" : " cs-idle"}` }, this.svg);
      return { dot, ends };
    });
    const start = performance.now();
    const step = (now) => {
      const part = Math.min((now - start) / TRAVEL_MS, 1);
      for (const { dot, ends } of dots) {
        dot.setAttribute("cx", ends.x1 + part * (ends.x2 - ends.x1));
        dot.setAttribute("cy", ends.y1 + part * (ends.y2 - ends.y1));
      }
      if (part < 1) return requestAnimationFrame(step);
      for (const { dot } of dots) dot.remove();
      done();
    };
    requestAnimationFrame(step);
  }

  read(event, state, time, known) {
    if (!known) return this.tip.show(event, [`${state.name}, t = ${time}`, "predict first"]);
    const from = this.picture.moves.filter(([, target, when]) => target === state.name && when === time).map(([source]) => source);
    if (state === this.picture.states[0] && this.picture.shown[time] !== "nothing") from.unshift("the eye");
    const what = state.populated[time] ? `populated from ${listed(from)}` : "empty: absent, not zero";
    this.tip.show(event, [`${state.name}, t = ${time}`, what]);
  }
}
