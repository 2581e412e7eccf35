// The two forms of a residual network: the layers of a stack in a row, and the loop, under one time bar.

const TRAVEL_MS = 350;
const LOOP = 0, STACK = 1; // order of the forms in `maps`

// A small number as people write it: 2.9e-13, 0.042, 3.1.
function short(value) {
  return value === 0 ? "0" : Math.abs(value) < 0.001 ? value.toExponential(1) : rounded(value, 2);
}

// A square with a map of activity, or a question mark while there is none.
class Square {
  constructor(parent, tip, read) {
    this.box = element("div", { class: "cs-square" }, parent);
    this.canvas = element("canvas", { role: "img" }, this.box);
    this.empty = element("div", { class: "cs-empty" }, this.box, "?");
    this.canvas.addEventListener("pointermove", (event) => {
      const outer = this.canvas.getBoundingClientRect();
      const [x, y] = [
        Math.floor(((event.clientX - outer.left) / outer.width) * this.canvas.width),
        Math.floor(((event.clientY - outer.top) / outer.height) * this.canvas.height),
      ];
      if (x >= 0 && y >= 0 && x < this.canvas.width && y < this.canvas.height) tip.show(event, read(x, y));
    });
    this.canvas.addEventListener("pointerleave", () => tip.hide());
  }

  // `levels` from 0 to 255 of each pixel, or null.
  set(levels, [height, width] = [1, 1], label = "") {
    this.canvas.hidden = !levels;
    this.empty.hidden = Boolean(levels);
    if (!levels) return;
    this.canvas.setAttribute("aria-label", label);
    [this.canvas.height, this.canvas.width] = [height, width];
    const context = this.canvas.getContext("2d");
    const image = context.createImageData(width, height);
    for (let place = 0; place < height * width; place++) {
      const level = Math.round(Math.min(Math.max(levels(place), 0), 255));
      for (let c = 0; c < 3; c++) image.data[place * 4 + c] = SHADES[level * 3 + c];
      image.data[place * 4 + 3] = 255;
    }
    context.putImageData(image, 0, 0);
  }
}

class Forms {
  constructor(model, el) {
    this.model = model;
    this.root = element("div", { class: "cs-stage cs-forms" }, el);
    this.tip = new Tip(this.root);
    this.stack = element("div", { class: "cs-stack" }, this.root);
    this.title = element("h4", {}, this.stack);
    this.layers = element("div", { class: "cs-layers" }, this.stack);
    this.bar = new TimeBar(this.root, model, {
      draw: (place) => this.draw(place),
      travel: (time, done) => this.travel(time, done),
      everyMs: 900,
    });
    this.bar.listen(this.root);
    this.verdict = element("div", { class: "cs-verdict", "aria-live": "polite" }, this.root);
    this.below();
    this.listeners = { scene: () => this.set(), stale: () => this.dim(), shown: () => this.choose() };
    for (const [name, listener] of Object.entries(this.listeners)) model.on(`change:${name}`, listener);
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(this.root);
    this.set();
  }

  remove() {
    this.bar.remove();
    this.observer.disconnect();
    for (const [name, listener] of Object.entries(this.listeners)) this.model.off(`change:${name}`, listener);
  }

  // The loop, layer t of the stack next to it, what differs, and the difference at every step.
  below() {
    this.row = element("div", { class: "cs-below" }, this.root);
    const view = (name, kind, read) => {
      const box = element("div", { class: `cs-view ${kind}` }, this.row);
      const again = element("div", { class: "cs-again" }, box);
      const title = element("div", { class: "cs-name" }, box, name);
      const square = new Square(box, this.tip, read);
      return { box, again, title, square, note: element("div", { class: "cs-note" }, box) };
    };
    this.digit = view("one digit", "cs-digit", (x, y) => [`x = ${x}, y = ${y} (px)`]);
    this.loop = view("", "cs-folded", (x, y) => this.read(LOOP, x, y));
    this.sign = element("div", { class: "cs-sign", "aria-hidden": "true" }, this.row);
    this.layer = view("", "cs-unfolded", (x, y) => this.read(STACK, x, y));
    this.apart = view("", "cs-apart", (x, y) => [
      `x = ${x}, y = ${y} (px)`, `largest difference of a channel: ${short(this.at(this.gaps, this.bar.place, x, y))}`,
    ]);
    this.apart.title.textContent = "difference";
    this.chart = element("div", { class: "cs-by-step" }, this.row);
    const svg = shape("svg", { width: 150, height: 44, "aria-hidden": "true" }, this.loop.again);
    shape("path", { d: "M98 44C150 -8 0 -8 50 38" }, svg);
    shape("polygon", { points: "52,44 44,35 57,34" }, svg);
    this.times = shape("text", { x: 75, y: 32, "text-anchor": "middle" }, svg);
  }

  // --- what is shown

  set() {
    const scene = this.model.get("scene");
    this.scene = scene?.steps ? scene : null;
    this.root.classList.toggle("cs-waiting", !this.scene);
    if (!this.scene) return;
    this.ran = Boolean(scene.differences);
    if (this.ran) {
      this.maps = this.numbers("maps");
      this.gaps = this.numbers("apart");
      const pixels = scene.side[0] * scene.side[1];
      const n = scene.steps + 1;
      // one scale for a step of both forms
      this.tops = Array.from({ length: n }, (_, t) => {
        let top = 0;
        for (const form of [LOOP, STACK]) {
          for (let p = 0; p < pixels; p++) top = Math.max(top, this.maps[(form * n + t) * pixels + p]);
        }
        return top || 1;
      });
      this.gapTop = Math.max(...this.gaps);
    }
    this.build();
    this.times.textContent = `${scene.steps}×`;
    this.loop.again.style.setProperty("--weights", scene.colours[0]);
    this.bar.set(Array.from({ length: scene.steps + 1 }, (_, t) => t));
    this.bar.lock(!this.ran);
    this.paintDigit();
    this.drawChart();
    this.dim();
    this.choose();
    this.root.dataset.scene = (Number(this.root.dataset.scene) || 0) + 1;
  }

  numbers(name) {
    const { buffer, byteOffset, byteLength } = this.model.get(name);
    return new Float32Array(buffer.slice(byteOffset, byteOffset + byteLength));
  }

  build() {
    const { scene } = this;
    const weights = scene.same ? "one set of weights, a colour" : "a colour is a set of weights";
    this.title.replaceChildren("unfolded in space ");
    element("small", {}, this.title, `a stack of ${scene.steps} residual ${scene.steps > 1 ? "blocks" : "block"}; ${weights}`);
    this.layers.replaceChildren();
    this.tiles = [];
    for (let t = 0; t <= scene.steps; t++) {
      if (t > 0) {
        const link = element("div", { class: "cs-link", style: `--weights: ${scene.colours[t - 1]}` }, this.layers);
        const svg = shape("svg", { width: "100%", height: 14, viewBox: "0 0 40 14", preserveAspectRatio: "none", "aria-hidden": "true" }, link);
        shape("path", { d: "M1 7H30" }, svg);
        shape("polygon", { points: "40,7 29,13 29,1" }, svg);
      }
      const box = element("div", { class: "cs-layer" }, this.layers);
      if (t > 0) box.style.setProperty("--weights", scene.colours[t - 1]);
      const square = new Square(box, this.tip, (x, y) => this.read(STACK, x, y, t));
      element("span", {}, box, t ? `layer ${t}` : "input");
      this.tiles.push({ box, square });
      square.set(this.ran ? this.levels(STACK, t) : null, scene.side, `activity of layer ${t}`);
    }
    // with many layers, only numbers fit
    if (scene.steps > 9) for (const [t, { box }] of this.tiles.entries()) box.lastChild.textContent = String(t);
  }

  levels(form, t) {
    const pixels = this.scene.side[0] * this.scene.side[1];
    const start = (form * (this.scene.steps + 1) + t) * pixels;
    return (place) => (this.maps[start + place] / this.tops[t]) * 255;
  }

  at(values, index, x, y) {
    const [height, width] = this.scene.side;
    return values[(index * height + y) * width + x];
  }

  read(form, x, y, t = this.bar.place) {
    const value = this.at(this.maps, form * (this.scene.steps + 1) + t, x, y);
    const name = form === LOOP ? `loop, step ${t}` : `stack, layer ${t}`;
    return [`${name}, x = ${x}, y = ${y} (px)`, `mean of ${this.scene.channels} channels: ${value.toPrecision(6)} a.u.`];
  }

  paintDigit() {
    const { canvas, empty } = this.digit.square;
    canvas.hidden = !this.ran;
    empty.hidden = this.ran;
    if (!this.ran) return;
    const pixels = this.model.get("picture");
    const [height, width] = this.scene.side;
    [canvas.height, canvas.width] = [height, width];
    const context = canvas.getContext("2d");
    const image = context.createImageData(width, height);
    for (let place = 0; place < height * width; place++) {
      for (let c = 0; c < 3; c++) image.data[place * 4 + c] = pixels.getUint8(place * 3 + c);
      image.data[place * 4 + 3] = 255;
    }
    context.putImageData(image, 0, 0);
    canvas.setAttribute("aria-label", `the digit ${this.scene.label}`);
    this.digit.note.textContent = `a ${this.scene.label}`;
  }

  dim() {
    this.root.classList.toggle("cs-stale", this.model.get("stale"));
  }

  choose() {
    const shown = this.model.get("shown");
    this.stack.hidden = shown === "loop";
    for (const { box } of [this.layer, this.apart]) box.hidden = shown !== "both";
    this.loop.box.hidden = shown === "stack";
    this.sign.hidden = shown !== "both";
  }

  resize() {
    if (this.root.clientWidth === this.width) return;
    this.width = this.root.clientWidth;
    if (this.scene) this.drawChart();
  }

  // --- time

  travel(time, done) {
    const moving = [this.layers.querySelectorAll(".cs-link")[time - 1], this.loop.again];
    for (const one of moving) one?.classList.add("cs-moves");
    setTimeout(() => {
      for (const one of moving) one?.classList.remove("cs-moves");
      done();
    }, TRAVEL_MS);
  }

  draw(t) {
    const { scene } = this;
    for (const [k, { box }] of this.tiles.entries()) box.classList.toggle("cs-lit", k === t);
    const colour = scene.colours[Math.max(t - 1, 0)];
    this.loop.title.textContent = `folded: step ${t}`;
    this.layer.title.textContent = t ? `stack: layer ${t}` : "stack: input";
    for (const [view, form] of [[this.loop, LOOP], [this.layer, STACK]]) {
      view.square.set(this.ran ? this.levels(form, t) : null, scene.side, view.title.textContent);
      view.note.textContent = this.ran ? `0 to ${rounded(this.tops[t])} a.u.` : "";
    }
    this.layer.square.box.style.outline = t ? `3px solid ${colour}` : "";
    this.loop.square.box.style.outline = t ? `3px solid ${scene.colours[0]}` : "";
    if (!this.ran) {
      this.sign.textContent = "?";
      this.verdict.textContent = "";
      this.apart.square.set(null);
      return;
    }
    const pixels = scene.side[0] * scene.side[1];
    // rounding stays dark: the scale ends at the largest value of the activity where differences are that small
    const top = Math.max(this.gapTop, scene.largest[scene.steps] * 1e-6);
    this.apart.square.set((place) => (this.gaps[t * pixels + place] / top) * 255, scene.side, "difference");
    this.apart.note.textContent = `at most ${short(scene.differences[t])}`;
    const differs = scene.differences[t] > 1e-6 * scene.largest[t];
    this.sign.textContent = differs ? "≠" : "=";
    this.verdict.textContent = scene.verdicts[t];
    this.verdict.classList.toggle("cs-differs", differs);
    this.moveCursor(t);
    this.bar.describe(scene.verdicts[t]);
    // last: this attribute shows that everything else is drawn
    this.root.dataset.time = t;
  }

  // --- the difference at every step

  drawChart() {
    const { scene } = this;
    this.chart.replaceChildren();
    this.cursor = null;
    if (!this.ran) return;
    element("div", { class: "cs-name" }, this.chart, "at every step");
    const width = Math.max(this.chart.clientWidth, 200);
    const svg = shape("svg", { width, height: 180, role: "img", "aria-label": scene.verdicts.at(-1) }, this.chart);
    const box = { left: 40, right: width - 112, top: 12, bottom: 132 };
    const top = Math.max(...scene.largest);
    this.x = (t) => box.left + 6 + (t / scene.steps) * (box.right - box.left - 12);
    const y = (value) => box.bottom - (value / top) * (box.bottom - box.top);
    shape("path", { d: `M${box.left} ${box.top}V${box.bottom}H${box.right}`, class: "cs-axis" }, svg);
    for (const value of [0, top]) {
      shape("text", { x: box.left - 5, y: y(value) + 5, "text-anchor": "end" }, svg, rounded(value, 2));
    }
    const every = scene.steps > 6 ? 3 : 1;
    for (let t = 0; t <= scene.steps; t += every) {
      shape("text", { x: this.x(t), y: box.bottom + 19, "text-anchor": "middle" }, svg, String(t));
    }
    shape("text", { x: (box.left + box.right) / 2, y: box.bottom + 40, "text-anchor": "middle" }, svg, "layer = step");
    const line = (values) => values.map((value, t) => `${t ? "L" : "M"}${this.x(t)} ${y(value)}`).join("");
    shape("path", { d: line(scene.largest), class: "cs-most" }, svg);
    shape("path", { d: line(scene.differences), class: "cs-gap" }, svg);
    for (const [t, value] of scene.differences.entries()) shape("circle", { cx: this.x(t), cy: y(value), r: 4, class: "cs-dot" }, svg);
    const ends = [y(scene.largest.at(-1)) + 5, y(scene.differences.at(-1)) + 5];
    if (ends[1] - ends[0] < 18) ends[1] = ends[0] + 18;
    shape("text", { x: box.right + 4, y: ends[0] }, svg, "largest value");
    shape("text", { x: box.right + 4, y: ends[1] }, svg, "difference");
    this.cursor = shape("line", { y1: box.top, y2: box.bottom, class: "cs-cursor" }, svg);
    this.moveCursor(this.bar.place);
  }

  moveCursor(t) {
    this.cursor?.setAttribute("x1", this.x(t));
    this.cursor?.setAttribute("x2", this.x(t));
  }
}

export default following({
  render({ model, el }) {
    const forms = new Forms(model, el);
    return () => forms.remove();
  },
});
