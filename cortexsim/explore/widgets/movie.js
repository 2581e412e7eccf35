// Films with one time slider: a map for each state, a matrix of dissimilarities, and the time courses of pinned places.
// The slider moves the cursors of the figures next to it, too.

const EMPTY_LEVEL = 255; // levels 0 to 254 span a film's scale
const MOST_PINS = COLOURS.length;

class Movie {
  constructor(model, el) {
    this.model = model;
    this.root = element("div", { class: "cs-stage cs-movie" }, el);
    this.tip = new Tip(this.root);
    this.bar = new TimeBar(this.root, model, { draw: () => this.draw() });
    this.bar.listen(this.root);
    this.sentence = element("div", { class: "cs-sentence", "aria-live": "polite" }, this.root);
    this.views = element("div", { class: "cs-views" }, this.root);
    this.cursors = new Cursors(this.root);
    this.width = 0;
    this.observer = new ResizeObserver(() => {
      // only now is it certain to be in the page
      this.cursors.begin();
      if (this.root.clientWidth === this.width) return;
      this.width = this.root.clientWidth;
      this.drawPins();
    });
    this.observer.observe(this.root);
    this.listeners = {
      scene: () => this.set(),
      shown: () => this.choose(),
      pinned: () => this.drawPins(),
    };
    for (const [name, listener] of Object.entries(this.listeners)) model.on(`change:${name}`, listener);
    this.set();
  }

  remove() {
    this.bar.remove();
    this.cursors.remove();
    this.observer.disconnect();
    for (const [name, listener] of Object.entries(this.listeners)) this.model.off(`change:${name}`, listener);
  }

  // --- what is shown

  set() {
    const scene = this.model.get("scene");
    this.scene = scene?.times ? scene : null;
    this.root.classList.toggle("cs-waiting", !this.scene);
    if (!this.scene) return;
    this.views.replaceChildren();
    this.maps();
    const { buffer, byteOffset } = this.model.get("movie");
    let offset = byteOffset;
    this.films = scene.films.map((film) => {
      const size = (film.kind === "map" ? scene.shown.length : 1) * scene.times.length * film.height * film.width;
      const made = new Film(this, film.kind === "map" ? this.row : this.views, film, new Uint8Array(buffer, offset, size));
      offset += size;
      return made;
    });
    for (const kind of ["map", "rdm"]) this.charts[kind] = this.chart(kind);
    this.pick();
    this.bar.set(scene.times);
    this.root.dataset.scene = (Number(this.root.dataset.scene) || 0) + 1;
  }

  maps() {
    const { scene } = this;
    this.charts = {};
    const figure = element("figure", { class: "cs-maps" }, this.views);
    const caption = element("figcaption", {}, figure, `activity maps: ${scene.quantity} `);
    const label = element("label", {}, caption, "of ");
    this.menu = element("select", {}, label);
    for (const [k, name] of scene.shown.entries()) element("option", { value: k }, this.menu, name);
    this.menu.addEventListener("change", () => {
      this.model.set("shown", Number(this.menu.value));
      this.model.save_changes();
      this.choose();
    });
    this.row = element("div", { class: "cs-row" }, figure);
    const screen = element("div", { class: "cs-frame", role: "img" }, this.row);
    element("div", { class: "cs-title" }, screen, "on the screen");
    this.picture = element("canvas", {}, screen);
    [this.picture.height, this.picture.width] = scene.screen;
    this.blank = element("div", { class: "cs-empty" }, screen, "nothing enters");
    this.screen = screen;
  }

  choose() {
    if (!this.scene) return;
    this.pick();
    this.draw();
  }

  // The image of the maps, at all times.
  pick() {
    this.shown = Math.min(this.model.get("shown"), this.scene.shown.length - 1);
    this.menu.value = this.shown;
    const pixels = this.model.get("screen");
    const [height, width] = this.scene.screen;
    const context = this.picture.getContext("2d");
    const image = context.createImageData(width, height);
    for (let place = 0; place < height * width; place++) {
      const start = (this.shown * height * width + place) * 3;
      for (let c = 0; c < 3; c++) image.data[place * 4 + c] = pixels.getUint8(start + c);
      image.data[place * 4 + 3] = 255;
    }
    context.putImageData(image, 0, 0);
    this.drawPins();
  }

  // --- time

  get place() {
    return this.bar.place;
  }

  get time() {
    return this.bar.time;
  }

  draw() {
    const { scene, place } = this;
    const enters = scene.shownAt[place] === "image";
    this.picture.style.display = enters ? "block" : "none";
    this.blank.style.display = enters ? "none" : "flex";
    this.screen.setAttribute("aria-label", enters ? scene.shown[this.shown] : "nothing enters");
    for (const film of this.films) film.at(place);
    for (const chart of Object.values(this.charts)) chart.at(place);
    this.cursors.at(this.time);
    const maps = scene.films.filter((film) => film.kind === "map");
    const empty = maps.filter((film) => !film.populated[place]).map((film) => film.name);
    const said = [`t = ${this.time}: ${ENTERS[scene.shownAt[place]]} on the screen.`];
    said.push(empty.length ? `${listed(empty)} ${empty.length > 1 ? "are" : "is"} empty.` : "All areas are active.");
    said.push("Point at a map or matrix to read a value; click, or press Enter on it, to pin.");
    this.sentence.textContent = said.join(" ");
    this.bar.describe(said[0]);
    // last: this attribute shows that everything else is drawn
    this.root.dataset.time = this.time;
  }

  // --- pins

  pin(one) {
    const before = this.model.get("pinned");
    const rest = before.filter((other) => ["film", "y", "x"].some((key) => other[key] !== one[key]));
    const pins = rest.length < before.length ? rest : [...rest, one].slice(-MOST_PINS);
    this.model.set("pinned", pins);
    this.model.save_changes();
    this.drawPins();
  }

  chart(kind) {
    const parent = kind === "map" ? this.row : this.films.find((film) => film.film.kind === "rdm")?.box;
    return new Course(parent ?? this.views, this, kind);
  }

  drawPins() {
    if (!this.scene || !this.films) return;
    const pins = this.model.get("pinned");
    for (const [kind, chart] of Object.entries(this.charts)) {
      const mine = pins.filter((one) => this.films[one.film]?.film.kind === kind && this.films[one.film].contains(one));
      chart.set(mine);
      for (const [k, film] of this.films.entries()) {
        if (film.film.kind === kind) film.marks(mine.map((one, n) => ({ ...one, n })).filter((one) => one.film === k));
      }
    }
    this.root.dataset.pinned = pins.length;
  }
}

// One film: bytes (shown, time, y, x) of a map, or (time, y, x) of a matrix.
class Film {
  constructor(movie, parent, film, bytes) {
    Object.assign(this, { movie, film, bytes, cell: null });
    const rdm = film.kind === "rdm";
    this.box = element(rdm ? "figure" : "div", { class: rdm ? "cs-matrix" : "cs-frame" }, parent);
    const title = rdm ? `${film.name}: dissimilarity of its responses to any two of ${film.height} stimuli` : film.name;
    element(rdm ? "figcaption" : "div", { class: "cs-title" }, this.box, title);
    this.plane = element("div", { class: "cs-plane" }, this.box);
    this.canvas = element("canvas", { tabindex: 0, role: "img" }, this.plane);
    [this.canvas.height, this.canvas.width] = [film.height, film.width];
    this.over = shape("svg", { viewBox: `0 0 ${film.width} ${film.height}`, "aria-hidden": "true" }, this.plane);
    this.empty = element("div", { class: "cs-empty" }, this.plane, "empty");
    const scale = element("div", { class: "cs-legend" }, this.box);
    element("span", {}, scale, rounded(film.low));
    element("span", { class: "cs-scale", "aria-hidden": "true" }, scale).style.background =
      `linear-gradient(to right, ${SEQUENTIAL.join(",")})`;
    element("span", {}, scale, `${rounded(film.high)}${film.unit ? ` ${film.unit}` : ""}`);
    if (rdm) element("span", {}, scale, film.quantity);
    this.groups = shape("g", {}, this.over);
    for (const { name, from, to } of film.groups ?? []) {
      const edge = `M${to} 0V${film.height}M0 ${to}H${film.width}`;
      if (to < film.width) shape("path", { d: edge, class: "cs-edge" }, this.groups);
      const text = element("span", { class: "cs-group", title: name }, this.plane, name);
      text.style.left = `${(100 * from) / film.width}%`;
      text.style.width = `${(100 * (to - from)) / film.width}%`;
    }
    this.pins = shape("g", {}, this.over);
    this.cross = shape("rect", { width: 1, height: 1, class: "cs-cross", visibility: "hidden" }, this.over);
    for (const at of [this.canvas, this.empty]) {
      at.addEventListener("pointermove", (event) => this.read(event, this.under(event)));
      at.addEventListener("click", (event) => this.press(this.under(event)));
    }
    this.plane.addEventListener("pointerleave", () => movie.tip.hide());
    this.canvas.addEventListener("keydown", (event) => this.key(event));
    this.canvas.addEventListener("blur", () => this.cross.setAttribute("visibility", "hidden"));
  }

  value(place, y, x) {
    const { film, movie } = this;
    const frame = (film.kind === "map" ? movie.shown * movie.scene.times.length : 0) + place;
    const level = this.bytes[(frame * film.height + y) * film.width + x];
    return level === EMPTY_LEVEL ? null : film.low + (level / (EMPTY_LEVEL - 1)) * (film.high - film.low);
  }

  course({ y, x }) {
    return this.movie.scene.times.map((_, place) => this.value(place, y, x));
  }

  contains({ y, x }) {
    return y < this.film.height && x < this.film.width;
  }

  called({ y, x }) {
    const { film } = this;
    return film.kind === "rdm" ? `${film.names[y]} and ${film.names[x]}` : `${film.name}, y ${y}, x ${x}`;
  }

  at(place) {
    const { film, movie, canvas } = this;
    this.time = place;
    const populated = film.populated[place];
    this.empty.style.display = populated ? "none" : "flex";
    const what = film.kind === "rdm" ? `dissimilarities in ${film.name}` : `map of ${film.name}`;
    canvas.setAttribute("aria-label", `${what} at t = ${movie.time}${populated ? "" : ": empty"}; arrow keys with Shift move, Enter pins`);
    if (!populated) return;
    const context = canvas.getContext("2d");
    this.image ??= context.createImageData(film.width, film.height);
    const size = film.height * film.width;
    const start = ((film.kind === "map" ? movie.shown * movie.scene.times.length : 0) + place) * size;
    for (let k = 0; k < size; k++) {
      const level = this.bytes[start + k];
      const shade = Math.min(level + (level >> 7), 255) * 3;
      for (let c = 0; c < 3; c++) this.image.data[k * 4 + c] = SHADES[shade + c];
      this.image.data[k * 4 + 3] = level === EMPTY_LEVEL ? 0 : 255;
    }
    context.putImageData(this.image, 0, 0);
  }

  under(event) {
    const outer = this.plane.getBoundingClientRect();
    const at = (share, n) => Math.min(Math.max(Math.floor(share * n), 0), n - 1);
    return {
      y: at((event.clientY - outer.top) / outer.height, this.film.height),
      x: at((event.clientX - outer.left) / outer.width, this.film.width),
    };
  }

  read(event, cell) {
    const { film, movie } = this;
    const value = this.value(this.time, cell.y, cell.x);
    const quantity = film.kind === "rdm" ? film.quantity : movie.scene.quantity;
    const read = value === null ? "empty: absent, not zero" : `${quantity} ≈ ${rounded(value)}${film.unit ? ` ${film.unit}` : ""}`;
    movie.tip.show(event, [`${this.called(cell)}, t = ${movie.time}`, read]);
  }

  press(cell) {
    this.movie.pin({ film: this.movie.films.indexOf(this), ...cell });
  }

  // with Shift, because the arrow keys alone move time everywhere in the panel
  key(event) {
    const { film } = this;
    const moves = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
    this.cell ??= { y: film.height >> 1, x: film.width >> 1 };
    if (event.key === "Enter") this.press(this.cell);
    else if (event.shiftKey && moves[event.key]) {
      const [down, right] = moves[event.key];
      const within = (value, n) => Math.min(Math.max(value, 0), n - 1);
      this.cell = { y: within(this.cell.y + down, film.height), x: within(this.cell.x + right, film.width) };
    } else return;
    event.preventDefault();
    event.stopPropagation();
    this.cross.setAttribute("x", this.cell.x);
    this.cross.setAttribute("y", this.cell.y);
    this.cross.setAttribute("visibility", "visible");
    const outer = this.plane.getBoundingClientRect();
    const at = { clientX: outer.left + ((this.cell.x + 1) / film.width) * outer.width, clientY: outer.top + ((this.cell.y + 1) / film.height) * outer.height };
    this.read(at, this.cell);
  }

  marks(pins) {
    this.pins.replaceChildren();
    const size = Math.max(this.film.height / 24, 1);
    for (const { y, x, n } of pins) {
      const middle = { x: x + 0.5 - size / 2, y: y + 0.5 - size / 2, width: size, height: size };
      shape("rect", { ...middle, stroke: COLOURS[n % COLOURS.length], class: "cs-pin" }, this.pins);
    }
  }
}

// The time courses of pinned places in films of one kind, on the scale of the films.
class Course {
  constructor(parent, movie, kind) {
    Object.assign(this, { movie, kind, pins: [] });
    this.box = element("div", { class: "cs-course" }, parent);
    this.quantity = element("div", { class: "cs-title" }, this.box);
    this.svg = shape("svg", { role: "img", height: 108 }, this.box);
    this.names = element("div", { class: "cs-legend" }, this.box);
  }

  set(pins) {
    this.pins = pins;
    const { svg, names, movie } = this;
    svg.replaceChildren();
    names.replaceChildren();
    this.cursor = null;
    for (const part of [svg, this.quantity]) part.style.display = pins.length ? "block" : "none";
    if (!pins.length) return;
    const courses = pins.map((one) => movie.films[one.film].course(one));
    const scale = movie.scene.films.filter((film, k) => pins.some((one) => one.film === k));
    const { unit } = scale[0];
    this.quantity.textContent = (this.kind === "rdm" ? scale[0].quantity : movie.scene.quantity) + (unit ? ` (${unit})` : "");
    const [low, high] = [Math.min(...scale.map((film) => film.low)), Math.max(...scale.map((film) => film.high))];
    const width = Math.max(this.box.clientWidth, 180);
    svg.setAttribute("width", width);
    const { times } = movie.scene;
    this.x = (place) => 44 + (place / Math.max(times.length - 1, 1)) * (width - 56);
    const y = (value) => 78 - ((value - low) / (high - low || 1)) * 70;
    shape("path", { d: `M38 8V78H${width - 6}`, class: "cs-axis" }, svg);
    for (const value of [low, (low + high) / 2, high]) {
      shape("text", { x: 34, y: y(value) + 4, "text-anchor": "end", class: "cs-small" }, svg, rounded(value, 2));
    }
    const every = Math.ceil((times.length * 22) / (width - 56));
    for (const [place, time] of times.entries()) {
      if (place % every === 0) shape("text", { x: this.x(place), y: 91, "text-anchor": "middle", class: "cs-small" }, svg, String(time));
    }
    shape("text", { x: (38 + width) / 2, y: 105, "text-anchor": "middle", class: "cs-small" }, svg, "time (steps)");
    for (const [n, values] of courses.entries()) {
      const known = values.map((value, place) => ({ value, place })).filter((one) => one.value !== null);
      const joined = known.map(({ value, place }, k) => `${k && known[k - 1].place === place - 1 ? "L" : "M"}${this.x(place)} ${y(value)}`);
      const colour = COLOURS[n % COLOURS.length];
      shape("path", { d: joined.join(""), stroke: colour, "stroke-dasharray": DASHES[n % DASHES.length], class: "cs-line" }, svg);
      for (const { value, place } of known) marker(SHAPES[n % SHAPES.length], this.x(place), y(value), colour, svg);
      const row = element("span", { class: "cs-pinned" }, names);
      marker(SHAPES[n % SHAPES.length], 6, 6, colour, shape("svg", { width: 12, height: 12, "aria-hidden": "true" }, row));
      row.append(movie.films[pins[n].film].called(pins[n]));
      const away = element("button", { type: "button", "aria-label": `remove ${row.textContent}`, title: "remove" }, row, "×");
      away.addEventListener("click", () => movie.pin(pins[n]));
    }
    svg.setAttribute("aria-label", `time courses of ${names.textContent}`);
    this.cursor = shape("line", { y1: 8, y2: 78, class: "cs-cursor" }, svg);
    this.at(movie.place);
  }

  at(place) {
    if (!this.cursor) return;
    for (const end of ["x1", "x2"]) this.cursor.setAttribute(end, this.x(place));
  }
}

export default following({
  render({ model, el }) {
    const movie = new Movie(model, el);
    return () => movie.remove();
  },
});
