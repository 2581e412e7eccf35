// The view in a notebook: drawing and answers are sent to Python, so that the same drawing can be recorded there.

function render({ model, el }) {
  const root = document.createElement("div");
  el.append(root);
  const view = new TracerView(root, model.get("content"), model.get("worker"), model.get("answered"));
  root.addEventListener("drawing", () => {
    const { size, lines, dot } = view.board;
    const drawn = [];
    lines.forEach((line, at) => line && drawn.push(at));
    model.set("drawn", { size, lines: drawn, dot });
    model.save_changes();
  });
  root.addEventListener("answered", () => {
    model.set("answered", view.questions.answers);
    model.save_changes();
  });
  view.begin(model.get("drawn"), model.get("seed"));
  return () => view.end();
}

export default following({ render });
