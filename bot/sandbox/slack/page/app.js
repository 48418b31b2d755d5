// The page: who acts, which channel and thread are open, and one redraw for whatever changed.

import { drawBlocks } from "./blocks.js";
import { Cloud } from "./cloud.js";
import { Composer } from "./composer.js";
import { contextFor } from "./context.js";
import { el, reconcile } from "./dom.js";
import { Drafts } from "./drafts.js";
import { Live } from "./live.js";
import { Modals } from "./modal.js";
import { Pane } from "./pane.js";
import { placeOf, showMessage } from "./permalinks.js";
import { post } from "./server.js";
import { channelTitle, drawSidebar, HOME } from "./sidebar.js";
import { repliesTo, roots, visibleMessages } from "./timeline.js";
import { Unread } from "./unread.js";
import { wordsFor, writeWords } from "./words.js";

const DEFAULTS = { user: "U0SENA", channel: "C0OPERATIONS" };

const node = (id) => document.getElementById(id);

class Page {
  constructor() {
    this.words = wordsFor(navigator.language);
    this.unread = new Unread();
    this.drafts = new Drafts();
    this.modals = new Modals(this);
    this.messages = new Pane(node("messages"));
    this.replies = new Pane(node("thread-messages"));
    this.cloud = new Cloud(node("cloud"), this);
    this.composer = new Composer(node("channel-composer"), this, {
      id: "composer",
      threadTs: () => null,
      hasShortcuts: true,
    });
    this.threadComposer = new Composer(node("thread-composer-place"), this, {
      id: "thread-composer",
      threadTs: () => this.thread,
    });
  }

  start() {
    this.listen();
    this.readHash();
    this.follow();
    this.cloud.start();
  }

  listen() {
    node("acting-user").addEventListener("change", (event) => this.actAs(event.target.value));
    node("close-thread").addEventListener("click", () => this.closeThread());
    node("toggle-cloud").addEventListener("click", () => this.toggle("cloud"));
    node("toggle-sidebar").addEventListener("click", () => this.toggle("sidebar"));
    addEventListener("hashchange", () => this.onHash());
    document.addEventListener("keydown", (event) => this.onEscape(event));
    document.addEventListener("click", (event) => this.onLink(event));
    // In a narrow window the cloud would cover the conversation, so it starts closed there.
    if (matchMedia("(max-width: 760px)").matches) this.toggle("cloud");
  }

  /** Read who acts and what is open from the address, which survives a reload and can be shared. */
  readHash() {
    const hash = new URLSearchParams(location.hash.slice(1));
    this.user = hash.get("user") ?? DEFAULTS.user;
    this.channel = hash.get("channel") ?? DEFAULTS.channel;
    this.thread = hash.get("thread");
    this.linked = hash.get("message");
  }

  writeHash() {
    const open = { user: this.user, channel: this.channel, ...(this.thread && { thread: this.thread }) };
    history.replaceState(null, "", `#${new URLSearchParams(open)}`);
  }

  onHash() {
    const before = this.user;
    this.readHash();
    if (this.user === before) this.draw();
    else this.follow();
  }

  follow() {
    this.live?.stop();
    this.live = new Live(this.user, {
      onState: (state) => this.receive(state),
      onConnection: (isConnected) => this.showConnection(isConnected),
    });
    this.refresh();
  }

  refresh() {
    this.live.refresh();
  }

  receive(state) {
    this.state = state;
    this.me = state.people.find((person) => person.id === this.user) ?? state.people[0];
    this.words = wordsFor(this.me.locale);
    this.unread.begin(state);
    this.leaveHiddenChannel();
    this.draw();
  }

  /** Somebody else's direct message is not there for the person one now acts as. */
  leaveHiddenChannel() {
    if (this.openedChannel() || (this.channel === HOME && this.state.tabs.home)) return;
    const { channels } = this.state;
    this.channel =
      (channels.find((channel) => channel.id === DEFAULTS.channel) ?? channels[0])?.id ?? DEFAULTS.channel;
    this.thread = null;
    this.writeHash();
  }

  showConnection(isConnected) {
    node("connection").textContent = isConnected ? "" : this.words.offline;
  }

  actAs(user) {
    this.user = user;
    this.writeHash();
    this.follow();
  }

  openChannel(id) {
    this.channel = id;
    this.thread = null;
    this.writeHash();
    this.draw();
    if (document.body.classList.contains("sidebar-open")) this.toggle("sidebar");
    this.messages.scrollToEnd();
    if (id !== HOME) this.composer.focus();
  }

  openThread(ts) {
    this.thread = ts;
    this.writeHash();
    this.draw();
    this.replies.scrollToEnd();
    this.threadComposer.focus();
  }

  /** A link to a message of this workspace opens here, for whoever acts, and not in another window. */
  onLink(event) {
    const address = event.target.closest?.("a[href]")?.href;
    const place = address && placeOf(address);
    if (!place || !this.state.channels.some((channel) => channel.id === place.channel)) return;
    event.preventDefault();
    this.openChannel(place.channel);
    if (place.thread) this.openThread(place.thread);
    showMessage(place.ts);
  }

  closeThread() {
    const opener = node("messages").querySelector(
      `[data-ts="${CSS.escape(this.thread)}"] [data-focus^=repl]`,
    );
    this.thread = null;
    this.writeHash();
    this.draw();
    (opener ?? node("messages")).focus();
  }

  onEscape(event) {
    const isElsewhere =
      event.defaultPrevented || document.querySelector("dialog[open], [popover]:popover-open");
    if (event.key !== "Escape" || isElsewhere) return;
    if (document.body.classList.contains("sidebar-open")) this.toggle("sidebar");
    else if (this.thread) this.closeThread();
  }

  /** Show or hide the cloud or the sidebar; which of the two is the default depends on the width. */
  toggle(pane) {
    const isOpen = node(`toggle-${pane}`).getAttribute("aria-expanded") === "true";
    node(`toggle-${pane}`).setAttribute("aria-expanded", String(!isOpen));
    document.body.classList.toggle(`${pane}-open`, !isOpen);
    document.body.classList.toggle(`${pane}-closed`, isOpen);
  }

  draw() {
    if (!this.state) return;
    this.drawChrome();
    if (this.channel === HOME) this.drawHome();
    else this.drawMessages();
    this.drafts.forgetAllBut(new Set(this.state.views.map((view) => view.id)));
    this.modals.draw();
    this.cloud.draw();
    this.tellTheApp();
    if (this.linked && showMessage(this.linked)) this.linked = null;
  }

  /** Whoever comes to one of the app's tabs is announced to it, once for each time they come. */
  tellTheApp() {
    const place = `${this.me.id}/${this.channel}`;
    if (place === this.announced) return;
    this.announced = place;
    const tab = this.channel === HOME ? "home" : this.openedChannel()?.is_im ? "messages" : null;
    if (tab && this.state.tabs[tab]) post("home", { user: this.me.id, tab });
  }

  drawChrome() {
    document.documentElement.lang = this.me.locale;
    document.title = `${this.state.team.name} · ${this.title()}`;
    writeWords(document, this.words);
    this.drawActors();
    this.unread.markSeen(this.channel, this);
    drawSidebar(node("sidebar"), this);
    node("channel-name").textContent = this.title();
    node("channel-topic").textContent = this.openedChannel()?.topic ?? "";
    this.composer.describe(this.words.message_to(this.title()));
    this.threadComposer.describe(this.words.reply_to(this.title()));
    document.body.classList.toggle("home-open", this.channel === HOME);
  }

  drawActors() {
    const actors = this.state.people.filter((person) => !person.is_bot);
    reconcile(
      node("acting-user"),
      actors.map((person) => {
        const label = `${person.real_name} · ${person.role}`;
        return { key: person.id, signature: label, draw: () => el("option", { value: person.id }, label) };
      }),
    );
    node("acting-user").value = this.me.id;
  }

  drawMessages() {
    const messages = visibleMessages(this.state, this.channel, this.me.id);
    this.messages.drawMessages(roots(messages), this, {
      channelId: this.channel,
      repliesOf: (message) => repliesTo(messages, message.ts),
      openThread: (ts) => this.openThread(ts),
    });
    this.drawThread(messages);
  }

  drawThread(messages) {
    const root = messages.find((message) => message.ts === this.thread);
    this.showThread(root);
    if (!root) return;
    node("thread-channel").textContent = this.title();
    this.replies.drawMessages([root, ...repliesTo(messages, root.ts)], this, {
      channelId: this.channel,
      repliesOf: () => [],
      openThread: null,
    });
  }

  showThread(root) {
    node("thread").hidden = !root;
    document.body.classList.toggle("thread-open", Boolean(root));
  }

  drawHome() {
    const { state, ...view } = this.home ?? {};
    const draw = () => (this.home ? this.homeNode(view) : el("p", { class: "empty" }, this.words.home_empty));
    this.messages.draw([{ key: "home", signature: JSON.stringify([this.me.id, view]), draw }]);
    this.showThread(null);
  }

  homeNode(view) {
    const context = contextFor(this, {
      where: { view_id: view.id },
      showFailure: (text) => this.composer.fail(text),
      draft: (blockId, actionId) => this.drafts.value(view.id, blockId, actionId),
    });
    const home = el(
      "div",
      { class: "home", "data-view-id": view.id, "data-surface": true },
      drawBlocks(view.blocks, context),
    );
    home.addEventListener("input", () => this.drafts.keep(view.id, home));
    return home;
  }

  /** The app's Home tab as the acting person sees it, or undefined. */
  get home() {
    return this.state.views.find((view) => view.type === "home");
  }

  openedChannel() {
    return this.state.channels.find((channel) => channel.id === this.channel);
  }

  title() {
    return channelTitle(this.openedChannel() ?? { id: this.channel, name: this.channel }, this);
  }
}

new Page().start();
