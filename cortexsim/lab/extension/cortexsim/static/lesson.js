// What `cortexsim lab` adds to JupyterLab: the first panel of the lesson runs by itself, the file browser is closed, and a
// panel whose kernel is gone says so. Written by hand in the form of a module that JupyterLab loads, so that nothing is built.
(() => {
  const STYLES = `
    body.cortexsim-hide-code .jp-CodeCell > .jp-Cell-inputWrapper { display: none; }
    body.cortexsim-projector { --jp-content-font-size1: 18px; --jp-code-font-size: 16px; }
    /* text of 14 px becomes 18, and all else grows with it */
    body.cortexsim-projector .cortexsim-panel { zoom: calc(18 / 14); }
    /* plotly follows the pointer through a transform, and not through zoom */
    body.cortexsim-projector .cortexsim-panel .cortexsim-live > div {
      zoom: calc(14 / 18); transform: scale(calc(18 / 14)); transform-origin: 0 0; width: calc(100% * 14 / 18);
      margin-bottom: calc(var(--cs-plot-height, 360px) * 4 / 14);
    }
    .cortexsim-gone {
      margin: 4px 0; padding: 6px 12px; font: 15px/1.4 var(--jp-ui-font-family); color: #1f1f1f; background: #fdd835;
      border-left: 5px solid #d55e00;
    }`;
  const AGAIN = "Run the cells from the top (Run → Run All Cells) to use it.";
  const STOPPED = `The kernel has stopped, and this panel with it. ${AGAIN}`;
  const FROM_BEFORE = `This panel is from an earlier session and is not connected to a kernel. ${AGAIN}`;
  const WIDGET = "application/vnd.jupyter.widget-view+json";

  const options = () => JSON.parse(document.getElementById("jupyter-config-data").textContent);

  function notice(output, text) {
    const before = output?.querySelector(":scope > .cortexsim-gone");
    if (!output || before?.textContent === text) return;
    before?.remove();
    const made = document.createElement("div");
    Object.assign(made, { className: "cortexsim-gone", textContent: text });
    made.setAttribute("role", "alert");
    output.prepend(made);
  }

  // The cells whose widgets have no kernel, with what is said of them. Outputs are drawn late, and again when they are scrolled
  // to: each change of the page looks for those that still lack their notice.
  class Gone {
    constructor(notebook) {
      Object.assign(this, { notebook, texts: new Map() });
      new MutationObserver(() => this.texts.size && this.show()).observe(notebook.node, { childList: true, subtree: true });
    }

    mark(text) {
      for (const cell of this.notebook.widgets) {
        const outputs = cell.model.type === "code" ? cell.model.toJSON().outputs : [];
        if (outputs.some(({ data }) => data?.[WIDGET])) this.#take(cell, text);
      }
      this.show();
    }

    show() {
      for (const [{ node }, text] of this.texts) {
        for (const panel of node.querySelectorAll(".cortexsim-panel")) notice(panel.closest(".jp-OutputArea-output"), text);
      }
    }

    #take(cell, text) {
      const isKnown = this.texts.has(cell);
      this.texts.set(cell, text);
      if (isKnown) return;
      // It is run again. JupyterLab before 4.4 reports only the end of a run, when the new panel may already have the notice.
      const forget = (_, { name, newValue }) => {
        if (name !== "executionCount" && !(name === "executionState" && newValue === "running")) return;
        this.texts.delete(cell);
        cell.node.querySelectorAll(".cortexsim-gone").forEach((one) => one.remove());
        cell.model.stateChanged.disconnect(forget);
      };
      cell.model.stateChanged.connect(forget);
    }
  }

  // whether a kernel has run a panel before, as after a reload of the page
  async function isUsed(kernel) {
    const future = kernel.requestExecute({
      code: "", silent: false, store_history: false, user_expressions: { used: "'cortexsim' in __import__('sys').modules" },
    });
    const reply = await future.done;
    return reply.content.user_expressions?.used?.data?.["text/plain"] === "True";
  }

  // the panel, not the code above it, at the top of the window; it is drawn a moment after its cell has run
  async function scrollToPanel(cell) {
    for (let waited = 0; waited < 100 && !cell.querySelector(".cortexsim-panel"); waited++) {
      await new Promise((resume) => setTimeout(resume, 100));
    }
    cell.querySelector(".jp-Cell-outputWrapper")?.scrollIntoView({ block: "start" });
  }

  function watchKernel(panel, gone) {
    const { sessionContext } = panel;
    const ends = new Set(["dead", "restarting", "autorestarting", "terminating"]);
    sessionContext.statusChanged.connect((_, status) => ends.has(status) && gone.mark(STOPPED));
    sessionContext.kernelChanged.connect((_, { oldValue, newValue }) => oldValue && !newValue && gone.mark(STOPPED));
  }

  async function open(app, panel, { lesson, isOurs }) {
    if (!panel?.sessionContext || panel.cortexsim) return;
    panel.cortexsim = true;
    await panel.context.ready;
    const gone = new Gone(panel.content);
    watchKernel(panel, gone);
    await panel.sessionContext.ready;
    const kernel = panel.sessionContext.session?.kernel;
    const isNew = kernel && !(await isUsed(kernel));
    if (isNew) gone.mark(FROM_BEFORE);
    const first = panel.content.widgets.findIndex((cell) => cell.model.type === "code" && cell.model.getMetadata("cortexsim")?.opens);
    if (!isNew || first < 0 || panel.context.path !== lesson) return;
    // foreign code does not run by itself
    if (!isOurs && !panel.content.widgets[first].model.trusted) return;
    panel.content.activeCellIndex = first;
    await app.commands.execute("notebook:run-all-above");
    panel.content.activeCellIndex = first;
    await app.commands.execute("notebook:run-cell");
    await scrollToPanel(panel.content.widgets[first].node);
  }

  const plugin = {
    id: "cortexsim:lesson",
    autoStart: true,
    activate(app) {
      const { cortexsimHideCode: hideCode, cortexsimProjector: projector, ...more } = options();
      const asked = { lesson: more.cortexsimLesson, isOurs: more.cortexsimOurs };
      const style = document.createElement("style");
      style.textContent = STYLES;
      document.head.append(style);
      document.body.classList.toggle("cortexsim-hide-code", Boolean(hideCode));
      document.body.classList.toggle("cortexsim-projector", Boolean(projector));
      app.restored.then(() => {
        app.shell.collapseLeft();
        open(app, app.shell.currentWidget, asked);
        app.shell.currentChanged.connect((_, { newValue }) => open(app, newValue, asked));
      });
    },
  };

  window._JUPYTERLAB = window._JUPYTERLAB ?? {};
  window._JUPYTERLAB.cortexsim = {
    init() {},
    get: async () => () => ({ __esModule: true, default: plugin }),
  };
})();
