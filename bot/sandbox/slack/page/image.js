// Pictures. The page loads only what its own server holds; a picture from elsewhere is drawn as a link.

import { el, isOwn, link } from "./dom.js";
import { enlargeable } from "./lightbox.js";

/** Return an image block's or element's picture; `shape`: "accessory", "context" or "wide". */
export function image(element, context, shape) {
  const address = addressOf(element, context);
  const alt = element.alt_text ?? "";
  if (address && isOwn(address)) {
    const picture = el("img", { class: `picture ${shape}`, src: address, alt });
    return shape === "wide" ? enlargeable(picture, context.words) : picture;
  }
  return el("span", { class: "picture-elsewhere" }, "🖼 ", address ? link(address, alt || address) : alt);
}

function addressOf(element, context) {
  if (element.image_url) return element.image_url;
  const wanted = element.slack_file ?? {};
  return context.file(wanted.id)?.url ?? wanted.url;
}
