// Words as points, on a plane or in a space that is turned by dragging. Names are drawn where there is room for them; of the others, that of
// the point nearest to mouse, finger or arrow keys.
const SHAPES = [
  "M1 0A1 1 0 1 1-1 0A1 1 0 1 1 1 0Z", "M-.9-.9H.9V.9H-.9Z", "M0-1.3 1.3 0 0 1.3-1.3 0Z", "M0-1.2 1.2.9H-1.2Z",
  "M-.4-1.2H.4V-.4H1.2V.4H.4V1.2H-.4V.4H-1.2V-.4H-.4Z", "M0 1.2-1.2-.9H1.2Z",
];
const SIZE = 4.5, LARGE = 8, LINE = 14, NEAR = 30, MARGIN = 24, SVG = "http://www.w3.org/2000/svg";
const pen = document.createElement("canvas").getContext("2d");

const make = (kind, parent, settings = {}) => {
  const made = document.createElementNS(SVG, kind);
  for (const [name, value] of Object.entries(settings)) made.setAttribute(name, value);
  parent.append(made);
  return made;
};
// Of more kinds than shapes, the next ones are hollow; of more than colours, the next ones have other shapes.
const paint = (path, kind, colours) => {
  const colour = colours[(kind + 5 * Math.floor(kind / colours.length)) % colours.length], hollow = Math.floor(kind / SHAPES.length) % 2;
  path.setAttribute("d", SHAPES[kind % SHAPES.length]);
  path.setAttribute("style", `fill: ${hollow ? "var(--st-background-color)" : colour}; stroke: ${colour}`);
};

function mount(place) {
  const svg = place.querySelector("svg"), legend = place.querySelector(".legend"), spoken = place.querySelector(".spoken");
  const map = { yaw: 0.5, pitch: 0.4, near: -1 };
  let data, dots = [], names = [], widths = [], spots = [];

  function project() {
    const { points, dims } = data, width = svg.clientWidth, height = svg.clientHeight;
    const [cy, sy, cp, sp] = [Math.cos(map.yaw), Math.sin(map.yaw), Math.cos(map.pitch), Math.sin(map.pitch)];
    const turned = points.map(([x, y, z = 0]) => (dims === 3 ? [cy * x + sy * z, cp * y - sp * (cy * z - sy * x), sp * y + cp * (cy * z - sy * x)] : [x, y, 0]));
    const reach = (axis) => Math.max(1e-9, ...turned.map((each) => Math.abs(each[axis])));
    const round = Math.max(1e-9, ...points.map((each) => Math.hypot(...each)));  // so that turning changes no sizes
    const [across, up] = dims === 3 ? [round, round] : [reach(0), reach(1)];
    const [right, down] = [(width / 2 - MARGIN) / across, (height / 2 - MARGIN) / up];
    spots = turned.map(([x, y, z]) => [width / 2 + (dims === 3 ? Math.min(right, down) : right) * x, height / 2 - (dims === 3 ? Math.min(right, down) : down) * y, z]);
  }

  // Names in their order, above, below, to the right or to the left of their points; the marked one, which is first, also over points.
  function layout() {
    const width = svg.clientWidth, height = svg.clientHeight, taken = spots.map(([x, y]) => [x - SIZE, y - SIZE, x + SIZE, y + SIZE]);
    const free = (box, own) => box[0] > 1 && box[1] > 1 && box[2] < width - 1 && box[3] < height - 1 && (own === data.marked ||
      taken.every((other, k) => k === own || box[2] < other[0] || box[0] > other[2] || box[3] < other[1] || box[1] > other[3]));
    for (const row of data.order) {
      const [x, y] = spots[row], half = widths[row] / 2 + 1, away = (row === data.marked ? LARGE : SIZE) + 1;
      const boxes = [[x - half, y - away - LINE, x + half, y - away], [x - half, y + away, x + half, y + away + LINE],
        [x + away, y - LINE / 2, x + away + 2 * half, y + LINE / 2], [x - away - 2 * half, y - LINE / 2, x - away, y + LINE / 2]];
      const found = boxes.find((box) => free(box, row));
      if (found) taken.push(found);
      put(row, found);
    }
  }

  function put(row, box) {
    names[row].setAttribute("visibility", box ? "visible" : "hidden");
    if (!box) return;
    names[row].setAttribute("x", (box[0] + box[2]) / 2);
    names[row].setAttribute("y", box[3] - 3.5);
  }

  function draw() {
    if (!data || !svg.clientWidth) return;
    project();
    spots.forEach(([x, y], row) => dots[row].setAttribute("transform", `translate(${x} ${y}) scale(${row === data.marked ? LARGE : SIZE})`));
    layout();
    point(map.near);
  }

  // Names the point of this row over all others; -1: none.
  function point(row) {
    svg.querySelector("g.near")?.remove();
    map.near = row;
    if (row < 0 || row >= spots.length) return;
    const [x, y] = spots[row], half = widths[row] / 2 + 4;
    const middle = Math.max(half + 1, Math.min(svg.clientWidth - half - 1, x)), above = y > LINE + 3 * SIZE ? y - 2 * SIZE - LINE : y + 2 * SIZE;
    const group = make("g", svg, { class: "near" });
    make("rect", group, { x: middle - half, y: above, width: 2 * half, height: LINE + 4, rx: 4 });
    make("text", group, { x: middle, y: above + LINE - 1.5 }).textContent = data.words[row];
    make("circle", group, { cx: x, cy: y, r: LARGE });
  }

  function nearest(event) {
    const box = svg.getBoundingClientRect(), x = event.clientX - box.left, y = event.clientY - box.top;
    let best = NEAR, found = -1;
    spots.forEach(([a, b], row) => { const far = Math.hypot(a - x, b - y); if (far < best) [best, found] = [far, row]; });
    return found;
  }

  let held = null;
  svg.addEventListener("pointerdown", (event) => { held = [event.clientX, event.clientY]; point(nearest(event)); });
  svg.addEventListener("pointermove", (event) => {
    if (!held || data.dims !== 3) { point(nearest(event)); return; }
    svg.setPointerCapture(event.pointerId);
    map.yaw += (event.clientX - held[0]) / 150;
    map.pitch = Math.max(-1.6, Math.min(1.6, map.pitch + (event.clientY - held[1]) / 150));
    held = [event.clientX, event.clientY];
    map.near = -1;
    draw();
  });
  for (const end of ["pointerup", "pointercancel"]) svg.addEventListener(end, () => { held = null; });
  svg.addEventListener("pointerleave", (event) => { if (event.pointerType === "mouse") { held = null; point(-1); } });
  svg.addEventListener("keydown", (event) => {
    const way = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (event.key === "Escape") point(-1);
    if (!way) return;
    event.preventDefault();
    if (event.shiftKey && data.dims === 3) { map.yaw += 0.15 * way; draw(); return; }
    point((Math.max(map.near, way > 0 ? -1 : 0) + way + data.words.length) % data.words.length);
    spoken.textContent = `${data.words[map.near]}, ${data.kinds[data.kind[map.near]]}`;
  });
  svg.addEventListener("blur", () => point(-1));
  new ResizeObserver(draw).observe(svg);
  document.fonts?.ready.then(() => { if (data) show(data); });

  function show(next) {
    if (data?.dims !== next.dims) Object.assign(map, { yaw: 0.5, pitch: 0.4 });
    data = next;
    map.near = -1;
    svg.replaceChildren();
    svg.classList.toggle("deep", data.dims === 3);
    svg.setAttribute("aria-label", data.summary);
    pen.font = `${getComputedStyle(svg).fontSize} ${getComputedStyle(svg).fontFamily}`;
    widths = data.words.map((word) => pen.measureText(word).width);
    dots = data.words.map((_, row) => { const path = make("path", svg); paint(path, data.kind[row], data.colours); return path; });
    if (data.marked >= 0) svg.append(dots[data.marked]);
    names = data.words.map((word) => { const text = make("text", svg, { class: "name" }); text.textContent = word; return text; });
    legend.replaceChildren(...data.kinds.map((kind, number) => {
      const entry = document.createElement("span");
      paint(make("path", make("svg", entry, { viewBox: "-2 -2 4 4" })), number, data.colours);
      entry.append(kind);
      return entry;
    }));
    draw();
  }
  return { show };
}

export default function (component) {
  const { data, parentElement: root } = component, place = root.querySelector(".words");
  root.autoencoderWords ??= mount(place);
  root.autoencoderWords.show(data);
}
