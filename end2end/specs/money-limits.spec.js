// Limits, temporary increases, resets and rates, set in the forms and met by real requests.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { hydrated, launch, signIn, visitor } from '../lib/browser.js';
import { WAYS, desk, inDays, named } from '../lib/desk.js';
import { booked, furnish, startGateway } from '../lib/gateway.js';
import { ask, buy, costs } from '../lib/toll.js';
import { startUpstream } from '../lib/upstream.js';

let upstream, browser, gateway;

before(async () => {
  upstream = await startUpstream();
  browser = await launch();
  gateway = await startGateway({ TRUST_PROXY: '127.0.0.1' });
  await furnish(gateway, upstream, { groups: ['vip'] });
  await costs(gateway, 'dollar', 1);
});
after(async () => {
  await browser?.close();
  await gateway?.stop();
  await upstream?.stop();
});

/** A user with a key of his own, so that no test meets the limits of another. */
async function member(name) {
  const user = await gateway.admin('POST', '/users', { name });
  const key = await gateway.admin('POST', `/users/${user.id}/keys`, { name: `${name}'s key` });
  return { id: user.id, keyId: key.id, key: key.key };
}

const SAVE = '.save-bar button.primary';

for (const way of WAYS) {
  const tag = `${way.lang}-${way.scripts ? 'on' : 'off'}`;

  test(`limits set on user and key hold, and are raised and reset, ${named(way)}`, async () => {
    const { page, go, field, press, refused, confirm, end, close } = await desk(browser, gateway, way);
    try {
      const ada = await member(`Ada ${tag}`);
      const save = page.locator(SAVE).first();

      // The user: three dollars a day. What makes no sense is named and stays as typed.
      await go(`/users/${ada.id}`);
      await page.locator('details.limits > summary').click();
      for (const bad of ['-3', 'NaN', '1e99']) {
        await field('daily_limit_usd').fill(bad);
        await field('limit_monthly_usd').fill('50');
        assert.ok((await refused(save, 'daily_limit_usd')).length > 1, bad);
        assert.equal(await field('daily_limit_usd').inputValue(), bad);
        assert.equal(await field('limit_monthly_usd').inputValue(), '50');
        assert.ok(await field('daily_limit_usd').isVisible(), 'the section with the fault stands open');
      }
      await field('daily_limit_usd').fill('3');
      await press(save, /done=saved/);
      assert.equal((await gateway.admin('GET', `/users/${ada.id}`)).limits.daily_limit_usd, '3');

      // The key: never more than its user, two dollars altogether.
      await go(`/keys/${ada.keyId}`);
      await page.locator('details.limits > summary').click();
      await field('daily_limit_usd').fill('4');
      await refused(save, 'daily_limit_usd');
      assert.equal(await field('daily_limit_usd').inputValue(), '4');
      await field('daily_limit_usd').fill('');
      await field('limit_total_usd').fill('2');
      await press(save, /done=saved/);

      await buy(gateway, ada.key, 'dollar');
      await buy(gateway, ada.key, 'dollar');
      const over = await ask(gateway, ada.key, 'dollar');
      assert.equal(over.status, 429, JSON.stringify(over.body));
      assert.match(JSON.stringify(over.body), /rate_limit_exceeded/);
      assert.equal(over.headers.get('x-ratelimit-remaining'), '0');

      // The page of all quotas has it first, and the key's own says the same.
      await go('/quotas?min_percent=90');
      const bar = page.locator(`.quota:has(a[href="/keys/${ada.keyId}"])`);
      assert.match(await bar.innerText(), /\$2\.00\s*\/ \$2\.00/);
      assert.match(await bar.innerText(), /100/);
      await go('/quotas?scope=key');
      await bar.waitFor();
      assert.equal(await page.locator(`.quota:has(a[href="/users/${ada.id}"])`).count(), 0);

      // One dollar more until tomorrow.
      await go(`/keys/${ada.keyId}`);
      await page.locator('details.increases > summary').click();
      const add = page.locator('.increases form:has([name="form[extra_usd]"]):has(.field) button').first();
      await field('limit', '.increases .pair').selectOption('limit_total_usd');
      await field('extra_usd', '.increases .pair').fill('-1');
      await field('until', '.increases .pair').fill(inDays(1));
      await refused(add, 'extra_usd', '.increases');
      assert.equal(await field('extra_usd', '.increases .pair').inputValue(), '-1');
      await field('extra_usd', '.increases .pair').fill('1');
      await press(add, /done=increased/);
      await buy(gateway, ada.key, 'dollar');
      assert.equal((await ask(gateway, ada.key, 'dollar')).status, 429, 'the increase is used up');

      // The user's day is used up too; after both are reset it goes on, and nothing booked is lost.
      await confirm(page.locator('a[href*="confirm=reset-key"]'), /done=usage_reset/);
      const still = await ask(gateway, ada.key, 'dollar');
      assert.equal(still.status, 429);
      assert.match(JSON.stringify(still.body), /user/i);
      await go(`/users/${ada.id}`);
      await confirm(page.locator('a[href*="confirm=reset-user"]'), /done=usage_reset/);
      await buy(gateway, ada.key, 'dollar');
      const [usage] = (await gateway.admin('GET', `/usage?by=user&user_id=${ada.id}`)).items;
      assert.equal(usage.cost_usd ?? usage.totals.cost_usd, '4');

      // The increase is ended before its time.
      await go(`/keys/${ada.keyId}`);
      await press(page.locator('.increases li button'), /done=ended/);
      assert.deepEqual((await gateway.admin('GET', `/keys/${ada.keyId}`)).limits.increases ?? [], []);
      await end();
    } finally {
      await close();
    }
  });

  test(`a member sees what is left to him, and a program is told the same, ${named(way)}`, async () => {
    const { id, key } = await member(`Edsger ${tag}`);
    await gateway.admin('PATCH', `/users/${id}`, { limits: { daily_limit_usd: '4' } });
    const pass = await gateway.admin('POST', '/packages', { name: `Pass ${tag}`, kind: 'quota', total_usd: '9' });
    await gateway.admin('POST', `/users/${id}/packages`, { package_id: pass.id });
    await buy(gateway, key, 'dollar');
    const { page, faults, close } = await visitor(browser, gateway.base, way);
    try {
      await signIn(page, key);
      await page.goto('/me');
      if (way.scripts) await hydrated(page);
      const own = await page.locator('main').innerText();
      assert.match(own, /\$1\.00\s*\/ \$4\.00/, 'his day');
      assert.match(own, /\$1\.00\s*\/ \$9\.00/, 'his package');
      const told = await fetch(`${gateway.base}/v1/usage`, { headers: { authorization: `Bearer ${key}` } });
      const usage = JSON.stringify(await told.json());
      assert.ok(usage.includes('"4"') && usage.includes('"9"'), usage);
      assert.deepEqual(faults, []);
    } finally {
      await close();
    }
  });

  test(`a group's rate multiplies what its requests cost, ${named(way)}`, async () => {
    const { page, go, field, press, refused, confirm, end, close } = await desk(browser, gateway, way);
    try {
      const { key, id } = await member(`Grace ${tag}`);
      await go('/groups');
      await page.locator('a[href="/groups?edit=vip"]').last().click();
      await page.waitForURL(/edit=vip/);
      const save = page.locator(SAVE).first();
      for (const bad of ['-1', '1001', 'two']) {
        await field('price_rate').fill(bad);
        await refused(save, 'price_rate');
        assert.equal(await field('price_rate').inputValue(), bad);
      }
      await field('price_rate').fill('2.5');
      await press(save, /done=saved/);
      const row = await buy(gateway, key, 'dollar');
      assert.deepEqual([row.cost_usd, row.base_cost_usd, row.group], ['2.5', '1', 'vip']);
      assert.deepEqual([row.input_tokens, row.output_tokens], [25, 12], 'tokens are what they were');
      await go(`/requests/${row.request_id}`);
      assert.match(await page.locator('main').innerText(), /2\.5/);

      // The user's own rate is a field of his form.
      await go(`/users/${id}`);
      await field('price_rate').fill('0.5');
      await press(page.locator(SAVE).first(), /done=saved/);
      assert.equal((await buy(gateway, key, 'dollar')).cost_usd, '1.25');

      // A question on a page that is about something keeps to that.
      await go('/groups?edit=vip');
      await confirm(page.locator('a[href*="confirm=reset-group"]'), /edit=vip.*done=usage_reset/);
      await field('price_rate').fill('1');
      await press(page.locator(SAVE).first(), /done=saved/);
      await end();
    } finally {
      await close();
    }
  });

  test(`the whole gateway's limits stand alone where they are asked for, ${named(way)}`, async () => {
    const { page, go, press, end, close } = await desk(browser, gateway, way);
    try {
      const { id } = await member(`Alan ${tag}`);
      await gateway.admin('PATCH', `/users/${id}`, { limits: { daily_limit_usd: '5' } });
      await gateway.admin('PUT', '/settings/limits.global_daily_usd', { value: '1000' });
      await go('/quotas');
      await page.locator(`.quota:has(a[href="/users/${id}"])`).waitFor();
      await press(page.locator('nav.chips a[href="/quotas?scope=global"]'), /scope=global/);
      await page.locator(`.quota:has(a[href="/users/${id}"])`).waitFor({ state: 'detached' });
      assert.equal(await page.locator('.quota').count(), 1);
      assert.match(await page.locator('.quota').innerText(), /\$1,000\.00/);
      assert.equal(await page.locator('nav.chips [aria-current=true]').count(), 1);
      await page.locator('nav.tabs a[href="/quotas?min_percent=90&scope=global"]').waitFor();
      await gateway.admin('DELETE', '/settings/limits.global_daily_usd');
      await end();
    } finally {
      await close();
    }
  });

  test(`who is refused by the limit per address is shown, ${named(way)}`, async () => {
    const { page, go, end, close } = await desk(browser, gateway, way);
    try {
      const flood = way.scripts ? '203.0.113.7' : '2001:db8:7::1';
      const shown = way.scripts ? '203.0.113.7' : '2001:db8:7::/64';
      await gateway.admin('PUT', '/settings/limits.ip_per_minute', { value: '2' });
      const statuses = [];
      for (let n = 0; n < 5; n += 1) {
        const answer = await fetch(`${gateway.base}/v1/models`, { headers: { 'x-forwarded-for': flood } });
        statuses.push(answer.status);
      }
      assert.deepEqual(statuses, [401, 401, 429, 429, 429]);
      await go('/quotas');
      const row = page.locator(`#refused tr:has-text("${shown}")`);
      await row.waitFor();
      assert.match(await row.innerText(), /\b3\b/);
      await gateway.admin('DELETE', '/settings/limits.ip_per_minute');
      await end();
    } finally {
      await close();
    }
  });
}
