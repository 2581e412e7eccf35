// What the kernel does in a notebook: holds the widgets' values, and moves the figures' cursors when the slider moves.

class Held {
  constructor(values) {
    this.values = values;
    this.heard = new Map();
    for (const [name, value] of Object.entries(values)) {
      if (value?.base64 === undefined) continue;
      const bytes = Uint8Array.from(atob(value.base64), (letter) => letter.charCodeAt(0));
      values[name] = new DataView(bytes.buffer);
    }
  }

  get(name) {
    return this.values[name];
  }

  set(name, value) {
    this.values[name] = value;
    for (const listener of this.heard.get(`change:${name}`) ?? []) listener();
  }

  on(event, listener) {
    this.heard.set(event, [...(this.heard.get(event) ?? []), listener]);
  }

  off(event, listener) {
    this.heard.set(event, (this.heard.get(event) ?? []).filter((one) => one !== listener));
  }

  save_changes() {}
}

function moveCursor(figure, time) {
  const moved = {};
  for (const [k, shape] of (figure.layout.shapes ?? []).entries()) {
    const ends = { "now across": ["x0", "x1"], "now up": ["y0", "y1"] }[shape.name] ?? [];
    for (const end of ends) moved[`shapes[${k}].${end}`] = time;
  }
  if (Object.keys(moved).length) Plotly.relayout(figure, moved);
  for (const [k, trace] of figure.data.entries()) {
    const points = trace.name === "now" ? trace.meta?.[time] : null;
    if (points) Plotly.restyle(figure, { x: [points.x], y: [points.y] }, [k]);
  }
}

const content = JSON.parse(document.getElementById("content").textContent);
const figures = content.figures.map(({ data, layout }, k) => {
  const place = document.getElementById(`figure-${k}`);
  Plotly.newPlot(place, data, layout, { responsive: true, displaylogo: false, displayModeBar: false });
  return place;
});
for (const [k, { values }] of content.canvases.entries()) {
  const model = new Held(values);
  window.cortexsimWidgets[k].render({ model, el: document.getElementById(`canvas-${k}`) });
  let waiting = false;
  const follow = () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      for (const figure of figures) moveCursor(figure, model.get("time"));
    });
  };
  model.on("change:time", follow);
  follow();
}
document.body.dataset.ready = "true";
