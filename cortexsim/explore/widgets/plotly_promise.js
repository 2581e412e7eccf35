// The page's promise of plotly, made by the first engine or figure.
window.cortexsimPlotly ??= (() => {
  let keep;
  const module = new Promise((resolve) => { keep = resolve; });
  return { module, keep, begun: false };
})();
