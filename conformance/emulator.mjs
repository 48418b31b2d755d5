// The third-party Slack `emulate`, with our sandbox's cast in it and two doors more: what it holds, and a clean sheet.
//
// Its own seed gives people and channels ids of its own, and no public call tells what views and ephemeral
// messages it holds; so this leans on the chunk of the pinned version that holds its Slack.
// Reads one line of JSON (see tests/conformance/emulated.py), writes one line with its address, ends with its input.

import { readdirSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { Store } from '@emulators/core';
import { createEmulator, defineEmulator } from 'emulate';

const chunks = new URL('./node_modules/emulate/dist/', import.meta.url);

async function theirSlack() {
  for (const name of readdirSync(chunks).filter((name) => /^dist-.*\.js$/.test(name))) {
    const chunk = await import(new URL(name, chunks));
    if (chunk.slackPlugin) return chunk;
  }
  throw new Error('this version of emulate has no Slack where it is looked for');
}

function seed(tables, { team, people, channels, bot, tokens }) {
  const now = Math.floor(Date.now() / 1000);
  const user = ({ id, name, real_name }, more) =>
    tables.users.insert({
      user_id: id, team_id: team.id, name, real_name, email: `${name}@sandbox.example`, is_admin: false,
      is_bot: false, deleted: false, profile: { display_name: name, real_name }, presence: 'active', ...more,
    });
  tables.teams.insert({ team_id: team.id, name: team.name, domain: team.domain });
  for (const person of people) user(person, {});
  user({ id: bot.user_id, name: bot.name, real_name: bot.real_name }, { is_bot: true });
  tables.bots.insert({ ...bot, deleted: false, icons: {} });
  for (const { id, name, topic, members } of channels) {
    tables.channels.insert({
      channel_id: id, team_id: team.id, name, is_channel: true, is_private: false, is_archived: false,
      topic: { value: topic, creator: people[0].id, last_set: now }, purpose: { value: '', creator: '', last_set: 0 },
      members, creator: people[0].id, num_members: members.length,
    });
  }
  for (const token of tokens) tables.tokens.insert({ token_type: 'test', team_id: team.id, ...token });
}

const { slackPlugin, getSlackStore } = await theirSlack();
const config = JSON.parse((await createInterface({ input: process.stdin })[Symbol.asyncIterator]().next()).value);
const store = new Store();
const tables = getSlackStore(store);

function begin() {
  for (const table of Object.values(tables)) table.clear();
  store.setData('slack.strict_scopes', true);
  seed(tables, config);
}

const definition = defineEmulator({
  name: 'slack',
  state: () => ({}),
  setup(context) {
    // Slack takes arguments from the address too, and its Python client sends many there; `emulate` reads bodies.
    const inBody = (c) => {
      const { origin, pathname, searchParams } = new URL(c.req.url);
      const headers = { authorization: c.req.header('authorization') ?? '' };
      return context.app.fetch(new Request(origin + pathname, { method: 'POST', headers, body: searchParams }));
    };
    context.app.get('/api/:method', inBody);
    context.app.use('*', (c, next) => (/\/api\/.*\?/.test(c.req.url) && c.req.method === 'POST' ? inBody(c) : next()));
    slackPlugin.register(context.app, store, context.webhooks, context.baseUrl, new Map());
    context.app.get('/conformance/state', (c) =>
      c.json(Object.fromEntries(Object.entries(tables).map(([name, table]) => [name, table.all()]))),
    );
    context.app.post('/conformance/reset', (c) => (begin(), c.json({})));
    begin();
  },
});
const emulator = await createEmulator({ service: definition, port: config.port, baseUrl: config.url });
console.log(JSON.stringify({ ready: true }));
process.stdin.once('end', () => emulator.close()).resume();
