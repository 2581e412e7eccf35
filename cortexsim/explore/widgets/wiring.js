// Areas in a row, an arrow for each connection; a click on an arrow, Enter or Space cuts it, another click restores it.

const SVG = "http://www.w3.org/2000/svg";
const [BOX, GAP, EDGE, MIDDLE] = [64, 58, 20, 128];

function shape(name, attributes, parent, text = null) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== null) made.textContent = text;
  parent.append(made);
  return made;
}

// The path of an arrow, where its tip is and points, and where its cross and its note stand.
function route(from, to) {
  const left = (k) => EDGE + k * (BOX + GAP);
  const step = to - from;
  if (step === 0) {
    const x = left(from) + BOX / 2;
    const top = MIDDLE - 24;
    return { d: `M${x - 14} ${top}C${x - 30} ${top - 46} ${x + 30} ${top - 46} ${x + 15} ${top - 6}`,
      tip: [x + 13, top], angle: 108, cross: [x, top - 34], note: [x, top - 50] };
  }
  const [start, end] = step > 0 ? [left(from) + BOX, left(to)] : [left(from), left(to) + BOX];
  if (Math.abs(step) === 1) {
    const y = MIDDLE + (step > 0 ? -11 : 11);
    const along = Math.sign(step);
    return { d: `M${start + 3 * along} ${y}H${end - 10 * along}`, tip: [end - 3 * along, y], angle: step > 0 ? 0 : 180,
      cross: [(start + end) / 2, y], note: [(start + end) / 2, y + (step > 0 ? -12 : 25)] };
  }
  // longer ones pass over or under the areas between
  const side = step > 0 ? -1 : 1;
  const y = MIDDLE + side * 26;
  const far = MIDDLE + side * (62 + 16 * Math.abs(step));
  const [x1, x2] = [left(from) + BOX / 2 + 16 * Math.sign(step), left(to) + BOX / 2 - 16 * Math.sign(step)];
  return { d: `M${x1} ${y}C${x1} ${far} ${x2} ${far} ${x2} ${y + 8 * side}`, tip: [x2, y], angle: side < 0 ? 90 : -90,
    cross: [(x1 + x2) / 2, MIDDLE + side * (52 + 12 * Math.abs(step))],
    note: [(x1 + x2) / 2, MIDDLE + side * (66 + 12 * Math.abs(step))] };
}

export default following({
  render({ model, el }) {
    const root = document.createElement("div");
    root.className = "cs-wiring";
    el.append(root);

    function cut(name) {
      model.set("value", model.get("value") === name ? "" : name);
      model.save_changes();
    }

    function button(text, name, pressed) {
      const made = document.createElement("button");
      made.type = "button";
      made.textContent = text;
      made.dataset.cut = name;
      made.setAttribute("aria-pressed", String(pressed));
      made.addEventListener("click", () => cut(name));
      return made;
    }

    function draw() {
      const focused = root.contains(document.activeElement) ? document.activeElement.dataset.cut : null;
      root.replaceChildren();
      const [states, connections, groups] = ["states", "connections", "groups"].map((name) => model.get(name));
      const [value, notes, enabled] = ["value", "notes", "enabled"].map((name) => model.get(name));
      const gone = new Set(groups[value] ?? (value ? [value] : []));
      const far = connections.some((one) => Math.abs(states.indexOf(one.source) - states.indexOf(one.target)) > 1);
      const width = 2 * EDGE + states.length * BOX + (states.length - 1) * GAP;
      const height = MIDDLE + (far ? 150 : 54);
      const svg = shape("svg", { width, height, viewBox: `0 0 ${width} ${height}` }, root);
      for (const [k, name] of states.entries()) {
        const x = EDGE + k * (BOX + GAP);
        shape("rect", { x, y: MIDDLE - 24, width: BOX, height: 48, rx: 8 }, svg);
        shape("text", { x: x + BOX / 2, y: MIDDLE + 5, class: "cs-area" }, svg, name);
      }
      for (const { name, source, target, way } of connections) {
        const { d, tip, angle, cross, note } = route(states.indexOf(source), states.indexOf(target));
        const can = enabled.includes(name);
        const state = `${gone.has(name) ? " cs-gone" : ""}${can ? "" : " cs-shut"}`;
        const said = notes[name] ? `, ${notes[name]}` : "";
        const group = shape("g", { class: `cs-link cs-${way}${state}`, "data-cut": name, role: "button",
          "aria-pressed": String(gone.has(name)), "aria-disabled": String(!can), tabindex: can ? 0 : -1,
          "aria-label": `${name}${said}` }, svg);
        shape("title", {}, group, can ? `${gone.has(name) ? "restore" : "cut"} ${name}` : name);
        // wide and invisible, so that the arrow is easily hit
        shape("path", { d, class: "cs-hit" }, group);
        shape("path", { d, class: "cs-line" }, group);
        shape("polygon", { points: "0,0 -10,5 -10,-5", transform: `translate(${tip}) rotate(${angle})` }, group);
        if (gone.has(name)) {
          const [x, y] = cross;
          shape("path", { d: `M${x - 7} ${y - 7}L${x + 7} ${y + 7}M${x - 7} ${y + 7}L${x + 7} ${y - 7}`, class: "cs-cross" }, group);
        }
        if (notes[name]) shape("text", { x: note[0], y: note[1], class: "cs-note" }, group, notes[name]);
        if (!can) continue;
        group.addEventListener("click", () => cut(name));
        group.addEventListener("keydown", (event) => {
          if (event.key !== "Enter" && event.key !== " ") return;
          event.preventDefault();
          event.stopPropagation();
          cut(name);
        });
      }
      const row = document.createElement("div");
      row.className = "cs-row";
      root.append(row);
      for (const name of Object.keys(groups)) row.append(button(`cut all ${name}`, name, value === name));
      const words = document.createElement("span");
      words.textContent = value ? `${value} is cut` : `nothing is cut: ${model.get("invitation")}`;
      row.append(words);
      if (focused !== null) root.querySelector(`[data-cut="${focused}"]`)?.focus();
    }

    const heard = ["states", "connections", "groups", "value", "notes", "enabled", "invitation"].map((name) => `change:${name}`);
    let waits = false;
    const soon = () => {
      if (waits) return;
      waits = true;
      queueMicrotask(() => {
        waits = false;
        draw();
      });
    };
    for (const event of heard) model.on(event, soon);
    draw();
    return () => {
      for (const event of heard) model.off(event, soon);
    };
  },
});
