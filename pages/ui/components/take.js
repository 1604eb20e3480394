// A link that hands over a file which the page holds itself, so that the server keeps none to be fetched.
export default function (component) {
  const { data, parentElement: root } = component;
  const link = root.querySelector("a");
  link.textContent = data.label;
  if (link.dataset.serial === data.serial) return;
  link.dataset.serial = data.serial;
  URL.revokeObjectURL(link.href);
  const bytes = Uint8Array.from(atob(data.content), (each) => each.charCodeAt(0));
  link.href = URL.createObjectURL(new Blob([bytes], { type: data.kind }));
  link.download = data.name;
}
