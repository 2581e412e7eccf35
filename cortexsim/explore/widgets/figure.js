// A plotly figure that follows the traits `traces` and `around`.

// `relayout` alone draws these over or under a figure without a new layout
const LAID_OVER = ["shapes", "images"];
// The middle of a diverging scale is neutral, which is the colour of the page: plotly's is white.
const WHITE_MIDDLE = "rgb(247,247,247)";
const onDark = (page) => [[0, "#8cc8ff"], [0.25, "#2f7fc1"], [0.5, page], [0.75, "#c8502f"], [1, "#ffb08c"]];
const hasWhiteMiddle = (holder) => holder?.colorscale?.length === 11 && holder.colorscale[5][1] === WHITE_MIDDLE;
// its colour, as `rgb(r, g, b)`: figure.css gives it to an outline that is never drawn; "" outside of a page
const pageOf = (place) => getComputedStyle(place).outlineColor;
const isDark = (page) => !!page && page.match(/\d+/g).slice(0, 3).reduce((sum, part) => sum + Number(part), 0) < 3 * 128;
function forThePage(holder, page) {
  if (!hasWhiteMiddle(holder) || !isDark(page)) return;
  const isUp = holder.colorscale[0][1] === "rgb(5,48,97)";
  const scale = onDark(page);
  holder.colorscale = isUp ? scale : scale.map(([at], k) => [at, scale[scale.length - 1 - k][1]]);
}
const MOST_FRAMES = 300; // in which the colours of a theme are expected
const CONFIG = { displaylogo: false, displayModeBar: false };

export default following({
  async render({ model, el }) {
    const Plotly = await window.cortexsimPlotly.module;
    const place = document.createElement("div");
    place.className = "cs-place";
    el.append(place);
    // whether the figure has the page's colour, and for which it was drawn
    let followsThePage = false;
    let drawnOn = "";

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
      const holders = [...data, layout.coloraxis];
      followsThePage = holders.some(hasWhiteMiddle);
      drawnOn = pageOf(place);
      for (const holder of holders) forThePage(holder, drawnOn);
      return Plotly.react(place, data, layout, CONFIG);
    };

    // traces and their surroundings arrive in one message, but as two events; a figure out of view is drawn later, so
    // that those in view need not wait for it
    let late = false;
    let isOther = false;
    let seen = true;
    const catchUp = () => {
      if (!late || !seen) return;
      draw({ isOther });
      late = isOther = false;
    };
    const soon = () => {
      late = true;
      queueMicrotask(catchUp);
    };
    // a figure is made before it is in a page, whose colour it then takes
    const recolour = () => {
      if (followsThePage && place.clientWidth > 0 && pageOf(place) !== drawnOn) late = isOther = true;
      catchUp();
    };
    const watcher = new IntersectionObserver((entries) => {
      seen = entries.at(-1).isIntersecting;
      recolour();
    });
    const heard = ["change:traces", "change:around"];
    for (const event of heard) model.on(event, soon);

    // JupyterLab adds a style sheet, hides its window, and names the theme; colours come in between or afterwards
    let left = 0;
    const look = () => {
      recolour();
      if (--left > 0) requestAnimationFrame(look);
    };
    const theme = new MutationObserver((changes) => {
      const isTheme = ({ type, addedNodes }) => type === "attributes" || [...addedNodes].some((one) => one.nodeName === "LINK");
      if (!changes.some(isTheme)) return;
      const isLooking = left > 0;
      left = MOST_FRAMES;
      if (!isLooking) look();
    });
    theme.observe(document.body, { childList: true, attributeFilter: ["data-jp-theme-light"] });

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
      left = 0;
      for (const event of heard) model.off(event, soon);
      Plotly.purge(place);
    };
  },
});
