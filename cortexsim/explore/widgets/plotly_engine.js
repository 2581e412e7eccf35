// Resolves the page's promise of plotly with the code that the kernel sends.

export default {
  initialize({ model }) {
    const page = window.cortexsimPlotly;
    if (page.begun) return;
    page.begun = true;
    const address = URL.createObjectURL(new Blob([model.get("code")], { type: "text/javascript" }));
    page.keep(import(address).then(() => window.Plotly).finally(() => URL.revokeObjectURL(address)));
  },
};
