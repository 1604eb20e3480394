// Pictures side by side, each under its name and above its figures; a new picture replaces the old one in place.
export default function (component) {
  const { data, parentElement: root } = component;
  const list = root.querySelector(".gallery");
  const make = (name, parent) => parent.appendChild(document.createElement(name));
  while (list.children.length > data.items.length) list.lastChild.remove();
  data.items.forEach((item, index) => {
    let place = list.children[index];
    if (!place) {
      place = make("li", list);
      const figure = make("figure", place);
      ["figcaption", "img", "dl"].forEach((name) => make(name, figure));
    }
    const [caption, image, figures] = place.firstChild.children;
    caption.textContent = item.title;
    image.alt = item.alt;
    if (image.dataset.source !== item.source) {
      image.dataset.source = item.source;
      const next = new Image();
      next.onload = () => { if (image.dataset.source === item.source) image.src = next.src; };
      next.src = item.source;
    }
    figures.replaceChildren();
    item.figures.forEach(([name, value]) => {
      make("dt", figures).textContent = name;
      make("dd", figures).textContent = value;
    });
  });
}
