// Much of everything: sixty credentials with long names at one provider, and what their pages make of it.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch } from '../lib/browser.js';
import { WAYS, desk, named } from '../lib/desk.js';
import { booked, startGateway } from '../lib/gateway.js';
import { startUpstream } from '../lib/upstream.js';

const MANY = 60;
const LONG = 'the account of the research department, second floor, with a name that fills eighty';

let upstream, gateway, browser, provider, request;

before(async () => {
  upstream = await startUpstream();
  gateway = await startGateway();
  browser = await launch();
  provider = await gateway.admin('POST', '/providers', { name: LONG.slice(0, 80), kind: 'openai-compatible', base_url: upstream.url });
  for (let n = 0; n < MANY; n += 1) {
    const name = `${String(n).padStart(2, '0')} ${LONG}`.slice(0, 80);
    await gateway.admin('POST', '/credentials', { provider_id: provider.id, name, api_key: `sk-many-${n}-abcdef` });
  }
  const groups = ['research-department-second-floor', 'everybody-who-may-use-it'];
  const other = { name: `Other ${LONG}`.slice(0, 80), kind: 'openai-compatible', base_url: upstream.url, groups, priority: 100 };
  await gateway.admin('POST', '/providers', other);
  const user = await gateway.admin('POST', '/users', { name: LONG.slice(0, 80) });
  const { key } = await gateway.admin('POST', `/users/${user.id}/keys`, { name: 'laptop' });
  const answer = await fetch(`${gateway.base}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: LONG.replaceAll(/[ ,]+/g, '-'), messages: [{ role: 'user', content: 'Say hello.' }] }),
  });
  if (!answer.ok) throw new Error(`the request was answered with ${answer.status}: ${await answer.text()}`);
  await answer.text();
  request = answer.headers.get('x-request-id');
  await booked(gateway, (row) => row.request_id === request && row.output_tokens > 0);
});
after(async () => {
  await browser?.close();
  await gateway?.stop();
  await upstream?.stop();
});

for (const way of WAYS) {
  test(`a provider with many credentials shows twenty, finds one by name, and opens one that is not shown, ${named(way)}`, async () => {
    const { page, go, end, close } = await desk(browser, gateway, way);
    const cards = page.locator('#credentials .cards > .card');
    try {
      await go(`/providers/${provider.id}`);
      await cards.first().waitFor();
      assert.equal(await cards.count(), 20);
      await page.locator('#credentials input[name=credential]').fill('57 the');
      await page.locator('#credentials input[name=credential]').press('Enter');
      await page.waitForURL(/credential=57/);
      await cards.nth(1).waitFor({ state: 'detached' });
      assert.match(await cards.first().innerText(), /^57 the account/);

      const { items } = await gateway.admin('GET', '/credentials');
      const last = items.find(({ name }) => name.startsWith('59 '));
      await go(`/providers/${provider.id}?edit=${last.id}`);
      await page.locator('#credentials .card form.inset').waitFor();
      assert.match(await cards.first().innerText(), /^59 the account/, 'what is edited is there, and first');
      await go(`/providers/${provider.id}?all=on`);
      await cards.nth(MANY - 1).waitFor();
      await end();
    } finally {
      await close();
    }
  });

  test(`no table of many long names needs scrolling beside its edge, ${named(way)}`, async () => {
    const { page, go, end, close } = await desk(browser, gateway, way);
    try {
      for (const [path, lines] of [['/pool', MANY], ['/pool?view=table', MANY], ['/providers', 2], [`/requests/${request}`, 50]]) {
        await go(path);
        await page.locator('.table.rows tbody tr').nth(lines - 1).waitFor();
        const over = await page.locator('.table-scroll:has(.table.rows)').evaluateAll((nodes) => nodes.map((node) => node.scrollWidth - node.clientWidth));
        assert.ok(over.every((px) => px <= 0), `${path} is beyond the edge by ${over} px`);
      }
      await end();
    } finally {
      await close();
    }
  });
}
