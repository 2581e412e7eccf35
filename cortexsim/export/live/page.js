// The page: the drawing, the time bar, the interventions, the controls and the chart.

const content = JSON.parse(document.getElementById("content").textContent);
const $ = (id) => document.getElementById(id);
const TAG = [255, 153, 0];
const WRONG = [86, 180, 233];

let worker = null;
let version = 0;
const shown = {
  board: new Board(48),
  time: 0,
  until: 60,
  playing: false,
  films: { recurrent: [], unshared: [], deep: null },
  mask: null, // a frame, and the time from which it replaces the drawing
  maskFrom: Infinity,
  changedAt: 0, // the time from which the present drawing is shown
  tool: "draw",
  cursor: null,
};
const needed = []; // one point for each drawing that was solved: length in px, steps

const steady = () => shown.mask === null && shown.changedAt === 0 && !$("cut").checked;

// --- running ---------------------------------------------------------------------------------------------------------

function startWorker() {
  const source = new Blob([$("worker").textContent], { type: "text/javascript" });
  worker = new Worker(URL.createObjectURL(source));
  worker.postMessage({ models: content.models });
  worker.onmessage = ({ data }) => {
    if (data.version !== version) return;
    if (data.model === "deep") shown.films.deep = data.logits;
    else shown.films[data.model][data.time] = data.logits;
    if (data.model === "recurrent" && data.time === shown.until) note();
    if (data.model !== "recurrent" || data.time === shown.time) draw();
  };
}

function curveLength() {
  return shown.distances.reduce((most, steps) => Math.max(most, steps), -1) + 1;
}

// run again from `from`: from 0 after a new drawing, from the present time after a change during the run
function run(from = 0) {
  const { board } = shown;
  version += 1;
  shown.distances = board.distances();
  shown.films.recurrent.length = from;
  if (from === 0) Object.assign(shown.films, { unshared: [], deep: null });
  shown.until = Math.min(400, Math.max(60, 3 * curveLength()));
  $("time").max = shown.until;
  worker.postMessage({
    version, size: board.size, from, until: shown.until, frame: board.frame(content.colours), mask: shown.mask,
    maskFrom: shown.maskFrom, cut: $("cut").checked,
  });
  draw();
}

function restart() {
  Object.assign(shown, { time: 0, changedAt: 0, mask: null, maskFrom: Infinity });
  $("mask").setAttribute("aria-pressed", "false");
  run();
  play(shown.board.dot !== null);
}

// a drawing that changes while it is being watched is shown from the next step on; otherwise time begins again
function drawingChanged() {
  if (shown.playing && shown.time > 0 && shown.mask === null) {
    shown.changedAt = shown.time + 1;
    run(shown.changedAt);
  } else restart();
}

let last = 0;
function play(on) {
  shown.playing = on;
  $("play").textContent = on ? "Pause" : "Play";
  last = performance.now();
  if (on) requestAnimationFrame(tick);
}

function tick(now) {
  if (!shown.playing) return;
  const steps = Math.floor(((now - last) * Number($("speed").value)) / 1000);
  if (steps > 0) {
    last = now;
    let time = Math.min(shown.time + steps, shown.until);
    // never ahead of what has been computed
    while (time > shown.time && !shown.films.recurrent[time]) time -= 1;
    if (time !== shown.time) goTo(time);
  }
  if (shown.time >= shown.until) play(false);
  else requestAnimationFrame(tick);
}

function goTo(time) {
  shown.time = Math.max(0, Math.min(shown.until, time));
  draw();
}

// --- what the model says ---------------------------------------------------------------------------------------------

function tagsAt(film, time) {
  const logits = film[Math.min(time, film.length - 1)];
  if (!logits) return null;
  if (!$("latch").checked) return logits;
  const most = logits.slice();
  for (let t = 0; t < time && t < film.length; t++) {
    for (let at = 0; at < most.length; at++) if (film[t]?.[at] > most[at]) most[at] = film[t][at];
  }
  return most;
}

function scored(logits) {
  const { lines } = shown.board;
  let [tagged, onCurve, right, all] = [0, 0, 0, 0];
  for (let at = 0; at < lines.length; at++) {
    if (!lines[at]) continue;
    const target = shown.distances[at] >= 0;
    const tag = logits[at] > 0;
    all += 1;
    onCurve += target;
    tagged += target && tag;
    right += target === tag;
  }
  return { tagged, onCurve, right, all, solved: all > 0 && right === all };
}

// first time from which every line pixel stays right to the end of the run; null where there is none
function stepsNeeded() {
  const film = shown.films.recurrent;
  let first = null;
  for (let time = shown.until; time >= 0; time--) {
    if (!film[time] || !scored(film[time]).solved) break;
    first = time;
  }
  return first;
}

// a run has come to its end: its point enters the chart
function note() {
  if (!steady() || shown.board.dot === null) return;
  const steps = stepsNeeded();
  if (steps !== null) needed.push({ length: curveLength(), steps });
  drawChart();
  draw();
}

function verdict() {
  if (shown.board.dot === null) return "Draw a curve: the dot goes to where you begin.";
  const logits = tagsAt(shown.films.recurrent, shown.time);
  if (!logits) return "…";
  const { tagged, onCurve, right, all, solved } = scored(logits);
  const finished = shown.films.recurrent.length > shown.until;
  const steps = finished && steady() ? stepsNeeded() : null;
  if (steps !== null && shown.time >= steps) return `Solved after ${steps} steps: a curve of ${curveLength()} px`;
  if (solved) return `${onCurve} of ${onCurve} px tagged, every line pixel right`;
  const wrong = all - right - (onCurve - tagged);
  return `${tagged} of ${onCurve} px tagged${wrong ? `, ${wrong} px tagged that lie elsewhere` : ""}`;
}

// --- drawing ---------------------------------------------------------------------------------------------------------

function paint(canvas, logits, ghost) {
  const { board, distances } = shown;
  const { size, lines, dot } = board;
  if (canvas.width !== size) Object.assign(canvas, { width: size, height: size });
  const context = canvas.getContext("2d");
  const image = context.createImageData(size, size);
  for (let at = 0; at < lines.length; at++) {
    const tagged = logits ? 1 / (1 + Math.exp(-logits[at])) : 0;
    const base = lines[at] ? (ghost ? 70 : 150) : 0;
    // a tag off the dot's curve is wrong, and drawn in another colour
    const colour = lines[at] && distances?.[at] < 0 && tagged > 0.5 ? WRONG : TAG;
    for (let c = 0; c < 3; c++) {
      image.data[at * 4 + c] = at === dot ? content.colours.dot[c] * 255 : base + (colour[c] - base) * (lines[at] ? tagged : tagged * 0.5);
    }
    image.data[at * 4 + 3] = 255;
  }
  context.putImageData(image, 0, 0);
  if (canvas === $("board") && shown.cursor && document.activeElement === canvas) {
    context.strokeStyle = "#56b4e9";
    context.lineWidth = 0.4;
    context.strokeRect(shown.cursor.x + 0.2, shown.cursor.y + 0.2, 0.6, 0.6);
  }
}

function draw() {
  const { films, time } = shown;
  const masked = shown.mask !== null && time >= shown.maskFrom;
  paint($("board"), tagsAt(films.recurrent, time), masked);
  paint($("unshared"), films.unshared[Math.min(time, films.unshared.length - 1)] ?? null);
  paint($("deep"), films.deep);
  $("time").value = time;
  $("now").textContent = `t = ${time}`;
  $("verdict").textContent = verdict() + (masked ? ` (mask since t = ${shown.maskFrom})` : "");
  for (const [name, logits] of [["unshared", films.unshared.at(-1)], ["deep", films.deep]]) {
    const known = logits && shown.board.dot !== null && (name === "deep" || films.unshared.length > content.trained_time);
    if (!known) {
      $(`says-${name}`).textContent = "";
      continue;
    }
    const { tagged, onCurve, right, all, solved } = scored(logits);
    $(`says-${name}`).textContent = solved ? "every line pixel right" : `${tagged} of ${onCurve} px tagged, ${all - right} line px wrong`;
  }
}

function drawChart() {
  const svg = $("chart");
  // drawn at the size at which it is shown, so that text keeps its size on a phone
  const width = Math.max(280, svg.clientWidth);
  const [height, left, right, top, bottom] = [240, 52, 96, 10, 42];
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  const most = Math.max(70, ...needed.map(({ length }) => length * 1.1), ...needed.map(({ steps }) => steps * 1.1));
  const x = (length) => left + (length / most) * (width - left - right);
  const y = (steps) => height - bottom - (steps / most) * (height - top - bottom);
  const parts = [];
  const add = (name, attributes, text = "") => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.textContent = text;
    parts.push(made);
  };
  add("path", { class: "axis", d: `M${left},${top}V${height - bottom}H${width - right}` });
  const unit = most > 160 ? 50 : 20;
  for (let tick = 0; tick <= most; tick += unit) {
    add("text", { x: x(tick), y: height - bottom + 18, "text-anchor": "middle" }, String(tick));
    add("text", { x: left - 6, y: y(tick) + 5, "text-anchor": "end" }, String(tick));
  }
  add("text", { x: (left + width - right) / 2, y: height - 4, "text-anchor": "middle" }, "length of the curve (px)");
  add("text", { transform: `translate(14 ${(top + height - bottom) / 2}) rotate(-90)`, "text-anchor": "middle" }, "steps needed");
  add("line", { class: "bound", x1: x(0), y1: y(0), x2: x(most), y2: y(most) });
  add("text", { class: "bound-name", x: x(most) + 4, y: y(most) + 10 }, "1 px a step");
  if (content.known.length) {
    add("path", { class: "known", d: content.known.map(({ length, steps }, i) => `${i ? "L" : "M"}${x(length)},${y(steps)}`).join("") });
    const end = content.known.at(-1);
    add("text", { class: "known-name", x: x(end.length) + 4, y: y(end.steps) + 16 }, "test set");
  }
  needed.forEach(({ length, steps }, i) => {
    add("circle", { class: i === needed.length - 1 ? "drawn newest" : "drawn", cx: x(length), cy: y(steps), r: 5 });
  });
  svg.replaceChildren(...parts);
}

// --- controls --------------------------------------------------------------------------------------------------------

function maskFrame(kind) {
  const { board } = shown;
  if (kind === "noise") {
    const random = randomNumbers(board.dot ?? 0);
    return Float32Array.from({ length: board.size ** 2 * 3 }, () => random());
  }
  const other = new Board(board.size);
  if (kind === "lines") {
    drawCurves(other, Math.min(30, board.size), 3, randomNumbers(17));
    other.dot = null; // the mask has no dot: it could be traced itself
  }
  return other.frame(content.colours);
}

function pixelOf(event) {
  const box = $("board").getBoundingClientRect();
  const { size } = shown.board;
  const inside = (value) => Math.max(0, Math.min(size - 1, Math.floor(value)));
  return [inside(((event.clientX - box.left) / box.width) * size), inside(((event.clientY - box.top) / box.height) * size)];
}

function listenToDrawing() {
  const canvas = $("board");
  let from = null;
  canvas.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    canvas.focus({ preventScroll: true });
    canvas.setPointerCapture(event.pointerId);
    const { board } = shown;
    const [x, y] = pixelOf(event);
    board.remember();
    if (shown.tool === "dot") {
      if (board.placeDot(x, y)) drawingChanged();
      return;
    }
    from = [x, y];
    board.stroke(x, y, x, y, shown.tool === "draw" ? 1 : 0);
    if (shown.tool === "draw" && board.dot === null) board.dot = board.at(x, y);
    shown.distances = board.distances();
    draw();
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!from) return;
    const [x, y] = pixelOf(event);
    shown.board.stroke(...from, x, y, shown.tool === "draw" ? 1 : 0);
    from = [x, y];
    shown.distances = shown.board.distances();
    draw();
  });
  const end = () => {
    if (!from) return;
    from = null;
    drawingChanged();
  };
  canvas.addEventListener("pointerup", end);
  canvas.addEventListener("pointercancel", end);
  canvas.addEventListener("keydown", (event) => {
    const { board } = shown;
    shown.cursor ??= { x: board.size >> 1, y: board.size >> 1 };
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const { cursor } = shown;
    if (moves[event.key]) {
      const [dx, dy] = moves[event.key];
      cursor.x = Math.max(0, Math.min(board.size - 1, cursor.x + dx));
      cursor.y = Math.max(0, Math.min(board.size - 1, cursor.y + dy));
      draw();
    } else if (event.key === " ") {
      board.remember();
      board.stroke(cursor.x, cursor.y, cursor.x, cursor.y, board.lines[board.at(cursor.x, cursor.y)] ? 0 : 1);
      drawingChanged();
    } else if (event.key.toLowerCase() === "d") {
      board.remember();
      if (board.placeDot(cursor.x, cursor.y)) drawingChanged();
    } else return;
    event.preventDefault();
  });
}

function randomDrawing() {
  const { board } = shown;
  board.remember();
  const random = randomNumbers(crypto.getRandomValues(new Uint32Array(1))[0]);
  if (drawCurves(board, Number($("length").value), 3, random)) restart();
  else {
    board.undo();
    $("verdict").textContent = `Three curves of ${$("length").value} px do not fit: choose shorter curves or a larger canvas.`;
  }
}

function listen() {
  listenToDrawing();
  for (const button of document.querySelectorAll("[data-tool]")) {
    button.addEventListener("click", () => {
      shown.tool = button.dataset.tool;
      for (const one of document.querySelectorAll("[data-tool]")) one.setAttribute("aria-checked", String(one === button));
    });
  }
  $("undo").addEventListener("click", () => shown.board.undo() && restart());
  $("clear").addEventListener("click", () => {
    shown.board.remember();
    shown.board.clear();
    restart();
  });
  $("random").addEventListener("click", randomDrawing);
  $("maze").addEventListener("click", () => {
    shown.board.remember();
    drawMaze(shown.board, randomNumbers(crypto.getRandomValues(new Uint32Array(1))[0]));
    restart();
  });
  $("size").addEventListener("change", () => {
    shown.board = new Board(Number($("size").value));
    shown.cursor = null;
    randomDrawing();
  });
  $("play").addEventListener("click", () => {
    if (!shown.playing && shown.time >= shown.until) shown.time = 0;
    play(!shown.playing);
  });
  $("start").addEventListener("click", () => goTo(0));
  $("next").addEventListener("click", () => {
    play(false);
    goTo(shown.time + 1);
  });
  $("time").addEventListener("input", () => {
    play(false);
    goTo(Number($("time").value));
  });
  $("mask").addEventListener("click", () => {
    const on = shown.mask === null;
    shown.mask = on ? maskFrame($("mask-kind").value) : null;
    shown.maskFrom = on ? shown.time + 1 : Infinity;
    $("mask").setAttribute("aria-pressed", String(on));
    run(on ? shown.maskFrom : 0);
  });
  $("mask-kind").addEventListener("change", () => {
    if (shown.mask === null) return;
    shown.mask = maskFrame($("mask-kind").value);
    run(shown.maskFrom);
  });
  $("latch").addEventListener("change", draw);
  $("cut").addEventListener("change", () => run());
}

startWorker();
listen();
addEventListener("resize", drawChart);
drawChart();
shown.distances = shown.board.distances();
drawCurves(shown.board, 40, 3, randomNumbers(6));
restart();
