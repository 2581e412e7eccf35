// The drawing: lines on a square of pixels and one dot; the right answer to it; and random drawings.

const NEIGHBOURS = [[1, 0], [0, 1], [-1, 0], [0, -1]];

class Board {
  constructor(size) {
    this.size = size;
    this.lines = new Uint8Array(size * size);
    this.dot = null; // index of a pixel
    this.past = [];
  }

  remember() {
    this.past.push({ lines: this.lines.slice(), dot: this.dot });
    if (this.past.length > 200) this.past.shift();
  }

  undo() {
    const before = this.past.pop();
    if (before) Object.assign(this, before);
    return Boolean(before);
  }

  clear() {
    this.lines.fill(0);
    this.dot = null;
  }

  at(x, y) {
    return y * this.size + x;
  }

  // a stroke from one pixel to another, each pixel sharing an edge with the one before it: the model was trained on such curves
  stroke(x0, y0, x1, y1, value = 1) {
    let [x, y] = [x0, y0];
    this.lines[this.at(x, y)] = value;
    while (x !== x1 || y !== y1) {
      // the remaining way along x is longer, or shorter, than along y
      if (Math.abs(x1 - x) >= Math.abs(y1 - y)) x += Math.sign(x1 - x);
      else y += Math.sign(y1 - y);
      this.lines[this.at(x, y)] = value;
    }
    if (value === 0 && this.dot !== null && !this.lines[this.dot]) this.dot = null;
  }

  // the dot goes to the nearest line pixel within `reach` pixels; elsewhere it is not placed
  placeDot(x, y, reach = 3) {
    let best = null;
    let nearest = Infinity;
    for (let dy = -reach; dy <= reach; dy++) {
      for (let dx = -reach; dx <= reach; dx++) {
        const [u, v] = [x + dx, y + dy];
        if (u < 0 || v < 0 || u >= this.size || v >= this.size || !this.lines[this.at(u, v)]) continue;
        const far = dx * dx + dy * dy;
        if (far < nearest) [best, nearest] = [this.at(u, v), far];
      }
    }
    if (best === null) return false;
    this.dot = best;
    return true;
  }

  // RGB in 0 to 1, channels last
  frame({ background, line, dot }) {
    const pixels = new Float32Array(this.size * this.size * 3);
    for (let at = 0; at < this.lines.length; at++) {
      pixels.set(at === this.dot ? dot : this.lines[at] ? line : background, at * 3);
    }
    return pixels;
  }

  // Steps along the lines from the dot to each pixel, -1 where the dot's curve does not lead. Pixels that meet at a corner
  // only are two steps apart, as along a staircase.
  distances() {
    const { size, lines, dot } = this;
    const distance = new Int32Array(size * size).fill(-1);
    if (dot === null) return distance;
    let front = [[dot], [], []]; // pixels that are 0, 1 and 2 steps further
    for (let steps = 0; front.some((pixels) => pixels.length); steps++) {
      const here = front.shift();
      front.push([]);
      for (const at of here) {
        if (distance[at] >= 0) continue;
        distance[at] = steps;
        const [x, y] = [at % size, Math.floor(at / size)];
        for (let dy = -1; dy <= 1; dy++) {
          for (let dx = -1; dx <= 1; dx++) {
            const [u, v] = [x + dx, y + dy];
            if (u < 0 || v < 0 || u >= size || v >= size) continue;
            const next = this.at(u, v);
            if (lines[next] && distance[next] < 0) front[dx && dy ? 1 : 0].push(next);
          }
        }
      }
    }
    return distance;
  }
}

// A generator of random numbers that can be repeated (mulberry32, public domain).
function randomNumbers(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

// Whether a pixel can continue a curve: nothing but the last two pixels of that curve is in the 3x3 pixels around it.
function isFree(board, x, y, last, beforeLast) {
  const { size, lines } = board;
  if (x < 0 || y < 0 || x >= size || y >= size) return false;
  for (let dy = -1; dy <= 1; dy++) {
    for (let dx = -1; dx <= 1; dx++) {
      const [u, v] = [x + dx, y + dy];
      if (u < 0 || v < 0 || u >= size || v >= size) continue;
      const at = board.at(u, v);
      if (lines[at] && at !== last && at !== beforeLast) return false;
    }
  }
  return true;
}

function grow(board, x, y, length, random) {
  if (!isFree(board, x, y, -1, -1)) return null;
  const path = [board.at(x, y)];
  board.lines[path[0]] = 1;
  let direction = Math.floor(random() * 4);
  while (path.length < length) {
    const last = path.at(-1);
    const [px, py] = [last % board.size, Math.floor(last / board.size)];
    const ways = NEIGHBOURS.map(([dx, dy], way) => {
      const free = isFree(board, px + dx, py + dy, last, path.at(-2) ?? -1);
      // twice as likely straight on as into another direction
      return free ? (way === direction ? 2 : 1) : 0;
    });
    const total = ways.reduce((sum, weight) => sum + weight, 0);
    if (total === 0) {
      for (const at of path) board.lines[at] = 0;
      return null;
    }
    let drawn = random() * total;
    direction = ways.findIndex((weight) => (drawn -= weight) < 0);
    const [dx, dy] = NEIGHBOURS[direction];
    path.push(board.at(px + dx, py + dy));
    board.lines[path.at(-1)] = 1;
  }
  return path;
}

// `count` curves of `length` pixels that never touch, the dot at an end of the first. False where they cannot be placed.
function drawCurves(board, length, count, random) {
  for (let attempt = 0; attempt < 400; attempt++) {
    board.clear();
    const paths = [];
    for (let tries = 0; paths.length < count && tries < 60; tries++) {
      let [x, y] = [Math.floor(random() * board.size), Math.floor(random() * board.size)];
      if (paths.length) {
        // the others start near the first, so that their distance from the dot says little
        const near = paths[0][Math.floor(random() * length)];
        x = (near % board.size) + Math.floor(random() * 9) - 4;
        y = Math.floor(near / board.size) + Math.floor(random() * 9) - 4;
      }
      const path = grow(board, x, y, length, random);
      if (path) paths.push(path);
      else if (!paths.length) break;
    }
    if (paths.length === count) {
      board.dot = random() < 0.5 ? paths[0][0] : paths[0].at(-1);
      return true;
    }
  }
  board.clear();
  return false;
}

// A maze of as many cells as fit, its corridors one pixel wide (depth-first search), cut in two; the dot is in one part.
function drawMaze(board, random) {
  board.clear();
  const cells = Math.floor((board.size - 1) / 2);
  const at = (i, j) => board.at(2 * i + 1, 2 * j + 1);
  const seen = new Uint8Array(cells * cells);
  const start = [Math.floor(random() * cells), Math.floor(random() * cells)];
  const stack = [start];
  const walls = [];
  seen[start[1] * cells + start[0]] = 1;
  board.lines[at(...start)] = 1;
  while (stack.length) {
    const [i, j] = stack.at(-1);
    const open = NEIGHBOURS.map(([di, dj]) => [i + di, j + dj]).filter(
      ([u, v]) => u >= 0 && v >= 0 && u < cells && v < cells && !seen[v * cells + u],
    );
    if (!open.length) {
      stack.pop();
      continue;
    }
    const [u, v] = open[Math.floor(random() * open.length)];
    seen[v * cells + u] = 1;
    const wall = board.at(i + u + 1, j + v + 1);
    board.lines[wall] = 1;
    board.lines[at(u, v)] = 1;
    walls.push(wall);
    stack.push([u, v]);
  }
  let best = null;
  for (let tries = 0; tries < 12; tries++) {
    const wall = walls[Math.floor(random() * walls.length)];
    board.lines[wall] = 0;
    board.dot = at(Math.floor(random() * cells), Math.floor(random() * cells));
    const reached = board.distances().reduce((sum, steps) => sum + (steps >= 0), 0);
    const share = Math.min(reached, 2 * cells * cells - reached);
    if (!best || share > best.share) best = { wall, share, dot: board.dot };
    board.lines[wall] = 1;
  }
  board.lines[best.wall] = 0;
  board.dot = best.dot;
}
