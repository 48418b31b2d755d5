// Shows Block Kit blocks with other people's renderer, slack-blocks-to-jsx, and says what one reads in them.
//
// Reads one line of JSON, {users, channels, user_groups, blocks}; writes one: the text of each block, in order.
// Mentions, links and moments are written as the page writes them: how they are looked up is not what is compared.

import { createInterface } from 'node:readline';
import { createElement } from 'react';
import { renderToStaticMarkup } from 'react-dom/server';
import { Message } from 'slack-blocks-to-jsx';

const hooks = {
  user: ({ id, name }) => `@${name ?? id}`,
  channel: ({ id, name }) => `#${name ?? id}`,
  usergroup: ({ id, name }) => `@${name ?? id}`,
  atHere: () => '@here',
  atChannel: () => '@channel',
  atEveryone: () => '@everyone',
  // They take "21:00-22:00" for an emoji of that name, and hand it over with its colons.
  emoji: ({ name }) => (name.startsWith(':') ? name : `:${name}:`),
  date: ({ timestamp }) => `(moment ${timestamp})`,
  link: ({ children }) => children,
};

const ENTITIES = { amp: '&', lt: '<', gt: '>', quot: '"', '#x27': "'", '#39': "'", nbsp: ' ' };

function textOf(html) {
  const bare = html.replace(/<(style|script|svg)\b[\s\S]*?<\/\1>/g, '').replace(/<[^>]*>/g, '');
  return bare.replace(/&(#?\w+);/g, (written, name) => ENTITIES[name] ?? written);
}

for await (const line of createInterface({ input: process.stdin })) {
  const { blocks, ...data } = JSON.parse(line);
  const texts = blocks.map((block) => {
    const props = { blocks: [block], name: '', logo: '', withoutWrapper: true, data, hooks };
    return textOf(renderToStaticMarkup(createElement(Message, props)));
  });
  process.stdout.write(`${JSON.stringify(texts)}\n`);
}
