// Builds DOM nodes from data. Text always becomes a text node, so markup in data stays inert.

/** Addresses a link may lead to; anything else (javascript:, data:, …) is drawn as text. */
const SAFE_LINK = /^(https?:\/\/|mailto:)/i;

/**
 * Return a new element.
 * `attributes`: null, undefined and false leave an attribute out, true sets it empty; a key `on…` is a
 * listener. `children`: nodes, strings, arrays of these; null, undefined and false are left out.
 */
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) setAttribute(node, name, value);
  node.append(...present(children));
  return node;
}

export function fragment(...children) {
  const node = document.createDocumentFragment();
  node.append(...present(children));
  return node;
}

/** Return an `<a>` that opens beside the page, or plain text when `address` is not a safe link. */
export function link(address, ...children) {
  if (!SAFE_LINK.test(address)) return el("span", {}, ...children, ` (${address})`);
  return el("a", { href: address, target: "_blank", rel: "noopener noreferrer" }, ...children);
}

/** Return whether `address` is served by this page's own server: the page loads nothing from elsewhere. */
export function isOwn(address) {
  try {
    return new URL(address, document.baseURI).origin === location.origin;
  } catch {
    return false;
  }
}

/**
 * Make the children of `parent` be `items` ({key, signature, draw}), in order, redrawing only those whose
 * signature changed, so that focus, scroll and half-made choices in the others stay.
 */
export function reconcile(parent, items) {
  const old = new Map([...parent.children].map((node) => [node.dataset.key, node]));
  const wanted = items.map((item) => keepOrDraw(old.get(item.key), item));
  const kept = new Set(wanted);
  for (const node of old.values()) if (!kept.has(node)) node.remove();
  wanted.forEach((node, index) => {
    if (parent.children[index] !== node) parent.insertBefore(node, parent.children[index] ?? null);
  });
}

/** A menu that somebody just opened must not vanish under the mouse; its row is drawn with the next news. */
const IN_USE = CSS.supports("selector(select:open)") ? "select:open" : null;

function keepOrDraw(node, item) {
  if (node?.signature === item.signature || (IN_USE && node?.querySelector(IN_USE))) return node;
  const fresh = item.draw();
  fresh.dataset.key = item.key;
  fresh.signature = item.signature;
  node?.replaceWith(fresh);
  return fresh;
}

function setAttribute(node, name, value) {
  if (value === null || value === undefined || value === false) return;
  if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
  else node.setAttribute(name, value === true ? "" : String(value));
}

function present(children) {
  return children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false);
}
