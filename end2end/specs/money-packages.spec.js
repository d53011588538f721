// Packages: a template made in its form, granted to a user, used up by real requests, extended, revoked, given back.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch } from '../lib/browser.js';
import { WAYS, desk, inDays, named } from '../lib/desk.js';
import { furnish, startGateway } from '../lib/gateway.js';
import { ask, buy, costs } from '../lib/toll.js';
import { startUpstream } from '../lib/upstream.js';

let upstream, browser, gateway;

before(async () => {
  upstream = await startUpstream();
  browser = await launch();
  gateway = await startGateway();
  await furnish(gateway, upstream);
  await costs(gateway, 'dollar', 1);
});
after(async () => {
  await browser?.close();
  await gateway?.stop();
  await upstream?.stop();
});

for (const way of WAYS) {
  const tag = `${way.lang}-${way.scripts ? 'on' : 'off'}`;

  test(`a package is made, granted, used up, extended, revoked and given back, ${named(way)}`, async () => {
    const { page, go, field, press, refused, confirm, flash, end, close } = await desk(browser, gateway, way);
    try {
      const user = await gateway.admin('POST', '/users', { name: `Ada ${tag}` });
      const { key } = await gateway.admin('POST', `/users/${user.id}/keys`, { name: 'laptop' });
      const save = page.locator('.save-bar button.primary').first();

      // A template of two dollars a day; nonsense is named and stays as typed.
      await go('/packages/new');
      await field('name').fill(`Day pass ${tag}`);
      await field('duration_days').fill('30');
      for (const bad of ['-2', 'all of it']) {
        await field('daily_usd').fill(bad);
        await refused(save, 'daily_usd');
        assert.equal(await field('daily_usd').inputValue(), bad);
        assert.equal(await field('name').inputValue(), `Day pass ${tag}`);
        assert.equal(await field('duration_days').inputValue(), '30');
      }
      await field('daily_usd').fill('2');
      await press(save, /\/packages\?done=created/);
      const row = page.locator(`tbody tr:has-text("Day pass ${tag}")`);
      assert.match(await row.innerText(), /\$2\.00/);

      // Granted on the user's page, where it stands with its span and what is used of it.
      await go(`/users/${user.id}`);
      await page.locator('#packages details > summary').click();
      const template = page.locator(`#packages option:has-text("Day pass ${tag}")`);
      await field('package_id', '#packages').selectOption({ label: await template.innerText() });
      const late = inDays(2);
      await field('starts_at', '#packages').fill(late);
      await field('ends_at', '#packages').fill(inDays(1));
      const grant = page.locator('#packages form:has([name="form[package_id]"]) button.primary');
      await refused(grant, 'ends_at', '#packages');
      assert.equal(await field('starts_at', '#packages').inputValue(), late);
      await field('starts_at', '#packages').fill('');
      await field('ends_at', '#packages').fill('');
      await press(grant, /done=granted/);
      assert.ok((await flash()).length > 3);
      const card = page.locator('#packages .card').first();
      assert.match(await card.innerText(), /\$0\.0+\s*\/ \$2\.00/);

      await buy(gateway, key, 'dollar');
      await go(`/users/${user.id}`);
      assert.match(await card.innerText(), /\$1\.00\s*\/ \$2\.00/);
      await buy(gateway, key, 'dollar');
      const over = await ask(gateway, key, 'dollar');
      assert.equal(over.status, 403, JSON.stringify(over.body));
      assert.match(JSON.stringify(over.body), /daily_limit_exceeded/);
      await go(`/users/${user.id}`);
      assert.match(await card.innerText(), /\$2\.00\s*\/ \$2\.00/);

      // One dollar more a day, and a later end.
      await press(card.locator('a[href*="grant="]'), /grant=\d+/);
      const change = page.locator('#packages .card form.inset');
      await change.waitFor();
      await field('daily_usd', '#packages .inset').fill('nothing');
      await refused(change.locator('.save-bar button.primary'), 'daily_usd', '#packages .inset');
      assert.equal(await field('daily_usd', '#packages .inset').inputValue(), 'nothing');
      await field('daily_usd', '#packages .inset').fill('3');
      await field('ends_at', '#packages .inset').fill('2031-02-03T04:05');
      await press(change.locator('.save-bar button.primary'), /done=saved/);
      await page.locator('#packages .card:has-text("2031-02-03 04:05")').waitFor();
      await buy(gateway, key, 'dollar');
      assert.equal((await ask(gateway, key, 'dollar')).status, 403);

      // Counted from zero again.
      await confirm(card.locator('a[href*="confirm=reset-package"]'), /done=usage_reset/);
      await buy(gateway, key, 'dollar');

      // Revoked: the next request is refused; given back: the next is served.
      await confirm(card.locator('a[href*="confirm=grant-"]'), /done=saved/);
      const revoked = await ask(gateway, key, 'dollar');
      assert.equal(revoked.status, 403);
      assert.match(JSON.stringify(revoked.body), /no_active_package|package_/);
      await press(card.locator('form:has([name=disabled][value=false]) button'), /done=saved/);
      await buy(gateway, key, 'dollar');

      // The template can go; what was granted stays. And it can come back.
      await go('/packages');
      await press(row.locator('th a'), /\/packages\/\d+/);
      await confirm(page.locator('a[href*="confirm=delete"]'), /\/packages\?.*done=deleted/);
      await buy(gateway, key, 'dollar');
      await press(page.locator('.flash form button'), /\/packages\/\d+\?done=restored/);
      await end();
    } finally {
      await close();
    }
  });
}
