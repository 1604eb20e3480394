// A map of points that can be touched: a plane to move over, or a cloud in three dimensions to turn. Where it is pointed at, a point's
// picture shows, cut from one sheet that holds all of them. The page to take home and the lab's own pages both draw with this file.
//
// atlas(place, words, told) fills an element and gives { show(data), view }. `told` hears { kind: "point", row }, { kind: "place", at } for
// where nobody lives, and { kind: "group", rows }. data: points (flat), dims, colour and columns (each { kinds, values } or { numbers }),
// sheet (an image's address), across and size of its pictures, axes, summary; key: another one where the view begins anew; and if wanted
// frame ([lowest], [highest]) in place of the points' own, marks ([{ at, words }]), path ([at]).
const PALETTE = ["#4269d0", "#efb118", "#ff725c", "#6cc5b0", "#3ca951", "#ff8ab7", "#a463f2", "#97bbf5", "#9c6b4e", "#9498a0"];
const SHADES = 64, NEAR = 20, STILL = 5;

const hue = (index) => (index < PALETTE.length ? PALETTE[index] : `hsl(${(index * 137.5) % 360} 65% 50%)`);
const ramp = (share) => `hsl(${260 - 210 * share} 75% 50%)`;

function atlas(place, words, told) {
  const make = (kind, parent, css, text = "") => {
    const made = document.createElement(kind);
    if (css) made.className = css;
    made.textContent = text;
    parent.append(made);
    return made;
  };
  place.classList.add("atlas");
  const stage = make("div", place, "stage"), canvas = make("canvas", stage, "points"), draw = canvas.getContext("2d");
  const tools = make("div", stage, "tools"), across = make("span", stage, "axis across"), up = make("span", stage, "axis up");
  const card = make("div", stage, "card"), picture = make("canvas", card), facts = make("div", card);
  const legend = make("div", place, "legend"), spoken = make("div", place, "spoken");
  spoken.setAttribute("aria-live", "polite");
  canvas.tabIndex = 0;
  canvas.setAttribute("role", "application");

  let data, count = 0, deep = false, middle, half, reach, chosen, entries = [];
  let x, y, depth, order, shade, inks, image = null;
  const sheet = new Image();
  const view = { zoom: 1, left: 0, top: 0, yaw: 0.5, pitch: 0.4, frames: 0, at: (row) => [x[row], y[row]] };
  canvas.atlas = view;  // so that who has the canvas can ask where a point is
  let lasso = null, lassoing = false, centred = false;

  const number = (value) => value.toLocaleString(words.language, { maximumSignificantDigits: 3 });
  const scale = () => view.zoom * (deep ? (0.62 * Math.min(canvas.clientWidth, canvas.clientHeight)) / reach
    : Math.min((canvas.clientWidth - 60) / (2 * half[0]), (canvas.clientHeight - 60) / (2 * half[1])));

  function project(at) {  // a point on the map to the screen, and how near it is
    const a = at[0] - middle[0], b = at[1] - middle[1], c = deep ? at[2] - middle[2] : 0, s = scale();
    const cx = canvas.clientWidth / 2 + view.left, cy = canvas.clientHeight / 2 + view.top;
    if (!deep) return [cx + s * a, cy - s * b, 0];
    const turned = Math.cos(view.yaw) * a + Math.sin(view.yaw) * c, back = Math.cos(view.yaw) * c - Math.sin(view.yaw) * a;
    return [cx + s * turned, cy - s * (Math.cos(view.pitch) * b - Math.sin(view.pitch) * back), Math.sin(view.pitch) * b + Math.cos(view.pitch) * back];
  }

  function placeAt(px, py) {  // where a spot of the screen lies on the map; in three dimensions, at the depth of the middle
    const s = scale(), a = (px - canvas.clientWidth / 2 - view.left) / s, b = -(py - canvas.clientHeight / 2 - view.top) / s;
    if (!deep) return [middle[0] + a, middle[1] + b];
    const back = -Math.sin(view.pitch) * b;
    return [middle[0] + Math.cos(view.yaw) * a - Math.sin(view.yaw) * back, middle[1] + Math.cos(view.pitch) * b,
      middle[2] + Math.sin(view.yaw) * a + Math.cos(view.yaw) * back];
  }

  function place_() {  // all points to the screen; in three dimensions the farthest are drawn first
    const points = data.points, s = scale(), cx = canvas.clientWidth / 2 + view.left, cy = canvas.clientHeight / 2 + view.top;
    if (!deep) {
      for (let i = 0; i < count; i++) {
        x[i] = cx + s * (points[2 * i] - middle[0]);
        y[i] = cy - s * (points[2 * i + 1] - middle[1]);
      }
      return;
    }
    const [cy_, sy, cp, sp] = [Math.cos(view.yaw), Math.sin(view.yaw), Math.cos(view.pitch), Math.sin(view.pitch)];
    const bins = new Uint32Array(258);
    for (let i = 0; i < count; i++) {
      const a = points[3 * i] - middle[0], b = points[3 * i + 1] - middle[1], c = points[3 * i + 2] - middle[2];
      const back = cy_ * c - sy * a;
      x[i] = cx + s * (cy_ * a + sy * c);
      y[i] = cy - s * (cp * b - sp * back);
      depth[i] = Math.max(0, Math.min(255, 128 + (127 * (sp * b + cp * back)) / reach));
      bins[depth[i] + 1]++;
    }
    for (let bin = 1; bin < 258; bin++) bins[bin] += bins[bin - 1];
    for (let i = 0; i < count; i++) order[bins[depth[i]]++] = i;
  }

  // Ten thousand circles are too many to draw one by one: the pixels of a small disc are written straight into the picture. Discs do not mix;
  // where they meet, the later one is on top, but for the soft rim of its edge.
  function disc(radius, opacity) {
    const reach = Math.ceil(radius), found = { reach, steps: [], alphas: [] };
    for (let down = -reach; down <= reach; down++) {
      for (let right = -reach; right <= reach; right++) {
        const cover = Math.max(0, Math.min(1, radius + 0.5 - Math.hypot(right, down)));
        if (cover) { found.steps.push(down * canvas.width + right); found.alphas.push(Math.round(255 * cover * opacity)); }
      }
    }
    return found;
  }

  function scatter(pixels, { reach, steps, alphas }, wanted, sharp) {
    const width = canvas.width, right = width - reach - 1, bottom = canvas.height - reach - 1, size = steps.length;
    for (let k = 0; k < count; k++) {
      const i = deep ? order[k] : k;
      if (chosen && chosen[i] !== wanted) continue;
      const px = Math.round(x[i] * sharp), py = Math.round(y[i] * sharp);
      if (px < reach || py < reach || px > right || py > bottom) continue;
      const at = py * width + px, ink = inks[shade[i]];
      for (let m = 0; m < size; m++) if (pixels[at + steps[m]] >>> 24 <= alphas[m]) pixels[at + steps[m]] = ink | (alphas[m] << 24);
    }
  }

  function paint() {
    const sharp = devicePixelRatio || 1, width = canvas.clientWidth, height = canvas.clientHeight;
    if (!width || !height || !data) return;
    if (canvas.width !== Math.round(width * sharp) || canvas.height !== Math.round(height * sharp) || !image) {
      canvas.width = Math.round(width * sharp);
      canvas.height = Math.round(height * sharp);
      image = draw.createImageData(canvas.width, canvas.height);
    }
    place_();
    const pixels = new Uint32Array(image.data.buffer), radius = Math.max(1.5, Math.min(6, 90 / Math.sqrt(count))) * Math.min(3, Math.sqrt(view.zoom));
    pixels.fill(0);
    if (chosen) scatter(pixels, disc(radius * sharp, 0.12), 0, sharp);
    scatter(pixels, disc(radius * sharp, 0.85), 1, sharp);
    draw.putImageData(image, 0, 0);
    draw.setTransform(sharp, 0, 0, sharp, 0, 0);
    overlay(width, height);
    draw.setTransform(1, 0, 0, 1, 0, 0);
    view.frames++;
    if (view.frames === 1) performance.mark("atlas-first");
  }

  function overlay(width, height) {
    const ink = getComputedStyle(canvas).color;
    draw.strokeStyle = draw.fillStyle = ink;
    draw.lineWidth = 1.5;
    const line = (spots) => { draw.beginPath(); spots.forEach(([a, b], k) => (k ? draw.lineTo(a, b) : draw.moveTo(a, b))); draw.stroke(); };
    if (deep) data.axes.forEach((name, axis) => {
      const end = middle.map((value, other) => value + (other === axis ? half[axis] : 0));
      draw.globalAlpha = 0.5;
      line([project(middle), project(end)]);
      draw.globalAlpha = 1;
      draw.font = "12px system-ui, sans-serif";
      draw.fillText(name, ...project(end).slice(0, 2));
    });
    if (data.path) line(data.path.map(project));
    for (const mark of data.marks || []) {
      const [px, py] = project(mark.at);
      draw.beginPath();
      draw.arc(px, py, 9, 0, 7);
      draw.fillStyle = getComputedStyle(card).backgroundColor;
      draw.fill();
      draw.stroke();
      draw.fillStyle = ink;
      draw.font = "600 12px system-ui, sans-serif";
      draw.textAlign = "center";
      draw.textBaseline = "middle";
      draw.fillText(mark.words, px, py + 0.5);
    }
    if (lasso && lasso.length > 1) { draw.setLineDash([4, 3]); line([...lasso, lasso[0]]); draw.setLineDash([]); }
    if (centred) { line([[width / 2 - 8, height / 2], [width / 2 + 8, height / 2]]); line([[width / 2, height / 2 - 8], [width / 2, height / 2 + 8]]); }
  }

  let waiting = false;
  function refresh() {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => { waiting = false; paint(); });
  }

  function colours() {  // each point's colour as a position among `entries`, and the legend
    const { kinds, values, numbers, name } = data.colour;
    legend.textContent = "";
    if (name) make("span", legend, "name", `${name}:`);
    if (kinds) {
      entries = kinds.map((_, index) => hue(index));
      shade = values;
      kinds.slice(0, 100).forEach((kind, index) => {
        const button = make("button", legend);
        button.type = "button";
        make("i", button).style.background = entries[index];
        button.append(kind);
        button.title = words.all || "";
        button.onclick = () => group([...Array(count).keys()].filter((row) => values[row] === index));
      });
    } else {
      let low = Infinity, high = -Infinity;
      for (const value of numbers) if (Number.isFinite(value)) [low, high] = [Math.min(low, value), Math.max(high, value)];
      entries = [...Array(SHADES).keys()].map((index) => ramp(index / (SHADES - 1)));
      entries.push("#888");
      shade = Uint16Array.from(numbers, (value) => (Number.isFinite(value) ? Math.round(((value - low) / (high - low || 1)) * (SHADES - 1)) : SHADES));
      make("span", legend, "", number(low));
      make("span", legend, "ramp").style.background = `linear-gradient(to right, ${[0, 0.25, 0.5, 0.75, 1].map(ramp).join(",")})`;
      make("span", legend, "", number(high));
    }
    const swatch = Object.assign(document.createElement("canvas"), { width: entries.length, height: 1 }).getContext("2d");
    entries.forEach((colour, index) => { swatch.fillStyle = colour; swatch.fillRect(index, 0, 1, 1); });
    inks = new Uint32Array(swatch.getImageData(0, 0, entries.length, 1).data.buffer).map((ink) => ink & 0xffffff);
  }

  function nearest(px, py, most) {
    let best = most * most, found = -1;
    for (let i = 0; i < count; i++) {
      const far = (x[i] - px) ** 2 + (y[i] - py) ** 2;
      if (far <= best && (far < best || !deep)) [best, found] = [far, i];
    }
    return found;
  }

  function describe(row) {
    return Object.entries(data.columns).map(([name, { kinds, values, numbers }]) =>
      `${name}: ${kinds ? kinds[values[row]] : Number.isFinite(numbers[row]) ? number(numbers[row]) : "-"}`);
  }

  function tell(px, py, most = NEAR) {
    const row = nearest(px, py, most);
    card.style.display = row < 0 ? "none" : "block";
    if (row < 0) return -1;
    const [width, height] = data.size;
    if (picture.width !== width) picture.width = width;
    if (picture.height !== height) picture.height = height;
    picture.style.height = `${(96 * height) / width}px`;
    const ink = picture.getContext("2d");
    ink.clearRect(0, 0, width, height);
    if (sheet.complete && sheet.naturalWidth) {
      ink.drawImage(sheet, (row % data.across) * width, Math.floor(row / data.across) * height, width, height, 0, 0, width, height);
    }
    picture.dataset.row = row;
    facts.textContent = "";
    for (const line of describe(row)) make("div", facts, "", line);
    card.style.left = `${Math.max(0, Math.min(px + 14, stage.clientWidth - card.offsetWidth - 4))}px`;
    card.style.top = `${Math.max(0, Math.min(py + 14, stage.clientHeight - card.offsetHeight - 4))}px`;
    return row;
  }

  function magnify(factor, px, py) {
    const grown = Math.max(0.3, Math.min(200, view.zoom * factor)), ratio = grown / view.zoom;
    const right = px - canvas.clientWidth / 2, down = py - canvas.clientHeight / 2;
    view.left = right - (right - view.left) * ratio;
    view.top = down - (down - view.top) * ratio;
    view.zoom = grown;
    refresh();
  }

  function turn(right, down) {
    view.yaw += right;
    view.pitch = Math.max(-1.6, Math.min(1.6, view.pitch + down));
    refresh();
  }

  function move(right, down) {
    view.left += right;
    view.top += down;
    refresh();
  }

  function whole() {
    Object.assign(view, { zoom: 1, left: 0, top: 0, yaw: 0.5, pitch: 0.4 });
    centred = false;
    refresh();
  }

  function group(rows) {
    chosen = null;
    if (rows.length) {
      chosen = new Uint8Array(count);
      for (const row of rows) chosen[row] = 1;
      told?.({ kind: "group", rows });
    }
    refresh();
  }

  function surrounded(spots) {
    const rows = [];
    for (let i = 0; i < count; i++) {
      let inside = false;
      for (let a = 0, b = spots.length - 1; a < spots.length; b = a++) {
        const [ax, ay] = spots[a], [bx, by] = spots[b];
        if (ay > y[i] !== by > y[i] && x[i] < ((bx - ax) * (y[i] - ay)) / (by - ay) + ax) inside = !inside;
      }
      if (inside) rows.push(i);
    }
    return rows;
  }

  function touch(px, py, empty) {
    const row = empty ? -1 : nearest(px, py, NEAR / 2);
    chosen = null;
    if (row >= 0) {
      chosen = new Uint8Array(count);
      chosen[row] = 1;
      told?.({ kind: "point", row });
    } else told?.({ kind: "place", at: placeAt(px, py) });
    refresh();
  }

  const spot = (event) => { const box = canvas.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; };
  const fingers = new Map();
  let began = null, moved = false;
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, spot(event));
    began = spot(event);
    moved = fingers.size > 1;
    lasso = told && fingers.size === 1 && event.button === 0 && (lassoing || event.shiftKey) ? [began] : null;
    if (event.pointerType === "touch") tell(...began);
  });
  canvas.addEventListener("pointerup", (event) => {
    if (fingers.size === 1 && lasso && lasso.length > 2) group(surrounded(lasso));
    else if (fingers.size === 1 && !moved && event.button === 0) touch(...spot(event), false);
    lasso = null;
    fingers.delete(event.pointerId);
    refresh();
  });
  canvas.addEventListener("pointercancel", (event) => { fingers.delete(event.pointerId); lasso = null; });
  canvas.addEventListener("pointerleave", () => { card.style.display = "none"; });
  canvas.addEventListener("contextmenu", (event) => event.preventDefault());
  canvas.addEventListener("pointermove", (event) => {
    const before = fingers.get(event.pointerId), now = spot(event);
    if (!before) { tell(...now); return; }
    if (Math.hypot(now[0] - began[0], now[1] - began[1]) < STILL && !moved) return;
    moved = true;
    card.style.display = "none";
    if (lasso) lasso.push(now);
    else if (fingers.size === 2) {
      const other = [...fingers].find(([id]) => id !== event.pointerId)[1], span = (a, b) => Math.hypot(a[0] - b[0], a[1] - b[1]) || 1;
      magnify(span(now, other) / span(before, other), (now[0] + other[0]) / 2, (now[1] + other[1]) / 2);
      move((now[0] - before[0]) / 2, (now[1] - before[1]) / 2);
    } else if (deep && !event.ctrlKey && !(event.buttons & 2)) turn((now[0] - before[0]) / 150, (now[1] - before[1]) / 150);
    else move(now[0] - before[0], now[1] - before[1]);
    fingers.set(event.pointerId, now);
    refresh();
  });
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    card.style.display = "none";
    magnify(Math.exp(-event.deltaY / 400), ...spot(event));
  }, { passive: false });
  canvas.addEventListener("keydown", (event) => {
    const way = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    const centre = [canvas.clientWidth / 2, canvas.clientHeight / 2];
    if (way && deep && !event.ctrlKey) turn(-0.15 * way[0], -0.15 * way[1]);
    else if (way) move(40 * way[0], 40 * way[1]);
    else if (event.key === "+" || event.key === "=") magnify(1.3, ...centre);
    else if (event.key === "-") magnify(1 / 1.3, ...centre);
    else if (event.key === "Home" || event.key === "0") whole();
    else if (event.key === "Enter") touch(...centre, event.shiftKey);
    else if (event.key === "Escape") group([]);
    else return;
    event.preventDefault();
    centred = event.key !== "Home" && event.key !== "0";
    refresh();
    requestAnimationFrame(() => {
      const row = tell(...centre, 60);
      spoken.textContent = row < 0 ? words.nobody || "" : describe(row).join(", ");
    });
  });
  canvas.addEventListener("blur", () => { centred = false; refresh(); });
  new ResizeObserver(refresh).observe(stage);
  sheet.addEventListener("load", () => sheet.decode().catch(() => {}));

  const button = (text, act, title) => {
    const made = make("button", tools, "", text);
    made.type = "button";
    made.title = title || text;
    made.setAttribute("aria-label", title || text);
    made.onclick = act;
    return made;
  };
  if (told) {
    const toggle = button(words.lasso, () => {
      lassoing = !lassoing;
      toggle.setAttribute("aria-pressed", lassoing);
    }, words.lassoHelp);
    toggle.setAttribute("aria-pressed", false);
  }
  button("+", () => magnify(1.4, canvas.clientWidth / 2, canvas.clientHeight / 2), words.nearer);
  button("−", () => magnify(1 / 1.4, canvas.clientWidth / 2, canvas.clientHeight / 2), words.farther);
  button(words.whole, whole);
  button("PNG", save, words.save);

  function save() {  // the map as it is seen, with its axes and legend, as a picture
    const sharp = canvas.width / canvas.clientWidth, foot = 46 * sharp, whole_ = document.createElement("canvas");
    whole_.width = canvas.width;
    whole_.height = canvas.height + foot;
    const ink = whole_.getContext("2d"), style = getComputedStyle(place);
    ink.fillStyle = getComputedStyle(card).backgroundColor;
    ink.fillRect(0, 0, whole_.width, whole_.height);
    ink.drawImage(canvas, 0, 0);
    ink.scale(sharp, sharp);
    ink.font = "12px system-ui, sans-serif";
    let right = 8;
    const write = (text, colour) => {
      if (colour) { ink.fillStyle = colour; ink.fillRect(right, canvas.clientHeight + 26, 9, 9); right += 13; }
      ink.fillStyle = style.color;
      ink.fillText(text, right, canvas.clientHeight + 35);
      right += ink.measureText(text).width + 12;
    };
    ink.fillStyle = style.color;
    if (!deep) ink.fillText(`→ ${data.axes[0]}   ↑ ${data.axes[1]}`, 8, canvas.clientHeight + 16);
    if (data.colour.kinds) data.colour.kinds.forEach((kind, index) => write(kind, entries[index]));
    else [...legend.children].forEach((child, index) => (child.className === "ramp" ? [8, 24, 40, 56].forEach((k) => write("", entries[k])) : write(child.textContent)));
    const link = document.createElement("a");
    link.download = "map.png";
    link.href = whole_.toDataURL("image/png");
    link.click();
  }

  function show(next) {
    const fresh = !data || data.key !== next.key;
    data = next;
    deep = data.dims === 3;
    if (count !== data.points.length / data.dims || fresh) chosen = null;
    count = data.points.length / data.dims;
    [x, y] = [new Float32Array(count), new Float32Array(count)];
    if (deep) [depth, order] = [new Uint8Array(count), new Uint32Array(count)];
    let [low, high] = data.frame || [Array(data.dims).fill(Infinity), Array(data.dims).fill(-Infinity)];
    if (!data.frame) data.points.forEach((value, place) => {
      const axis = place % data.dims;
      if (value < low[axis]) low[axis] = value;
      if (value > high[axis]) high[axis] = value;
    });
    middle = low.map((value, axis) => (value + high[axis]) / 2);
    half = low.map((value, axis) => (high[axis] - value) / 2 || 1);
    reach = Math.hypot(...half);
    if (fresh) whole();
    if (sheet.dataset.source !== data.sheet) {
      sheet.dataset.source = data.sheet;
      sheet.src = data.sheet;
    }
    across.textContent = deep ? "" : data.axes[0];
    up.textContent = deep ? "" : data.axes[1];
    canvas.setAttribute("aria-label", `${data.summary} ${words.keys || ""}`);
    colours();
    refresh();
  }
  return { show, view, canvas };
}
