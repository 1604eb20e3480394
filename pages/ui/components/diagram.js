// A drawing made by our own program, put in place as it is.
export default function (component) {
  component.parentElement.querySelector(".place").innerHTML = component.data.svg;
}
