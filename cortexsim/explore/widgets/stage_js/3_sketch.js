// The ventral stream: a map for each state at its place, and the transitions between them, lit when they deliver.

const TILE_PX = 104;

class Sketch {
  constructor(parent, tip, pick) {
    Object.assign(this, { tip, pick });
    this.figure = element("figure", { class: "cs-sketch" }, parent);
    this.caption = element("figcaption", {}, this.figure);
    this.plane = element("div", { class: "cs-plane" }, this.figure);
    this.svg = shape("svg", { "aria-hidden": "true" }, this.plane);
    this.tiles = [];
  }

  set(scene, movie, view) {
    this.scene = scene;
    this.view = view;
    let offset = 0;
    const n = scene.times.length;
    this.plane.querySelectorAll(".cs-tile").forEach((tile) => tile.remove());
    this.tiles = scene.states.map((state) => {
      const size = n * state.channels * state.height * state.width;
      const tile = new Tile(this.plane, this.tip, state, new Uint8Array(movie.buffer, movie.byteOffset + offset, size), n, scene);
      tile.pick = this.pick && ((unit) => this.pick({ state: state.name, ...unit }));
      tile.box.classList.toggle("cs-clickable", !!this.pick);
      offset += size;
      return tile;
    });
    this.draw();
  }

  // The places of the states: from the back of the head, left, forwards and down.
  draw() {
    if (!this.scene) return;
    const { svg, scene, tiles } = this;
    const width = this.figure.clientWidth;
    const n = tiles.length;
    const side = Math.max(48, Math.min(TILE_PX, (width - 40) / n - 34));
    // arcs over and under the tiles need room
    const far = (sign) => scene.transitions.map((one) => sign * this.steps(one)).reduce((a, b) => Math.max(a, b), 0);
    const [over, under] = [Math.max(0, far(1) - 1), Math.max(0, far(-1) - 1)];
    const top = 40 + 9 * over;
    const height = top + side + 62 + (under ? 16 + 7 * under : 0);
    const gap = n > 1 ? (width - 56 - side) / (n - 1) : 0;
    const fall = n > 1 ? 14 / (n - 1) : 0;
    this.plane.style.height = `${height}px`;
    svg.setAttribute("width", width);
    svg.setAttribute("height", height);
    svg.replaceChildren();
    this.brain(width, height);
    this.places = Object.fromEntries(
      tiles.map((tile, k) => {
        const place = { x: 28 + k * gap, y: top + k * fall, side, k };
        tile.place(place, this.view);
        return [tile.state.name, place];
      }),
    );
    this.arrows = scene.transitions.map((transition) => this.arrow(transition));
    this.at(this.time ?? 0);
  }

  // The right hemisphere from its side, back of the head to the left; a hint, not an atlas.
  brain(width, height) {
    const at = (points) => points.map(([x, y]) => `${(x * width) / 100} ${(y * height) / 100}`).join(" ");
    const cerebrum =
      `M${at([[1, 55]])}C${at([[0, 24], [18, 2], [46, 1]])}C${at([[76, 0], [98, 18], [99.5, 50]])}` +
      `C${at([[100, 68], [92, 80], [84, 80]])}C${at([[86, 94], [72, 100], [58, 98]])}` +
      `C${at([[44, 97], [34, 90], [26, 88]])}C${at([[14, 86], [2, 78], [1, 55]])}Z`;
    const cerebellum = `M${at([[9, 81]])}C${at([[8, 96], [20, 103], [30, 97]])}C${at([[33, 95], [33, 92], [31, 90]])}`;
    const lateral = `M${at([[84, 80]])}C${at([[76, 74], [70, 72], [62, 74]])}`;
    for (const d of [cerebellum, cerebrum, lateral]) shape("path", { d, class: "cs-brain" }, this.svg);
  }

  // The number of states that a transition moves forward; 0 for lateral ones, negative for feedback.
  steps({ source, target }) {
    const names = this.scene.states.map((state) => state.name);
    return names.indexOf(target) - names.indexOf(source);
  }

  arrow(transition) {
    const from = this.places[transition.source];
    const to = this.places[transition.target];
    const step = this.steps(transition);
    const way = step > 0 ? "forward" : step < 0 ? "feedback" : "lateral";
    let d, tip, angle;
    if (way === "lateral") {
      const x = from.x + from.side - 22;
      const y = from.y - 2;
      d = `M${x - 8} ${y}C${x - 18} ${y - 26} ${x + 22} ${y - 26} ${x + 9} ${y - 3}`;
      [tip, angle] = [[x + 8, y], 112];
    } else if (way === "forward" && step === 1) {
      const y = (from.y + to.y + from.side) / 2 - 14;
      d = `M${from.x + from.side + 3} ${y}H${to.x - 8}`;
      [tip, angle] = [[to.x - 3, y], 0];
    } else if (way === "forward") {
      const [x1, x2] = [from.x + from.side * 0.7, to.x + to.side * 0.3];
      const top = Math.min(from.y, to.y) - 14 - 9 * step;
      d = `M${x1} ${from.y - 2}C${x1} ${top} ${x2} ${top} ${x2} ${to.y - 7}`;
      [tip, angle] = [[x2, to.y - 2], 90];
    } else if (step === -1) {
      const y = (from.y + to.y + from.side) / 2 + 14;
      d = `M${from.x - 3} ${y}H${to.x + to.side + 8}`;
      [tip, angle] = [[to.x + to.side + 3, y], 180];
    } else {
      const [x1, x2] = [from.x + from.side * 0.35, to.x + to.side * 0.65];
      const low = Math.max(from.y, to.y) + from.side + 38 - 7 * step;
      d = `M${x1} ${from.y + from.side + 38}C${x1} ${low} ${x2} ${low} ${x2} ${to.y + to.side + 42}`;
      [tip, angle] = [[x2, to.y + to.side + 38], -90];
    }
    const group = shape("g", { class: `cs-arrow cs-${way}` }, this.svg);
    shape("path", { d }, group);
    shape("polygon", { points: "0,0 -9,4.5 -9,-4.5", transform: `translate(${tip}) rotate(${angle})` }, group);
    return { group, transition };
  }

  // A ring around the unit whose fields are drawn.
  mark(picked) {
    for (const tile of this.tiles) tile.mark(picked?.state === tile.state.name ? picked : null);
  }

  at(time) {
    this.time = time;
    if (!this.scene) return;
    for (const tile of this.tiles) tile.at(time, this.view);
    let carrying = 0;
    for (const { group, transition } of this.arrows ?? []) {
      group.classList.toggle("cs-on", transition.delivers[time]);
      carrying += transition.delivers[time];
    }
    const { transitions } = this.scene;
    this.caption.textContent = `the ventral stream: ${carrying} of ${transitions.length} connections carry a signal at t = ${time}`;
  }
}

// One state: its movie as bytes (time, channel, y, x), 255 being `scale`.
class Tile {
  constructor(parent, tip, state, bytes, nTimes, scene) {
    Object.assign(this, { tip, state, bytes, scene });
    this.units = state.channels * state.height * state.width;
    this.pixels = state.height * state.width;
    this.averages(nTimes);
    this.box = element("div", { class: "cs-tile", role: "img", tabindex: 0, "data-state": state.name }, parent);
    this.title = element("div", { class: "cs-title" }, this.box, state.name);
    this.canvas = element("canvas", {}, this.box);
    this.empty = element("div", { class: "cs-empty" }, this.box, "empty");
    this.words = element("div", { class: "cs-words" }, this.box);
    this.canvas.addEventListener("pointermove", (event) => this.read(event));
    this.empty.addEventListener("pointermove", (event) => this.read(event));
    this.ring = element("div", { class: "cs-ring", hidden: "" }, this.box);
    this.canvas.addEventListener("click", (event) => this.pickAt(event));
    this.empty.addEventListener("click", (event) => this.pickAt(event));
    this.box.addEventListener("pointerleave", () => this.tip.hide());
    this.box.addEventListener("focus", () => this.readSpot());
    this.box.addEventListener("blur", () => this.tip.hide());
    this.box.addEventListener("keydown", (event) => this.key(event));
  }

  // The value under the pointer is updated while time moves.
  follow() {
    if (document.activeElement === this.box) this.readSpot();
  }

  // With Shift, because the arrow keys alone move time everywhere in the panel.
  key(event) {
    if (event.key === "Enter") {
      event.preventDefault();
      return this.pickAt(this.spotEvent());
    }
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (!event.shiftKey || !moves[event.key]) return;
    event.preventDefault();
    event.stopPropagation();
    const [right, down] = moves[event.key];
    this.spot = { x: this.spot.x + right, y: this.spot.y + down };
    this.readSpot();
  }

  // The text of a pointer at the place that the keys have moved to, at first the middle of the map.
  readSpot() {
    this.read(this.spotEvent());
  }

  spotEvent() {
    const { width, height } = this.canvas;
    const within = (value, n) => Math.min(Math.max(value, 0), n - 1);
    this.spot = { x: within(this.spot?.x ?? width >> 1, width), y: within(this.spot?.y ?? height >> 1, height) };
    const outer = (this.state.populated[this.time] ? this.canvas : this.empty).getBoundingClientRect();
    return {
      clientX: outer.left + ((this.spot.x + 0.5) / width) * outer.width,
      clientY: outer.top + ((this.spot.y + 0.5) / height) * outer.height,
    };
  }

  averages(nTimes) {
    const { channels } = this.state;
    this.mean = new Float32Array(nTimes * this.pixels);
    this.meanTop = 0;
    for (let time = 0; time < nTimes; time++) {
      for (let place = 0; place < this.pixels; place++) {
        let sum = 0;
        for (let c = 0; c < channels; c++) sum += this.bytes[time * this.units + c * this.pixels + place];
        this.mean[time * this.pixels + place] = sum / channels;
        this.meanTop = Math.max(this.meanTop, sum / channels);
      }
    }
  }

  place({ x, y, side }, view) {
    const { channels, height, width } = this.state;
    this.side = side;
    this.columns = view === "all" ? Math.ceil(Math.sqrt(channels)) : 1;
    // one pixel between the channels of a montage
    this.canvas.width = view === "all" ? this.columns * (width + 1) - 1 : width;
    this.canvas.height = view === "all" ? Math.ceil(channels / this.columns) * (height + 1) - 1 : height;
    this.box.style.left = `${x}px`;
    this.box.style.top = `${y - 20}px`;
    this.box.style.width = `${side}px`;
    this.canvas.style.height = this.empty.style.height = `${side}px`;
    this.picture = null;
  }

  at(time, view) {
    const { state, canvas } = this;
    this.time = time;
    const populated = state.populated[time];
    this.box.classList.toggle("cs-populated", populated);
    canvas.style.display = populated ? "block" : "none";
    this.empty.style.display = populated ? "none" : "flex";
    const top = ((view === "all" ? 255 : this.meanTop) / 255) * state.scale;
    const was = state.populated.slice(0, time).includes(true);
    this.words.textContent = populated ? `0 to ${rounded(top)} a.u.` : was ? "nothing arrives any more" : "nothing has arrived";
    this.box.setAttribute("aria-label", `${state.name} at t = ${time}: ${populated ? `map of ${this.scene.quantity}` : "empty"}; arrow keys with Shift move`);
    if (!populated) return this.follow();
    const context = canvas.getContext("2d");
    this.picture ??= context.createImageData(canvas.width, canvas.height);
    if (view === "all") this.paintAll(this.picture.data, time);
    else this.paintMean(this.picture.data, time);
    context.putImageData(this.picture, 0, 0);
    this.follow();
  }

  paintMean(data, time) {
    const gain = this.meanTop ? 255 / this.meanTop : 0;
    for (let place = 0; place < this.pixels; place++) {
      paint(data, place * 4, Math.round(this.mean[time * this.pixels + place] * gain));
    }
  }

  paintAll(data, time) {
    const { channels, height, width } = this.state;
    const across = this.canvas.width;
    for (let c = 0; c < channels; c++) {
      const left = (c % this.columns) * (width + 1);
      const top = Math.floor(c / this.columns) * (height + 1);
      for (let y = 0; y < height; y++) {
        const row = time * this.units + c * this.pixels + y * width;
        for (let x = 0; x < width; x++) paint(data, ((top + y) * across + left + x) * 4, this.bytes[row + x]);
      }
    }
  }

  read(event) {
    const { state, time, canvas } = this;
    if (!state.populated[time]) return this.tip.show(event, [`${state.name}, t = ${time}`, "empty: absent, not zero"]);
    const unit = this.unitAt(event);
    if (!unit) return this.tip.hide();
    const { x, y, channel } = unit;
    const place = y * state.width + x;
    const level = channel !== null
      ? this.bytes[time * this.units + channel * this.pixels + place]
      : this.mean[time * this.pixels + place];
    const what = channel !== null ? `channel ${channel}` : `mean of ${state.channels} channels`;
    this.tip.show(event, [
      `${state.name}, t = ${time}, x = ${x}, y = ${y}`,
      `${what}: ${this.scene.quantity} ≈ ${rounded((level / 255) * state.scale)} a.u.`,
      ...(this.pick ? ["click: what reaches this unit, and what matters to it"] : []),
    ]);
  }

  // The unit at a place of the page, with its channel in the view of all; null between channels.
  unitAt(event) {
    const { state, canvas } = this;
    const outer = canvas.getBoundingClientRect();
    const x = Math.floor(((event.clientX - outer.left) / outer.width) * canvas.width);
    const y = Math.floor(((event.clientY - outer.top) / outer.height) * canvas.height);
    const all = canvas.width !== state.width || canvas.height !== state.height;
    const at = all ? { x: x % (state.width + 1), y: y % (state.height + 1) } : { x, y };
    const channel = all ? Math.floor(y / (state.height + 1)) * this.columns + Math.floor(x / (state.width + 1)) : null;
    const within = at.x >= 0 && at.y >= 0 && at.x < state.width && at.y < state.height && (channel ?? 0) < state.channels;
    return within ? { ...at, channel } : null;
  }

  pickAt(event) {
    if (!this.pick) return;
    const unit = this.state.populated[this.time] ? this.unitAt(event) : { x: 0, y: 0, channel: null };
    if (unit) this.pick(unit);
  }

  mark(picked) {
    this.ring.hidden = !picked;
    if (!picked) return;
    const { width, height } = this.canvas;
    const all = width !== this.state.width || height !== this.state.height;
    if (all && picked.channel === null) return (this.ring.hidden = true);
    const left = all ? (picked.channel % this.columns) * (this.state.width + 1) : 0;
    const top = all ? Math.floor(picked.channel / this.columns) * (this.state.height + 1) : 0;
    this.ring.style.left = `${((left + picked.x + 0.5) / width) * this.side}px`;
    this.ring.style.top = `${20 + ((top + picked.y + 0.5) / height) * this.side}px`;
  }
}

function paint(data, at, level) {
  data[at] = SHADES[level * 3];
  data[at + 1] = SHADES[level * 3 + 1];
  data[at + 2] = SHADES[level * 3 + 2];
  data[at + 3] = 255;
}
