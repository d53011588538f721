// The accounts of the pool as an operator meets them: all of them as one table, those of one provider taken away and
// brought back, and a slow one overtaken by another.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch } from '../lib/browser.js';
import { WAYS, desk, named } from '../lib/desk.js';
import { furnish, startGateway } from '../lib/gateway.js';
import { ask } from '../lib/toll.js';
import { startUpstream } from '../lib/upstream.js';

const NAMES = ['alpha', 'beta', 'gamma'];

let upstream, browser, gateway, house, anthropic;

before(async () => {
  upstream = await startUpstream();
  browser = await launch();
  gateway = await startGateway();
  house = await furnish(gateway, upstream);
  anthropic = house.providers.anthropic.id;
  for (const [at, name] of NAMES.entries()) {
    await gateway.admin('POST', '/credentials', { provider_id: anthropic, name, api_key: `sk-${name}-abcdef`, priority: at + 1 });
  }
  await gateway.admin('PUT', '/settings/affinity.enabled', { value: 'false' });
});
after(async () => {
  await browser?.close();
  await gateway?.stop();
  await upstream?.stop();
});

const credentials = async () => (await gateway.admin('GET', '/credentials')).items;
const account = async (name) => (await credentials()).find((one) => one.name === name);

/** What becomes true soon, looked at now and then. */
async function eventually(what, look) {
  const until = Date.now() + 30_000;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (Date.now() > until) throw new Error(`never: ${what}`);
    await new Promise((wake) => setTimeout(wake, 50));
  }
}

for (const way of WAYS) {
  const tag = `${way.lang}-${way.scripts ? 'on' : 'off'}`;

  test(`accounts stand in one table that is narrowed, sorted and kept by its address, ${named(way)}`, async () => {
    const { page, go, press, end, close } = await desk(browser, gateway, way);
    const rows = page.locator('#accounts tbody tr');
    const names = () => rows.locator('.two-lines > a:first-child').allInnerTexts();
    const head = (column, sorted) => page.locator(`#accounts th[aria-sort=${sorted}] a[href*="sort=${column}&"]`);
    try {
      await go('/pool');
      await press(page.locator('#as-table'), /view=table/);
      await rows.nth(5).waitFor();
      assert.equal(await rows.count(), (await gateway.admin('GET', '/pool')).total, 'all of them');

      await page.locator('#accounts input[name=q]').fill('ETA');
      await press(page.locator('#accounts form.filters button'), /q=ETA/);
      await rows.nth(1).waitFor({ state: 'detached' });
      assert.deepEqual(await names(), ['beta']);
      await press(head('name', 'none'), /q=ETA.*sort=name&dir=asc/);
      await head('name', 'ascending').waitFor();
      assert.deepEqual(await names(), ['beta'], 'sorting keeps the filter');

      await go(`/pool?view=table&q=Fake+anthropic&sort=name&dir=asc`);
      await head('name', 'ascending').waitFor();
      assert.deepEqual(await names(), ['alpha', 'beta', 'gamma', 'key 1']);
      await press(head('name', 'ascending'), /sort=name&dir=desc/);
      await head('name', 'descending').waitFor();
      assert.deepEqual(await names(), ['key 1', 'gamma', 'beta', 'alpha']);
      await page.locator('#accounts select[name=on]').selectOption('off');
      await press(page.locator('#accounts form.filters button'), /on=off/);
      await page.locator('#accounts .empty').waitFor();

      await press(page.locator('#accounts form.filters a'), /view=table$/);
      await rows.nth(5).waitFor();
      const { id } = await account('gamma');
      await press(page.locator(`#accounts a[href$="history=${id}"]`), new RegExp(`view=table&history=${id}`));
      await page.locator('#history').waitFor();
      await rows.nth(5).waitFor();
      await end();
    } finally {
      await close();
    }
  });

  test(`whoever is refused is found in the table, and all are recovered and checked from there, ${named(way)}`, async () => {
    const { page, go, press, confirm, end, close } = await desk(browser, gateway, way);
    const rows = page.locator('#accounts tbody tr');
    try {
      await upstream.forget();
      await gateway.admin('POST', '/credentials/recover');
      const { id } = await account('alpha');
      const events = async () => (await gateway.admin('GET', `/credentials/${id}/events`)).items.length;
      const before = await events();
      await gateway.admin('PATCH', `/credentials/${id}`, { priority: -9 });
      await upstream.script({ credential: 'sk-alpha-abcdef', status: 401 });
      assert.equal((await ask(gateway, house.key, `table-${tag}`)).status, 200);
      // Nothing of it is on its way any more.
      await eventually('the refusal is written down', async () => (await events()) > before);

      await go('/pool?view=table&state=invalid');
      await rows.first().waitFor();
      assert.equal(await rows.count(), 1);
      assert.match(await rows.first().innerText(), /alpha[^]*401/);
      await confirm(page.locator('a[href*="confirm=recover"]'), /done=recovered/);
      await page.locator('.answer.good').first().waitFor();
      await page.locator('dialog[open]').waitFor({ state: 'detached' });
      assert.equal((await account('alpha')).state, 'valid');
      await go('/pool?view=table&state=invalid');
      await page.locator('#accounts .empty').waitFor();

      await press(page.locator('#checks form button').first(), /done=checked/);
      await page.locator('tr:has-text("alpha") .state.bad').first().waitFor();
      const found = Object.fromEntries((await credentials()).map(({ name, check }) => [name, check.result]));
      assert.deepEqual([found.alpha, found.beta, found.gamma], ['failed', 'healthy', 'healthy']);

      await upstream.forget();
      await go('/pool?view=table');
      await press(page.locator('#checks form button').first(), /done=checked/);
      await page.locator('tr:has-text("alpha") .state.bad').first().waitFor({ state: 'detached' });
      assert.deepEqual([(await account('alpha')).state, (await account('alpha')).check.result], ['valid', 'healthy']);
      await gateway.admin('PATCH', `/credentials/${id}`, { priority: 1 });
      await end();
    } finally {
      await close();
    }
  });

  test(`all credentials of a provider go once its name is typed, and come back together, ${named(way)}`, async () => {
    const { page, go, press, end, close } = await desk(browser, gateway, way);
    try {
      const name = `Reset ${tag}`;
      const made = await gateway.admin('POST', '/providers', { name, kind: 'openai', base_url: upstream.url, api_key: 'sk-reset-one-abcdef' });
      await gateway.admin('POST', '/credentials', { provider_id: made.id, name: 'spare', api_key: 'sk-reset-two-abcdef' });
      const own = async () => (await credentials()).filter((one) => one.provider_id === made.id).map((one) => one.name).sort();
      const others = (await credentials()).length - 2;
      const cards = page.locator('#credentials .cards > .card');
      const ask = async (typed) => {
        if ((await page.locator('dialog[open]').count()) === 0) await page.locator('#deleted a[href*="confirm=reset"]').click();
        await page.locator('dialog[open] input[name=confirm]').fill(typed);
        return page.locator('dialog[open] form button');
      };
      await go(`/providers/${made.id}`);
      await cards.nth(1).waitFor();
      await (await ask('another name')).click();
      await page.locator('.flash.bad, #deleted .note').first().waitFor();
      assert.deepEqual(await own(), ['key 1', 'spare'], 'nothing happens for another name');
      // Without scripts it stands beside what is said, with them it would stand in front of it.
      if (way.scripts) await page.locator('dialog[open]').waitFor({ state: 'detached' });

      await press(await ask(name), /done=deleted/);
      await page.locator('dialog[open]').waitFor({ state: 'detached' });
      await cards.first().waitFor({ state: 'detached' });
      const gone = page.locator('#deleted .cards > .card');
      await gone.first().waitFor();
      assert.match(await gone.first().innerText(), /key 1, spare|spare, key 1/);
      assert.deepEqual([await own(), (await credentials()).length], [[], others], 'nobody else lost anything');

      await press(gone.first().locator('form button'), /done=restored/);
      await cards.nth(1).waitFor();
      await gone.first().waitFor({ state: 'detached' });
      assert.deepEqual(await own(), ['key 1', 'spare']);
      await gateway.admin('DELETE', `/providers/${made.id}`);
      await end();
    } finally {
      await close();
    }
  });

  test(`second attempts are switched on in the settings and told on the page of their request, ${named(way)}`, async () => {
    const { page, go, press, end, close } = await desk(browser, gateway, way);
    try {
      const set = async (name, value) => {
        await go('/settings');
        const form = page.locator(`form:has(input[name=name][value="routing.${name}"]):has([name=value])`);
        await form.locator('[name=value]').fill(value);
        await press(form.locator('button'), /done=saved/);
        const { items } = await gateway.admin('GET', '/settings');
        assert.equal(items.find((one) => one.name === `routing.${name}`).value, value);
      };
      const model = `overtaken-${tag}`;
      const price = { input_per_million_usd: '3', output_per_million_usd: '15', max_output_tokens: 4096 };
      await gateway.admin('PUT', `/prices/${model}`, price);
      // Long before any second one is due: how quick the first account usually is has to be known first.
      await set('hedge_min_ms', '600000');
      await set('hedge_percent', way.scripts ? '50' : '49');
      for (let n = 0; n < 25; n += 1) assert.equal((await ask(gateway, house.key, model)).status, 200);
      await set('hedge_min_ms', '50');
      await upstream.script({ credential: 'sk-upstream-anthropic', instead: 'stall' });
      const { status, id } = await ask(gateway, house.key, model);
      assert.equal(status, 200);
      await upstream.forget();
      const row = await eventually('it is booked', async () => gateway.admin('GET', `/requests/${id}`).catch(() => null));
      assert.equal(row.decision.hedge.outcome, 'won');

      await go(`/requests/${id}`);
      await page.locator('.attempts > li').nth(1).waitFor();
      const said = await page.locator('main').innerText();
      const words = way.lang === 'en'
        ? ['second attempt due after', 'the second one answered first', 'beside the slow one']
        : ['第二次尝试触发于', '第二次先响应', '与较慢的一次并行'];
      for (const part of words) assert.ok(said.includes(part), `${part} is missing: ${said}`);
      await set('hedge_percent', '0');
      await end();
    } finally {
      await close();
    }
  });
}
