// A little of everything for the log: answers, streams, refusals, in the bytes that clients really send.

import { booked } from './gateway.js';

/** Sends one request as Claude Code shapes it, and reads the answer to its end. */
export async function claudeCode(gateway, key, { model = 'claude-sonnet-4-5', stream = true } = {}) {
  const session = '6f1c9d0e-3b5a-4c2e-9a57-1f0b8d2c7e41';
  const answer = await fetch(`${gateway.base}/v1/messages?beta=true`, {
    method: 'POST',
    headers: {
      accept: 'application/json',
      authorization: `Bearer ${key}`,
      'anthropic-beta': 'claude-code-20250219,interleaved-thinking-2025-05-14',
      'anthropic-version': '2023-06-01',
      'content-type': 'application/json',
      'user-agent': 'claude-cli/2.1.329 (external, cli)',
      'x-app': 'cli',
      'x-claude-code-session-id': session,
    },
    body: JSON.stringify({
      model,
      max_tokens: 1024,
      stream,
      system: [{ type: 'text', text: 'You are Claude Code.' }],
      messages: [{ role: 'user', content: [{ type: 'text', text: 'Say hello.' }] }],
      metadata: { user_id: JSON.stringify({ device_id: 'd'.repeat(64), account_uuid: '', session_id: session }) },
    }),
  });
  return { status: answer.status, id: answer.headers.get('x-request-id'), text: await answer.text() };
}

/** Fills the log for pages and screenshots; answers the id of a streamed request that went well. */
export async function sendSome(gateway, { key }) {
  const good = await claudeCode(gateway, key);
  if (good.status !== 200) throw new Error(`the fake upstream was answered with ${good.status}: ${good.text}`);
  await claudeCode(gateway, key, { stream: false });
  await fetch(`${gateway.base}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'gpt-5-mini', messages: [{ role: 'user', content: 'Say hello.' }] }),
  }).then((answer) => answer.text());
  await claudeCode(gateway, 'sk-tg-unknown');
  await booked(gateway, (row) => row.request_id === good.id && row.output_tokens > 0);
  return good.id;
}
