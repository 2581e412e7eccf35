// Drawing for the other files: numbers as text, the colour scale, elements, charts.

const SVG = "http://www.w3.org/2000/svg";
// lines differ in shape and dash too; COLOURS and SEQUENTIAL come from cortexsim/plot/theme.py
const SHAPES = ["circle", "square", "triangle", "diamond", "circle", "square"];
const DASHES = ["", "7 3", "2 3", "9 3 2 3", "4 2", "1 2"];
// directions of transitions, with their names in legends
const DIRECTIONS = { forward: "forward", lateral: "within an area", feedback: "feedback" };

const SHADES = (() => {
  const stops = SEQUENTIAL.map((hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16)));
  const shades = new Uint8ClampedArray(256 * 3);
  for (let level = 0; level < 256; level++) {
    const place = (level / 255) * (stops.length - 1);
    const low = Math.min(Math.floor(place), stops.length - 2);
    for (let c = 0; c < 3; c++) {
      shades[level * 3 + c] = stops[low][c] + (place - low) * (stops[low + 1][c] - stops[low][c]);
    }
  }
  return shades;
})();

function element(name, attributes = {}, parent = null, text = null) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== null) made.textContent = text;
  parent?.append(made);
  return made;
}

function shape(name, attributes = {}, parent = null, text = null) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== null) made.textContent = text;
  parent?.append(made);
  return made;
}

function rounded(value, digits = 3) {
  return value === 0 ? "0" : String(Number(value.toPrecision(digits)));
}

function listed(names) {
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}

function marker(name, x, y, colour, parent) {
  const style = { fill: colour, stroke: "none" };
  if (name === "circle") return shape("circle", { cx: x, cy: y, r: 3.2, ...style }, parent);
  if (name === "square") return shape("rect", { x: x - 3, y: y - 3, width: 6, height: 6, ...style }, parent);
  const corners = name === "triangle" ? [[0, -4], [4, 3], [-4, 3]] : [[0, -4], [4, 0], [0, 4], [-4, 0]];
  return shape("polygon", { points: corners.map(([dx, dy]) => `${x + dx},${y + dy}`).join(" "), ...style }, parent);
}

// How many px of the page are one of an element in a panel that is enlarged as a whole.
function zoomOf(node) {
  return node.currentCSSZoom ?? 1;
}

// A small text next to the pointer, inside the panel.
class Tip {
  constructor(root) {
    this.root = root;
    this.box = element("div", { class: "cs-tip", role: "status", hidden: "" }, root);
  }

  show(event, lines) {
    this.box.replaceChildren(...lines.map((line) => element("div", {}, null, line)));
    this.box.hidden = false;
    const outer = this.root.getBoundingClientRect();
    const zoom = zoomOf(this.root);
    const x = (event.clientX - outer.left) / zoom + 14;
    const left = x + this.box.offsetWidth > outer.width / zoom ? x - this.box.offsetWidth - 28 : x;
    this.box.style.left = `${Math.max(0, left)}px`;
    this.box.style.top = `${(event.clientY - outer.top) / zoom + 12}px`;
  }

  hide() {
    this.box.hidden = true;
  }
}

// The size of text in an element, and the width of the longest of several texts, in px.
function textSize(node) {
  return parseFloat(getComputedStyle(node).fontSize);
}

const measuring = document.createElement("canvas").getContext("2d");
function widest(node, texts) {
  const { fontSize, fontFamily } = getComputedStyle(node);
  measuring.font = `${fontSize} ${fontFamily}`;
  return Math.max(0, ...texts.map((text) => measuring.measureText(text).width));
}

// Lines over time, from 0 to 1, each labelled at its end.
class Chart {
  constructor(parent, tip, name) {
    this.tip = tip;
    this.figure = element("figure", { class: `cs-chart cs-${name}` }, parent);
    this.caption = element("figcaption", {}, this.figure);
    this.svg = shape("svg", { role: "img", tabindex: 0 }, this.figure);
    this.cover = element("div", { class: "cs-cover", hidden: "" }, this.figure);
    this.svg.addEventListener("pointermove", (event) => this.read(event));
    this.svg.addEventListener("pointerleave", () => this.tip.hide());
    this.svg.addEventListener("focus", () => this.readNow());
    this.svg.addEventListener("blur", () => this.tip.hide());
    this.time = 0;
    this.content = null;
  }

  covered(text) {
    this.cover.textContent = text;
    this.cover.hidden = !text;
    this.svg.toggleAttribute("aria-hidden", Boolean(text));
    this.svg.style.visibility = text ? "hidden" : "visible";
  }

  set(content) {
    this.content = content;
    this.draw();
  }

  draw() {
    const { content, svg } = this;
    svg.replaceChildren();
    this.cursor = null;
    this.caption.textContent = content?.title ?? "";
    // outside of a page text has no size; the first size of the page draws it
    if (!content || !svg.isConnected) return;
    svg.setAttribute("aria-label", content.spoken);
    const width = Math.max(this.figure.clientWidth, 220);
    svg.setAttribute("width", width);
    this.em = textSize(this.figure);
    const labels = [...content.series.filter((one) => one.named).map((one) => one.name), content.chance ? "chance 0.00" : ""];
    this.box = { left: 3.8 * this.em + 11, right: width - widest(this.figure, labels) - 22, top: 8, bottom: 124 };
    svg.setAttribute("height", this.box.bottom + 2.7 * this.em);
    this.axes();
    for (const [k, series] of content.series.entries()) this.line(series, k);
    this.names();
    if (content.message) {
      const middle = (this.box.left + this.box.right) / 2;
      shape("text", { x: middle, y: 76, "text-anchor": "middle", class: "cs-said" }, svg, content.message);
    }
    this.cursor = shape("line", { y1: this.box.top, y2: this.box.bottom, class: "cs-cursor" }, svg);
    // the line passes behind words
    svg.append(...svg.querySelectorAll(".cs-over"));
    this.at(this.time);
  }

  x(time) {
    const { left, right } = this.box;
    const last = this.content.times.at(-1);
    return left + 6 + (time / last) * (right - left - 12);
  }

  y(value) {
    return this.box.bottom - value * (this.box.bottom - this.box.top);
  }

  axes() {
    const { svg, box, content } = this;
    for (const start of content.times.filter((time) => content.empty[time])) {
      const half = (this.x(1) - this.x(0)) / 2;
      const from = Math.max(this.x(start) - half, box.left);
      const wide = Math.min(this.x(start) + half, box.right) - from;
      shape("rect", { x: from, y: box.top, width: wide, height: box.bottom - box.top, class: "cs-none" }, svg);
    }
    const none = content.times.filter((time) => content.empty[time]);
    if (none.length) {
      const x = Math.max(this.x(none[0]) - 2, box.left + 2);
      shape("text", { x, y: box.top + this.em, class: "cs-small cs-over" }, svg, "empty");
    }
    shape("path", { d: `M${box.left} ${box.top}V${box.bottom}H${box.right}`, class: "cs-axis" }, svg);
    for (const value of [0, 0.25, 0.5, 0.75, 1]) {
      const y = this.y(value);
      shape("line", { x1: box.left - 4, x2: box.left, y1: y, y2: y, class: "cs-axis" }, svg);
      shape("text", { x: box.left - 7, y: y + 4, "text-anchor": "end", class: "cs-small" }, svg, String(value));
    }
    const every = content.times.length > 16 ? 4 : content.times.length > 9 ? 2 : 1;
    for (const time of content.times.filter((time) => time % every === 0)) {
      const x = this.x(time);
      shape("line", { x1: x, x2: x, y1: box.bottom, y2: box.bottom + 4, class: "cs-axis" }, svg);
      shape("text", { x, y: box.bottom + 4 + this.em, "text-anchor": "middle", class: "cs-small" }, svg, String(time));
    }
    const middle = (box.left + box.right) / 2;
    shape("text", { x: middle, y: box.bottom + 5 + 2.1 * this.em, "text-anchor": "middle", class: "cs-label" }, svg, "time (steps)");
    const up = (box.top + box.bottom) / 2;
    const turned = { x: 0, y: 0, transform: `translate(${this.em} ${up}) rotate(-90)`, "text-anchor": "middle", class: "cs-label" };
    shape("text", turned, svg, content.yLabel);
    if (content.chance) {
      const y = this.y(content.chance);
      shape("line", { x1: box.left, x2: box.right, y1: y, y2: y, class: "cs-chance" }, svg);
    }
    const marks = content.marks ?? [];
    for (const { time } of marks) {
      shape("line", { x1: this.x(time), x2: this.x(time), y1: box.top, y2: box.bottom, class: "cs-mark" }, svg);
    }
    for (const [place, { time, label }] of marks.entries()) {
      const x = this.x(time);
      const near = x > box.right - 70 ? "end" : "start";
      const at = { x: x + (near === "end" ? -4 : 4), y: box.bottom - 5 - 1.15 * this.em * place, "text-anchor": near };
      shape("text", { ...at, class: "cs-small cs-over" }, svg, label);
    }
  }

  line(series, k) {
    const { svg, content } = this;
    const colour = series.named ? COLOURS[k % COLOURS.length] : "var(--cs-faint)";
    const known = content.times.filter((time) => series.values[time] != null);
    if (series.low) {
      for (const time of known) {
        const [x, low, high] = [this.x(time), this.y(series.low[time]), this.y(series.high[time])];
        shape("path", { d: `M${x - 3} ${low}h6M${x - 3} ${high}h6M${x} ${low}V${high}`, stroke: colour, class: "cs-band" }, svg);
      }
    }
    const path = known.map((time, place) => {
      const joined = place > 0 && known[place - 1] === time - 1;
      return `${joined ? "L" : "M"}${this.x(time)} ${this.y(series.values[time])}`;
    });
    const dash = series.named ? DASHES[k % DASHES.length] : "";
    shape("path", { d: path.join(""), stroke: colour, "stroke-dasharray": dash, class: "cs-line" }, svg);
    if (!series.named) return;
    for (const time of known) marker(SHAPES[k % SHAPES.length], this.x(time), this.y(series.values[time]), colour, svg);
  }

  names() {
    const { svg, box, content } = this;
    const ends = [];
    for (const [k, series] of content.series.entries()) {
      const last = series.values.findLast((value) => value != null);
      if (series.named && last !== undefined) ends.push({ k, y: this.y(last), text: series.name });
    }
    if (content.chance) ends.push({ k: -1, y: this.y(content.chance), text: `chance ${rounded(content.chance, 2)}` });
    // labels are moved apart if they would overlap, and up if they would leave the chart
    const row = 1.15 * this.em;
    ends.sort((one, other) => one.y - other.y);
    for (const [place, end] of ends.entries()) end.y = Math.max(end.y, place ? ends[place - 1].y + row : box.top + 4);
    for (let place = ends.length - 1, lowest = box.bottom; place >= 0; place--, lowest -= row) {
      ends[place].y = Math.min(ends[place].y, lowest);
    }
    for (const { k, y, text } of ends) {
      if (k >= 0) marker(SHAPES[k % SHAPES.length], box.right + 9, y, COLOURS[k % COLOURS.length], svg);
      shape("text", { x: box.right + 16, y: y + 4, class: "cs-small" }, svg, text);
    }
  }

  at(time) {
    this.time = time;
    if (!this.cursor) return;
    const x = this.x(Math.min(time, this.content.times.at(-1)));
    this.cursor.setAttribute("x1", x);
    this.cursor.setAttribute("x2", x);
    if (document.activeElement === this.svg) this.readNow();
  }

  // The text of a pointer at the cursor, for users who move the time by keys.
  readNow() {
    if (!this.content) return;
    const outer = this.svg.getBoundingClientRect();
    const x = this.x(Math.min(this.time, this.content.times.at(-1)));
    const zoom = zoomOf(this.svg);
    this.read({ clientX: outer.left + x * zoom, clientY: outer.top + this.box.top * zoom });
  }

  read(event) {
    if (!this.content) return;
    const { times, series, empty } = this.content;
    const x = (event.clientX - this.svg.getBoundingClientRect().left) / zoomOf(this.svg);
    const place = (x - this.x(0)) / (this.x(1) - this.x(0));
    const time = Math.min(Math.max(Math.round(place), 0), times.at(-1));
    const lines = series
      .filter((one) => one.values[time] != null)
      .toSorted((one, other) => other.values[time] - one.values[time])
      .slice(0, 6)
      .map((one) => {
        const between = one.low ? ` (95 %: ${one.low[time].toFixed(2)} to ${one.high[time].toFixed(2)})` : "";
        return `${one.name}: ${one.values[time].toFixed(3)}${between}`;
      });
    if (!lines.length) lines.push(empty[time] ? "empty: nothing to read out" : "no value");
    this.tip.show(event, [`t = ${time}`, ...lines]);
  }
}
