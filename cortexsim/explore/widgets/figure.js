// A plotly figure that follows the traits `traces` and `around`.

// `relayout` alone draws these over or under a figure without a new layout
const LAID_OVER = ["shapes", "images"];
// The middle of a diverging scale is neutral, which is the colour of the page: plotly's is white.
const WHITE_MIDDLE = "rgb(247,247,247)";
const onDark = (page) => [[0, "#8cc8ff"], [0.25, "#2f7fc1"], [0.5, page], [0.75, "#c8502f"], [1, "#ffb08c"]];
const isDark = () => document.body.dataset.jpThemeLight === "false";
function forThePage(holder) {
  const middle = holder?.colorscale?.[5]?.[1];
  if (holder?.colorscale?.length !== 11 || middle !== WHITE_MIDDLE || !isDark()) return;
  const isUp = holder.colorscale[0][1] === "rgb(5,48,97)";
  const scale = onDark(getComputedStyle(document.body).getPropertyValue("--jp-layout-color0").trim());
  holder.colorscale = isUp ? scale : scale.map(([at], k) => [at, scale[scale.length - 1 - k][1]]);
}
const CONFIG = { displaylogo: false, displayModeBar: false };

export default {
  async render({ model, el }) {
    const Plotly = await window.cortexsimPlotly.module;
    const place = document.createElement("div");
    el.append(place);

    let said = { traces: [], around: {} };
    const draw = ({ isOther = false } = {}) => {
      const before = said;
      said = { traces: model.get("traces"), around: JSON.parse(model.get("around")) };
      const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);
      const names = Object.keys({ ...before.around, ...said.around });
      const other = names.filter((name) => !same(before.around[name], said.around[name]));
      if (!isOther && same(before.traces, said.traces) && other.every((name) => LAID_OVER.includes(name))) {
        return Plotly.relayout(place, Object.fromEntries(other.map((name) => [name, said.around[name] ?? null])));
      }
      const data = said.traces.map((text) => JSON.parse(text));
      const layout = structuredClone(said.around);
      for (const holder of [...data, layout.coloraxis]) forThePage(holder);
      return Plotly.react(place, data, layout, CONFIG);
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

    // styles of a theme come a moment after its name
    const theme = new MutationObserver(() => setTimeout(() => draw({ isOther: true }), 300));
    theme.observe(document.body, { attributeFilter: ["data-jp-theme-light"] });

    // plotly follows the size of the window, but not a side bar that opens, nor a cell that appears
    let width = 0;
    const observer = new ResizeObserver(() => {
      if (place.clientWidth === width || place.clientWidth === 0) return;
      width = place.clientWidth;
      requestAnimationFrame(() => place.clientWidth && Plotly.Plots.resize(place));
    });
    await draw();
    // for pages that scale figures
    place.on("plotly_afterplot", () => place.style.setProperty("--cs-plot-height", `${place._fullLayout.height}px`));
    place.style.setProperty("--cs-plot-height", `${place._fullLayout.height}px`);
    observer.observe(place);
    watcher.observe(place);
    return () => {
      observer.disconnect();
      watcher.disconnect();
      theme.disconnect();
      for (const event of heard) model.off(event, soon);
      Plotly.purge(place);
    };
  },
};
