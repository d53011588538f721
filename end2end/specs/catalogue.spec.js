// The catalogue of models: what keys reach, by whom, in which dialects; filters in the address; thousands of rows.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, signIn, visitor } from '../lib/browser.js';
import { WAYS, desk, named } from '../lib/desk.js';
import { furnish, startGateway } from '../lib/gateway.js';
import { startUpstream } from '../lib/upstream.js';

let upstream, browser, gateway, house;

/** Beyond these a page of all rows would be slow. */
const MANY = 2_000;

before(async () => {
  upstream = await startUpstream();
  browser = await launch();
  gateway = await startGateway();
  house = await furnish(gateway, upstream);
  const { openai, anthropic, gemini } = house.providers;
  await gateway.admin('PATCH', `/providers/${openai.id}`, {
    models: ['gpt-5-mini'], model_redirects: { 'claude-for-codex': 'gpt-5-mini' },
  });
  await gateway.admin('PATCH', `/providers/${anthropic.id}`, { models: ['claude-sonnet-4-5'] });
  // Without a list it would take every name in its own dialect.
  await gateway.admin('PATCH', `/providers/${gemini.id}`, { models: ['gemini-2.5-flash'] });
  await gateway.admin('PUT', '/aliases/house-best', { targets: ['claude-sonnet-4-5', 'gpt-5-mini'] });
  for (let n = 0; n < MANY; n += 500) {
    const models = Array.from({ length: 500 }, (_, at) => `bulk-${String(n + at).padStart(5, '0')}`);
    await gateway.admin('POST', '/providers', {
      name: `Bulk ${n}`, kind: 'openai-compatible', base_url: upstream.url, api_key: 'sk-bulk', groups: ['lab'], models,
    });
  }
});
after(async () => {
  await browser?.close();
  await gateway?.stop();
  await upstream?.stop();
});

for (const way of WAYS) {
  test(`the catalogue says who serves a model and in which dialects, ${named(way)}`, async () => {
    const { page, go, press, end, close } = await desk(browser, gateway, way);
    try {
      const line = (name) => page.locator('#catalogue tbody tr').filter({ has: page.locator(`[title="${name}"]`) });
      await go('/models');
      const started = Date.now();
      assert.equal((await page.request.get('/models')).status(), 200);
      assert.ok(Date.now() - started < 5_000, 'thousands of models are no reason to wait');
      assert.equal(await page.locator('#catalogue tbody tr').count(), 50);
      assert.equal(await page.locator('a[rel=next]').count(), 1);

      await go('/models?q=gpt-5-mini');
      const own = await line('gpt-5-mini').innerText();
      for (const part of ['openai-chat', 'openai-responses', 'anthropic', 'gemini', 'Fake openai', 'house-best']) {
        assert.ok(own.includes(part), `${part}: ${own}`);
      }
      await go('/models?q=claude-for-codex');
      assert.match(await line('claude-for-codex').innerText(), /Fake openai[^]*gpt-5-mini/);
      await go('/models?q=house-best');
      assert.match(await line('house-best').innerText(), /claude-sonnet-4-5 → gpt-5-mini/);

      await go('/models');
      await page.locator('#filters [name=q]').fill('BULK-0000');
      await page.locator('#filters [name=dialect]').selectOption('openai-chat');
      await page.locator('#filters [name=native]').check();
      await press(page.locator('#filters button.primary'), /dialect=openai-chat/);
      assert.equal(await page.locator('#catalogue tbody tr').count(), 10);
      assert.equal(await page.locator('#filters [name=dialect]').inputValue(), 'openai-chat', 'the filter stays');
      await go('/models?q=bulk-&dialect=gemini&native=on');
      assert.equal(await page.locator('#catalogue').count(), 0);
      assert.ok((await page.locator('.empty').innerText()).length > 10);

      await go('/models?q=bulk-');
      await press(page.locator('a[rel=next]'), /cursor=/);
      // With scripts the address changes before the rows do.
      await page.locator('#catalogue tbody tr').first().filter({ hasText: 'bulk-00050' }).waitFor();
      assert.equal(await page.locator('#catalogue tbody tr').count(), 50);
      await go('/models?q=gpt-5-mini');
      const tried = (url) => url.pathname === '/playground' && url.searchParams.get('model') === 'gpt-5-mini';
      await press(line('gpt-5-mini').locator('td.actions a'), tried);
      assert.equal(await page.locator('[name="form[model]"]').inputValue(), 'gpt-5-mini');
      await end();
    } finally {
      await close();
    }
  });

  test(`a member sees what his keys reach and nobody's name, ${named(way)}`, async () => {
    const user = await gateway.admin('POST', '/users', { name: `Bob ${way.lang}` });
    const key = await gateway.admin('POST', `/users/${user.id}/keys`, { name: 'narrow', models: ['gpt-*'], translation: 'off' });
    const { page, faults, close } = await visitor(browser, gateway.base, way);
    try {
      await signIn(page, key.key);
      assert.equal((await page.goto('/models')).status(), 200);
      const rows = page.locator('#catalogue tbody tr');
      assert.equal(await rows.count(), 1, await page.locator('main').innerText());
      const own = await rows.first().innerText();
      assert.ok(own.includes('gpt-5-mini') && own.includes('openai-responses') && !own.includes('gemini'), own);
      const source = await page.content();
      for (const secret of ['Fake openai', 'house-best', upstream.url]) assert.ok(!source.includes(secret), secret);
      assert.equal((await page.goto(`/models?provider_id=${house.providers.anthropic.id}`)).status(), 200);
      assert.equal(await rows.count(), 1, 'the filter by provider tells nothing');
      assert.deepEqual(faults, []);
    } finally {
      await close();
    }
  });
}

test('the machine face lists the same for the same key', async () => {
  const made = await gateway.admin('POST', `/users/${house.user.id}/keys`, { name: 'plain' });
  const list = async (headers) => {
    const answer = await fetch(`${gateway.base}/v1/models`, { headers });
    return (await answer.json()).data.map(({ id }) => id);
  };
  const anthropic = await list({ 'x-api-key': made.key, 'anthropic-version': '2023-06-01' });
  for (const name of ['gpt-5-mini', 'claude-for-codex', 'claude-sonnet-4-5', 'house-best']) {
    assert.ok(anthropic.includes(name), `${name} by translation or as it is`);
  }
  const { items, total } = await gateway.admin('GET', `/models?key_id=${made.id}&dialect=anthropic&limit=500`);
  assert.equal(anthropic.length, total);
  assert.deepEqual(items.map(({ name }) => name), anthropic.sort().slice(0, items.length));
  await gateway.admin('PATCH', `/keys/${made.id}`, { translation: 'off' });
  const own = await list({ 'x-api-key': made.key, 'anthropic-version': '2023-06-01' });
  assert.ok(own.includes('claude-sonnet-4-5') && !own.includes('gpt-5-mini'));
});
