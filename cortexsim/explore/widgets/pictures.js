// Pictures of the panels in a page: each panel is drawn as it looks a moment after its last change, and the kernel puts the
// picture into the notebook, for a reader without a kernel. No panel does anything for it.

const QUIET_MS = 1500; // without a change, before a picture is taken
const REST_MS = 4000; // between two pictures of a panel
const MOST_BYTES = 200_000; // in a notebook, a third more
const AROUND_PX = 60; // texts may stick out of a drawing
const STYLES = [
  "fill", "fill-opacity", "stroke", "stroke-opacity", "stroke-width", "stroke-dasharray", "stroke-linecap", "stroke-linejoin",
  "paint-order", "opacity", "display", "visibility", "font-family", "font-size", "font-style", "font-weight", "text-anchor",
  "dominant-baseline", "letter-spacing", "color", "vector-effect",
];

class Picture {
  constructor(panel) {
    this.panel = panel;
    this.origin = panel.getBoundingClientRect();
    this.canvas = document.createElement("canvas");
    this.canvas.width = Math.ceil(this.origin.width);
    this.canvas.height = Math.ceil(this.origin.height);
    this.context = this.canvas.getContext("2d");
    this.context.fillStyle = getComputedStyle(panel).getPropertyValue("--jp-layout-color0").trim() || "#fff";
    this.context.fillRect(0, 0, this.canvas.width, this.canvas.height);
  }

  box(one) {
    const { left, top, width, height } = one.getBoundingClientRect();
    return { x: left - this.origin.left, y: top - this.origin.top, width, height };
  }

  async draw() {
    await this.element(this.panel, 1);
    return this.canvas;
  }

  async element(one, opacity) {
    const style = getComputedStyle(one);
    if (style.display === "none") return;
    const alpha = opacity * Number(style.opacity);
    this.context.globalAlpha = alpha;
    const isSeen = style.visibility === "visible";
    if (isSeen && one !== this.panel) this.frame(one, style);
    if (one instanceof SVGElement) return isSeen ? this.svg(one) : undefined;
    if (isSeen && (one instanceof HTMLCanvasElement || one instanceof HTMLImageElement)) return this.image(one);
    if (one.matches("input, select, textarea")) return isSeen ? this.control(one, style) : undefined;
    // what a closed disclosure hides keeps its style and its box
    const isClosed = one.matches("details:not([open])");
    for (const child of one.childNodes) {
      if (isClosed && child.nodeName !== "SUMMARY") continue;
      if (child instanceof Element) await this.element(child, alpha);
      else if (child.nodeType === Node.TEXT_NODE && isSeen) {
        this.context.globalAlpha = alpha;
        this.words(child, style);
      }
    }
  }

  frame(one, style) {
    const { x, y, width, height } = this.box(one);
    if (!width || !height) return;
    const { context } = this;
    context.fillStyle = style.backgroundColor;
    context.fillRect(x, y, width, height);
    const line = parseFloat(style.borderTopWidth);
    if (line && style.borderTopStyle !== "none" && parseFloat(style.borderLeftWidth)) {
      context.strokeStyle = style.borderTopColor;
      context.lineWidth = line;
      context.strokeRect(x + line / 2, y + line / 2, width - line, height - line);
    }
    const outline = parseFloat(style.outlineWidth);
    if (outline && style.outlineStyle === "solid") {
      context.strokeStyle = style.outlineColor;
      context.lineWidth = outline;
      context.strokeRect(x - outline / 2, y - outline / 2, width + outline, height + outline);
    }
  }

  image(one) {
    const { x, y, width, height } = this.box(one);
    if (!width || !height || !(one.width ?? 0) || !(one.height ?? 0)) return;
    this.context.imageSmoothingEnabled = getComputedStyle(one).imageRendering !== "pixelated";
    this.context.drawImage(one, x, y, width, height);
  }

  // The styles of a page do not reach an image: each element carries those that it has.
  async svg(one) {
    const { x, y, width, height } = this.box(one);
    if (!width || !height) return;
    const copy = one.cloneNode(true);
    const [originals, copies] = [one, copy].map((root) => [root, ...root.querySelectorAll("*")]);
    for (const [k, original] of originals.entries()) {
      const style = getComputedStyle(original);
      copies[k].setAttribute("style", STYLES.map((name) => `${name}:${style.getPropertyValue(name)}`).join(";"));
    }
    copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
    copy.setAttribute("x", AROUND_PX);
    copy.setAttribute("y", AROUND_PX);
    copy.setAttribute("width", width);
    copy.setAttribute("height", height);
    copy.setAttribute("overflow", "visible");
    const [across, down] = [width + 2 * AROUND_PX, height + 2 * AROUND_PX];
    const text = new XMLSerializer().serializeToString(copy);
    const image = new Image();
    image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(
      `<svg xmlns="http://www.w3.org/2000/svg" width="${across}" height="${down}">${text}</svg>`,
    )}`;
    const alpha = this.context.globalAlpha;
    try {
      await image.decode();
    } catch {
      return; // a drawing that is no valid image is left out
    }
    this.context.globalAlpha = alpha;
    this.context.drawImage(image, x - AROUND_PX, y - AROUND_PX, across, down);
  }

  // Word by word, because the lines of a text are known only from where its words are.
  words(node, style) {
    const range = document.createRange();
    for (const { 0: word, index } of node.data.matchAll(/\S+/g)) {
      range.setStart(node, index);
      range.setEnd(node, index + word.length);
      const [box] = range.getClientRects();
      if (box?.width) this.write(word, box.left - this.origin.left, box.top - this.origin.top, box.height, style);
    }
  }

  write(text, x, y, height, style) {
    const { context } = this;
    context.font = `${style.fontStyle} ${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
    context.fillStyle = style.color;
    const { fontBoundingBoxAscent: up, fontBoundingBoxDescent: down } = context.measureText(text);
    context.fillText(text, x, y + (height - up - down) / 2 + up);
  }

  control(one, style) {
    const { x, y, width, height } = this.box(one);
    const { context } = this;
    if (!width || !height) return;
    context.strokeStyle = context.fillStyle = style.accentColor === "auto" ? style.color : style.accentColor;
    if (one.type === "range") {
      const share = (one.value - one.min) / (one.max - one.min || 1);
      context.lineWidth = 4;
      context.strokeRect(x + 2, y + height / 2, width - 4, 0.5);
      context.beginPath();
      context.arc(x + 8 + share * (width - 16), y + height / 2, 8, 0, 2 * Math.PI);
      context.fill();
    } else if (one.type === "radio" || one.type === "checkbox") {
      context.lineWidth = 1.5;
      context.strokeRect(x + 1, y + 1, width - 2, height - 2);
      if (one.checked) context.fillRect(x + 4, y + 4, width - 8, height - 8);
    } else {
      const text = one.matches("select") ? (one.selectedOptions[0]?.textContent ?? "") : one.value;
      this.write(text, x + parseFloat(style.paddingLeft) + 3, y, height, style);
    }
  }
}

// PNG, in as many steps smaller as it takes to stay under the limit.
async function packed(canvas) {
  for (let scale = 1; scale > 0.2; scale *= 0.8) {
    const smaller = document.createElement("canvas");
    smaller.width = Math.round(canvas.width * scale);
    smaller.height = Math.round(canvas.height * scale);
    smaller.getContext("2d").drawImage(canvas, 0, 0, smaller.width, smaller.height);
    const blob = await new Promise((resume) => smaller.toBlob(resume, "image/png"));
    if (blob && blob.size <= MOST_BYTES) return blob.arrayBuffer();
  }
  return null;
}

class Pictures {
  constructor(model) {
    this.model = model;
    this.known = new WeakMap(); // panel -> when its next picture is due, and when the last one was taken
    this.observer = new MutationObserver((changes) => this.notice(changes.map(({ target }) => target)));
    const of = { childList: true, subtree: true, characterData: true, attributes: true, attributeFilter: ["class", "style", "d"] };
    this.observer.observe(document.body, of);
    this.look = ({ target }) => this.notice([target]);
    for (const event of ["pointerup", "keyup", "change"]) document.addEventListener(event, this.look, true);
    this.notice([document.body]);
  }

  remove() {
    this.observer.disconnect();
    for (const event of ["pointerup", "keyup", "change"]) document.removeEventListener(event, this.look, true);
  }

  notice(targets) {
    const changed = new Set();
    for (const target of targets) {
      const place = target instanceof Element ? target : target?.parentElement;
      const around = place?.closest(".cortexsim-pictured");
      if (around) changed.add(around);
      else for (const panel of place?.querySelectorAll?.(".cortexsim-pictured") ?? []) changed.add(panel);
    }
    for (const panel of changed) this.later(panel);
  }

  later(panel) {
    const one = this.known.get(panel) ?? { last: -REST_MS };
    this.known.set(panel, one);
    clearTimeout(one.timer);
    const wait = Math.max(QUIET_MS, one.last + REST_MS - performance.now());
    one.timer = setTimeout(() => requestIdleCallback(() => this.take(panel, one), { timeout: 2000 }), wait);
  }

  async take(panel, one) {
    const id = [...panel.classList].find((name) => name.startsWith("cortexsim-id-"))?.slice(13);
    // only of this kernel, in the output of a notebook, and where it is drawn
    if (!this.model.get("panels").includes(id) || !panel.matches(".jp-OutputArea-output > *") || !panel.clientHeight) return;
    one.last = performance.now();
    const bytes = await packed(await new Picture(panel).draw());
    if (!bytes) return;
    const text = new Uint8Array(await crypto.subtle.digest("SHA-1", bytes)).join();
    if (text === one.text) return;
    one.text = text;
    try {
      this.model.send({ panel: id }, undefined, [bytes]);
    } catch {
      this.remove(); // the kernel is gone, and with it whoever could keep a picture
    }
  }
}

export default following({
  initialize({ model }) {
    const pictures = new Pictures(model);
    return () => pictures.remove();
  },
});
