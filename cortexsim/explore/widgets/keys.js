// JupyterLab's keys of command mode (x cuts a cell, a and b add one, arrows leave it) act wherever the focus is, but on an
// element that has this attribute itself; on an element around it, the attribute has no effect.
const MARK = "data-lm-suppress-shortcuts";

function belongs(target) {
  return target instanceof Element && target.closest(".cortexsim-panel");
}

export default {
  initialize() {
    // one for the page, however many kernels it has
    if (window.cortexsimKeys) return;
    window.cortexsimKeys = true;
    document.addEventListener("focusin", ({ target }) => {
      if (belongs(target)) target.setAttribute(MARK, "true");
    });
    // keys that run a cell or save the notebook keep working
    document.addEventListener(
      "keydown",
      ({ target, key, ctrlKey, metaKey, altKey, shiftKey }) => {
        if (!belongs(target)) return;
        const command = ctrlKey || metaKey || altKey || (shiftKey && key === "Enter");
        if (command) target.removeAttribute(MARK);
        else target.setAttribute(MARK, "true");
      },
      true,
    );
  },
};
