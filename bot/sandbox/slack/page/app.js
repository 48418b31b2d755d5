// The page: who acts, which channel and thread are open, and one redraw for whatever changed.

import { drawActors } from "./actors.js";
import { Announcer } from "./announcer.js";
import { drawBlocks } from "./blocks.js";
import { Cloud } from "./cloud.js";
import { Composer } from "./composer.js";
import { contextFor } from "./context.js";
import { el } from "./dom.js";
import { Drafts } from "./drafts.js";
import { Drill } from "./drill.js";
import { Live } from "./live.js";
import { Modals } from "./modal.js";
import { Pane } from "./pane.js";
import { placeOf, showMessage } from "./permalinks.js";
import { onRegionKey } from "./regions.js";
import { post } from "./server.js";
import { channelTitle, drawSidebar, drawTabs, HOME } from "./sidebar.js";
import { openThemes, wearTheme } from "./theme.js";
import { Tour } from "./tour.js";
import { repliesTo, roots, visibleMessages } from "./timeline.js";
import { Unread } from "./unread.js";
import { wordsFor, writeWords } from "./words.js";

const DEFAULTS = { user: "U0SENA", channel: "C0OPERATIONS" };

const node = (id) => document.getElementById(id);

class Page {
  constructor() {
    this.words = wordsFor(navigator.language);
    this.announcer = new Announcer(node("announcer"));
    this.unread = new Unread();
    this.drafts = new Drafts();
    this.modals = new Modals(this);
    this.messages = new Pane(node("messages"));
    this.replies = new Pane(node("thread-messages"));
    this.cloud = new Cloud(node("cloud"), this);
    this.drill = new Drill(node("drill"), this);
    this.tour = new Tour(node("tour"), this);
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
    this.drill.start();
    this.tour.start();
  }

  listen() {
    node("acting-user").addEventListener("change", (event) => this.actAs(event.target.value));
    node("theme").addEventListener("click", () => openThemes(node("theme"), this.words));
    node("close-thread").addEventListener("click", () => this.closeThread());
    node("toggle-cloud").addEventListener("click", () => this.toggle("cloud"));
    node("toggle-sidebar").addEventListener("click", () => this.toggle("sidebar"));
    addEventListener("hashchange", () => this.onHash());
    document.addEventListener("keydown", (event) => this.onEscape(event));
    document.addEventListener("keydown", onRegionKey);
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
    const open = {
      user: this.user,
      channel: this.channel,
      ...(this.thread && { thread: this.thread }),
      ...(this.tour.isOff && { tour: "off" }),
    };
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
    if (id === HOME) this.messages.scrollToStart();
    else this.messages.scrollToEnd();
    const box = node("composer");
    (box.checkVisibility() ? box : node("messages")).focus();
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
    this.drill.draw();
    this.tour.draw();
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
    drawActors(node("acting-user"), this);
    this.unread.markSeen(this.channel, this);
    drawSidebar(node("sidebar"), this);
    drawTabs(node("app-tabs"), this);
    node("channel-name").textContent = this.title();
    node("channel-topic").textContent = this.openedChannel()?.topic ?? "";
    this.composer.describe(this.words.message_to(this.title()));
    this.threadComposer.describe(this.words.reply_to(this.title()));
    const isReadOnly = this.openedChannel()?.is_im && this.state.tabs.read_only;
    this.composer.close(isReadOnly ? this.words.messages_off : null);
    this.threadComposer.close(isReadOnly ? this.words.messages_off : null);
    document.body.classList.toggle("home-open", this.channel === HOME);
  }

  drawMessages() {
    this.messages.follows = true;
    const messages = visibleMessages(this.state, this.channel, this.me.id);
    this.messages.drawMessages(roots(messages), this, {
      channelId: this.channel,
      repliesOf: (message) => repliesTo(messages, message.ts),
      openThread: (ts) => this.openThread(ts),
      firstNew: this.unread.firstNew,
    });
    this.announcer.tell(this.channel, roots(messages), this);
    this.drawThread(messages);
  }

  drawThread(messages) {
    const root = messages.find((message) => message.ts === this.thread);
    this.showThread(root);
    if (!root) return;
    node("thread-channel").textContent = this.title();
    const replies = repliesTo(messages, root.ts);
    this.replies.drawMessages([root, ...replies], this, {
      channelId: this.channel,
      repliesOf: () => [],
      openThread: null,
      afterFirst: this.words.replies(replies.length),
    });
    this.announcer.tell(`${this.channel}/${root.ts}`, replies, this);
  }

  showThread(root) {
    node("thread").hidden = !root;
    document.body.classList.toggle("thread-open", Boolean(root));
  }

  drawHome() {
    this.messages.follows = false;
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

wearTheme();
new Page().start();
