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

  // The axis that a shape refers to, such as "x2" or "y2 domain"; the whole figure counts as the first plot.
  axis(plot, ref) {
    const [, letter, number] = /^([xy])(\d*)/.exec(ref === "paper" ? "y" : ref);
    return plot._fullLayout[`${letter}axis${number}`];
  }

  // A time that the axis does not have.
  outside(axis) {
    const at = axis.d2p(this.time);
    return at < 0 || at > axis._length;
  }

  draw(plot) {
    const { xaxis: x, yaxis: y } = plot._fullLayout ?? {};
    const frame = plot.querySelector(".svg-container");
    if (!x || !y || !frame) return;
    const over = frame.querySelector(":scope > .cs-moment") ?? shape("svg", { class: "cs-moment", "aria-hidden": "true" }, frame);
    over.replaceChildren();
    for (const { name, xref = "x", yref = "y" } of plot.layout.shapes ?? []) {
      // of several plots side by side, each has marks of its own
      const [own, up] = [xref, yref].map((ref) => this.axis(plot, ref));
      if (name === "now across") {
        const at = own._offset + own.d2p(this.time);
        if (this.outside(own)) continue;
        shape("line", { x1: at, x2: at, y1: up._offset, y2: up._offset + up._length }, over);
      } else if (name === "now up") {
        const at = up._offset + up.d2p(this.time);
        if (this.outside(up)) continue;
        shape("line", { y1: at, y2: at, x1: own._offset, x2: own._offset + own._length }, over);
      }
    }
    const points = plot.data.find((trace) => trace.name === "now")?.meta?.[this.time];
    for (const [k, value] of points?.x.entries() ?? []) {
      if (value === null) continue; // empty then
      shape("circle", { cx: x._offset + x.d2p(value), cy: y._offset + y.d2p(points.y[k]), r: 7.5 }, over);
    }
  }
}
