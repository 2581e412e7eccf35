// Input on the drawing board: strokes and dots by the pointer, single pixels by the keys.

class BoardInput {
  constructor(view, canvas) {
    Object.assign(this, { view, canvas });
    this.cursor = null; // the pixel that keys act on
    this.tool = "draw";
    this.#listenToPointer();
    this.#listenToKeys();
  }

  #pixelOf(event) {
    const box = this.canvas.getBoundingClientRect();
    const { size } = this.view.board;
    const inside = (share) => Math.max(0, Math.min(size - 1, Math.floor(share * size)));
    return [inside((event.clientX - box.left) / box.width), inside((event.clientY - box.top) / box.height)];
  }

  #listenToPointer() {
    const { canvas, view } = this;
    let from = null;
    const stroke = (x, y) => {
      const { board } = view;
      board.stroke(...from, x, y, this.tool === "draw" ? 1 : 0);
      if (this.tool === "draw" && board.dot === null) board.dot = board.at(...from);
      from = [x, y];
      view.distances = board.distances();
      view.draw();
    };
    canvas.addEventListener("pointerdown", (event) => {
      if (view.questions.areOpen) return;
      event.preventDefault();
      canvas.focus({ preventScroll: true });
      canvas.setPointerCapture(event.pointerId);
      const [x, y] = this.#pixelOf(event);
      view.board.remember();
      if (this.tool === "dot") {
        if (view.board.placeDot(x, y)) view.drawingChanged();
        return;
      }
      from = [x, y];
      stroke(x, y);
    });
    canvas.addEventListener("pointermove", (event) => from && stroke(...this.#pixelOf(event)));
    for (const name of ["pointerup", "pointercancel"]) {
      canvas.addEventListener(name, () => {
        if (!from) return;
        from = null;
        view.drawingChanged();
      });
    }
  }

  #listenToKeys() {
    const { canvas, view } = this;
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    canvas.addEventListener("keydown", (event) => {
      if (view.questions.areOpen) return;
      const { board } = view;
      this.cursor ??= { x: board.size >> 1, y: board.size >> 1 };
      const { x, y } = this.cursor;
      if (moves[event.key]) {
        const inside = (value) => Math.max(0, Math.min(board.size - 1, value));
        const [dx, dy] = moves[event.key];
        this.cursor = { x: inside(x + dx), y: inside(y + dy) };
        view.draw();
      } else if (event.key === " ") {
        board.remember();
        board.stroke(x, y, x, y, board.lines[board.at(x, y)] ? 0 : 1);
        view.drawingChanged();
      } else if (event.key.toLowerCase() === "d") {
        board.remember();
        if (board.placeDot(x, y)) view.drawingChanged();
      } else return;
      event.preventDefault();
      event.stopPropagation();
    });
    canvas.addEventListener("blur", () => view.draw());
  }

  // the frame around the pixel that keys act on, while the board has the focus
  drawCursor(context) {
    if (!this.cursor || this.canvas.getRootNode().activeElement !== this.canvas) return;
    Object.assign(context, { strokeStyle: "#56b4e9", lineWidth: 0.4 });
    context.strokeRect(this.cursor.x + 0.2, this.cursor.y + 0.2, 0.6, 0.6);
  }
}
