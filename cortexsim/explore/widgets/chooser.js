// A button that chooses a folder or a file; either can also be dropped on it. The files go to the kernel in pieces, because a
// message may not be larger than some megabytes.

const PIECE_BYTES = 4_000_000;

// the files of what was dropped, those of folders with the path from there
async function within(entry, before = "") {
  const path = `${before}${entry.name}`;
  if (entry.isFile) return [{ path, file: await new Promise((resume, fail) => entry.file(resume, fail)) }];
  const reader = entry.createReader();
  const found = [];
  for (;;) {
    // at most a hundred at a time
    const some = await new Promise((resume, fail) => reader.readEntries(resume, fail));
    if (!some.length) return found;
    for (const one of some) found.push(...(await within(one, `${path}/`)));
  }
}

async function dropped(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  const loose = [...transfer.files].map((file) => ({ path: file.name, file }));
  return entries.length ? (await Promise.all(entries.map((entry) => within(entry)))).flat() : loose;
}

export default following({
  render({ model, el }) {
    const isFolder = model.get("folder");
    const root = document.createElement("div");
    root.className = "cs-chooser";
    const input = Object.assign(document.createElement("input"), { type: "file", hidden: true, accept: model.get("accept") });
    input.webkitdirectory = isFolder;
    const button = Object.assign(document.createElement("button"), {
      type: "button", textContent: model.get("label"), title: `choose a ${isFolder ? "folder" : "file"}, or drop it here`,
    });
    const said = document.createElement("span");
    said.setAttribute("role", "status");
    root.append(button, input, said);
    el.append(root);

    async function send(files) {
      // systems put hidden files into folders
      const seen = files.filter(({ path }) => !path.split("/").at(-1).startsWith("."));
      if (!seen.length) return;
      model.send({ kind: "begin" });
      for (const [k, { path, file }] of seen.entries()) {
        said.textContent = `reading ${k + 1} of ${seen.length}`;
        for (let start = 0; start === 0 || start < file.size; start += PIECE_BYTES) {
          const piece = await file.slice(start, start + PIECE_BYTES).arrayBuffer();
          model.send({ kind: "piece", path }, undefined, [piece]);
        }
      }
      model.send({ kind: "end" });
      said.textContent = "";
    }
    const sent = (files) => send(files).catch((error) => (said.textContent = `this could not be read: ${error.message}`));

    button.addEventListener("click", () => input.click());
    input.addEventListener("change", () => {
      sent([...input.files].map((file) => ({ path: file.webkitRelativePath || file.name, file })));
      input.value = ""; // the same again is a change, too
    });
    root.addEventListener("dragover", (event) => {
      event.preventDefault();
      event.stopPropagation();
      root.classList.add("cs-over");
    });
    root.addEventListener("dragleave", () => root.classList.remove("cs-over"));
    root.addEventListener("drop", (event) => {
      event.preventDefault();
      event.stopPropagation();
      root.classList.remove("cs-over");
      dropped(event.dataTransfer).then(sent);
    });
  },
});
