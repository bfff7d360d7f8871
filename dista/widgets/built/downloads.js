// downloads.js
var CAMERA = ".modebar-btn[data-title^='Download plot']";
var PLACE = /(?:^|\s)st-key-([\w-]+)/;
var plain = (html) => html.replace(/<br>/g, " ").replace(/<[^>]*>/g, "");
var titleOf = (figure) => plain(figure.layout?.title?.text ?? "Figure");
function keyOf(figure) {
  return PLACE.exec(figure.closest("[class*='st-key-']")?.className ?? "")?.[1] ?? "figure";
}
function keepOpen(file) {
  const hear = (event) => {
    if (event.target?.download !== file) return;
    event.stopPropagation();
    window.removeEventListener("click", hear, true);
  };
  window.addEventListener("click", hear, true);
}
function save(figure, format, name, said) {
  const camera = figure.querySelector(CAMERA);
  if (!camera || !figure._context) {
    said.textContent = "Use the camera in the figure's corner.";
    return;
  }
  const filename = `${name}-${keyOf(figure)}`;
  const options = { format, filename, scale: format === "png" ? 2 : 1 };
  keepOpen(`${filename}.${format}`);
  const before = figure._context.toImageButtonOptions;
  figure._context.toImageButtonOptions = options;
  camera.dispatchEvent(new MouseEvent("click", { bubbles: false }));
  figure._context.toImageButtonOptions = before;
}
function node(tag, text, props = {}) {
  return Object.assign(document.createElement(tag), { textContent: text, ...props });
}
function downloads_default({ parentElement, data }) {
  const said = node("p", "", { role: "status" });
  const rows = [...document.querySelectorAll(".js-plotly-plot")].map((figure) => {
    const title = titleOf(figure);
    const buttons = ["png", "svg"].map((format) => {
      const button = node("button", format.toUpperCase(), {
        type: "button",
        onclick: () => save(figure, format, data.name, said)
      });
      button.setAttribute("aria-label", `${format.toUpperCase()}: ${title}`);
      return button;
    });
    const row = node("div", "", { className: "row" });
    row.append(node("span", title, { title }), ...buttons);
    return row;
  });
  const root = node("div", "", { className: "images" });
  root.append(...rows, said);
  parentElement.querySelector(".images")?.remove();
  parentElement.append(root);
}
export {
  downloads_default as default
};
