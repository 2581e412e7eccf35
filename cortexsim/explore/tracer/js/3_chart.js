// Steps needed against length of the curve: a point for each drawing, the test set as a line, and the fastest possible.

class StepsChart {
  constructor(svg, known) {
    this.svg = svg;
    this.known = known; // [{ length, steps }] of the test set
    this.drawn = []; // the same for each drawing that was solved
  }

  add(length, steps) {
    this.drawn.push({ length, steps });
    this.draw();
  }

  draw() {
    // drawn at the size at which it is shown, so that text keeps its size on a phone
    const width = Math.max(260, this.svg.clientWidth);
    const [height, left, right, top, bottom] = [240, 52, 96, 10, 42];
    const most = Math.max(70, ...this.drawn.map(({ length, steps }) => Math.max(length, steps) * 1.1));
    const x = (length) => left + (length / most) * (width - left - right);
    const y = (steps) => height - bottom - (steps / most) * (height - top - bottom);
    this.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.svg.replaceChildren();
    this.#axes(x, y, most, { width, height, left, right, top, bottom });
    this.#add("line", { class: "bound", x1: x(0), y1: y(0), x2: x(most), y2: y(most) });
    this.#add("text", { class: "quiet", x: x(most) + 4, y: y(most) + 10 }, "1 px a step");
    if (this.known.length) {
      const place = ({ length, steps }) => `${x(length)},${y(steps)}`;
      this.#add("polyline", { class: "known", points: this.known.map(place).join(" ") });
      const end = this.known.at(-1);
      this.#add("text", { class: "quiet", x: x(end.length) + 4, y: y(end.steps) + 16 }, "test set");
    }
    this.drawn.forEach(({ length, steps }, index) => {
      const newest = index === this.drawn.length - 1 ? "drawn newest" : "drawn";
      this.#add("circle", { class: newest, cx: x(length), cy: y(steps), r: 5 });
    });
  }

  #axes(x, y, most, { width, height, left, right, top, bottom }) {
    this.#add("path", { class: "axis", d: `M${left},${top}V${height - bottom}H${width - right}` });
    const spacing = most > 160 ? 50 : 20;
    for (let tick = 0; tick <= most; tick += spacing) {
      this.#add("text", { x: x(tick), y: height - bottom + 18, "text-anchor": "middle" }, String(tick));
      this.#add("text", { x: left - 6, y: y(tick) + 5, "text-anchor": "end" }, String(tick));
    }
    const middle = { x: (left + width - right) / 2, y: height - 4, "text-anchor": "middle" };
    this.#add("text", middle, "length of the curve (px)");
    const side = `translate(14 ${(top + height - bottom) / 2}) rotate(-90)`;
    this.#add("text", { transform: side, "text-anchor": "middle" }, "steps needed");
  }

  #add(name, attributes, text = "") {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.textContent = text;
    this.svg.append(made);
  }
}
