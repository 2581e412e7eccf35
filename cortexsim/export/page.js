// A stand-in for the kernel of a notebook: it stores the widgets' values.

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

const content = JSON.parse(document.getElementById("content").textContent);
for (const [k, { data, layout }] of content.figures.entries()) {
  const place = document.getElementById(`figure-${k}`);
  Plotly.newPlot(place, data, layout, { responsive: true, displaylogo: false, displayModeBar: false });
}
for (const [k, { values }] of content.canvases.entries()) {
  const el = document.getElementById(`canvas-${k}`);
  window.cortexsimWidgets[k].render({ model: new Held(values), el });
}
document.body.dataset.ready = "true";
