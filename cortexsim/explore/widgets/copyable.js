// Python lines that can be read, and copied with one click.

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // pages that are neither local nor https have no clipboard
    const area = document.createElement("textarea");
    area.value = text;
    area.style.position = "fixed";
    area.style.opacity = "0";
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}

export default following({
  render({ model, el }) {
    const root = document.createElement("div");
    root.className = "cs-copyable";
    const button = document.createElement("button");
    const details = document.createElement("details");
    const summary = document.createElement("summary");
    const lines = document.createElement("pre");
    const said = document.createElement("span");
    button.type = "button";
    button.textContent = "copy code";
    button.title = "copy the Python lines that make this recording and its figures";
    summary.textContent = "show code";
    said.setAttribute("role", "status");
    details.append(summary, lines);
    root.append(button, said, details);
    el.append(root);

    button.addEventListener("click", async () => {
      said.textContent = (await copy(model.get("text"))) ? "copied" : "not copied: select the lines below";
      details.open = details.open || said.textContent !== "copied";
    });

    function draw() {
      lines.textContent = model.get("text");
      root.style.display = model.get("text") ? "" : "none";
      said.textContent = "";
    }
    model.on("change:text", draw);
    draw();
    return () => model.off("change:text", draw);
  },
});
