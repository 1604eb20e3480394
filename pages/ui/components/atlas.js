// The map of aecore/latent/map.js on a page: Python sends arrays as text, and hears what was touched.
const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer;
const column = ({ kinds, values, numbers, name }) =>
  kinds ? { name, kinds, values: new Uint16Array(bytes(values)) } : { name, numbers: new Float32Array(bytes(numbers)) };

export default function (component) {
  const { data, parentElement: root, setStateValue } = component;
  const self = (root.autoencoderAtlas ??= { serial: Date.now() });
  self.told = (what) => setStateValue("touch", { ...what, serial: ++self.serial, pictures: self.data.pictures, key: self.data.key });
  const place = root.querySelector(".map");
  place.style.setProperty("--height", data.height);
  self.data = data;
  self.map ??= atlas(place, data.words, data.still ? null : (what) => self.told(what));
  self.map.show({
    ...data,
    points: new Float32Array(bytes(data.points)),
    colour: column(data.colour),
    columns: Object.fromEntries(data.columns.map((each) => [each.name, column(each)])),
    sheet: new URL(data.sheet.replace(/^\//, ""), document.baseURI).href,
  });
}
