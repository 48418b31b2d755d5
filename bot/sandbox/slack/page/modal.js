// Modals: the top view of the stack as a dialog; what was typed survives updates and views pushed on top.

import { drawBlocks } from "./blocks.js";
import { contextFor } from "./context.js";
import { complaint } from "./controls.js";
import { el } from "./dom.js";
import { controlsIn, valuesByBlock } from "./drafts.js";
import { plainText } from "./mrkdwn.js";
import { post } from "./server.js";

export class Modals {
  constructor(page) {
    this.page = page;
  }

  /** Show the top modal of the person's stack, or none. */
  draw() {
    const modals = this.page.state.views.filter((view) => view.type === "modal");
    const view = modals.at(-1);
    // What was picked so far is in `state`; it changes without anything to draw.
    const { state, ...drawn } = view ?? {};
    const signature = view ? JSON.stringify([this.page.me.id, drawn]) : null;
    if (signature === this.signature) return;
    this.signature = signature;
    this.show(view);
  }

  show(view) {
    const before = this.dialog;
    const focused = before?.contains(document.activeElement) ? document.activeElement.dataset.focus : null;
    this.dialog = view ? this.dialogFor(view) : null;
    if (this.dialog) {
      document.body.append(this.dialog);
      this.dialog.showModal();
      this.focusFirst(focused);
    }
    before?.close();
    before?.remove();
  }

  focusFirst(focused) {
    const same = focused && this.dialog.querySelector(`[data-focus="${CSS.escape(focused)}"]`);
    const first = this.dialog.querySelector(".dialog-body :is(input, select, textarea, button)");
    (same || first || this.dialog.querySelector("[type=submit]"))?.focus();
  }

  dialogFor(view) {
    const { words } = this.page;
    const failure = el("div", { class: "failure", role: "alert", "data-testid": "modal-failure" });
    const context = contextFor(this.page, {
      where: { view_id: view.id },
      showFailure: (text) => (failure.textContent = text ? `⚠ ${text}` : ""),
      draft: (blockId, actionId) => this.page.drafts.value(view.id, blockId, actionId),
    });
    const close = () => this.close(view);
    const closeAll = () => this.close(view, { clear: true });
    const body = el("div", { class: "dialog-body", tabindex: "-1" }, drawBlocks(view.blocks, context));
    const form = el(
      "form",
      { class: "modal-form", novalidate: true, onsubmit: (event) => this.submit(event, view, context) },
      el(
        "div",
        { class: "modal-head" },
        el("h2", { id: "modal-title" }, plainText(view.title)),
        el(
          "button",
          { class: "icon-button", type: "button", "aria-label": words.close, onclick: closeAll },
          "✕",
        ),
      ),
      body,
      failure,
      el(
        "div",
        { class: "dialog-buttons" },
        el(
          "button",
          { class: "button", type: "button", "data-modal": "close", onclick: close },
          plainText(view.close) || words.cancel,
        ),
        view.submit &&
          el(
            "button",
            { class: "button primary", type: "submit", "data-modal": "submit" },
            plainText(view.submit),
          ),
      ),
    );
    body.addEventListener("input", () => this.page.drafts.keep(view.id, body));
    return el(
      "dialog",
      {
        class: "dialog modal",
        "data-view-id": view.id,
        "data-surface": true,
        "aria-labelledby": "modal-title",
        onkeydown: (event) => onEscape(event, close),
      },
      form,
    );
  }

  async submit(event, view, context) {
    event.preventDefault();
    const form = event.currentTarget;
    const button = form.querySelector("[type=submit]");
    if (!button || button.disabled) return;
    const complaints = complaintsAbout(view, form, this.page.words);
    context.showFailure(null);
    showErrors(form, complaints);
    if (Object.keys(complaints).length) return;
    button.disabled = true;
    const answer = await post("submit", { user: this.page.me.id, view_id: view.id, values: valuesOf(form) });
    button.disabled = false;
    if (answer.errors) showErrors(form, answer.errors);
    else if (!answer.ok) context.showFailure(this.page.words.action_failed(answer.error));
    this.page.refresh();
  }

  /** Close the top view; with `clear`, as the ✕ does in Slack, everything below it too. */
  async close(view, more = {}) {
    await post("close", { user: this.page.me.id, view_id: view.id, ...more });
    this.page.refresh();
  }
}

/** The server decides that a modal is gone; Escape only asks for it. In an open menu it closes the menu. */
function onEscape(event, close) {
  if (event.key !== "Escape" || event.isComposing || event.target.closest("[popover]")) return;
  event.preventDefault();
  close();
}

/** Return {action id: value}, or {block id: {action id: value}} where an action id stands in two blocks. */
function valuesOf(form) {
  const nodes = controlsIn(form);
  const values = Object.fromEntries(nodes.map((node) => [node.dataset.actionId, node.readValue()]));
  return Object.keys(values).length === nodes.length ? values : valuesByBlock(nodes);
}

function complaintsAbout(view, form, words) {
  const found = controlsIn(form).map((node) => {
    const block = view.blocks.find(
      ({ type, block_id }) => type === "input" && block_id === node.dataset.blockId,
    );
    return [node.dataset.blockId, block ? complaint(block, node.readValue(), words) : null];
  });
  return Object.fromEntries(found.filter(([, text]) => text));
}

/** Show `errors` (block id -> text) under their inputs, clear the others, and go to the first. */
function showErrors(form, errors) {
  for (const slot of form.querySelectorAll("[data-error-for]")) {
    const text = Object.hasOwn(errors, slot.dataset.errorFor) ? errors[slot.dataset.errorFor] : "";
    slot.textContent = text;
    const node = slot.parentElement.querySelector("[data-value]");
    if (text) node.setAttribute("aria-invalid", "true");
    else node.removeAttribute("aria-invalid");
  }
  const first = form.querySelector("[aria-invalid=true]");
  (first?.matches("fieldset") ? first.querySelector("input") : first)?.focus();
}
