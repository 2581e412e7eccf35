// The time bar: step, play, loop, a slider, and keys for all of them. Its owner draws each time.

const STEP_MS = 500;
const ENTERS = { image: "the image is", mask: "a mask is", nothing: "nothing is" };

class TimeBar {
  // `draw(place, time)` shows a time; `travel(time, done)` animates the step to it.
  constructor(parent, model, { draw, travel = (time, done) => done(), everyMs = STEP_MS }) {
    Object.assign(this, { model, draw, travel, everyMs, times: [], place: 0, locked: false, timer: null, moves: 0 });
    this.box = element("div", { class: "cs-bar", role: "group", "aria-label": "time" }, parent);
    this.buttons = {};
    for (const [name, sign, act] of [
      ["step back", "|◀\uFE0E", () => this.steer(this.place - 1)],
      ["play", "▶\uFE0E", () => this.toggle()],
      ["step forward", "▶\uFE0E|", () => this.step()],
    ]) {
      const button = element("button", { type: "button", "aria-label": name, title: name }, this.box, sign);
      button.addEventListener("click", act);
      this.buttons[name] = button;
    }
    const label = element("label", { class: "cs-loop" }, this.box);
    this.loop = element("input", { type: "checkbox" }, label);
    label.append(" loop");
    this.slider = element("input", { type: "range", min: 0, step: 1, "aria-label": "time (steps)" }, this.box);
    this.slider.addEventListener("input", () => this.steer(Number(this.slider.value)));
    this.now = element("output", { class: "cs-now" }, this.box);
    this.follow = () => model.get("time") !== this.time && this.go(this.nearest(model.get("time")));
    model.on("change:time", this.follow);
  }

  remove() {
    this.stop();
    this.model.off("change:time", this.follow);
  }

  // The keys work everywhere in `where`; an element with keys of its own must stop their events.
  listen(where) {
    where.addEventListener("keydown", (event) => this.key(event));
  }

  // --- the present time

  get time() {
    return this.times[this.place];
  }

  get last() {
    return this.times.length - 1;
  }

  nearest(time) {
    const place = this.times.findIndex((one) => one >= time);
    return place < 0 ? this.last : place;
  }

  set(times) {
    this.stop();
    this.times = times;
    this.slider.max = this.last;
    this.go(this.nearest(this.model.get("time")));
    if (this.locked) this.notify();
  }

  // While it is locked, time stays at the first, and the kernel is notified.
  lock(locked) {
    this.locked = locked;
    for (const control of [this.slider, this.loop, ...Object.values(this.buttons)]) control.disabled = locked;
    if (locked && this.times.length) this.steer(0);
  }

  describe(text) {
    this.slider.setAttribute("aria-valuetext", text);
  }

  // --- moving time

  go(place) {
    if (!this.times.length) return;
    this.moves++;
    this.place = this.locked ? 0 : Math.min(Math.max(place, 0), this.last);
    this.slider.value = this.place;
    this.now.textContent = `t = ${this.time}`;
    this.draw(this.place, this.time);
  }

  notify() {
    if (this.model.get("time") === this.time) return;
    this.model.set("time", this.time);
    this.model.save_changes();
  }

  steer(place) {
    this.stop();
    this.go(place);
    this.notify();
  }

  step() {
    this.stop();
    if (this.place < this.last) this.hop();
  }

  hop() {
    const place = this.place + 1;
    const mine = ++this.moves;
    this.travel(this.times[place], () => {
      // stopped, or moved elsewhere, during the animation
      if (this.moves !== mine) return;
      this.go(place);
      this.notify();
      if (this.timer && place === this.last && !this.loop.checked) this.stop();
    });
  }

  toggle() {
    if (this.timer) return this.stop();
    if (this.locked || !this.times.length) return;
    const onward = () => {
      if (this.place < this.last) return this.hop();
      this.go(0);
      this.notify();
    };
    this.timer = setInterval(onward, this.everyMs);
    this.name("pause", "❚❚");
    onward();
  }

  stop() {
    this.moves++;
    clearInterval(this.timer);
    this.timer = null;
    this.name("play", "▶\uFE0E");
  }

  name(name, sign) {
    const button = this.buttons.play;
    button.textContent = sign;
    button.title = name;
    button.setAttribute("aria-label", name);
  }

  key(event) {
    if (this.locked || event.ctrlKey || event.metaKey || event.altKey || event.target.tagName === "SELECT") return;
    const to = { ArrowLeft: this.place - 1, ArrowRight: this.place + 1, Home: 0, End: this.last }[event.key];
    if (to !== undefined) this.steer(to);
    else if (event.key === " " && !event.target.matches("button, [type=checkbox]")) this.toggle();
    else return;
    event.preventDefault();
  }
}
