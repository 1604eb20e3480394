// Rows of small pictures, exchanged in place: a new picture replaces the old one once it is decoded, without a flicker.
export default function (component) {
  const { data, parentElement: root } = component;
  const place = root.querySelector(".strip");
  while (place.children.length > data.rows.length) place.lastChild.remove();
  data.rows.forEach((row, index) => {
    let figure = place.children[index];
    if (!figure) {
      figure = document.createElement("figure");
      figure.append(document.createElement("figcaption"), document.createElement("img"));
      place.append(figure);
    }
    figure.firstChild.textContent = row.caption;
    const image = figure.lastChild;
    image.alt = row.alt;
    if (image.dataset.source === row.source) return;
    image.dataset.source = row.source;
    const next = new Image();
    next.onload = () => { if (image.dataset.source === row.source) image.src = next.src; };
    next.src = row.source;
  });
}
