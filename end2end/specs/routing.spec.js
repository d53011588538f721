// Routing and resilience at the dashboard: aliases, simulator, error rules, breakers, the pool, sessions, backtest.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch } from '../lib/browser.js';
import { WAYS, desk, named } from '../lib/desk.js';
import { booked, furnish, startGateway } from '../lib/gateway.js';
import { ask } from '../lib/toll.js';
import { claudeCode } from '../lib/traffic.js';
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

const SAVE = '.save-bar button.primary';
const anthropic = () => house.providers.anthropic;
const row = (id) => booked(gateway, (row) => row.request_id === id && row.attempts.length > 0);
const text = (page, part = 'main') => page.locator(part).innerText();

for (const way of WAYS) {
  const tag = `${way.lang}-${way.scripts ? 'on' : 'off'}`;

  test(`an alias is made, used by the next request, tried and deleted, ${named(way)}`, async () => {
    const { page, go, field, press, refused, confirm, flash, end, close } = await desk(browser, gateway, way);
    try {
      const alias = `best-${tag}`;
      await go('/routing?view=aliases');
      const create = page.locator('details.fold').last();
      if (!(await create.evaluate((node) => node.open))) await create.locator('summary').click();
      await field('name').fill(alias);
      await field('targets').fill('claude-*');
      assert.ok((await refused(page.locator(SAVE), 'targets')).length > 5);
      assert.equal(await field('name').inputValue(), alias, 'what was typed stays');
      await field('targets').fill('gpt-of-nobody\nclaude-sonnet-4-5');
      await press(page.locator(SAVE), /edit=.*done=saved/);
      assert.ok((await flash()).length > 3);

      const { status, id } = await ask(gateway, house.key, alias);
      assert.equal(status, 200);
      assert.deepEqual([(await row(id)).model, (await row(id)).status_code], [alias, 200]);
      await go(`/requests/${id}`);
      assert.match(await text(page, '#decision'), /gpt-of-nobody → claude-sonnet-4-5/);

      await go(`/routing?view=simulate&model=${alias}`);
      assert.equal(await page.locator('#decision').count(), 0, 'nothing is asked before the button is pressed');
      await press(page.locator('button[name=run]'), /run=1/);
      await page.locator('#decision').waitFor();
      assert.match(await text(page, '.answer.good'), /Fake anthropic/);
      assert.equal(await page.locator('#decision tbody tr').count(), 3, 'every provider, with what removed it');
      await page.locator('#changes').waitFor();

      await go(`/routing?view=aliases&edit=${alias}`);
      await confirm(page.locator(`tr:has-text("${alias}") a[href*="confirm=alias-"]`), /done=deleted/);
      const { items } = await gateway.admin('GET', '/aliases');
      assert.ok(!items.some(({ name }) => name === alias));
      await end();
    } finally {
      await close();
    }
  });

  test(`an error rule is made, met in the tester, changed and deleted, ${named(way)}`, async () => {
    const { page, go, field, press, refused, confirm, end, close } = await desk(browser, gateway, way);
    try {
      const name = `teapot ${tag}`;
      await go('/routing?view=rules');
      const builtin = await page.locator('.builtin tbody tr').count();
      assert.ok(builtin > 0, 'the built-in rules are there');
      await page.locator('details.fold:not(.builtin) > summary').click();
      const make = page.locator('details.fold:not(.builtin) .save-bar button');
      await field('name').fill(name);
      assert.ok((await refused(make, 'status')).length > 5, 'a rule without a condition would match everything');
      await field('status').fill('418');
      await field('class').selectOption('client');
      await press(make, /done=created/);

      const attempt = async (status, body) => {
        await page.locator('#tester [name=status]').fill(status);
        await page.locator('#tester [name=body]').fill(body);
        await press(page.locator('#tester button'), new RegExp(`status=${status}`));
        await page.locator('#tester .test-result').waitFor();
        return text(page, '#tester .test-result');
      };
      const body = '{"type":"error","error":{"type":"api_error","message":"short and stout"}}';
      const verdict = await attempt('418', body);
      for (const part of [name, 'api_error', 'short and stout']) assert.ok(verdict.includes(part), verdict);
      assert.ok(!(await attempt('503', body)).includes(name));

      await go('/routing?view=rules');
      await press(page.locator(`tr:has-text("${name}") a[href*="edit="]`), /edit=/);
      await field('cooldown_s').fill('90');
      await press(page.locator(SAVE).first(), /done=saved/);
      const rule = async () => (await gateway.admin('GET', '/error-rules')).items.find((one) => one.name === name);
      assert.deepEqual([(await rule()).cooldown_s, (await rule()).status], [90, 418]);
      await confirm(page.locator(`tr:has-text("${name}") a[href*="confirm=rule"]`), /done=deleted/);
      assert.equal(await rule(), undefined);
      await end();
    } finally {
      await close();
    }
  });

  test(`a breaker opens, is seen with its reason, and is closed by hand, ${named(way)}`, async () => {
    const { page, go, field, press, end, close } = await desk(browser, gateway, way);
    try {
      await go(`/providers/${anthropic().id}`);
      const section = page.locator('details.section:has([name="form[breaker_failures]"])');
      if (!(await section.evaluate((node) => node.open))) await section.locator('summary').click();
      await field('breaker_failures').fill('2');
      await field('schedule_start').fill('');
      await press(page.locator('form:has([name="form[breaker_failures]"]) .save-bar button'), /done=saved/);
      assert.equal((await gateway.admin('GET', `/providers/${anthropic().id}`)).breaker.failure_threshold, 2);

      // Different conversations: one bad request repeated must not open it.
      for (const word of ['one', 'two', 'three']) {
        await ask(gateway, house.key, 'fake-500', { messages: [{ role: 'user', content: `Say ${word} in ${tag}.` }] });
      }
      const breaker = async () =>
        (await gateway.admin('GET', '/breakers')).items.find((one) => one.model === 'fake-500')?.state;
      assert.equal(await breaker(), 'open');
      await go('/breakers?state=open');
      assert.equal(await page.locator('.answer.bad').count(), 1);
      const open = page.locator('.panel:not(#timeline) tbody tr:has-text("fake-500")');
      assert.match(await open.innerText(), /Fake anthropic/);
      await go('/providers');
      await page.locator('tr:has-text("Fake anthropic") .state.bad').first().waitFor();
      await go('/cache?view=unavailable');
      assert.match(await text(page), /fake-500/);

      await go('/breakers?state=open');
      await press(open.locator('button'), /done=breakers_reset/);
      assert.equal(await breaker(), 'closed');
      await page.locator('.answer.good').waitFor();
      // What happened stays to be read; with scripts the table comes a moment after the answer.
      await page.locator('#timeline tbody tr').nth(1).waitFor();
      await end();
    } finally {
      await close();
    }
  });

  test(`a refused credential is seen in the pool and recovered, ${named(way)}`, async () => {
    const { page, go, press, end, close } = await desk(browser, gateway, way);
    try {
      await go('/pool');
      assert.equal(await page.locator('.answer.good').count(), 1);
      await ask(gateway, house.key, 'fake-401');
      await go('/pool');
      assert.equal(await page.locator('.answer.warn').count(), 1);
      const line = page.locator('tr:has-text("Fake anthropic"):has(a[href*="history="])').first();
      assert.ok((await line.locator('.state.bad').count()) > 0);
      await press(line.locator('form button').first(), /done=recovered/);
      await page.locator('.answer.good').waitFor();
      await press(page.locator('tr:has-text("Fake anthropic") a[href*="history="]').first(), /history=/);
      await page.locator('#history').waitFor();
      assert.ok((await page.locator('#history tbody tr').count()) >= 2, 'refused, then recovered by hand');
      await end();
    } finally {
      await close();
    }
  });

  test(`a conversation is seen where it sticks, found and forgotten, ${named(way)}`, async () => {
    const { page, go, press, confirm, end, close } = await desk(browser, gateway, way);
    try {
      assert.equal((await claudeCode(gateway, house.key)).status, 200);
      await go('/cache');
      const rows = page.locator('.panel tbody tr');
      assert.match(await rows.filter({ hasText: '6f1c9d0e' }).innerText(), /Ada[^]*Fake anthropic/);
      await go('/cache?view=sessions&q=nobody-has-this-name');
      assert.equal(await rows.count(), 0);
      await go('/cache?view=sessions&q=6f1c9d0e');
      await press(rows.first().locator('form button'), /done=cleared/);
      await rows.filter({ hasText: '6f1c9d0e' }).waitFor({ state: 'detached' });

      await claudeCode(gateway, house.key);
      await go('/cache');
      await confirm(page.locator('a[href*="confirm=clear-sessions"]'), /done=cleared/);
      await rows.first().waitFor({ state: 'detached' });
      assert.ok((await text(page, '.empty')).length > 20, 'an empty list says why');

      const ttl = page.locator('form:has(input[name=name][value="affinity.ttl_minutes"]):has([name=value])');
      await ttl.locator('[name=value]').fill(way.scripts ? '45' : '50');
      await press(ttl.locator('button'), /\/cache\?done=saved/);
      const settings = (await gateway.admin('GET', '/settings')).items;
      assert.equal(settings.find(({ name }) => name === 'affinity.ttl_minutes').value, way.scripts ? '45' : '50');
      for (const view of ['accounts', 'users']) {
        await go(`/cache?view=${view}`);
        assert.ok((await rows.count()) > 0, view);
      }
      await end();
    } finally {
      await close();
    }
  });

  test(`other values are run over the past and put into force, ${named(way)}`, async () => {
    const { page, go, press, confirm, end, close } = await desk(browser, gateway, way);
    try {
      const { id } = await ask(gateway, house.key, `past-${tag}`);
      await row(id);
      const weight = way.scripts ? '7' : '8';
      await go('/routing?view=backtest');
      await page.locator(`[name=w${anthropic().id}]`).fill(weight);
      await press(page.locator('button[name=run]'), /run=1/);
      await page.locator('#report').waitFor();
      assert.match(await text(page, '#report'), /Fake anthropic/);
      const now = () => gateway.admin('GET', `/providers/${anthropic().id}`);
      assert.notEqual(String((await now()).weight), weight, 'a look changes nothing');
      assert.equal(await page.locator(`[name=w${anthropic().id}]`).inputValue(), weight);
      await confirm(page.locator('a[href*="confirm=policy"]'), /done=applied/);
      assert.deepEqual([String((await now()).weight), (await now()).enabled], [weight, true]);
      await end();
    } finally {
      await close();
    }
  });
}
