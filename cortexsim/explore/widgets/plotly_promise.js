// The page's promise of plotly, made by whichever comes first: an engine or a figure.
window.cortexsimPlotly ??= (() => {
  let keep;
  const module = new Promise((resolve) => { keep = resolve; });
  return { module, keep, begun: false };
})();
