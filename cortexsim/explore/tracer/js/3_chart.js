// Two charts: steps needed against length of the curve, and percentage right over time. A prediction is a ring that is dragged on them.

const LAST_TIME_SHOWN = 70; // steps

class Chart {
  // titles of the axes, px around the plot, and the spacing of ticks for the largest x and y
  constructor(svg, { titles, margins, spacing }) {
    Object.assign(this, { svg, titles, margins, spacing });
    this.guess = null; // { x, y, most, moved }: a prediction that is being made
    this.#listen();
  }

  // begin a prediction at x, to be dragged up and down between 0 and `most`; `name` is read aloud
  ask({ x, y, most, name, onMove }) {
    this.guess = { x, y, most, name, onMove, isMoved: false, isFixed: false };
    this.draw();
  }

  // keep the ring where it is, as the answer that was given
  fix() {
    if (this.guess) this.guess.isFixed = true;
    this.draw();
  }

  draw() {
    const hadFocus = this.ring !== undefined && this.svg.getRootNode().activeElement === this.ring;
    // drawn at the size at which it is shown, so that text keeps its size on a phone
    const [width, height] = [Math.max(260, this.svg.clientWidth), Math.max(140, this.svg.clientHeight)];
    const { left, right, top, bottom } = this.margins;
    const [xMost, yMost] = this.ranges();
    this.area = { left, top, right: width - right, bottom: height - bottom };
    this.x = (value) => left + (value / xMost) * (width - left - right);
    this.y = (value) => height - bottom - (value / yMost) * (height - top - bottom);
    this.value = (y) => ((height - bottom - y) / (height - top - bottom)) * yMost;
    this.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.svg.replaceChildren();
    this.#axes(width, height, xMost, yMost);
    this.content();
    this.#ring(hadFocus);
  }

  #axes(width, height, xMost, yMost) {
    const { left, top, right, bottom } = this.area;
    this.add("path", { class: "axis", d: `M${left},${top}V${bottom}H${right}` });
    const [xStep, yStep] = this.spacing(xMost, yMost);
    for (let tick = 0; tick <= xMost; tick += xStep) {
      this.add("text", { x: this.x(tick), y: bottom + 17, "text-anchor": "middle" }, String(tick));
    }
    for (let tick = 0; tick <= yMost; tick += yStep) {
      this.add("text", { x: left - 6, y: this.y(tick) + 5, "text-anchor": "end" }, String(tick));
    }
    this.add("text", { x: (left + right) / 2, y: height - 3, "text-anchor": "middle" }, this.titles.x);
    const side = `translate(13 ${(top + bottom) / 2}) rotate(-90)`;
    this.add("text", { transform: side, "text-anchor": "middle" }, this.titles.y);
  }

  #ring(hadFocus) {
    this.ring = undefined;
    if (this.guess === null) return;
    const { x, y, most, name, isMoved, isFixed } = this.guess;
    const at = { x: this.x(x), y: this.y(y) };
    if (!isFixed) {
      this.add("line", { class: "rail", x1: at.x, x2: at.x, y1: this.y(0), y2: this.y(most) });
      this.add("text", { class: "hint", x: at.x + 14, y: at.y + 5 }, isMoved ? String(y) : "drag me");
    }
    const slider = isFixed ? { role: "img" } : { role: "slider", tabindex: 0, "aria-orientation": "vertical" };
    const range = { "aria-valuemin": 0, "aria-valuemax": most, "aria-valuenow": y, "aria-label": name };
    const label = isFixed ? { "aria-label": `your prediction: ${y}` } : range;
    this.ring = this.add("circle", { class: isFixed ? "guess fixed" : "guess", cx: at.x, cy: at.y, r: 9, ...slider, ...label });
    if (hadFocus && !isFixed) this.ring.focus();
  }

  #move(y) {
    const { guess } = this;
    Object.assign(guess, { y: Math.round(Math.max(0, Math.min(guess.most, y))), isMoved: true });
    this.draw();
    guess.onMove(guess.y);
  }

  #listen() {
    const { svg } = this;
    let held = false;
    const isOpen = () => this.guess !== null && !this.guess.isFixed;
    const follow = (event) => {
      const box = svg.getBoundingClientRect();
      this.#move(this.value(((event.clientY - box.top) / box.height) * Math.max(140, svg.clientHeight)));
    };
    // anywhere on the chart: the ring is small for a finger
    svg.addEventListener("pointerdown", (event) => {
      if (!isOpen()) return;
      event.preventDefault();
      held = true;
      svg.setPointerCapture(event.pointerId);
      follow(event);
      this.ring.focus();
    });
    svg.addEventListener("pointermove", (event) => held && follow(event));
    for (const name of ["pointerup", "pointercancel"]) svg.addEventListener(name, () => (held = false));
    const moves = { ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1, PageUp: 10, PageDown: -10 };
    svg.addEventListener("keydown", (event) => {
      if (!isOpen() || !moves[event.key]) return;
      event.preventDefault();
      event.stopPropagation();
      this.#move(this.guess.y + moves[event.key]);
    });
  }

  add(name, attributes, text = "") {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.textContent = text;
    this.svg.append(made);
    return made;
  }
}

// Steps needed against length: a point for each drawing, the test set as a line, and the fastest possible.
class StepsChart extends Chart {
  // known: { after, points: [{ length, steps }] } of the test set; isShown: whether the parts that a question covers
  // are shown
  constructor(svg, known, isShown) {
    super(svg, {
      titles: { x: "length of the curve (px)", y: "steps needed" },
      margins: { left: 50, right: 98, top: 8, bottom: 38 },
      spacing: (most) => (most > 160 ? [50, 50] : [20, 20]),
    });
    Object.assign(this, { known, isShown });
    this.drawn = []; // the same for each drawing that was solved
  }

  addDrawing(length, steps) {
    this.drawn.push({ length, steps });
    this.draw();
  }

  ranges() {
    const most = Math.max(70, ...this.drawn.map(({ length, steps }) => Math.max(length, steps) * 1.1));
    return [most, most];
  }

  content() {
    const [most] = this.ranges();
    const isKnownShown = this.isShown(this.known.after) && this.known.points.length > 0;
    if (isKnownShown) {
      this.add("line", { class: "bound", x1: this.x(0), y1: this.y(0), x2: this.x(most), y2: this.y(most) });
      this.add("text", { class: "quiet", x: this.x(most) + 4, y: this.y(most) + 10 }, "1 px per step");
      const place = ({ length, steps }) => `${this.x(length)},${this.y(steps)}`;
      this.add("polyline", { class: "known", points: this.known.points.map(place).join(" ") });
      const end = this.known.points.at(-1);
      this.add("text", { class: "quiet", x: this.x(end.length) + 4, y: this.y(end.steps) + 16 }, "test curves");
    }
    this.drawn.forEach(({ length, steps }, index) => {
      const newest = index === this.drawn.length - 1 ? "drawn newest" : "drawn";
      this.add("circle", { class: newest, cx: this.x(length), cy: this.y(steps), r: 5 });
    });
  }
}

// Percentage right over time for curves of several lengths, with the trained time and the present time marked.
class AccuracyChart extends Chart {
  // lines: [{ length, after, percent: [at time 0, 1, ...] }]; control: { label, after, length, percent }
  constructor(svg, { lines, control, trainedTime }, isShown) {
    super(svg, {
      titles: { x: "time (steps)", y: "% right" },
      margins: { left: 50, right: 98, top: 22, bottom: 38 },
      spacing: () => [20, 50],
    });
    Object.assign(this, { lines, control, trainedTime, isShown, now: 0 });
  }

  ranges() {
    return [LAST_TIME_SHOWN, 100];
  }

  // the place at the right, beyond the last time, at which a net without time is drawn
  get timeless() {
    return LAST_TIME_SHOWN + 3;
  }

  content() {
    const { left, right, top, bottom } = this.area;
    this.add("line", { class: "bound", x1: left, x2: right, y1: this.y(50), y2: this.y(50) });
    this.add("line", { class: "bound", x1: this.x(this.trainedTime), x2: this.x(this.trainedTime), y1: top, y2: bottom });
    this.add("text", { class: "quiet", x: this.x(this.trainedTime) + 5, y: bottom - 8 }, `trained to t = ${this.trainedTime}`);
    this.add("text", { class: "quiet", x: right - 4, y: this.y(50) + 16, "text-anchor": "end" }, "guessing");
    this.lines.filter((line) => this.isShown(line.after)).forEach(({ length, percent }, index) => {
      const shown = percent.slice(0, LAST_TIME_SHOWN + 1);
      this.add("polyline", { class: "accuracy", points: shown.map((value, time) => `${this.x(time)},${this.y(value)}`).join(" ") });
      const rise = shown.findIndex((value) => value >= 75);
      // the first has a unit and ends at its line: between them, a narrow chart has room for a number only
      const place = index ? { x: this.x(rise), "text-anchor": "middle" } : { x: this.x(rise) + 8, "text-anchor": "end" };
      this.add("text", { class: "line-name", y: top - 6, ...place }, index ? String(length) : `${length} px`);
    });
    if (this.control && this.isShown(this.control.after)) {
      const { label, length, percent } = this.control;
      const [x, y] = [this.x(this.timeless), this.y(percent)];
      this.add("path", { class: "control", d: `M${x - 7},${y}l7,-7l7,7l-7,7z` });
      this.add("text", { class: "control-name", x: x + 12, y: y - 3 }, label);
      this.add("text", { class: "control-name", x: x + 12, y: y + 14 }, `${length} px`);
    }
    this.cursor = this.add("line", { class: "now-line", y1: top, y2: bottom });
    // the line passes behind words
    this.svg.append(...this.svg.querySelectorAll(".quiet"));
    this.showTime(this.now);
  }

  showTime(time) {
    this.now = time;
    const x = this.x(Math.min(time, LAST_TIME_SHOWN));
    for (const end of ["x1", "x2"]) this.cursor.setAttribute(end, x);
  }
}

