// The playground: one prompt, one or two models, as a real key that stays in the page.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { hydrated, launch, seen, signIn, visitor } from '../lib/browser.js';
import { WAYS, named } from '../lib/desk.js';
import { ADMIN_TOKEN, booked, furnish, startGateway } from '../lib/gateway.js';
import { startUpstream } from '../lib/upstream.js';

let upstream, browser, gateway, house;

before(async () => {
  upstream = await startUpstream();
  browser = await launch();
  gateway = await startGateway();
  house = await furnish(gateway, upstream);
  await gateway.admin('PATCH', `/providers/${house.providers.openai.id}`, { models: ['gpt-*'] });
  await gateway.admin('PATCH', `/providers/${house.providers.anthropic.id}`, { models: ['claude-*', 'fake-*'] });
});
after(async () => {
  await browser?.close();
  await gateway?.stop();
  await upstream?.stop();
});

const DIALECTS = ['anthropic', 'openai-chat', 'openai-responses', 'gemini'];

async function open(way, secret) {
  const seat = await visitor(browser, gateway.base, way);
  await signIn(seat.page, secret);
  const go = async (path) => {
    assert.equal((await seat.page.goto(path)).status(), 200, path);
    if (way.scripts) await hydrated(seat.page);
  };
  const field = (name) => seat.page.locator(`#ask [name="form[${name}]"]`);
  const send = async () => {
    await seat.page.locator('#ask button.primary').click();
    await seat.page.locator('.lane .cost .usd, .lane .cost .state').first().waitFor();
  };
  const lane = (at) => seat.page.locator('.lane').nth(at);
  return { ...seat, go, field, send, lane };
}

for (const way of WAYS) {
  test(`two models answer side by side in every dialect, ${named(way)}`, async () => {
    const { page, faults, go, field, send, lane, close } = await open(way, ADMIN_TOKEN);
    try {
      for (const dialect of DIALECTS) {
        await go(`/playground?model=claude-sonnet-4-5&second=gpt-5-mini&dialect=${dialect}`);
        assert.deepEqual([await field('model').inputValue(), await field('dialect').inputValue()], ['claude-sonnet-4-5', dialect]);
        await field('key').fill(house.key);
        await field('system').fill('Be brief.');
        await field('prompt').fill('Say hello.');
        await field('max_tokens').fill('64');
        await send();
        assert.equal(await page.locator('.lane').count(), 2);
        for (const at of [0, 1]) {
          await lane(at).locator('.cost .usd, .cost .state').waitFor();
          assert.ok((await lane(at).locator('.answer-said').innerText()).trim().length > 0, `${dialect} ${at}`);
          assert.equal(await lane(at).locator('.state.good').count(), 1, await lane(at).innerText());
          for (const name of ['first', 'total', 'used']) {
            assert.match(await lane(at).locator(`.${name}`).innerText(), /\d/, `${dialect} ${at} ${name}`);
          }
        }
        const id = (await lane(0).locator('a[href^="/requests/"]').getAttribute('href')).split('/').pop();
        const row = await booked(gateway, (row) => row.request_id === id);
        assert.deepEqual([row.dialect, row.key_id, row.outcome], [dialect, house.keyId, 'ok']);
        assert.ok(!page.url().includes(house.key) && !page.url().includes('hello'), page.url());
      }
      if (way.scripts) {
        assert.deepEqual((await seen(page)).violations, []);
        const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie]));
        assert.ok(!kept.includes(house.key), 'the key is kept nowhere');
      } else {
        assert.ok(!(await page.content()).includes(house.key), 'the key does not come back');
        await page.reload();
        assert.equal(await page.locator('#gone').count(), 1, 'answers are shown once');
      }
      assert.ok(!gateway.log().includes(house.key), 'the key is not logged');
      assert.deepEqual(faults, []);
    } finally {
      await close();
    }
  });

  test(`a refusal is shown as its caller gets it, ${named(way)}`, async () => {
    const { page, go, field, lane, close } = await open(way, ADMIN_TOKEN);
    try {
      await go('/playground?model=claude-sonnet-4-5');
      await field('key').fill('sk-tg-nobody-has-this-key');
      await field('prompt').fill('Say hello.');
      await page.locator('#ask button.primary').click();
      await lane(0).locator('.request-error').waitFor();
      assert.match(await lane(0).innerText(), /401[^]*invalid API key/);
      assert.equal(await page.locator('.lane').count(), 1);
    } finally {
      await close();
    }
  });

  test(`a member tries his own key, ${named(way)}`, async () => {
    const { go, field, send, lane, page, close } = await open(way, house.key);
    try {
      await go('/playground?model=claude-sonnet-4-5');
      await field('key').fill(house.key);
      await field('prompt').fill('Say hello.');
      await send();
      await lane(0).locator('a[href^="/requests/"]').click();
      await page.waitForURL(/\/requests\//);
      assert.ok(!(await page.content()).includes('Fake anthropic'));
    } finally {
      await close();
    }
  });
}

test('a stream can be stopped, and its request is booked as left', async () => {
  const { page, go, field, lane, close } = await open({ lang: 'en', scripts: true }, ADMIN_TOKEN);
  try {
    const rule = { model: 'claude-slow', deltas: 60, pace_ms: 500 };
    const scripted = await fetch(`${upstream.url}/__fakeup/script`, { method: 'POST', body: JSON.stringify(rule) });
    assert.ok(scripted.ok, await scripted.text());
    await go('/playground?model=claude-slow');
    await field('key').fill(house.key);
    await field('prompt').fill('Say hello.');
    await page.locator('#ask button.primary').click();
    await page.locator('#stop').click();
    await lane(0).locator('.state.warn').waitFor();
    await booked(gateway, (row) => row.model === 'claude-slow' && row.outcome === 'client_gone');
    assert.equal(await page.locator('#ask button.primary').isEnabled(), true);
  } finally {
    await close();
  }
});
