// The stage: one time for all views, moved by slider, buttons and keys without the kernel.

class Stage {
  constructor(model, el) {
    this.model = model;
    this.root = element("div", { class: "cs-stage" }, el);
    this.bar = new TimeBar(this.root, model, { draw: (place, time) => this.draw(time) });
    this.bar.listen(this.root);
    this.sentence = element("div", { class: "cs-sentence", "aria-live": "polite" }, this.root);
    const views = element("div", { class: "cs-views" }, this.root);
    this.tip = new Tip(this.root);
    this.screen = element("figure", { class: "cs-screen" }, views);
    element("figcaption", {}, this.screen, "on the screen");
    this.picture = element("canvas", { role: "img" }, this.screen);
    this.blank = element("div", { class: "cs-empty" }, this.screen, "nothing enters");
    this.word = element("div", { class: "cs-words" }, this.screen);
    this.sketch = new Sketch(views, this.tip, model.get("clickable") ? (unit) => this.pick(unit) : null);
    this.picture.addEventListener("pointermove", (event) => this.readPixel(event));
    this.picture.addEventListener("pointerleave", () => this.tip.hide());
    this.legend();
    const charts = element("div", { class: "cs-charts" }, this.root);
    this.probability = new Chart(charts, this.tip, "probability");
    this.accuracy = new Chart(charts, this.tip, "accuracy");
    this.width = 0;
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(this.root);
    this.listeners = {
      scene: () => this.setScene(),
      accuracy: () => this.setReadouts(),
      cover: () => this.setReadouts(),
      covers: () => this.setReadouts(),
      marks: () => this.setReadouts(),
      view: () => this.setView(),
      picked: () => this.sketch.mark(this.model.get("picked")),
    };
    for (const [name, listener] of Object.entries(this.listeners)) model.on(`change:${name}`, listener);
    this.setScene();
  }

  remove() {
    this.bar.remove();
    this.observer.disconnect();
    for (const [name, listener] of Object.entries(this.listeners)) this.model.off(`change:${name}`, listener);
  }

  legend() {
    const legend = element("div", { class: "cs-legend" }, this.sketch.figure);
    for (const [direction, name] of Object.entries(DIRECTIONS)) {
      const svg = shape("svg", { width: 30, height: 10, "aria-hidden": "true" }, legend);
      const group = shape("g", { class: `cs-arrow cs-on cs-${direction}` }, svg);
      shape("path", { d: "M0 5H22" }, group);
      shape("polygon", { points: "30,5 21,9.5 21,0.5" }, group);
      element("span", {}, legend, name);
    }
    element("span", { class: "cs-scale", "aria-hidden": "true" }, legend).style.background =
      `linear-gradient(to right, ${SEQUENTIAL.join(",")})`;
    this.scaleName = element("span", {}, legend);
    const label = element("label", {}, legend);
    this.all = element("input", { type: "checkbox" }, label);
    label.append(" every channel");
    this.all.addEventListener("change", () => {
      this.model.set("view", this.all.checked ? "all" : "mean");
      this.model.save_changes();
    });
  }

  // `at` makes a second click on the same unit a change, which is computed again.
  pick(unit) {
    this.model.set("picked", { ...unit, time: this.time, at: Date.now() });
    this.model.save_changes();
  }

  // --- what is shown

  setScene() {
    const scene = this.model.get("scene");
    this.scene = scene?.times ? scene : null;
    this.root.classList.toggle("cs-waiting", !this.scene);
    if (!this.scene) return;
    this.frames = this.model.get("screen");
    [this.picture.height, this.picture.width] = scene.screen;
    this.setView();
    this.setReadouts();
    this.bar.set(scene.times);
    this.scenes = (this.scenes ?? 0) + 1;
    this.root.dataset.scene = this.scenes;
  }

  setView() {
    if (!this.scene) return;
    const view = this.model.get("view");
    this.all.checked = view === "all";
    this.scaleName.textContent = `${this.scene.quantity} (a.u.)${view === "all" ? "" : ", mean of channels"}`;
    this.sketch.set(this.scene, this.model.get("movie"), view);
    this.sketch.at(this.time);
    this.sketch.mark(this.model.get("picked"));
  }

  setReadouts() {
    if (!this.scene) return;
    const { scene } = this;
    const covers = this.model.get("covers");
    const marks = this.model.get("marks");
    this.probability.set({
      title: "what the model answers for this image",
      spoken: `class probabilities over time of ${scene.classes.length} classes`,
      yLabel: "probability",
      times: scene.times,
      empty: scene.states.at(-1).populated.map((populated) => !populated),
      series: scene.probability.map((one) => ({ ...one, named: one.named })),
      marks: marks.filter((mark) => mark.on === "probability"),
    });
    const batch = this.model.get("accuracy");
    this.accuracy.set({
      title: `${batch.title ?? "accuracy over time"}${covers.control && !covers.accuracy ? "; feedforward: covered" : ""}`,
      spoken: "accuracy over time, recurrent model and feedforward control",
      yLabel: "accuracy (fraction)",
      times: scene.times,
      empty: batch.series?.length ? scene.times.map((t) => batch.series.every((one) => one.values[t] == null)) : [],
      series: (batch.series ?? []).slice(0, covers.control ? 1 : undefined).map((one) => ({ ...one, named: true })),
      chance: batch.chance,
      message: batch.message,
      marks: marks.filter((mark) => mark.on === "accuracy"),
    });
    this.probability.covered(covers.probability ?? "");
    this.accuracy.covered(covers.accuracy ?? "");
    this.bar.lock(this.model.get("cover") === "time");
    this.say();
  }

  resize() {
    if (this.root.clientWidth === this.width) return;
    this.width = this.root.clientWidth;
    this.sketch.draw();
    for (const chart of [this.probability, this.accuracy]) if (chart.content) chart.draw();
  }

  // --- time

  get time() {
    return this.bar.time ?? 0;
  }

  draw(time) {
    const { scene } = this;
    const shown = scene.shown[time];
    const frame = scene.picture[time];
    this.picture.style.display = frame < 0 ? "none" : "block";
    this.blank.style.display = frame < 0 ? "flex" : "none";
    if (frame < 0) this.showGhost(time);
    this.word.textContent = shown === "nothing" ? "" : shown;
    this.picture.setAttribute("aria-label", shown);
    if (frame >= 0) this.paintScreen(frame);
    this.sketch.at(time);
    this.probability.at(time);
    this.accuracy.at(time);
    this.say();
    // last: this attribute shows that everything else is drawn
    this.root.dataset.time = time;
    this.root.dataset.shown = shown;
  }

  // The last picture that was on the screen, faintly, behind the words of an empty one.
  showGhost(time) {
    const last = this.scene.picture.slice(0, time).findLast((frame) => frame >= 0);
    this.blank.classList.toggle("cs-ghost", last !== undefined);
    if (last === undefined) return;
    this.paintScreen(last);
    this.blank.style.setProperty("--cs-picture", `url(${this.picture.toDataURL()})`);
  }

  paintScreen(frame) {
    const [height, width] = this.scene.screen;
    const context = this.picture.getContext("2d");
    const image = context.createImageData(width, height);
    const start = frame * height * width * 3;
    for (let place = 0; place < height * width; place++) {
      for (let c = 0; c < 3; c++) image.data[place * 4 + c] = this.frames.getUint8(start + place * 3 + c);
      image.data[place * 4 + 3] = 255;
    }
    context.putImageData(image, 0, 0);
  }

  readPixel(event) {
    const frame = this.scene.picture[this.time];
    const [height, width] = this.scene.screen;
    const outer = this.picture.getBoundingClientRect();
    const x = Math.min(Math.floor(((event.clientX - outer.left) / outer.width) * width), width - 1);
    const y = Math.min(Math.floor(((event.clientY - outer.top) / outer.height) * height), height - 1);
    if (frame < 0 || x < 0 || y < 0) return;
    const start = ((frame * height + y) * width + x) * 3;
    const [red, green, blue] = [0, 1, 2].map((c) => this.frames.getUint8(start + c));
    this.tip.show(event, [`x = ${x}, y = ${y} (px)`, `red ${red}, green ${green}, blue ${blue} of 255`]);
  }

  say() {
    const { scene, time } = this;
    const populated = scene.states.filter((state) => state.populated[time]).map((state) => state.name);
    const empty = scene.states.filter((state) => !state.populated[time]).map((state) => state.name);
    const said = [`t = ${time}: ${ENTERS[scene.shown[time]]} on the screen.`];
    if (populated.length) said.push(`${listed(populated)} ${populated.length > 1 ? "are" : "is"} active.`);
    if (empty.length) said.push(`${listed(empty)} ${empty.length > 1 ? "are" : "is"} empty.`);
    if (!this.model.get("covers").probability) {
      const best = scene.probability.toSorted((one, other) => (other.values[time] ?? -1) - (one.values[time] ?? -1))[0];
      const chance = best?.values[time] ?? null;
      if (chance === null) said.push("There is nothing to read out.");
      else said.push(`Read out: ${best.name}, probability ${chance.toFixed(2)}.`);
    }
    this.sentence.textContent = said.join(" ");
    this.bar.describe(said[0]);
  }
}

export default following({
  render({ model, el }) {
    const stage = new Stage(model, el);
    return () => stage.remove();
  },
});
