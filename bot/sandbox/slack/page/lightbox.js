// A picture, as large as the window allows.

import { el } from "./dom.js";

/** Return `picture` (an img) as a button that shows it large. */
export function enlargeable(picture, words) {
  const label = picture.alt ? `${words.enlarge}: ${picture.alt}` : words.enlarge;
  const button = el("button", { class: "picture-button", type: "button", "aria-label": label }, picture);
  button.addEventListener("click", () => show(picture, words));
  return button;
}

function show(picture, words) {
  const dialog = el(
    "dialog",
    {
      class: "lightbox",
      "data-testid": "lightbox",
      "aria-label": picture.alt || words.enlarge,
      // Anywhere but on the picture itself.
      onclick: ({ target }) => target.tagName !== "IMG" && dialog.close(),
    },
    el("button", { class: "icon-button", type: "button", "aria-label": words.close }, "✕"),
    el("img", { src: picture.src, alt: picture.alt }),
    picture.alt && el("p", {}, picture.alt),
  );
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}
