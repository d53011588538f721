// The books in the browser: audit, reconciliation, a vendor's invoice, the sums of usage and their export.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch } from '../lib/browser.js';
import { WAYS, desk, named } from '../lib/desk.js';
import { furnish, startGateway } from '../lib/gateway.js';
import { buy, costs } from '../lib/toll.js';
import { startUpstream } from '../lib/upstream.js';

let upstream, browser, gateway, house, today;

before(async () => {
  upstream = await startUpstream();
  browser = await launch();
  gateway = await startGateway();
  house = await furnish(gateway, upstream);
  await costs(gateway, 'dollar', 1);
  await costs(gateway, 'dime', 0.1);
  for (const model of ['dollar', 'dollar', 'dime']) {
    today = (await buy(gateway, house.key, model)).created_at.slice(0, 10);
  }
});
after(async () => {
  await browser?.close();
  await gateway?.stop();
  await upstream?.stop();
});

const WORDS = {
  en: { audited: 'The books agree', reconciled: 'Everything agrees', equal: 'Invoice and books agree' },
  zh: { audited: '账目一致', reconciled: '全部一致', equal: '账单与账目一致' },
};

for (const way of WAYS) {
  const words = WORDS[way.lang];

  test(`the books are audited and reconciled on their page, ${named(way)}`, async () => {
    const { page, go, press, end, close } = await desk(browser, gateway, way);
    try {
      await go('/ledger');
      await press(page.locator('.ask a.primary'), /run=1/);
      await page.locator(`.answer.good:has-text("${words.audited}")`).waitFor();
      assert.match(await page.locator('.chips').last().innerText(), /INV-16\b/);

      await press(page.locator('nav.tabs a[href="/ledger?view=reconcile"]'), /view=reconcile/);
      await page.locator('select[name=user_id]').selectOption({ label: 'Ada' });
      await press(page.locator('.filter-form button[name=run]'), /run=1/);
      await page.locator(`.answer.good:has-text("${words.reconciled}")`).waitFor();
      assert.match(await page.locator('.answer').innerText(), /\b3\b/, 'three rows were looked at');
      assert.equal(await page.locator('select[name=user_id] option:checked').innerText(), 'Ada');
      await end();
    } finally {
      await close();
    }
  });

  test(`an invoice lies beside the books line by line, ${named(way)}`, async () => {
    const { page, go, field, press, refused, end, close } = await desk(browser, gateway, way);
    try {
      await go('/ledger?view=invoice');
      const compare = page.locator('form:has([name="form[csv]"]) button.primary');
      await field('csv').fill('nothing,of,use\n1,2,3');
      await refused(compare, 'csv');
      assert.equal((await field('csv').inputValue()).trim(), 'nothing,of,use\n1,2,3');

      await field('csv').fill(`date,model,cost\n${today},dollar,2.50\n${today},dime,0.10\nyesterday,dime,x`);
      await field('provider_id').selectOption({ label: 'Fake anthropic' });
      await press(compare, /kept=/);
      const line = (model) => page.locator(`tbody tr:has-text("${model}")`);
      await line('dollar').waitFor();
      assert.match(await line('dollar').innerText(), /\$2\.50[^]*\$2\.00[^]*0\.5/);
      assert.equal(await line('dollar').locator('.differs').count(), 1);
      assert.equal(await line('dime').locator('.differs').count(), 0);
      assert.match(await page.locator('.panel-head .faint').first().innerText(), /^2 \S+ 2 \S+$/);
      assert.match(await page.locator('main li code').first().innerText(), /line 4:/, 'the line that cannot be read');
      assert.match(await page.locator('.answer.warn').innerText(), /0\.5/);

      await field('csv').fill(`date,model,cost\n${today},dollar,2\n${today},dime,0.1`);
      const before = page.url();
      await press(compare, (url) => url.href !== before && url.searchParams.has('kept'));
      await page.locator(`.answer.good:has-text("${words.equal}")`).waitFor();
      await end();
    } finally {
      await close();
    }
  });

  test(`usage is summed by model, and its file says the same, ${named(way)}`, async () => {
    const { page, go, end, close } = await desk(browser, gateway, way);
    try {
      await go('/usage?by=model');
      const line = page.locator('tbody tr:has-text("dollar")').first();
      assert.match(await line.innerText(), /\$2\.00/);
      const file = page.locator('a[href*="/usage/export"][href*="csv"]');
      const csv = await page.request.get(new URL(await file.getAttribute('href'), gateway.base).href);
      assert.equal(csv.status(), 200);
      assert.match(await csv.text(), /dollar.*\b2\b/);
      await end();
    } finally {
      await close();
    }
  });

  test(`what agrees offers no rebuilding, and books never corrected say so, ${named(way)}`, async () => {
    const { page, go, press, end, close } = await desk(browser, gateway, way);
    try {
      await go('/ledger?view=reconcile&run=1');
      await page.locator('.answer.good').waitFor();
      assert.equal(await page.locator('a[href*="confirm=rebuild"]').count(), 0);
      await press(page.locator('nav.tabs a[href="/ledger?view=adjustments"]'), /view=adjustments/);
      await page.locator('.empty a[href="/prices/reprice"]').waitFor();
      await end();
    } finally {
      await close();
    }
  });
}
