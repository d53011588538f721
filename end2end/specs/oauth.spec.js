// Accounts by OAuth at a real server: connected, used, refreshed, lost and signed in again, by redirect, by a fixed
// port, by paste and by device code; and what a vendor refuses. By hand on pages; the books of both sides are read.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch } from '../lib/browser.js';
import { WAYS, desk, named } from '../lib/desk.js';
import { ADMIN_TOKEN, freePort, startGateway } from '../lib/gateway.js';
import { CLIENTS, DEVICE, consent, emailOf, startOauth, typeIn } from '../lib/oauth.js';
import { ask } from '../lib/toll.js';
import { startUpstream } from '../lib/upstream.js';

let upstream, browser, vendor;
/** By language: a gateway with a provider at the vendor's API, a key, and how its client authenticates. */
const homes = {};

before(async () => {
  upstream = await startUpstream();
  browser = await launch();
  for (const { lang } of WAYS) {
    homes[lang] = { gateway: await startGateway(), port: await freePort(), auth: lang === 'en' ? 'body' : 'basic' };
  }
  const redirects = Object.values(homes).flatMap(({ gateway, port }) =>
    [`${gateway.base}/auth/enrol/callback`, `http://localhost:${port}/callback`]);
  vendor = await startOauth(upstream.url, redirects);
  for (const home of Object.values(homes)) {
    const { admin } = home.gateway;
    const provider = { name: 'Vendor', kind: 'anthropic', base_url: vendor.api, api_key: null };
    home.provider = await admin('POST', '/providers', provider);
    const user = await admin('POST', '/users', { name: 'Ada' });
    home.key = (await admin('POST', `/users/${user.id}/keys`, { name: 'laptop' })).key;
    home.spec = vendor.descriptor(home.auth, { callback_port: home.port });
  }
});
after(async () => {
  await browser?.close();
  await vendor?.stop();
  for (const { gateway } of Object.values(homes)) await gateway.stop();
  await upstream?.stop();
});

const SAVE = '.save-bar button.primary';
const FLOW = /\/oauth\/flows\/\d+$/;
const WORDS = {
  en: { again: /sign in again/i, lost: /signs in again/, state: /state is missing/, foreign: /another sign-in/ },
  zh: { again: /重新登录/, lost: /需要重新登录/, state: /缺少 state/, foreign: /另一次登录/ },
};

/** Waits until something holds, and answers it. */
async function until(what, holds, limit = 30_000) {
  const end = Date.now() + limit;
  for (;;) {
    const value = await holds();
    if (value) return value;
    if (Date.now() > end) throw new Error(`never: ${what}`);
    await new Promise((wake) => setTimeout(wake, 40));
  }
}

/** Puts the vendor's descriptor and the operator's client in place, without the page. */
const configure = ({ gateway, auth, spec }, more = {}) => gateway.admin('PUT', '/oauth/vendors/generic', {
  spec: { ...spec, ...more }, client_id: CLIENTS[auth].id, client_secret: CLIENTS[auth].secret,
});

/** Begins a sign-in on the vendor's page. */
async function begin({ page, go, press }, { provider }, how) {
  await go(`/oauth/vendors/generic?provider=${provider.id}`);
  await page.locator('#connect select[name=provider_id]').selectOption(String(provider.id));
  await page.locator('#connect select[name=way]').selectOption(how);
  await press(page.locator('#connect form button'), FLOW);
  await page.locator(how === 'device' ? '#user-code' : '#open-vendor').waitFor();
  return Number(new URL(page.url()).pathname.split('/').at(-1));
}

/** The credential of an account; null if there is none. */
async function credentialOf({ gateway }, login) {
  const { items } = await gateway.admin('GET', '/credentials');
  return items.find(({ token }) => token?.account === emailOf(login)) ?? null;
}

/** Sends a request; answers its status and the token that the vendor saw last. */
async function served({ gateway, key }) {
  const { status } = await ask(gateway, key, 'claude-sonnet-4-5');
  return { status, token: vendor.calls.filter(({ path }) => path.startsWith('/v1/messages')).at(-1)?.token };
}

/** Signs in with another browser, where nobody listens on the fixed port; answers where that one ended. */
async function elsewhere(address, login, port) {
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    const returned = page.waitForRequest((request) => request.url().startsWith(`http://localhost:${port}/`));
    await page.goto(address);
    await consent(page, login);
    return new URL((await returned).url());
  } finally {
    await context.close();
  }
}

for (const way of WAYS) {
  const { lang } = way;
  const card = (page, login) => page.locator('#credentials .card').filter({ hasText: emailOf(login) });

  test(`an account is connected by redirect, used, refreshed, lost, and signed in again in place, ${named(way)}`, async () => {
    const home = homes[lang];
    const { gateway, provider, auth, port } = home;
    const login = `redirect-${lang}`;
    const office = await desk(browser, gateway, way);
    const { page, go, field, press, end, close } = office;
    const returns = [];
    page.on('request', (request) => request.url().includes('/auth/enrol/callback?code=') && returns.push(request.url()));
    try {
      await go('/oauth/vendors/generic');
      await field('client_id').fill(CLIENTS[auth].id);
      await field('client_secret').fill(CLIENTS[auth].secret);
      await field('spec').fill(JSON.stringify(home.spec, null, 1));
      await press(page.locator(SAVE), /done=saved/);
      await page.locator('#connect').waitFor();
      assert.ok(!(await page.content()).includes(CLIENTS[auth].secret), 'the secret is not shown again');

      await begin(office, home, 'callback');
      await page.locator('#open-vendor').click();
      await consent(page, login);
      await page.waitForURL(/\/oauth\/flows\/\d+\?done=connected$/);
      await page.locator('.answer.good').waitFor();
      const exchange = vendor.of('authorization_code').at(-1);
      assert.ok(exchange.form.code_verifier.length >= 43);
      assert.equal('client_secret' in exchange.form, auth === 'body');
      const made = await credentialOf(home, login);
      assert.deepEqual([made.state, made.token.status], ['valid', 'active']);
      assert.deepEqual(await served(home), { status: 200, token: exchange.answer.access_token });

      // The state is used up: the same answer again does nothing, and the vendor is not asked.
      const questions = vendor.asked.length;
      await go(returns[0]);
      await page.locator('.answer.bad').waitFor();
      assert.match(await page.locator('.answer.bad').innerText(), lang === 'zh' ? /只能使用一次/ : /used once/);
      assert.equal(vendor.asked.length, questions);

      await go(`/providers/${provider.id}`);
      await press(card(page, login).locator('.card-actions').first().locator('button').first(), /done=token_refreshed/);
      const fresh = vendor.of('refresh_token').at(-1);
      assert.equal(fresh.form.refresh_token, exchange.answer.refresh_token);
      assert.notEqual(fresh.answer.refresh_token, exchange.answer.refresh_token, 'the server rotates');
      assert.deepEqual(await served(home), { status: 200, token: fresh.answer.access_token });

      // Somebody uses what was used: the server withdraws the grant, and the next request learns it.
      const { code, code_verifier, redirect_uri, refresh_token } = { ...exchange.form, ...exchange.answer };
      const stolen = lang === 'en'
        ? { grant_type: 'refresh_token', refresh_token }
        : { grant_type: 'authorization_code', code, code_verifier, redirect_uri };
      const refused = await vendor.steal(auth, stolen);
      assert.deepEqual([refused.status, refused.error], [400, 'invalid_grant']);
      assert.ok((await served(home)).status >= 400);
      assert.equal(vendor.of('refresh_token').at(-1).error, 'invalid_grant');
      await until('needs_reauth', async () => (await credentialOf(home, login)).state === 'needs_reauth');
      await go('/oauth');
      await press(page.locator('#refresh-expiring'), /done=token_none/);
      const spent = vendor.asked.length;
      assert.ok((await served(home)).status >= 400);
      assert.equal(vendor.asked.length, spent, 'nothing is tried until somebody signs in');
      await go('/');
      const attention = page.locator('.attention li').filter({ hasText: emailOf(login) });
      assert.match(await attention.innerText(), WORDS[lang].lost);
      const metrics = await fetch(`${gateway.base}/metrics`, { headers: { authorization: `Bearer ${ADMIN_TOKEN}` } });
      assert.match(await metrics.text(), /tollgate_accounts_lost 1\n/);
      await press(attention.locator('a'), /\/providers\/\d+$/);
      await card(page, login).waitFor();
      const told = await card(page, login).innerText();
      assert.match(told, WORDS[lang].again);
      assert.match(told, /invalid_grant/);
      assert.equal(await page.locator('#vitals time').count(), 2, 'its last success and its last failure');
      assert.equal(await page.locator('#vitals a[href="/pool#checks"]').count(), 1);

      // By the vendor's fixed port: the listener sends the browser on to the dashboard.
      await press(card(page, login).locator('form:has(input[name=vendor]) button'), FLOW);
      await page.locator('#open-vendor').waitFor();
      assert.ok((await page.locator('main').innerText()).includes(String(port)));
      await page.locator('#open-vendor').click();
      await consent(page, login);
      await page.waitForURL(/\/oauth\/flows\/\d+\?done=connected$/);
      const back = await credentialOf(home, login);
      assert.deepEqual([back.id, back.state, back.token.status], [made.id, 'valid', 'active']);
      const again = vendor.of('authorization_code').at(-1);
      assert.equal(again.form.redirect_uri, `http://localhost:${port}/callback`);
      assert.deepEqual(await served(home), { status: 200, token: again.answer.access_token });
      await end();
    } finally {
      await close();
    }
  });

  test(`a refresh that the vendor refuses shows at once what the account is now, ${named(way)}`, async () => {
    const home = homes[lang];
    const login = `refused-${lang}`;
    await configure(home);
    const office = await desk(browser, home.gateway, way);
    const { page, go, close } = office;
    try {
      await begin(office, home, 'callback');
      await page.locator('#open-vendor').click();
      await consent(page, login);
      await page.waitForURL(/done=connected$/);
      await go(`/providers/${home.provider.id}`);
      vendor.front.alter = (form) => form.set('refresh_token', 'of nobody');
      await card(page, login).locator('.card-actions').first().locator('button').first().click();
      const told = page.locator('#credentials .flash.bad, main > .page > .flash.bad').first();
      await told.waitFor();
      assert.match(await told.innerText(), /invalid_grant/);
      // No reload in between: what is shown beside the refusal is what it led to.
      await card(page, login).filter({ hasText: WORDS[lang].again }).locator('.state.bad').waitFor();
    } finally {
      vendor.front.alter = null;
      await close();
    }
  });

  test(`an account is connected by pasting what another browser ended at, ${named(way)}`, async () => {
    const home = homes[lang];
    const login = `paste-${lang}`;
    await configure(home);
    const office = await desk(browser, home.gateway, way);
    const { page, press, end, close } = office;
    try {
      await begin(office, home, 'paste');
      const returned = await elsewhere(await page.locator('#open-vendor').getAttribute('href'), login, home.port);
      const [code, state] = [returned.searchParams.get('code'), returned.searchParams.get('state')];
      const finish = page.locator('form:has(#pasted) button');
      await page.locator('#pasted').fill(lang === 'en' ? code : `${code}#another-state`);
      await finish.click();
      const note = page.locator('.field:has(#pasted) .note');
      await note.waitFor();
      assert.match(await note.innerText(), lang === 'en' ? WORDS.en.state : WORDS.zh.foreign);
      await page.locator('#pasted').fill(lang === 'en' ? returned.href : `${code}#${state}`);
      await press(finish, /done=created/);
      await page.locator('.answer.good').waitFor();
      assert.equal((await credentialOf(home, login)).state, 'valid');
      assert.equal((await served(home)).status, 200);
      await end();
    } finally {
      await close();
    }
  });

  test(`what the vendor or the person refuses is told and connects nothing, ${named(way)}`, async () => {
    const home = homes[lang];
    await configure(home);
    const office = await desk(browser, home.gateway, way);
    const { page, go, end, close } = office;
    let stranger;
    const bad = async (on) => {
      await on.waitForURL(/\/oauth\/flows\/\d+\?problem=/);
      await on.locator('.answer.bad').waitFor();
      return on.locator('.answer.bad').innerText();
    };
    try {
      const before = (await home.gateway.admin('GET', '/credentials')).items.length;
      await begin(office, home, 'callback');
      await page.locator('#open-vendor').click();
      await page.locator('a[href$="/abort"]').click();
      assert.match(await bad(page), /access_denied/);

      await begin(office, home, 'callback');
      await page.locator('#open-vendor').click();
      vendor.front.alter = (form) => form.set('code_verifier', 'A'.repeat(43));
      await consent(page, `tampered-${lang}`);
      assert.match(await bad(page), /invalid_grant/);
      vendor.front.alter = null;
      assert.equal(vendor.of('authorization_code').at(-1).error, 'invalid_grant');

      await begin(office, home, 'callback');
      const address = await page.locator('#open-vendor').getAttribute('href');
      stranger = await desk(browser, home.gateway, way);
      await stranger.page.goto(address);
      await consent(stranger.page, `stranger-${lang}`);
      const questions = vendor.asked.length;
      assert.match(await bad(stranger.page), lang === 'zh' ? /其他会话/ : /another session/);
      assert.equal(vendor.asked.length, questions, 'the code is not even exchanged');

      await configure(home, { pkce: false });
      await begin(office, home, 'callback');
      await page.locator('#open-vendor').click();
      assert.match(await bad(page), /PKCE/);
      await go('/oauth');
      assert.match(await page.locator('main').innerText(), /access_denied/);
      assert.equal((await home.gateway.admin('GET', '/credentials')).items.length, before);
      await stranger.end();
      await end();
    } finally {
      vendor.front.alter = null;
      await stranger?.close();
      await close();
    }
  });

  test(`a device code is shown, waited for as the vendor allows, taken, denied and over, ${named(way)}`, async () => {
    const home = homes[lang];
    const login = `device-${lang}`;
    await configure(home);
    const office = await desk(browser, home.gateway, way);
    const { page, end, close } = office;
    const link = () => page.locator('#device a.button.primary').getAttribute('href');
    try {
      const first = vendor.asked.length;
      const flow = await begin(office, home, 'device');
      const code = (await page.locator('#user-code').innerText()).trim();
      const address = await link();
      assert.ok(address.includes(encodeURIComponent(code)), `${address} holds ${code}`);
      if (way.scripts) await page.locator('#device time').filter({ hasText: /^in \d/ }).waitFor();
      const heard = (error) => vendor.asked.slice(first).find((entry) => entry.grant === DEVICE && entry.error === error);
      await until('a first look by itself', () => heard('authorization_pending'));
      vendor.front.slowDowns = 1;
      const slowed = await until('slow_down', () => heard('slow_down'));
      const told = await until('a longer pause', async () => {
        const { interval_s } = await home.gateway.admin('GET', `/oauth/flows/${flow}`);
        return interval_s > 1 && interval_s;
      });
      assert.equal(told, 6, 'five seconds more than before');
      await typeIn(browser, address, { login });
      await page.locator('.answer.good').waitFor({ timeout: 30_000 });
      const granted = vendor.of(DEVICE).at(-1);
      assert.ok(granted.answer && granted.at - slowed.at >= 5_900, `asked again after ${granted.at - slowed.at} ms`);
      assert.deepEqual([(await credentialOf(home, login)).state, (await served(home)).status], ['valid', 200]);

      await begin(office, home, 'device');
      await typeIn(browser, await link(), { deny: true });
      await page.locator('.answer.bad').waitFor();
      assert.match(await page.locator('.answer.bad').innerText(), /access_denied/);

      vendor.front.codeLife = 2;
      await begin(office, home, 'device');
      await page.locator('.answer.warn').filter({ hasText: lang === 'en' ? 'too old' : '已过期' }).waitFor();
      assert.equal(await page.locator('#user-code').count(), 0);
      await end();
    } finally {
      Object.assign(vendor.front, { codeLife: 600, slowDowns: 0 });
      await close();
    }
  });
}
