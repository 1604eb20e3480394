// Where each point of a map lies on the screen: a plane that is moved over, or a cloud in three dimensions that is turned.
//
// lens(canvas, changed) gives what has the points' places `x`, `y` and their `order` from the back, once `place` has found them, and calls
// `changed` whenever it is moved. `fit` takes the points, how many dimensions they have, and if wanted their frame ([lowest], [highest]).
function lens(canvas, changed) {
  let reach, depth;
  const scale = () => view.zoom * (view.deep ? (0.62 * Math.min(canvas.clientWidth, canvas.clientHeight)) / reach
    : Math.min((canvas.clientWidth - 60) / (2 * view.half[0]), (canvas.clientHeight - 60) / (2 * view.half[1])));

  function fit(points, dims, frame) {
    view.count = points.length / dims;
    view.deep = dims === 3;
    [view.x, view.y] = [new Float32Array(view.count), new Float32Array(view.count)];
    if (view.deep) [depth, view.order] = [new Uint8Array(view.count), new Uint32Array(view.count)];
    const [low, high] = frame || [Array(dims).fill(Infinity), Array(dims).fill(-Infinity)];
    if (!frame) points.forEach((value, place) => {
      const axis = place % dims;
      if (value < low[axis]) low[axis] = value;
      if (value > high[axis]) high[axis] = value;
    });
    view.middle = low.map((value, axis) => (value + high[axis]) / 2);
    view.half = low.map((value, axis) => (high[axis] - value) / 2 || 1);
    reach = Math.hypot(...view.half);
  }

  function project(at) {  // a point on the map to the screen, and how near it is
    const { middle, yaw, pitch } = view, a = at[0] - middle[0], b = at[1] - middle[1], c = view.deep ? at[2] - middle[2] : 0, s = scale();
    const cx = canvas.clientWidth / 2 + view.left, cy = canvas.clientHeight / 2 + view.top;
    if (!view.deep) return [cx + s * a, cy - s * b, 0];
    const turned = Math.cos(yaw) * a + Math.sin(yaw) * c, back = Math.cos(yaw) * c - Math.sin(yaw) * a;
    return [cx + s * turned, cy - s * (Math.cos(pitch) * b - Math.sin(pitch) * back), Math.sin(pitch) * b + Math.cos(pitch) * back];
  }

  function placeAt(px, py) {  // where a spot of the screen lies on the map; in three dimensions, at the depth of the middle
    const { middle, yaw, pitch } = view, s = scale();
    const a = (px - canvas.clientWidth / 2 - view.left) / s, b = -(py - canvas.clientHeight / 2 - view.top) / s;
    if (!view.deep) return [middle[0] + a, middle[1] + b];
    const back = -Math.sin(pitch) * b;
    return [middle[0] + Math.cos(yaw) * a - Math.sin(yaw) * back, middle[1] + Math.cos(pitch) * b, middle[2] + Math.sin(yaw) * a + Math.cos(yaw) * back];
  }

  function place(points) {  // all points to the screen; in three dimensions the farthest are drawn first
    const { x, y, order, count, middle } = view, s = scale(), cx = canvas.clientWidth / 2 + view.left, cy = canvas.clientHeight / 2 + view.top;
    if (!view.deep) {
      for (let i = 0; i < count; i++) {
        x[i] = cx + s * (points[2 * i] - middle[0]);
        y[i] = cy - s * (points[2 * i + 1] - middle[1]);
      }
      return;
    }
    const [cosYaw, sinYaw, cosPitch, sinPitch] = [Math.cos(view.yaw), Math.sin(view.yaw), Math.cos(view.pitch), Math.sin(view.pitch)];
    const bins = new Uint32Array(258);
    for (let i = 0; i < count; i++) {
      const a = points[3 * i] - middle[0], b = points[3 * i + 1] - middle[1], c = points[3 * i + 2] - middle[2];
      const back = cosYaw * c - sinYaw * a;
      x[i] = cx + s * (cosYaw * a + sinYaw * c);
      y[i] = cy - s * (cosPitch * b - sinPitch * back);
      depth[i] = Math.max(0, Math.min(255, 128 + (127 * (sinPitch * b + cosPitch * back)) / reach));
      bins[depth[i] + 1]++;
    }
    for (let bin = 1; bin < 258; bin++) bins[bin] += bins[bin - 1];
    for (let i = 0; i < count; i++) order[bins[depth[i]]++] = i;
  }

  function magnify(factor, px, py) {
    const grown = Math.max(0.3, Math.min(200, view.zoom * factor)), ratio = grown / view.zoom;
    const right = px - canvas.clientWidth / 2, down = py - canvas.clientHeight / 2;
    view.left = right - (right - view.left) * ratio;
    view.top = down - (down - view.top) * ratio;
    view.zoom = grown;
    changed();
  }

  function turn(right, down) {
    view.yaw += right;
    view.pitch = Math.max(-1.6, Math.min(1.6, view.pitch + down));
    changed();
  }

  function move(right, down) {
    view.left += right;
    view.top += down;
    changed();
  }

  const start = { zoom: 1, left: 0, top: 0, yaw: 0.5, pitch: 0.4 };
  function whole() {
    Object.assign(view, start);
    changed();
  }

  const at = (row) => [view.x[row], view.y[row]];
  const view = { ...start, count: 0, deep: false, frames: 0, at, fit, project, placeAt, place, magnify, turn, move, whole };
  return view;
}
