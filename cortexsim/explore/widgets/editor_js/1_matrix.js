// The transition matrix: a cell for each pair of states, and the kind and open times of the chosen cell.

// a forward, a lateral and a feedback transition in the matrix
const ARROWS = { forward: "→", lateral: "↻", feedback: "←" };

// In the matrix's order a later target is forward.
function directionOf(states, source, target) {
  const place = (name) => states.findIndex((state) => state.name === name);
  const step = place(target) - place(source);
  return step > 0 ? "forward" : step < 0 ? "feedback" : "lateral";
}

function isOpen(transition, time) {
  return transition.times.some(([start, stop]) => start <= time && (stop === null || time < stop));
}

// Times from 1 to `until` as half-open intervals; all later times are like `until`.
function intervals(open) {
  const found = [];
  for (let time = 1; time < open.length; time++) {
    if (open[time] && !open[time - 1]) found.push([time, null]);
    if (!open[time] && open[time - 1]) found.at(-1)[1] = time;
  }
  return found;
}

function when(transition, until) {
  const open = Array.from({ length: until }, (_, k) => k + 1).filter((time) => isOpen(transition, time));
  return open.length === until ? "always open" : `open at t = ${open.join(", ")}`;
}

class Matrix {
  constructor(parent, act) {
    this.act = act;
    const name = "transition matrix, from the row's area to the column's";
    this.table = element("table", { class: "cs-matrix", role: "grid", "aria-label": name }, parent);
    this.known = "";
    this.cells = [];
    this.table.addEventListener("keydown", (event) => this.key(event));
  }

  set({ states, allowed, kinds, until }, transitions, selected) {
    this.states = states;
    const known = JSON.stringify(states.map((state) => [state.name, state.size]));
    if (known !== this.known) this.build();
    this.known = known;
    this.selected = selected;
    for (const { cell, source, target } of this.cells) {
      const transition = transitions.find((one) => one.source === source && one.target === target);
      const chosen = source === selected[0] && target === selected[1];
      const direction = directionOf(states, source, target);
      cell.className = transition ? `cs-cell cs-${direction}` : "cs-cell";
      cell.setAttribute("aria-selected", chosen);
      cell.tabIndex = chosen ? 0 : -1;
      const what = transition ? `${transition.kind}, ${when(transition, until)}` : "none";
      cell.setAttribute("aria-label", `${source} to ${target}: ${what}`);
      const words = transition ? `${what}: ${kinds[transition.kind]}` : what;
      cell.title = `${source} → ${target}: ${words}${allowed[`${source}->${target}`].length ? "" : " (nothing fits)"}`;
      cell.replaceChildren();
      element("span", { class: "cs-way", "aria-hidden": "true" }, cell, transition ? ARROWS[direction] : "·");
      const always = !transition || (transition.times[0][0] === 1 && transition.times[0][1] === null);
      if (!always) {
        const marks = element("span", { class: "cs-when", "aria-hidden": "true" }, cell);
        for (let time = 1; time <= until; time++) {
          element("i", { class: isOpen(transition, time) ? "cs-open" : "" }, marks);
        }
      }
    }
  }

  build() {
    const { states, table } = this;
    table.replaceChildren();
    this.cells = [];
    const head = element("tr", { role: "row" }, table);
    element("th", { class: "cs-corner", role: "columnheader" }, head, "from ╲ to");
    for (const state of states) {
      const name = element("th", { role: "columnheader" }, head, state.name);
      element("small", {}, name, state.size);
    }
    for (const source of states) {
      const row = element("tr", { role: "row" }, table);
      const name = element("th", { role: "rowheader" }, row, source.name);
      element("small", {}, name, source.size);
      for (const target of states) {
        const cell = element("td", { role: "gridcell", "data-pair": `${source.name}->${target.name}` }, row);
        // a press on a cell chooses it, and connects its states; a press on the chosen cell connects or disconnects them
        cell.addEventListener("click", () => {
          const chosen = cell.getAttribute("aria-selected") === "true";
          const linked = cell.classList.contains("cs-forward") || cell.classList.contains("cs-lateral") || cell.classList.contains("cs-feedback");
          this.act.select(source.name, target.name);
          if (chosen || !linked) this.act.toggle(source.name, target.name);
          cell.focus();
        });
        this.cells.push({ cell, source: source.name, target: target.name });
      }
    }
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const n = this.states.length;
    const at = this.cells.findIndex(({ cell }) => cell === event.target);
    if (at < 0) return;
    const [row, column] = [Math.floor(at / n), at % n];
    const to = {
      ArrowLeft: column > 0 ? at - 1 : at,
      ArrowRight: column < n - 1 ? at + 1 : at,
      ArrowUp: row > 0 ? at - n : at,
      ArrowDown: row < n - 1 ? at + n : at,
      Home: row * n,
      End: row * n + n - 1,
    }[event.key];
    const { source, target } = this.cells[at];
    if (to !== undefined) {
      this.act.select(this.cells[to].source, this.cells[to].target);
      this.cells[to].cell.focus();
    } else if (event.key === "Enter" || event.key === " ") this.act.toggle(source, target);
    else if (event.key === "Delete" || event.key === "Backspace") this.act.cut(source, target);
    else return;
    event.preventDefault();
  }
}

// The chosen cell: its kind, and the times at which it is open (the matrix's third dimension).
class Chosen {
  constructor(parent, act) {
    this.act = act;
    this.box = element("div", { class: "cs-chosen" }, parent);
    this.kinds = element("fieldset", {}, this.box);
    this.group = `cortexsim-${Math.random().toString(36).slice(2)}`;
    this.words = element("div", { class: "cs-kind" }, this.box);
    const row = element("div", { class: "cs-row" }, this.box);
    this.label = element("span", { class: "cs-name" }, row, "open at t =");
    this.always = element("button", { type: "button", title: "open this transition at every time" }, row, "always");
    this.always.addEventListener("click", () => this.commit(this.open.map((_, time) => time > 0)));
    this.strip = element("div", { class: "cs-strip", role: "group", "aria-label": "times at which the transition is open" }, this.box);
    this.strip.addEventListener("keydown", (event) => this.key(event));
    this.strip.addEventListener("pointerdown", (event) => this.press(event));
    this.strip.addEventListener("pointermove", (event) => this.drag(event));
    for (const end of ["pointerup", "pointercancel"]) this.strip.addEventListener(end, () => this.drop());
    this.paint = null;
    this.focused = 1;
  }

  set({ allowed, kinds, until }, transitions, [source, target]) {
    this.pair = [source, target];
    this.transition = transitions.find((one) => one.source === source && one.target === target) ?? null;
    this.drawKinds(allowed[`${source}->${target}`], kinds);
    this.open = Array.from({ length: until + 1 }, (_, time) => time > 0 && this.transition !== null && isOpen(this.transition, time));
    this.always.disabled = this.transition === null || this.open.slice(1).every(Boolean);
    if (this.strip.children.length !== until) this.build(until);
    this.drawStrip();
  }

  drawKinds(fitting, words) {
    const [source, target] = this.pair;
    const focused = this.kinds.contains(document.activeElement);
    this.kinds.replaceChildren();
    element("legend", {}, this.kinds, `${source} → ${target}`);
    // a kind of the given graph that is not among the usual ones, such as a weighted shortcut
    const own = this.transition && !fitting.includes(this.transition.kind) ? [this.transition.kind] : [];
    for (const kind of ["none", ...own, ...fitting]) {
      const label = element("label", { title: words[kind] ?? "" }, this.kinds);
      const radio = element("input", { type: "radio", name: this.group }, label);
      label.append(kind);
      radio.checked = kind === (this.transition?.kind ?? "none");
      radio.addEventListener("change", () => (kind === "none" ? this.act.cut(source, target) : this.act.link(source, target, kind)));
      if (focused && radio.checked) radio.focus();
    }
    this.words.textContent = this.transition ? words[this.transition.kind] : "";
  }

  build(until) {
    this.strip.replaceChildren();
    this.focused = 1;
    for (let time = 1; time <= until; time++) {
      const last = time === until;
      const attributes = { type: "button", role: "checkbox", "data-time": time, "aria-label": `t = ${time}${last ? " and later" : ""}` };
      element("button", attributes, this.strip, last ? `${time}+` : String(time));
    }
  }

  drawStrip() {
    this.focused = Math.min(this.focused, this.strip.children.length);
    for (const cell of this.strip.children) {
      const time = Number(cell.dataset.time);
      cell.setAttribute("aria-checked", this.open[time]);
      cell.disabled = this.transition === null;
      cell.tabIndex = time === this.focused ? 0 : -1;
    }
  }

  commit(open) {
    const [source, target] = this.pair;
    this.act.link(source, target, this.transition.kind, intervals(open));
  }

  press(event) {
    const time = Number(event.target.dataset?.time);
    if (!time || this.transition === null) return;
    this.paint = !this.open[time];
    this.focused = time;
    this.strip.setPointerCapture(event.pointerId);
    this.put(time);
    this.strip.children[time - 1].focus();
    event.preventDefault();
  }

  drag(event) {
    if (this.paint === null) return;
    const time = Number(document.elementFromPoint(event.clientX, event.clientY)?.dataset?.time);
    if (time && this.strip.contains(document.elementFromPoint(event.clientX, event.clientY))) this.put(time);
  }

  put(time) {
    this.open[time] = this.paint;
    this.drawStrip();
  }

  // one drag is one change, for one undo
  drop() {
    if (this.paint === null) return;
    this.paint = null;
    this.commit(this.open);
  }

  key(event) {
    if (this.transition === null || event.ctrlKey || event.metaKey || event.altKey) return;
    const last = this.strip.children.length;
    const to = { ArrowLeft: Math.max(1, this.focused - 1), ArrowRight: Math.min(last, this.focused + 1), Home: 1, End: last }[event.key];
    if (to !== undefined) {
      const painted = this.open[this.focused];
      this.focused = to;
      this.strip.children[to - 1].focus();
      if (event.shiftKey && this.open[to] !== painted) {
        this.open[to] = painted;
        this.commit(this.open);
      } else this.drawStrip();
    } else if (event.key === " " || event.key === "Enter") {
      this.open[this.focused] = !this.open[this.focused];
      this.commit(this.open);
    } else return;
    event.preventDefault();
  }
}
