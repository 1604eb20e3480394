// Two pictures of the same size, one over the other: a slider draws the upper one aside.
export default function (component) {
  const { data, parentElement: root } = component;
  const stage = root.querySelector(".stage");
  const view = root.querySelector(".view");
  const slider = root.querySelector("input");
  const [below, above] = root.querySelectorAll("img");
  const divide = () => {
    stage.style.setProperty("--place", `${slider.value}%`);
    slider.setAttribute("aria-valuetext", `${slider.value} %`);
  };
  const show = (image, source, words) => {
    image.alt = words;
    if (image.src !== source) image.src = source;
  };
  show(below, data.after, data.words.after);
  show(above, data.before, data.words.before);
  root.querySelector(".left").textContent = data.words.before;
  root.querySelector(".right").textContent = data.words.after;
  slider.setAttribute("aria-label", data.words.slider);
  slider.oninput = divide;
  const follow = (event) => {
    if (event.buttons !== 1) return;
    const box = below.getBoundingClientRect();
    slider.value = String(Math.min(100, Math.max(0, (100 * (event.clientX - box.left)) / box.width)));
    divide();
  };
  stage.onpointerdown = follow;
  stage.onpointermove = follow;
  divide();
  if (stage.style.getPropertyValue("--zoom") !== String(data.zoom)) {
    // Closer: the border in the middle, where there is most to see.
    stage.style.setProperty("--zoom", data.zoom);
    view.scrollLeft = (stage.offsetWidth * slider.value) / 100 - view.clientWidth / 2;
    view.scrollTop = data.zoom > 1 ? (stage.offsetHeight - view.clientHeight) / 2 : 0;
  }
}
