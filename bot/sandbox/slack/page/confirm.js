// Block Kit's confirm dialog, as a dialog of our own.

import { el } from "./dom.js";
import { plainText, textObject } from "./mrkdwn.js";

/** Show `confirm` ({title, text, confirm, deny, style}) and return whether the person agreed. */
export function askToConfirm(confirm, context) {
  return new Promise((resolve) => {
    const dialog = draw(confirm, context);
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

function draw(confirm, context) {
  const answer = (value) => () => dialog.close(value);
  const style = confirm.style === "danger" ? "danger" : "primary";
  const dialog = el(
    "dialog",
    { class: "dialog confirm", "data-testid": "confirm-dialog", "aria-labelledby": "confirm-title" },
    el("h2", { id: "confirm-title" }, plainText(confirm.title)),
    el("div", { class: "dialog-body" }, textObject(confirm.text, context)),
    el(
      "div",
      { class: "dialog-buttons" },
      el(
        "button",
        { class: "button", type: "button", "data-confirm": "no", onclick: answer("no") },
        plainText(confirm.deny) || context.words.deny_default,
      ),
      el(
        "button",
        { class: `button ${style}`, type: "button", "data-confirm": "yes", onclick: answer("yes") },
        plainText(confirm.confirm) || context.words.confirm_default,
      ),
    ),
  );
  return dialog;
}
