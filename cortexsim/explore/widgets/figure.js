// A plotly figure that follows the traits `traces` and `around`.

// `relayout` alone draws these over or under a figure without a new layout
const LAID_OVER = ["shapes", "images"];
const CONFIG = { displaylogo: false, displayModeBar: false };

export default {
  async render({ model, el }) {
    const Plotly = await window.cortexsimPlotly.module;
    const place = document.createElement("div");
    el.append(place);

    let said = { traces: [], around: {} };
    const draw = () => {
      const before = said;
      said = { traces: model.get("traces"), around: JSON.parse(model.get("around")) };
      const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);
      const names = Object.keys({ ...before.around, ...said.around });
      const other = names.filter((name) => !same(before.around[name], said.around[name]));
      if (same(before.traces, said.traces) && other.every((name) => LAID_OVER.includes(name))) {
        return Plotly.relayout(place, Object.fromEntries(other.map((name) => [name, said.around[name] ?? null])));
      }
      const data = said.traces.map((text) => JSON.parse(text));
      return Plotly.react(place, data, structuredClone(said.around), CONFIG);
    };

    // traces and their surroundings arrive in one message, but as two events; a figure out of view is drawn later, so
    // that those in view need not wait for it
    let late = false;
    let seen = true;
    const catchUp = () => {
      if (!late || !seen) return;
      late = false;
      draw();
    };
    const soon = () => {
      late = true;
      queueMicrotask(catchUp);
    };
    const watcher = new IntersectionObserver((entries) => {
      seen = entries.at(-1).isIntersecting;
      catchUp();
    });
    const heard = ["change:traces", "change:around"];
    for (const event of heard) model.on(event, soon);

    // plotly follows the size of the window, but not a side bar that opens, nor a cell that appears
    let width = 0;
    const observer = new ResizeObserver(() => {
      if (place.clientWidth === width || place.clientWidth === 0) return;
      width = place.clientWidth;
      requestAnimationFrame(() => place.clientWidth && Plotly.Plots.resize(place));
    });
    await draw();
    observer.observe(place);
    watcher.observe(place);
    return () => {
      observer.disconnect();
      watcher.disconnect();
      for (const event of heard) model.off(event, soon);
      Plotly.purge(place);
    };
  },
};
