// What `cortexsim lab` adds to JupyterLab: the first panel of the lesson runs by itself, the file browser is closed, and a
// panel whose kernel is gone says so. Written by hand in the form of a module that JupyterLab loads, so that nothing is built.
(() => {
  const STYLES = `
    body.cortexsim-hide-code .jp-CodeCell > .jp-Cell-inputWrapper { display: none; }
    body.cortexsim-projector {
      --cs-text: 18px; --jp-widgets-font-size: 18px; --jp-content-font-size1: 18px; --jp-code-font-size: 16px;
      --jp-widgets-inline-height: 36px;
    }
    body.cortexsim-projector .cortexsim-panel .widget-html-content { font-size: 18px; }
    .cortexsim-gone {
      margin: 4px 0; padding: 6px 12px; font: 15px/1.4 var(--jp-ui-font-family); color: #1f1f1f; background: #fdd835;
      border-left: 5px solid #d55e00;
    }`;
  const STOPPED = "The kernel has stopped: this panel no longer computes. Click into its cell and press Shift+Enter to run it again.";
  const FROM_BEFORE =
    "This panel is from an earlier session and is not connected to a kernel. Run the cells from the top (Run → Run All Cells) to use it.";
  const MISSING = "Error displaying widget: model not found";

  const options = () => JSON.parse(document.getElementById("jupyter-config-data").textContent);

  function notice(output, text) {
    if (output.querySelector(":scope > .cortexsim-gone")) return;
    const made = document.createElement("div");
    Object.assign(made, { className: "cortexsim-gone", textContent: text });
    made.setAttribute("role", "alert");
    output.prepend(made);
  }

  // the outputs of a notebook that show panels
  const panels = (notebook) =>
    [...notebook.node.querySelectorAll(".jp-OutputArea-output")].filter((output) => output.querySelector(".cortexsim-panel"));

  // whether a kernel has run the lesson before, as after a reload of the page
  async function isUsed(kernel) {
    const future = kernel.requestExecute({
      code: "", silent: false, store_history: false, user_expressions: { used: "'cs' in globals()" },
    });
    const reply = await future.done;
    return reply.content.user_expressions?.used?.data?.["text/plain"] === "True";
  }

  // outputs of widgets that are gone: their text is JupyterLab's own, and says nothing to a student
  function explainMissing(notebook) {
    for (const output of notebook.node.querySelectorAll(".jp-OutputArea-output")) {
      if (output.textContent.trim() !== MISSING) continue;
      output.textContent = "";
      notice(output, FROM_BEFORE);
    }
  }

  // the panel, not the code above it, at the top of the window; it is drawn a moment after its cell has run
  async function scrollToPanel(cell) {
    for (let waited = 0; waited < 100 && !cell.querySelector(".cortexsim-panel"); waited++) {
      await new Promise((resume) => setTimeout(resume, 100));
    }
    cell.querySelector(".jp-Cell-outputWrapper")?.scrollIntoView({ block: "start" });
  }

  function watchKernel(panel) {
    const { sessionContext } = panel;
    const gone = new Set(["dead", "restarting", "autorestarting", "terminating"]);
    const told = (text) => panels(panel.content).forEach((output) => notice(output, text));
    sessionContext.statusChanged.connect((_, status) => gone.has(status) && told(STOPPED));
    sessionContext.kernelChanged.connect((_, { oldValue, newValue }) => oldValue && !newValue && told(STOPPED));
  }

  async function open(app, panel, { lesson, isOurs }) {
    if (!panel?.sessionContext || panel.cortexsim) return;
    panel.cortexsim = true;
    await panel.context.ready;
    watchKernel(panel);
    const observer = new MutationObserver(() => explainMissing(panel.content));
    observer.observe(panel.content.node, { childList: true, subtree: true });
    await panel.sessionContext.ready;
    const kernel = panel.sessionContext.session?.kernel;
    const isNew = kernel && !(await isUsed(kernel));
    if (isNew) panels(panel.content).forEach((output) => notice(output, FROM_BEFORE));
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
