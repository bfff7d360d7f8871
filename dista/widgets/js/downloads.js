// A row for every plotly figure on the page, with buttons that save it. Plotly makes the image: its own
// camera button is pressed after it has been told the format.

const CAMERA = ".modebar-btn[data-title^='Download plot']";
const PLACE = /(?:^|\s)st-key-([\w-]+)/;

const plain = (html) => html.replace(/<br>/g, " ").replace(/<[^>]*>/g, "");
const titleOf = (figure) => plain(figure.layout?.title?.text ?? "Figure");

// The figure's key on the page, which tells files of one page apart.
function keyOf(figure) {
  return PLACE.exec(figure.closest("[class*='st-key-']")?.className ?? "")?.[1] ?? "figure";
}

// Plotly clicks a link of its own, in the page's body, to hand the file over; the page takes a click outside of a
// popover as its end. The file is saved all the same.
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
  // Reads the options at once. As the link's, its click is not to reach the page.
  camera.dispatchEvent(new MouseEvent("click", { bubbles: false }));
  figure._context.toImageButtonOptions = before;
}

function node(tag, text, props = {}) {
  return Object.assign(document.createElement(tag), { textContent: text, ...props });
}

export default function ({ parentElement, data }) {
  const said = node("p", "", { role: "status" });
  const rows = [...document.querySelectorAll(".js-plotly-plot")].map((figure) => {
    const title = titleOf(figure);
    const buttons = ["png", "svg"].map((format) => {
      const button = node("button", format.toUpperCase(), {
        type: "button",
        onclick: () => save(figure, format, data.name, said),
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
