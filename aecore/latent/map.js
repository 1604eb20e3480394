// A map of points that can be touched: a plane to move over, or a cloud in three dimensions to turn. Where it is pointed at, a point's
// picture shows, cut from one sheet that holds all of them. The page to take home and the lab's own pages both draw with this file; lens.js,
// which knows where points lie on the screen, and ink.js, which colours them, are read before it.
//
// atlas(place, words, told) fills an element and gives { show(data), view }. `told` hears { kind: "point", row }, { kind: "place", at } for
// where nobody lives, and { kind: "group", rows }. data: points (flat), dims, colour and columns (each { kinds, values } or { numbers }),
// sheet (an image's address), across and size of its pictures, axes, summary; key: another one where the view begins anew; and if wanted
// frame ([lowest], [highest]) in place of the points' own, marks ([{ at, words }]), path ([at]).
const NEAR = 20, STILL = 5;

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

  let data, count = 0, chosen, colour, image = null;
  const sheet = new Image();
  const view = lens(canvas, refresh);
  canvas.atlas = view;  // so that who has the canvas can ask where a point is
  let lasso = null, lassoing = false, centred = false;

  const number = (value) => value.toLocaleString(words.language, { maximumSignificantDigits: 3 });
  function paint() {
    const sharp = devicePixelRatio || 1, width = canvas.clientWidth, height = canvas.clientHeight;
    if (!width || !height || !data) return;
    if (canvas.width !== Math.round(width * sharp) || canvas.height !== Math.round(height * sharp) || !image) {
      canvas.width = Math.round(width * sharp);
      canvas.height = Math.round(height * sharp);
      image = draw.createImageData(canvas.width, canvas.height);
    }
    view.place(data.points);
    const pixels = new Uint32Array(image.data.buffer), radius = Math.max(1.5, Math.min(6, 90 / Math.sqrt(count))) * Math.min(3, Math.sqrt(view.zoom));
    pixels.fill(0);
    if (chosen) scatter(pixels, canvas, disc(radius * sharp, 0.12, canvas.width), view, colour, sharp, chosen, 0);
    scatter(pixels, canvas, disc(radius * sharp, 0.85, canvas.width), view, colour, sharp, chosen, 1);
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
    if (view.deep) data.axes.forEach((name, axis) => {
      const end = view.middle.map((value, other) => value + (other === axis ? view.half[axis] : 0));
      draw.globalAlpha = 0.5;
      line([view.project(view.middle), view.project(end)]);
      draw.globalAlpha = 1;
      draw.font = "12px system-ui, sans-serif";
      const [right, down] = view.project(end);
      draw.fillText(name, Math.max(4, Math.min(right, width - draw.measureText(name).width - 4)), down);
    });
    if (data.path) line(data.path.map(view.project));
    for (const mark of data.marks || []) {
      const [px, py] = view.project(mark.at);
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

  function explain() {  // the legend
    const { kinds, values, name } = data.colour;
    legend.textContent = "";
    if (name) make("span", legend, "name", `${name}:`);
    if (kinds) {
      kinds.slice(0, 100).forEach((kind, index) => {
        const button = make("button", legend);
        button.type = "button";
        make("i", button).style.background = colour.entries[index];
        button.append(kind);
        button.title = words.all || "";
        button.onclick = () => group([...Array(count).keys()].filter((row) => values[row] === index));
      });
    } else {
      make("span", legend, "", number(colour.low));
      make("span", legend, "ramp").style.background = `linear-gradient(to right, ${[0, 0.25, 0.5, 0.75, 1].map(ramp).join(",")})`;
      make("span", legend, "", number(colour.high));
    }
  }

  function nearest(px, py, most) {
    let best = most * most, found = -1;
    for (let i = 0; i < count; i++) {
      const far = (view.x[i] - px) ** 2 + (view.y[i] - py) ** 2;
      if (far <= best && (far < best || !view.deep)) [best, found] = [far, i];
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
    const rows = [], { x, y } = view;
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
    } else told?.({ kind: "place", at: view.placeAt(px, py) });
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
      view.magnify(span(now, other) / span(before, other), (now[0] + other[0]) / 2, (now[1] + other[1]) / 2);
      view.move((now[0] - before[0]) / 2, (now[1] - before[1]) / 2);
    } else if (view.deep && !event.ctrlKey && !(event.buttons & 2)) view.turn((now[0] - before[0]) / 150, (now[1] - before[1]) / 150);
    else view.move(now[0] - before[0], now[1] - before[1]);
    fingers.set(event.pointerId, now);
    refresh();
  });
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    card.style.display = "none";
    view.magnify(Math.exp(-event.deltaY / 400), ...spot(event));
  }, { passive: false });
  canvas.addEventListener("keydown", (event) => {
    const way = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    const centre = [canvas.clientWidth / 2, canvas.clientHeight / 2];
    if (way && view.deep && !event.ctrlKey) view.turn(-0.15 * way[0], -0.15 * way[1]);
    else if (way) view.move(40 * way[0], 40 * way[1]);
    else if (event.key === "+" || event.key === "=") view.magnify(1.3, ...centre);
    else if (event.key === "-") view.magnify(1 / 1.3, ...centre);
    else if (event.key === "Home" || event.key === "0") view.whole();
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
  button("+", () => view.magnify(1.4, canvas.clientWidth / 2, canvas.clientHeight / 2), words.nearer);
  button("−", () => view.magnify(1 / 1.4, canvas.clientWidth / 2, canvas.clientHeight / 2), words.farther);
  button(words.whole, () => { centred = false; view.whole(); });
  button("PNG", save, words.save);

  function save() {  // the map as it is seen, with its axes and legend, as a picture
    const shades = [...legend.children].flatMap((child) => (child.className === "ramp" ? [8, 24, 40, 56].map((k) => ["", colour.entries[k]]) : [[child.textContent]]));
    saved(
      canvas,
      getComputedStyle(card).backgroundColor,
      getComputedStyle(place).color,
      view.deep ? "" : `→ ${data.axes[0]}   ↑ ${data.axes[1]}`,
      data.colour.kinds ? data.colour.kinds.map((kind, index) => [kind, colour.entries[index]]) : shades,
    );
  }

  function show(next) {
    const fresh = !data || data.key !== next.key;
    data = next;
    if (count !== data.points.length / data.dims || fresh) chosen = null;
    count = data.points.length / data.dims;
    view.fit(data.points, data.dims, data.frame);
    if (fresh) view.whole();
    if (sheet.dataset.source !== data.sheet) {
      sheet.dataset.source = data.sheet;
      sheet.src = data.sheet;
    }
    across.textContent = view.deep ? "" : data.axes[0];
    up.textContent = view.deep ? "" : data.axes[1];
    canvas.setAttribute("aria-label", `${data.summary} ${words.keys || ""}`);
    colour = coloured(data.colour);
    explain();
    refresh();
  }
  return { show, view, canvas };
}
