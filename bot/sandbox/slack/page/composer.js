// The message box: plain messages, slash commands with completion, errors where one typed.

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
    const frame = el("div", { class: "composer-frame" }, tools, this.box, this.button);
    place.replaceChildren(el("div", { class: "composer" }, this.list, this.error, frame, this.hint));
  }

  /** Write the words anew: `label` says where a message would go. */
  describe(label) {
    this.box.setAttribute("aria-label", label);
    this.box.placeholder = label;
    this.list.setAttribute("aria-label", this.page.words.commands);
    this.button.setAttribute("aria-label", this.page.words.send);
    this.button.title = this.page.words.send;
    this.describeTool(this.attach, this.page.words.add_file);
    this.describeTool(this.shortcuts, this.page.words.shortcuts);
    this.describeTool(this.files, this.page.words.add_file);
    this.shortcuts.hidden = !this.hasShortcuts || !shortcutsOf(this.page.state, "global").length;
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

  /** Show the commands that could be meant, or the usage of the one already typed. */
  suggest() {
    this.error.textContent = "";
    const typed = this.box.value;
    const known = this.page.state.commands.filter(({ command }) => command.startsWith(typed.split(/\s/)[0]));
    const isChoosing = /^\/\S*$/.test(typed) && known.length > 0;
    this.options = isChoosing ? known : [];
    this.chosen = 0;
    this.drawList();
    const meant = /^\/\S+/.test(typed) && known.find(({ command }) => command === typed.split(/\s/)[0]);
    this.hint.textContent = meant ? `${meant.command} ${meant.usage_hint} · ${meant.description}` : "";
  }

  drawList() {
    this.list.hidden = this.options.length === 0;
    this.box.setAttribute("aria-expanded", String(!this.list.hidden));
    this.list.replaceChildren(...this.options.map((option, index) => this.optionNode(option, index)));
    const current = this.list.children[this.chosen];
    if (current) this.box.setAttribute("aria-activedescendant", current.id);
    else this.box.removeAttribute("aria-activedescendant");
  }

  optionNode({ command, usage_hint, description }, index) {
    const pick = (event) => {
      event.preventDefault();
      this.complete(command);
    };
    return el(
      "div",
      {
        id: `${this.box.id}-command-${index}`,
        role: "option",
        class: "command",
        "aria-selected": String(index === this.chosen),
        "data-command": command,
        onmousedown: pick,
      },
      el("span", { class: "command-name" }, `${command} `),
      el("span", { class: "command-usage" }, usage_hint),
      el("span", { class: "command-description" }, description),
    );
  }

  complete(command) {
    this.box.value = `${command} `;
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

  /** Return whether the key was meant for the open list of commands. */
  onListKey(event) {
    const current = this.options[this.chosen].command;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") this.move(event.key === "ArrowDown" ? 1 : -1);
    else if (event.key === "Escape") this.closeList();
    else if (event.key === "Tab" && !event.shiftKey) this.complete(current);
    else if (event.key === "Enter" && current !== this.box.value) this.complete(current);
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
    const command = /^\/\S+/.exec(text)?.[0];
    if (command && this.threadTs()) return void this.fail(this.page.words.not_in_threads(command));
    this.setSending(true);
    const answer = command ? await this.sendCommand(text) : await this.sendMessage(text);
    this.setSending(false);
    if (!answer.ok) return void this.fail(this.failureText(command, answer.error));
    // Words typed while the answer was under way are the next message.
    if (this.box.value.trim() === text) this.box.value = "";
    this.suggest();
    this.page.refresh();
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
    this.setSending(true);
    const content = await inBase64(file);
    const answer = await post("file", { ...this.message(text), name: file.name, content });
    this.setSending(false);
    this.files.value = "";
    if (!answer.ok) return void this.fail(this.failureText(null, answer.error));
    this.box.value = "";
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
