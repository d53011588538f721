// Prices by hand, from a list, and for the past: what is typed into the forms is what requests cost.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch } from '../lib/browser.js';
import { WAYS, desk, named } from '../lib/desk.js';
import { booked, furnish, startGateway } from '../lib/gateway.js';
import { ask, buy, costs } from '../lib/toll.js';
import { startUpstream } from '../lib/upstream.js';

let upstream, browser, gateway, house;

before(async () => {
  upstream = await startUpstream();
  browser = await launch();
  gateway = await startGateway();
  house = await furnish(gateway, upstream);
});
after(async () => {
  await browser?.close();
  await gateway?.stop();
  await upstream?.stop();
});

const isGone = (path) => assert.rejects(gateway.admin('GET', path), /404/);

for (const way of WAYS) {
  const tag = `${way.lang}-${way.scripts ? 'on' : 'off'}`;

  test(`a price set by hand is what the next request costs, ${named(way)}`, async () => {
    const { page, go, field, press, refused, confirm, end, close } = await desk(browser, gateway, way);
    try {
      const model = `hand-${tag}`;
      await go(`/prices/edit?model=${model}`);
      const save = page.locator('.save-bar button.primary');
      for (const bad of ['-1', '3.x', '1e400']) {
        await field('input_per_million_usd').fill(bad);
        await field('output_per_million_usd').fill('5000');
        assert.ok((await refused(save, 'input_per_million_usd')).length > 1, bad);
        assert.equal(await field('input_per_million_usd').inputValue(), bad);
        assert.equal(await field('output_per_million_usd').inputValue(), '5000');
      }
      await isGone(`/prices/${model}`);

      await field('input_per_million_usd').fill('1000');
      await press(save, /done=saved/);
      assert.equal(await field('input_per_million_usd').inputValue(), '1000');
      const row = await buy(gateway, house.key, model);
      assert.deepEqual([row.cost_usd, row.price_state], ['0.085', 'priced'], '25 × 0.001 + 12 × 0.005');
      await go(`/requests/${row.request_id}`);
      assert.match(await page.locator('main').innerText(), /\$0\.085/);

      // Somebody else changed it meanwhile: nothing is lost unseen.
      await go(`/prices/edit?model=${model}`);
      await gateway.admin('PUT', `/prices/${model}`, { input_per_million_usd: '7', output_per_million_usd: '7' });
      await field('input_per_million_usd').fill('2000');
      await save.click();
      await page.locator('.flash.bad').waitFor();
      assert.equal((await gateway.admin('GET', `/prices/${model}`)).input_per_million_usd, '7');

      await go(`/prices/edit?model=${model}`);
      await confirm(page.locator('a[href*="confirm=reset"]'), /\/prices\?.*done=reset/);
      await isGone(`/prices/${model}`);
      await end();
    } finally {
      await close();
    }
  });

  test(`a price list is looked at line by line, then imported exactly so, ${named(way)}`, async () => {
    const { page, go, field, press, refused, flash, end, close } = await desk(browser, gateway, way);
    try {
      const [fresh, known, bad] = [`fresh-${tag}`, `known-${tag}`, `bad-${tag}`];
      await gateway.admin('PUT', `/prices/${known}`, { input_per_million_usd: '3', output_per_million_usd: '15' });
      const list = JSON.stringify({
        [fresh]: { input_cost_per_token: 0.001, output_cost_per_token: 0.005, litellm_provider: 'anthropic', mode: 'chat' },
        [known]: { input_cost_per_token: 0.000004, output_cost_per_token: 0.00002, litellm_provider: 'anthropic', mode: 'chat' },
        [bad]: { input_cost_per_token: -1, output_cost_per_token: 0.00002, litellm_provider: 'anthropic', mode: 'chat' },
      });
      await go('/prices/import');
      const look = page.locator('.import-form .save-bar button.primary');
      for (const nonsense of ['', 'no list at all', '[1, 2]']) {
        await field('list').fill(nonsense);
        assert.ok((await refused(look, 'list')).length > 1, nonsense);
        assert.equal((await field('list').inputValue()).trim(), nonsense);
      }
      await field('list').fill(list);
      await page.locator('[name="form[replace_manual]"]').check();
      await press(look, /kept=/);
      const line = (model) => page.locator(`tbody tr:has(th:has-text("${model}"))`);
      await line(fresh).waitFor();
      assert.match(await line(fresh).innerText(), /\$1,?000/);
      assert.match(await line(known).innerText(), /\$3\b[^]*\$4\b/, 'before and after');
      assert.ok((await line(bad).innerText()).length > bad.length + 5, 'says why it is left out');
      assert.match(await page.locator('.panel-head:has(h2) .faint').first().innerText(), /^3 \S+ 3 \S+$/);
      await isGone(`/prices/${fresh}`);

      await press(page.locator('form:has([name=preview]) button'), /\/prices\?done=imported/);
      assert.ok((await flash()).length > 3);
      assert.equal((await gateway.admin('GET', `/prices/${known}`)).input_per_million_usd, '4');
      await isGone(`/prices/${bad}`);
      assert.equal((await buy(gateway, house.key, fresh)).cost_usd, '0.085');

      // What is imported is what was looked at, or nothing.
      await go('/prices/import');
      await field('list').fill(list.replaceAll('0.000004', '0.000009'));
      await press(look, /kept=/);
      await line(known).waitFor();
      await gateway.admin('PUT', `/prices/${known}`, { input_per_million_usd: '5', output_per_million_usd: '15' });
      await page.locator('form:has([name=preview]) button').click();
      await page.locator('.flash.bad').waitFor();
      assert.equal((await gateway.admin('GET', `/prices/${known}`)).input_per_million_usd, '5');
      await go('/prices/import?kept=0123456789abcdef');
      assert.equal(await page.locator('.answer.warn').count(), 1, 'a list that is gone is said to be gone');
      await end();
    } finally {
      await close();
    }
  });

  test(`the past is priced anew after a look, with a reason and a trail, ${named(way)}`, async () => {
    const { page, go, field, press, refused, end, close } = await desk(browser, gateway, way);
    try {
      const model = `late-${tag}`;
      const { id } = await ask(gateway, house.key, model);
      const row = () => booked(gateway, (row) => row.request_id === id && row.output_tokens > 0);
      assert.deepEqual([(await row()).cost_usd, (await row()).price_state], ['0', 'unpriced']);
      await go('/prices');
      await page.locator(`#unpriced tr:has-text("${model}")`).waitFor();
      await costs(gateway, model, 2);

      await go(`/prices/reprice?model=${model}`);
      await press(page.locator('.filter-form button[name=run]'), /run=1/);
      const apply = page.locator('form:has([name="form[reason]"]) button');
      await apply.waitFor();
      const tiles = await page.locator('.tile-number').allInnerTexts();
      assert.deepEqual(tiles.slice(0, 3), ['1', '1', '0'], tiles.join());
      assert.match(tiles[4], /\$2\.00/);
      assert.equal((await row()).cost_usd, '0', 'a look changes nothing');

      await field('reason').fill('   ');
      await refused(apply, 'reason');
      assert.equal((await row()).cost_usd, '0');
      await field('reason').fill(`price of ${model} came late`);
      await press(apply, /done=repriced/);
      const correction = page.locator(`tbody tr:has-text("price of ${model} came late")`);
      await correction.waitFor();
      assert.match(await correction.innerText(), /\$2\.00/);
      assert.deepEqual([(await row()).cost_usd, (await row()).price_state], ['2', 'priced']);
      await go(`/requests/${id}`);
      assert.match(await page.locator('main').innerText(), /\$2\.00/);
      await go('/audit?object=adjustment');
      assert.ok(await page.locator('tbody tr').count() > 0, 'the audit log knows of it');
      await end();
    } finally {
      await close();
    }
  });
}
