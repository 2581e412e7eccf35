// Matrix and unrolled graph side by side; the browser edits the list of transitions, the kernel derives the rest.

const HOP_MS = 650; // the dots travel most of it

class Editor {
  constructor(model, el) {
    this.model = model;
    this.root = element("div", { class: "cs-stage cs-editor" }, el);
    const act = {
      select: (source, target) => this.send("selected", [source, target]),
      toggle: (source, target) => (this.find(source, target) ? act.cut(source, target) : act.link(source, target, this.picture.allowed[`${source}->${target}`][0])),
      connect: (source, target) => {
        act.select(source, target);
        if (!this.find(source, target)) act.toggle(source, target);
      },
      cut: (source, target) => this.find(source, target) && this.send("transitions", this.others(source, target)),
      link: (source, target, kind, times) => this.link(source, target, kind, times),
      steer: (time) => this.bar.steer(time),
    };
    const left = element("div", { class: "cs-left" }, this.root);
    this.matrix = new Matrix(left, act);
    this.chosen = new Chosen(left, act);
    element("div", { class: "cs-hint" }, left, "Press an empty cell to link two areas, or drag from box to box; press the chosen cell again to cut the link. Keys: arrows, Enter, Delete, Ctrl+Z. Drag over the times.");
    const right = element("div", { class: "cs-right" }, this.root);
    this.bar = new TimeBar(right, model, {
      draw: (place, time) => this.draw(time),
      travel: (time, done) => this.unrolled.travel(time, done),
      everyMs: HOP_MS,
    });
    // everywhere else the arrow keys belong to the matrix
    this.bar.listen(this.bar.box);
    this.tip = new Tip(this.root);
    this.unrolled = new Unrolled(right, this.tip, act);
    this.legend(right);
    this.facts = element("div", { class: "cs-facts", "aria-live": "polite" }, right);
    this.cover = model.get("cover");
    this.root.addEventListener("keydown", (event) => this.key(event));
    this.observer = new ResizeObserver(() => this.resize(right));
    this.observer.observe(right);
    this.listeners = {
      picture: () => this.set(),
      transitions: () => this.edited(),
      selected: () => this.edited(),
      readout_time: () => this.set(),
      cover: () => this.set(),
    };
    for (const [name, listener] of Object.entries(this.listeners)) model.on(`change:${name}`, listener);
    this.set();
  }

  remove() {
    this.bar.remove();
    this.observer.disconnect();
    for (const [name, listener] of Object.entries(this.listeners)) this.model.off(`change:${name}`, listener);
  }

  legend(parent) {
    const legend = element("div", { class: "cs-legend" }, parent);
    const entry = (width, name) => {
      const row = element("span", {}, legend);
      const svg = shape("svg", { width, height: 14, "aria-hidden": "true" }, row);
      row.append(name);
      return svg;
    };
    for (const [kind, name] of [...Object.entries(DIRECTIONS), ["forward cs-idle", "not needed for the readout"]]) {
      shape("line", { x1: 0, x2: 28, y1: 7, y2: 7, class: `cs-edge cs-past cs-${kind}` }, entry(28, name));
    }
    for (const [kind, name] of [["cs-populated cs-lit", "populated"], ["cs-populated", "populated later"], ["", "empty"]]) {
      shape("rect", { x: 1, y: 1, width: 12, height: 12, rx: 3, class: `cs-node ${kind}` }, entry(14, name));
    }
  }

  // --- the list of transitions

  find(source, target) {
    return this.model.get("transitions").find((one) => one.source === source && one.target === target);
  }

  others(source, target) {
    return this.model.get("transitions").filter((one) => one.source !== source || one.target !== target);
  }

  link(source, target, kind, times) {
    if (!kind) return;
    const open = times ?? this.find(source, target)?.times ?? [[1, null]];
    const kept = this.others(source, target);
    this.send("transitions", open.length ? [...kept, { source, target, kind, times: open }] : kept);
  }

  send(name, value) {
    this.model.set(name, value);
    this.model.save_changes();
  }

  // --- what is shown

  set() {
    const picture = this.model.get("picture");
    if (!picture?.states) return;
    this.picture = picture;
    const cover = this.model.get("cover");
    const uncovered = this.cover && !cover;
    this.cover = cover;
    this.bar.lock(Boolean(cover));
    this.edited();
    this.unrolled.set(picture, this.model.get("readout_time"), Boolean(cover));
    this.facts.replaceChildren();
    if (picture.refused && !cover) {
      const box = element("div", { class: "cs-refused", role: "alert" }, this.facts);
      element("b", {}, box, `${picture.heading}: `);
      box.append(`${picture.refused}. ${picture.then}`);
    }
    for (const [name, text] of cover ? [] : picture.facts) {
      const row = element("div", {}, this.facts);
      element("span", {}, row, name);
      element("b", {}, row, text);
    }
    this.bar.set([...Array(picture.until + 1).keys()]);
    this.root.dataset.pictures = Number(this.root.dataset.pictures ?? 0) + 1;
    // show the predicted event
    if (uncovered) this.bar.toggle();
  }

  edited() {
    if (!this.picture) return;
    const [transitions, selected] = [this.model.get("transitions"), this.model.get("selected")];
    // another start graph has other states: its matrix and its transitions arrive one after the other
    if (!this.picture.allowed[selected.join("->")]) return;
    this.matrix.set(this.picture, transitions, selected);
    this.chosen.set(this.picture, transitions, selected);
  }

  resize(right) {
    if (right.clientWidth === this.width) return;
    this.width = right.clientWidth;
    this.unrolled.draw();
  }

  draw(time) {
    this.unrolled.at(time);
    this.bar.describe(this.unrolled.svg.getAttribute("aria-label"));
    // last: this attribute shows that everything else is drawn
    this.root.dataset.time = time;
  }

  key(event) {
    if ((event.ctrlKey || event.metaKey) && event.key === "z") {
      this.model.send({ act: "undo" });
      event.preventDefault();
      event.stopPropagation();
    }
  }
}

export default following({
  render({ model, el }) {
    const editor = new Editor(model, el);
    return () => editor.remove();
  },
});
