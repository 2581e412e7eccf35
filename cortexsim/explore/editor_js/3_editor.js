// Matrix and unrolled graph side by side; the browser edits the list of transitions, the kernel says what follows.

const PLAY_MS = 650;

class Editor {
  constructor(model, el) {
    this.model = model;
    // JupyterLab's own single-key commands must not act while a person edits
    this.root = element("div", { class: "cs-stage cs-editor", "data-lm-suppress-shortcuts": "true" }, el);
    const act = {
      select: (source, target) => this.send("selected", [source, target]),
      toggle: (source, target) => (this.find(source, target) ? act.cut(source, target) : act.link(source, target, this.picture.allowed[`${source}->${target}`][0])),
      cut: (source, target) => this.find(source, target) && this.send("transitions", this.others(source, target)),
      link: (source, target, kind, times) => this.link(source, target, kind, times),
      steer: (time) => this.steer(time),
    };
    const left = element("div", { class: "cs-left" }, this.root);
    this.matrix = new Matrix(left, act);
    this.chosen = new Chosen(left, act);
    element("div", { class: "cs-hint" }, left, "Press an empty cell to link two areas; press the chosen cell again to cut the link. Keys: arrows, Enter, Delete, Ctrl+Z. Drag over the times.");
    const right = element("div", { class: "cs-right" }, this.root);
    this.bar(right);
    this.tip = new Tip(this.root);
    this.unrolled = new Unrolled(right, this.tip, act);
    this.legend(right);
    this.facts = element("div", { class: "cs-facts", "aria-live": "polite" }, right);
    this.time = 0;
    this.timer = null;
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
      time: () => this.go(model.get("time")),
    };
    for (const [name, listener] of Object.entries(this.listeners)) model.on(`change:${name}`, listener);
    this.set();
  }

  remove() {
    this.stop();
    this.observer.disconnect();
    for (const [name, listener] of Object.entries(this.listeners)) this.model.off(`change:${name}`, listener);
  }

  bar(parent) {
    const bar = element("div", { class: "cs-bar", role: "group", "aria-label": "time" }, parent);
    this.buttons = {};
    for (const [name, sign, act] of [
      ["step back", "|◀\uFE0E", () => this.steer(this.time - 1)],
      ["play", "▶\uFE0E", () => this.toggle()],
      ["step forward", "▶\uFE0E|", () => this.step()],
    ]) {
      const button = element("button", { type: "button", "aria-label": name, title: name }, bar, sign);
      button.addEventListener("click", act);
      this.buttons[name] = button;
    }
    this.slider = element("input", { type: "range", min: 0, step: 1, "aria-label": "time (steps)" }, bar);
    this.slider.addEventListener("input", () => this.steer(Number(this.slider.value)));
    this.now = element("output", { class: "cs-now" }, bar);
  }

  legend(parent) {
    const legend = element("div", { class: "cs-legend" }, parent);
    const entry = (width, name) => {
      const row = element("span", {}, legend);
      const svg = shape("svg", { width, height: 14, "aria-hidden": "true" }, row);
      row.append(name);
      return svg;
    };
    for (const [kind, name] of [...Object.entries(WAYS), ["forward cs-idle", "not needed for the readout"]]) {
      shape("line", { x1: 0, x2: 28, y1: 7, y2: 7, class: `cs-edge cs-past cs-${kind}` }, entry(28, name));
    }
    for (const [kind, name] of [["cs-holds cs-lit", "holds something"], ["cs-holds", "will hold"], ["", "empty"]]) {
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
    this.stop();
    this.picture = picture;
    const cover = this.model.get("cover");
    const uncovered = this.cover && !cover;
    this.cover = cover;
    this.slider.max = picture.until;
    for (const control of [this.slider, ...Object.values(this.buttons)]) control.disabled = Boolean(cover);
    this.edited();
    this.unrolled.set(picture, this.model.get("readout_time"), Boolean(cover));
    this.facts.replaceChildren();
    if (picture.refused && !cover) {
      const box = element("div", { class: "cs-refused", role: "alert" }, this.facts);
      element("b", {}, box, "Impossible: ");
      box.append(`${picture.refused}. ${picture.then}`);
    }
    for (const [name, text] of cover ? [] : picture.facts) {
      const row = element("div", {}, this.facts);
      element("span", {}, row, name);
      element("b", {}, row, text);
    }
    this.go(cover ? 0 : this.time > picture.until ? picture.until : this.model.get("time"));
    this.root.dataset.pictures = Number(this.root.dataset.pictures ?? 0) + 1;
    // what was predicted is now seen to happen
    if (uncovered) this.toggle();
  }

  edited() {
    if (!this.picture) return;
    const [transitions, selected] = [this.model.get("transitions"), this.model.get("selected")];
    // another start has other states: matrix and list of transitions arrive one after the other
    if (!this.picture.allowed[selected.join("->")]) return;
    this.matrix.set(this.picture, transitions, selected);
    this.chosen.set(this.picture, transitions, selected);
  }

  resize(right) {
    if (right.clientWidth === this.width) return;
    this.width = right.clientWidth;
    this.unrolled.draw();
  }

  // --- time

  steer(time) {
    if (this.cover) return;
    this.stop();
    this.go(time);
    this.tell();
  }

  tell() {
    if (this.model.get("time") !== this.time) this.send("time", this.time);
  }

  go(time) {
    if (!this.picture) return;
    this.time = this.cover ? 0 : Math.min(Math.max(time, 0), this.picture.until);
    this.slider.value = this.time;
    this.now.textContent = `t = ${this.time}`;
    this.unrolled.at(this.time);
    this.slider.setAttribute("aria-valuetext", this.unrolled.svg.getAttribute("aria-label"));
    // last of all: whoever watches this attribute knows that the rest is drawn
    this.root.dataset.time = this.time;
  }

  step() {
    if (this.cover || this.time >= this.picture.until) return;
    const next = this.time + 1;
    this.stop();
    this.unrolled.travel(next, () => {
      this.go(next);
      this.tell();
    });
  }

  toggle() {
    if (this.timer) return this.stop();
    if (this.time === this.picture.until) this.go(0);
    this.name("pause", "❚❚");
    const on = () => {
      const next = this.time + 1;
      const mine = this.timer;
      this.unrolled.travel(next, () => {
        // stopped, or another graph, while the dots ran
        if (this.timer !== mine) return;
        this.go(next);
        if (this.time < this.picture.until) return;
        this.stop();
      });
    };
    this.timer = setInterval(on, PLAY_MS);
    on();
  }

  stop() {
    if (!this.timer) return;
    clearInterval(this.timer);
    this.timer = null;
    this.name("play", "▶\uFE0E");
    this.tell();
  }

  name(name, sign) {
    const button = this.buttons.play;
    button.textContent = sign;
    button.title = name;
    button.setAttribute("aria-label", name);
  }

  key(event) {
    if ((event.ctrlKey || event.metaKey) && event.key === "z") {
      this.model.send({ act: "undo" });
      event.preventDefault();
      event.stopPropagation();
    }
  }
}

export default {
  render({ model, el }) {
    const editor = new Editor(model, el);
    return () => editor.remove();
  },
};
