// The message box: plain messages, slash commands, completion, errors where one typed, a draft for each place.

import { commandMeant, completions, refusal } from "./completion.js";
import { el } from "./dom.js";
import { post } from "./server.js";
import { openShortcuts, shortcutsOf } from "./shortcuts.js";

export class Composer {
  /**
   * `place`: the element to fill. `id`: the text box's. `threadTs()`: the open thread, or null.
   * `hasShortcuts`: whether the app's global shortcuts are offered here.
   */
  constructor(place, page, { id, threadTs, hasShortcuts = false }) {
    this.page = page;
    this.threadTs = threadTs;
    this.hasShortcuts = hasShortcuts;
    this.chosen = 0;
    this.options = [];
    /** Place (person, channel, thread) -> what was typed there and not sent. */
    this.drafts = new Map();
    this.box = el("textarea", {
      id,
      class: "composer-box",
      rows: 1,
      role: "combobox",
      spellcheck: "false",
      autocomplete: "off",
      "aria-expanded": "false",
      "aria-autocomplete": "list",
      "aria-controls": `${id}-commands`,
      "aria-describedby": `${id}-hint`,
      oninput: () => this.suggest(),
      onkeydown: (event) => this.onKey(event),
      onblur: () => this.closeList(),
    });
    this.list = el("div", { id: `${id}-commands`, class: "commands", role: "listbox", hidden: true });
    this.hint = el("div", { id: `${id}-hint`, class: "composer-hint", "data-testid": "composer-hint" });
    this.error = el("div", { class: "composer-error", role: "alert", "data-testid": "composer-error" });
    this.button = el("button", { class: "send", type: "button", onclick: () => this.send() }, "➤");
    this.shortcuts = this.tool("shortcuts", "⚡", () => this.openShortcuts());
    this.attach = this.tool("add-file", "📎", () => this.files.click());
    this.files = el("input", {
      type: "file",
      class: "composer-files",
      tabindex: "-1",
      hidden: true,
      onchange: () => this.sendFile(this.files.files[0]),
    });
    const tools = [this.attach, this.files, this.shortcuts];
    this.frame = el("div", { class: "composer-frame" }, tools, this.box, this.button);
    this.closed = el("p", { class: "composer-closed", "data-testid": "composer-closed", hidden: true });
    place.replaceChildren(
      el("div", { class: "composer" }, this.list, this.error, this.frame, this.closed, this.hint),
    );
  }

  /** Write the words anew: `label` says where a message would go. */
  describe(label) {
    this.keepDrafts();
    this.box.setAttribute("aria-label", label);
    this.box.placeholder = label;
    this.list.setAttribute("aria-label", this.page.words.suggestions);
    this.button.setAttribute("aria-label", this.page.words.send);
    this.button.title = this.page.words.send;
    this.describeTool(this.attach, this.page.words.add_file);
    this.describeTool(this.shortcuts, this.page.words.shortcuts);
    this.describeTool(this.files, this.page.words.add_file);
    this.shortcuts.hidden = !this.hasShortcuts || !shortcutsOf(this.page.state, "global").length;
  }

  /** Show `reason` instead of the box, or the box for null. */
  close(reason) {
    this.frame.hidden = reason !== null;
    this.closed.hidden = reason === null;
    this.closed.textContent = reason ?? "";
  }

  /** What was typed for one place stays there: it must not be sent to another, or by somebody else. */
  keepDrafts() {
    const place = [this.page.me.id, this.page.channel, this.threadTs() ?? ""].join("/");
    if (place === this.place) return;
    // Whatever stands in the box before the first place is known was typed for that one.
    const typed = this.box.value;
    if (this.place) this.drafts.set(this.place, typed);
    else this.drafts.set(place, typed);
    this.place = place;
    this.box.value = this.drafts.get(place) ?? "";
    this.suggest();
    this.closeList();
  }

  /** What was sent from `place` is not a draft any more; words typed meanwhile are. */
  sent(place, text) {
    if (place !== this.place) this.drafts.delete(place);
    else if (this.box.value.trim() === text) this.box.value = "";
    this.suggest();
  }

  tool(name, sign, onclick) {
    const attributes = { class: "icon-button composer-tool", type: "button", "data-testid": name, onclick };
    return el("button", attributes, sign);
  }

  describeTool(node, label) {
    node.setAttribute("aria-label", label);
    node.title = label;
  }

  focus() {
    this.box.focus();
  }

  openShortcuts() {
    const { words, me, state } = this.page;
    openShortcuts(this.shortcuts, words.shortcuts, shortcutsOf(state, "global"), {
      body: { user: me.id },
      onFailure: (code) => this.fail(code && words.action_failed(code)),
      onDone: () => this.page.refresh(),
    });
  }

  /** Show what could be meant, or the usage of the command already typed. */
  suggest() {
    this.error.textContent = "";
    if (!this.page.state) return;
    const { start, options } = completions(this.box.value, this.box.selectionEnd, this.page);
    this.start = start;
    this.options = options;
    this.chosen = 0;
    this.drawList();
    const meant = commandMeant(this.box.value, this.page);
    this.hint.textContent = meant ? `${meant.command} ${meant.usage_hint} · ${meant.description}` : "";
  }

  drawList() {
    this.list.hidden = this.options.length === 0;
    this.box.setAttribute("aria-expanded", String(!this.list.hidden));
    this.list.replaceChildren(...this.options.map((option, index) => this.optionNode(option, index)));
    const current = this.list.children[this.chosen];
    if (current) this.box.setAttribute("aria-activedescendant", current.id);
    else this.box.removeAttribute("aria-activedescendant");
    current?.scrollIntoView({ block: "nearest" });
  }

  optionNode(option, index) {
    const pick = (event) => {
      event.preventDefault();
      this.complete(option);
    };
    return el(
      "div",
      {
        id: `${this.list.id}-${index}`,
        class: "command",
        role: "option",
        "aria-selected": String(index === this.chosen),
        "data-command": option.key,
        onmousedown: pick,
      },
      el("span", { class: "command-name" }, `${option.name} `),
      option.detail && el("span", { class: "command-usage" }, option.detail),
      option.more && el("span", { class: "command-description" }, option.more),
    );
  }

  complete({ insert }) {
    this.box.setRangeText(`${insert} `, this.start, this.box.selectionEnd, "end");
    this.suggest();
    this.focus();
  }

  closeList() {
    this.options = [];
    this.drawList();
  }

  onKey(event) {
    // Enter that ends the composition of a Hangul syllable is not an Enter.
    if (event.isComposing) return;
    if (!this.list.hidden && this.onListKey(event)) event.preventDefault();
    else if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      this.send();
    }
  }

  /** Return whether the key was meant for the open list. */
  onListKey(event) {
    const current = this.options[this.chosen];
    const isWhole = this.box.value.slice(this.start, this.box.selectionEnd) === current.insert;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") this.move(event.key === "ArrowDown" ? 1 : -1);
    else if (event.key === "Escape") this.closeList();
    else if (event.key === "Tab" && !event.shiftKey) this.complete(current);
    else if (event.key === "Enter" && !event.shiftKey && !isWhole) this.complete(current);
    else return false;
    event.stopPropagation();
    return true;
  }

  move(step) {
    this.chosen = (this.chosen + step + this.options.length) % this.options.length;
    this.drawList();
  }

  async send() {
    const text = this.box.value.trim();
    if (!text || this.sending) return;
    // As in Slack, a blank in front makes a message of what would be a command.
    const command = /^\/\S+/.exec(this.box.value)?.[0];
    const refused = command && this.refusal(command);
    if (refused) return void this.fail(refused);
    const place = this.place;
    this.setSending(true);
    const answer = command ? await this.sendCommand(text) : await this.sendMessage(text);
    this.setSending(false);
    if (!answer.ok) return void this.fail(this.failureText(command, answer.error));
    this.sent(place, text);
    this.page.refresh();
  }

  refusal(command) {
    return this.threadTs() ? this.page.words.not_in_threads(command) : refusal(command, this.page);
  }

  sendCommand(text) {
    return post("slash", { user: this.page.me.id, channel: this.page.channel, text });
  }

  sendMessage(text) {
    return post("message", this.message(text));
  }

  message(text) {
    const message = { user: this.page.me.id, channel: this.page.channel, text };
    return this.threadTs() ? { ...message, thread_ts: this.threadTs() } : message;
  }

  /** Share a file at once, with what is typed as its comment. */
  async sendFile(file) {
    if (!file || this.sending) return;
    const text = this.box.value.trim();
    const place = this.place;
    this.setSending(true);
    const content = await inBase64(file);
    const answer = await post("file", { ...this.message(text), name: file.name, content });
    this.setSending(false);
    this.files.value = "";
    if (!answer.ok) return void this.fail(this.failureText(null, answer.error));
    this.sent(place, text);
    this.page.refresh();
  }

  failureText(command, code) {
    return command ? this.page.words.command_failed(command, code) : this.page.words.action_failed(code);
  }

  fail(text) {
    this.error.textContent = text ? `⚠ ${text}` : "";
  }

  setSending(isSending) {
    this.sending = isSending;
    this.button.disabled = isSending;
    this.error.textContent = "";
  }
}

function inBase64(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.addEventListener("load", () => resolve(reader.result.slice(reader.result.indexOf(",") + 1)));
    reader.addEventListener("error", () => reject(reader.error));
    reader.readAsDataURL(file);
  });
}
