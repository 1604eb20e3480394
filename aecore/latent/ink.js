// The colours of a map's points, and the points themselves, as pixels.
const PALETTE = ["#4269d0", "#efb118", "#ff725c", "#6cc5b0", "#3ca951", "#ff8ab7", "#a463f2", "#97bbf5", "#9c6b4e", "#9498a0"];
const SHADES = 64;

const hue = (index) => (index < PALETTE.length ? PALETTE[index] : `hsl(${(index * 137.5) % 360} 65% 50%)`);
const ramp = (share) => `hsl(${260 - 210 * share} 75% 50%)`;

// Each point's colour as a position `shade` among `entries`, which are `inks` for pixels too; of numbers also the lowest and the highest.
function coloured({ kinds, values, numbers }) {
  const found = { shade: values, entries: kinds && kinds.map((_, index) => hue(index)), low: Infinity, high: -Infinity };
  if (!kinds) {
    for (const value of numbers) if (Number.isFinite(value)) [found.low, found.high] = [Math.min(found.low, value), Math.max(found.high, value)];
    const share = (value) => (value - found.low) / (found.high - found.low || 1);
    found.entries = [...Array(SHADES).keys()].map((index) => ramp(index / (SHADES - 1))).concat("#888");
    found.shade = Uint16Array.from(numbers, (value) => (Number.isFinite(value) ? Math.round(share(value) * (SHADES - 1)) : SHADES));
  }
  const swatch = Object.assign(document.createElement("canvas"), { width: found.entries.length, height: 1 }).getContext("2d");
  found.entries.forEach((colour, index) => { swatch.fillStyle = colour; swatch.fillRect(index, 0, 1, 1); });
  found.inks = new Uint32Array(swatch.getImageData(0, 0, found.entries.length, 1).data.buffer).map((ink) => ink & 0xffffff);
  return found;
}

// Ten thousand circles are too many to draw one by one: the pixels of a small disc are written straight into the picture. Discs do not mix;
// where they meet, the later one is on top, but for the soft rim of its edge.
function disc(radius, opacity, width) {
  const reach = Math.ceil(radius), found = { reach, steps: [], alphas: [] };
  for (let down = -reach; down <= reach; down++) {
    for (let right = -reach; right <= reach; right++) {
      const cover = Math.max(0, Math.min(1, radius + 0.5 - Math.hypot(right, down)));
      if (cover) { found.steps.push(down * width + right); found.alphas.push(Math.round(255 * cover * opacity)); }
    }
  }
  return found;
}

// The discs of all points of a lens, or of those whose mark in `chosen` is `wanted`, into the `pixels` of a canvas.
function scatter(pixels, { width, height }, { reach, steps, alphas }, { x, y, order, count, deep }, { shade, inks }, sharp, chosen, wanted) {
  const right = width - reach - 1, bottom = height - reach - 1, size = steps.length;
  for (let k = 0; k < count; k++) {
    const i = deep ? order[k] : k;
    if (chosen && chosen[i] !== wanted) continue;
    const px = Math.round(x[i] * sharp), py = Math.round(y[i] * sharp);
    if (px < reach || py < reach || px > right || py > bottom) continue;
    const at = py * width + px, ink = inks[shade[i]];
    for (let m = 0; m < size; m++) if (pixels[at + steps[m]] >>> 24 <= alphas[m]) pixels[at + steps[m]] = ink | (alphas[m] << 24);
  }
}

// A canvas as a file, on `paper`, with a line of words `above` and one of [words, colour] `below` it, both in `black`.
function saved(canvas, paper, black, above, below) {
  const sharp = canvas.width / canvas.clientWidth, whole = document.createElement("canvas"), ink = whole.getContext("2d");
  whole.width = canvas.width;
  whole.height = canvas.height + 46 * sharp;
  ink.fillStyle = paper;
  ink.fillRect(0, 0, whole.width, whole.height);
  ink.drawImage(canvas, 0, 0);
  ink.scale(sharp, sharp);
  ink.font = "12px system-ui, sans-serif";
  ink.fillStyle = black;
  ink.fillText(above, 8, canvas.clientHeight + 16);
  let right = 8;
  for (const [words, colour] of below) {
    if (colour) { ink.fillStyle = colour; ink.fillRect(right, canvas.clientHeight + 26, 9, 9); right += 13; }
    ink.fillStyle = black;
    ink.fillText(words, right, canvas.clientHeight + 35);
    right += ink.measureText(words).width + 12;
  }
  Object.assign(document.createElement("a"), { download: "map.png", href: whole.toDataURL("image/png") }).click();
}
