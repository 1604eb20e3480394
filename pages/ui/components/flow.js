// A digit flows through encoder, code and decoder. The visitor draws or picks the digit and drags the code's bars;
// Python answers each change with {code, output, score}. A change waits for the answer to the one before, so that a slow
// server is never flooded, and the last change always arrives.
const SIDE = 28;

function paint(canvas, pixels) {
  const context = canvas.getContext("2d");
  const image = context.createImageData(SIDE, SIDE);
  for (let i = 0; i < SIDE * SIDE; i++) {
    image.data.fill(pixels[i], 4 * i, 4 * i + 3);
    image.data[4 * i + 3] = 255;
  }
  context.putImageData(image, 0, 0);
}

const decode = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
const encode = (pixels) => btoa(String.fromCharCode(...pixels));

function start(root, data) {
  const find = (selector) => root.querySelector(selector);
  const input = find(".input"), output = find(".output"), bars = find(".bars");
  const self = { pixels: decode(data.pixels), code: data.code, moved: new Set(), serial: 0, answered: 0, waiting: null };

  self.tell = (change) => {
    if (self.serial > self.answered && performance.now() - self.sent < 1000) { self.waiting = change; return; }
    self.serial += 1;
    self.sent = performance.now();
    self.waiting = null;
    self.setStateValue("change", { ...change, serial: self.serial });
  };
  self.tellPicture = () => { self.moved.clear(); self.tell({ pixels: encode(self.pixels) }); };
  self.tellCode = () => self.tell({ pixels: encode(self.pixels), code: self.code });

  // Drawing: a soft round pen, as the digits of the data set were scanned.
  let last = null;
  const stroke = (event) => {
    const box = input.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * SIDE, y = ((event.clientY - box.top) / box.height) * SIDE;
    const from = last ?? [x, y];
    const steps = Math.max(1, Math.ceil(Math.hypot(x - from[0], y - from[1]) * 2));
    for (let s = 1; s <= steps; s++) {
      const px = from[0] + ((x - from[0]) * s) / steps, py = from[1] + ((y - from[1]) * s) / steps;
      for (let row = Math.floor(py) - 3; row <= py + 3; row++)
        for (let column = Math.floor(px) - 3; column <= px + 3; column++) {
          if (row < 0 || column < 0 || row >= SIDE || column >= SIDE) continue;
          const distance = Math.hypot(column + 0.5 - px, row + 0.5 - py);
          const ink = Math.round(255 * Math.min(1, Math.max(0, 1.9 - distance)));
          const at = row * SIDE + column;
          self.pixels[at] = Math.max(self.pixels[at], ink);
        }
    }
    last = [x, y];
    paint(input, self.pixels);
    self.tellPicture();
  };
  let fresh = true;
  input.onpointerdown = (event) => {
    event.preventDefault();
    input.setPointerCapture(event.pointerId);
    if (fresh) { self.pixels.fill(0); fresh = false; }
    last = null;
    stroke(event);
  };
  input.onpointermove = (event) => { if (event.buttons && input.hasPointerCapture(event.pointerId)) stroke(event); };
  const clear = () => { self.pixels.fill(0); fresh = false; paint(input, self.pixels); self.tellPicture(); };
  input.onkeydown = (event) => { if (event.key === "Delete" || event.key === "Backspace") clear(); };
  find(".clear").onclick = clear;
  find(".reset").onclick = self.tellPicture;

  const samples = find(".samples");
  data.samples.forEach((text, index) => {
    const button = document.createElement("button"), canvas = document.createElement("canvas");
    canvas.width = canvas.height = SIDE;
    paint(canvas, decode(text));
    button.type = "button";
    button.setAttribute("aria-label", `${data.words.pick} ${index}`);
    button.append(canvas);
    button.onclick = () => { self.pixels = decode(text); fresh = true; paint(input, self.pixels); self.tellPicture(); };
    samples.append(button);
  });

  // The code: one bar a value, zero in the middle; dragged with a pointer, or moved with the arrow keys.
  self.draw = () => {
    while (bars.children.length < self.code.length) {
      const bar = document.createElement("div");
      bar.className = "bar";
      bar.tabIndex = 0;
      bar.setAttribute("role", "slider");
      bar.append(document.createElement("i"));
      bars.append(bar);
    }
    self.code.forEach((value, index) => {
      const bar = bars.children[index], share = Math.max(-1, Math.min(1, value / self.limit));
      bar.firstChild.style.top = `${50 - 48 * Math.max(0, share)}%`;
      bar.firstChild.style.height = `${48 * Math.abs(share)}%`;
      bar.classList.toggle("moved", self.moved.has(index));
      bar.setAttribute("aria-valuemin", -self.limit);
      bar.setAttribute("aria-valuemax", self.limit);
      bar.setAttribute("aria-valuenow", value.toFixed(2));
      bar.setAttribute("aria-label", `${self.words.value} ${index + 1}`);
    });
  };
  const move = (index, value) => {
    self.code = self.code.slice();
    self.code[index] = Math.max(-self.limit, Math.min(self.limit, value));
    self.moved.add(index);
    self.draw();
    self.tellCode();
  };
  let held = null;
  const drag = (event) => {
    const box = bars.getBoundingClientRect();
    move(held, (0.5 - (event.clientY - box.top) / box.height) * (self.limit / 0.48));
  };
  bars.onpointerdown = (event) => {
    const bar = event.target.closest(".bar");
    if (!bar) return;
    event.preventDefault();
    bar.focus();
    held = [...bars.children].indexOf(bar);
    bars.setPointerCapture(event.pointerId);
    drag(event);
  };
  bars.onpointermove = (event) => { if (event.buttons && held !== null) drag(event); };
  bars.onpointerup = () => { held = null; };
  bars.onkeydown = (event) => {
    const index = [...bars.children].indexOf(event.target);
    const step = { ArrowUp: 0.05, ArrowDown: -0.05, PageUp: 0.25, PageDown: -0.25 }[event.key];
    const next = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step) { event.preventDefault(); move(index, self.code[index] + step * self.limit); }
    if (next) bars.children[index + next]?.focus();
  };
  paint(input, self.pixels);
  self.output = output;
  return self;
}

export default function (component) {
  const { data, parentElement: root, setStateValue } = component;
  const self = (root.autoencoderFlow ??= start(root, data));
  self.setStateValue = setStateValue;
  self.words = data.words;
  self.limit = data.limit;
  root.querySelectorAll("[data-text]").forEach((place) => { place.textContent = data.words[place.dataset.text]; });
  root.querySelector(".clear").textContent = data.words.clear;
  root.querySelector(".reset").textContent = data.words.reset;
  root.querySelector(".input").setAttribute("aria-label", data.words.draw);
  root.querySelector(".output").setAttribute("aria-label", `${data.words.output}. ${data.score}`);
  root.querySelector(".score").textContent = data.score;
  paint(self.output, decode(data.output));
  self.answered = Math.max(self.answered, data.serial);
  if (data.serial === self.serial || !self.serial) {
    if (!self.waiting) { self.code = data.code; self.draw(); }
  }
  if (self.waiting) self.tell(self.waiting);
}
