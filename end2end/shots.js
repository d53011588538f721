// Every page as a picture: light and dark, English and Chinese, wide and narrow. Into artifacts/, which git ignores.
// `node shots.js [part of a path…]` takes only those pages.

import { mkdir } from 'node:fs/promises';
import { NARROW, PAGES, WIDE, hydrated, launch, signIn, visitor } from './lib/browser.js';
import { ADMIN_TOKEN, furnish, startGateway } from './lib/gateway.js';
import { sendSome } from './lib/traffic.js';
import { startUpstream } from './lib/upstream.js';

const wanted = process.argv.slice(2);
const upstream = await startUpstream();
const gateway = await startGateway();
const house = await furnish(gateway, upstream);
const sent = await sendSome(gateway, house);
const pages = [...PAGES, `/providers/${house.providers.anthropic.id}`, `/users/${house.user.id}`, `/keys/${house.keyId}`, `/requests/${sent}`, '/no-such-page'];
const browser = await launch();
await mkdir('artifacts', { recursive: true });

for (const lang of ['en', 'zh']) {
  for (const theme of ['light', 'dark']) {
    for (const [width, viewport] of Object.entries({ wide: WIDE, narrow: NARROW })) {
      const { page, faults, close } = await visitor(browser, gateway.base, { lang, theme, viewport });
      const take = async (path, name) => {
        if (wanted.length > 0 && !wanted.some((part) => name.includes(part))) return;
        await page.goto(path);
        await hydrated(page).catch(() => {});
        await page.screenshot({ path: `artifacts/${name}.${lang}.${theme}.${width}.png`, fullPage: true });
      };
      await take('/login', 'login');
      await signIn(page, ADMIN_TOKEN);
      for (const path of pages) await take(path, path.slice(1).replace(/[0-9a-f-]{36}|\b\d+\b/, 'one').replaceAll(/[/?=]/g, '-') || 'overview');
      for (const fault of faults) console.log(fault);
      await close();
    }
  }
}
await browser.close();
await gateway.stop();
await upstream.stop();
console.log('pictures are in end2end/artifacts');
