// Slack's own Node client, by the line: reads {method, args} and answers {answer} or {error}, and how often it waited.
// With `pages` it reads all of them and answers with what stands there under that key.

import { createInterface } from 'node:readline';
import { LogLevel, WebClient } from '@slack/web-api';

const quiet = { debug() {}, info() {}, warn() {}, error() {}, setLevel() {}, getLevel: () => LogLevel.ERROR, setName() {} };
const input = createInterface({ input: process.stdin });
let client;
let waited = [];

async function answer({ token, url, method, args, pages }) {
  if (url) {
    client = new WebClient(token, { slackApiUrl: url, logger: quiet });
    client.on('rate_limited', (seconds) => waited.push(seconds));
    return 'ready';
  }
  if (pages) {
    const found = [];
    let count = 0;
    for await (const page of client.paginate(method, args)) {
      found.push(...page[pages]);
      count += 1;
    }
    return { found, count };
  }
  if (method === 'filesUploadV2') return client.filesUploadV2({ ...args, content: args.content });
  return client.apiCall(method, args);
}

for await (const line of input) {
  waited = [];
  try {
    console.log(JSON.stringify({ answer: await answer(JSON.parse(line)), waited }));
  } catch (error) {
    console.log(JSON.stringify({ error: { code: error.code, data: error.data, message: error.message }, waited }));
  }
}
