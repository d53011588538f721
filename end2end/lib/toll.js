// Requests that cost something. The fake upstream counts 25 tokens in and 12 out for each.

import { booked } from './gateway.js';

/** Sends one request; answers status, headers, body, and what the client was told it used. */
export async function ask(gateway, key, model, extra = {}) {
  const answer = await fetch(`${gateway.base}/v1/messages`, {
    method: 'POST',
    headers: { 'x-api-key': key, 'anthropic-version': '2023-06-01', 'content-type': 'application/json' },
    body: JSON.stringify({ model, max_tokens: 64, messages: [{ role: 'user', content: 'Say hello.' }], ...extra }),
  });
  const body = await answer.json();
  return { status: answer.status, headers: answer.headers, id: answer.headers.get('x-request-id'), body };
}

/** Sends one request that is served, and answers its row in the books. */
export async function buy(gateway, key, model) {
  const { status, id, body } = await ask(gateway, key, model);
  if (status !== 200) throw new Error(`${model} was answered with ${status}: ${JSON.stringify(body)}`);
  return booked(gateway, (row) => row.request_id === id && row.price_state !== null && row.output_tokens > 0);
}

/** A model whose every request costs so many dollars, whatever its tokens. */
export const costs = (gateway, model, dollars) =>
  gateway.admin('PUT', `/prices/${model}`, { per_request_usd: String(dollars) });
