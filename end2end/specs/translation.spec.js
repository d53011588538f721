// Translation at the dashboard: what a provider speaks, what a key allows, and what a request lost on its way.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch } from '../lib/browser.js';
import { WAYS, desk, named } from '../lib/desk.js';
import { booked, furnish, startGateway } from '../lib/gateway.js';
import { ask } from '../lib/toll.js';
import { startUpstream } from '../lib/upstream.js';

let upstream, browser, gateway, house;

before(async () => {
  upstream = await startUpstream();
  browser = await launch();
  gateway = await startGateway();
  house = await furnish(gateway, upstream);
  // Only models that are named go to callers of other dialects.
  await gateway.admin('PATCH', `/providers/${house.providers.openai.id}`, { models: ['gpt-*'] });
  await gateway.admin('PATCH', `/providers/${house.providers.anthropic.id}`, { models: ['claude-*'] });
});
after(async () => {
  await browser?.close();
  await gateway?.stop();
  await upstream?.stop();
});

const row = (id) => booked(gateway, (row) => row.request_id === id);

for (const way of WAYS) {
  test(`a provider says what it speaks and whether others may have it, ${named(way)}`, async () => {
    const { page, go, field, press, refused, flash, end, close } = await desk(browser, gateway, way);
    try {
      const { id } = house.providers.gemini;
      const provider = () => gateway.admin('GET', `/providers/${id}`);
      await go(`/providers/${id}`);
      assert.match(await page.locator('#speaks').innerText(), /gemini/);
      const section = page.locator('details#translation');
      if (!(await section.evaluate((node) => node.open))) await section.locator('summary').click();
      const save = page.locator('form:has([name="form[dialects]"]) .save-bar button.primary');
      await field('dialects').fill('latin');
      assert.ok((await refused(save, 'dialects')).length > 5);
      await field('dialects').fill('openai-chat, gemini');
      await field('translate').uncheck();
      await press(save, /done=saved/);
      assert.ok((await flash()).length > 3);
      assert.deepEqual([(await provider()).dialects, (await provider()).translate], [['openai-chat', 'gemini'], false]);
      assert.match(await page.locator('#speaks').innerText(), /openai-chat, gemini/);
      assert.ok(await section.evaluate((node) => node.open), 'what differs from the default is unfolded');
      await field('dialects').fill('');
      await field('translate').check();
      await press(save, /done=saved/);
      assert.deepEqual([(await provider()).dialects, (await provider()).translate], [[], true]);
      await end();
    } finally {
      await close();
    }
  });

  test(`a strict key is refused what an open one is told it lost, ${named(way)}`, async () => {
    const { page, go, field, press, end, close } = await desk(browser, gateway, way);
    try {
      const made = await gateway.admin('POST', `/users/${house.user.id}/keys`, { name: `key ${way.lang}` });
      const lossy = { top_k: 5 };
      const open = await ask(gateway, made.key, 'gpt-5-mini', lossy);
      assert.equal(open.status, 200, JSON.stringify(open.body));
      assert.match(open.headers.get('x-tollgate-upstream-dialect'), /^openai/);
      assert.match(open.headers.get('x-tollgate-dropped'), /top_k/);
      const [attempt] = (await row(open.id)).attempts;
      assert.ok(attempt.translation.losses.some(({ field, meaning }) => field === 'top_k' && meaning));

      await go(`/requests/${open.id}`);
      const note = page.locator('.attempt details.translation');
      assert.ok(await note.evaluate((node) => node.open), 'what may change the answer is unfolded');
      assert.match(await note.innerText(), /openai-/);
      assert.match(await note.locator('tbody').innerText(), /top_k/);
      assert.ok((await note.locator('.state.warn').count()) > 0);
      assert.match(await page.locator('#decision tbody').innerText(), /→ openai-/, 'the candidate would be translated for');

      await go(`/keys/${made.id}`);
      await field('translation').selectOption('strict');
      await press(page.locator('form:has([name="form[translation]"]) .save-bar button.primary'), /done=saved/);
      assert.equal((await gateway.admin('GET', `/keys/${made.id}`)).translation, 'strict');
      const sent = (await upstream.invoice()).length;
      const strict = await ask(gateway, made.key, 'gpt-5-mini', lossy);
      assert.deepEqual([strict.status, strict.body.error.code], [400, 'translation_would_lose']);
      assert.match(strict.body.error.message, /top_k/);
      assert.equal((await upstream.invoice()).length, sent, 'nothing was sent');
      assert.equal((await ask(gateway, made.key, 'gpt-5-mini')).status, 200, 'nothing is lost without it');

      await go(`/keys/${made.id}`);
      await field('translation').selectOption('off');
      await press(page.locator('form:has([name="form[translation]"]) .save-bar button.primary'), /done=saved/);
      const off = await ask(gateway, made.key, 'gpt-5-mini');
      assert.equal(off.status, 503);
      await row(off.id);
      await go(`/requests/${off.id}`);
      assert.ok((await page.locator('#decision').innerText()).length > 20);
      assert.equal((await row(off.id)).error_code, 'no_available_account');
      await end();
    } finally {
      await close();
    }
  });
}
