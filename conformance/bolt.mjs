// A small app on Slack's own framework for Node. It tells what it heard, one line of JSON each, and answers as
// an app would: text, modals, errors in a modal, a changed message, a Home.
// Reads one line: {url, token, secret, port} to be asked over HTTP, {url, token, appToken} for Socket Mode.

import { createInterface } from 'node:readline';
import bolt from '@slack/bolt';

const config = JSON.parse((await createInterface({ input: process.stdin })[Symbol.asyncIterator]().next()).value);
const clientOptions = { slackApiUrl: config.url };
const app = new bolt.App({
  token: config.token,
  clientOptions,
  logLevel: bolt.LogLevel.ERROR,
  ...(config.appToken
    ? { socketMode: true, appToken: config.appToken, installerOptions: { clientOptions } }
    : { signingSecret: config.secret, endpoints: '/slack/events' }),
});
const tell = (kind, body) => console.log(JSON.stringify({ kind, body }));

const text = (type, words) => ({ type, text: words });
const modal = {
  type: 'modal',
  callback_id: 'asked',
  title: text('plain_text', 'How bad?'),
  submit: text('plain_text', 'Send'),
  blocks: [
    {
      type: 'input',
      block_id: 'how',
      label: text('plain_text', 'How bad is it?'),
      element: { type: 'plain_text_input', action_id: 'bad' },
    },
  ],
};
const button = {
  type: 'actions',
  block_id: 'pressed',
  elements: [{ type: 'button', action_id: 'press', value: 'it', text: text('plain_text', 'Press') }],
};

app.command('/canary', async ({ ack, body }) => {
  tell('command', body);
  await ack({ text: 'It sings', response_type: 'ephemeral' });
});
app.command('/incident', async ({ ack, body, client }) => {
  tell('command', body);
  await ack();
  await client.views.open({ trigger_id: body.trigger_id, view: modal });
});
app.command('/rollback', async ({ ack, body, respond, client }) => {
  tell('command', body);
  await ack();
  await client.chat.postMessage({ channel: body.channel_id, text: 'Press?', blocks: [button] });
  await respond({ text: 'Everybody sees this', response_type: 'in_channel' });
});
app.action('press', async ({ ack, body, respond }) => {
  tell('action', body);
  await ack();
  await respond({ text: 'Pressed', replace_original: true });
});
app.view('asked', async ({ ack, body, view }) => {
  tell('submission', body);
  const bad = view.state.values.how.bad.value;
  await ack(bad === 'a bit' ? { response_action: 'errors', errors: { how: 'Say more' } } : undefined);
});
app.shortcut(/.*/, async ({ ack, body }) => {
  tell('shortcut', body);
  await ack();
});
app.event('reaction_added', async ({ event }) => tell('event', event));
app.event('app_home_opened', async ({ event, client }) => {
  tell('event', event);
  const blocks = [{ type: 'section', text: text('mrkdwn', `Welcome <@${event.user}>`) }];
  await client.views.publish({ user_id: event.user, view: { type: 'home', blocks } });
});
app.error(async (error) => tell('error', `${error}`));

await app.start(...(config.appToken ? [] : [{ port: config.port, host: '127.0.0.1' }]));
tell('ready');
process.stdin.once('end', () => app.stop().then(() => process.exit(0))).resume();
