// Cursors in plotly's figures, as lines and rings over them: plotly would lay out the whole figure to move its own.

class Cursors {
  constructor(root) {
    Object.assign(this, { root, time: 0, plots: new Map(), observer: null });
  }

  // Finds the figures of the panel that contains `root`, now and later, and those of no other panel.
  begin() {
    const panel = this.observer ? null : this.root.closest(".cortexsim-linked");
    if (!panel) return;
    this.observer = new MutationObserver(() => this.find(panel));
    this.observer.observe(panel, { childList: true, subtree: true });
    this.find(panel);
  }

  remove() {
    this.observer?.disconnect();
    for (const [plot, drawn] of this.plots) plot.removeListener("plotly_afterplot", drawn);
  }

  find(panel) {
    for (const plot of this.plots.keys()) if (!plot.isConnected) this.plots.delete(plot);
    for (const plot of panel.querySelectorAll(".js-plotly-plot")) {
      if (this.plots.has(plot)) continue;
      const drawn = () => this.draw(plot);
      this.plots.set(plot, drawn);
      plot.on("plotly_afterplot", drawn);
      drawn();
    }
  }

  at(time) {
    this.time = time;
    for (const plot of this.plots.keys()) this.draw(plot);
  }

  draw(plot) {
    const { xaxis: x, yaxis: y } = plot._fullLayout ?? {};
    const frame = plot.querySelector(".svg-container");
    if (!x || !y || !frame) return;
    const over = frame.querySelector(":scope > .cs-moment") ?? shape("svg", { class: "cs-moment", "aria-hidden": "true" }, frame);
    over.replaceChildren();
    for (const { name } of plot.layout.shapes ?? []) {
      if (name === "now across") {
        const at = x._offset + x.d2p(this.time);
        shape("line", { x1: at, x2: at, y1: y._offset, y2: y._offset + y._length }, over);
      } else if (name === "now up") {
        const at = y._offset + y.d2p(this.time);
        shape("line", { y1: at, y2: at, x1: x._offset, x2: x._offset + x._length }, over);
      }
    }
    const points = plot.data.find((trace) => trace.name === "now")?.meta?.[this.time];
    for (const [k, value] of points?.x.entries() ?? []) {
      if (value === null) continue; // empty then
      shape("circle", { cx: x._offset + x.d2p(value), cy: y._offset + y.d2p(points.y[k]), r: 7.5 }, over);
    }
  }
}
