// The web console in Chromium on 10,000 instances: how long until the list can be used, until it is filtered by what is typed, and until
// what was committed is shown; and what the first load weighs. Beside them, in the same run, the load of an empty page and a bare
// fetch of what the list is made of. `npm run bench:web-console`; prints one line of JSON.

import { gzipSync } from 'node:zlib';
import type { Browser, Page } from 'playwright-core';
import { inTransaction } from '../src/store/database.ts';
import { insertEvents } from '../src/store/event.ts';
import { openWindow, startBrowser } from '../test/support/browser.ts';
import { insertVms } from './filled.ts';
import { startStack } from './stack.ts';

const vms = Number(process.argv[2] ?? 10_000);
const loads = 10;
const filterTurns = 6;
const rounds = 60;
const roundMs = 150;
/** One narrows 10,000 to 1,111, the next to 111, and the last to 11; each is a key more than the one before. */
const typed = ['server-8', 'server-88', 'server-888'];

const stack = await startStack();
const { database } = stack.context;

function sumOf(times: readonly number[]) {
  const sorted = [...times].sort((one, other) => one - other);
  const at = (share: number) => Number((sorted[Math.floor(share * (sorted.length - 1))] ?? 0).toFixed(1));
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}

async function times(count: number, work: () => Promise<number>): Promise<number[]> {
  const took: number[] = [];
  for (let index = 0; index < count; index += 1) took.push(await work());
  return took;
}

/** From the address to something on the page, each time in a browser that has nothing of it yet. */
async function loadMs(browser: Browser, path: string, shown: (page: Page) => Promise<unknown>): Promise<number> {
  const { page, context } = await openWindow(browser, stack.url, { apiKey: stack.apiKey });
  const began = performance.now();
  await page.goto(path, { waitUntil: 'commit' });
  await shown(page);
  const took = performance.now() - began;
  await context.close();
  return took;
}

const openList = (page: Page) => page.getByRole('link', { name: 'server-' }).first().waitFor();

/** What comes over the wire for the overview, compressed as it is sent, without what only consoles need. */
async function firstLoadBytes(browser: Browser): Promise<number> {
  const { page, context } = await openWindow(browser, stack.url, { apiKey: stack.apiKey });
  const bodies: Promise<number>[] = [];
  page.on('response', (response) => {
    const { pathname } = new URL(response.url());
    if (pathname === '/' || /^\/console\/assets\/.*\.(js|css)$/.test(pathname)) {
      bodies.push(response.body().then((body) => gzipSync(body, { level: 9 }).length));
    }
  });
  await page.goto('/');
  await page.getByRole('heading', { level: 1 }).waitFor();
  await page.waitForLoadState('load');
  const sizes = await Promise.all(bodies);
  await context.close();
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** From a key to the list that it asks for, as the page itself sees it. */
async function filterMs(page: Page): Promise<number[]> {
  const took: number[] = [];
  for (let turn = 0; turn < filterTurns; turn += 1) {
    await page.getByRole('searchbox').fill('server-');
    await page.waitForURL('**search=server-');
    await page.getByText('so far; more as you scroll').waitFor();
    for (const text of typed) {
      const ms = page.evaluate(
        `new Promise((resolve) => {
          const field = document.querySelector('input[type=search]');
          const names = () => [...document.querySelectorAll('tbody .named a')].map((link) => link.textContent);
          const isDone = () => {
            if (document.querySelector('.stale')) return false;
            const shown = names();
            return shown.length > 0 && shown.every((name) => name.includes('${text}'));
          };
          field.addEventListener('input', () => {
            const began = performance.now();
            const look = new MutationObserver(() => {
              if (!isDone()) return;
              look.disconnect();
              // When it is painted.
              requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - began)));
            });
            look.observe(document.querySelector('main'), { childList: true, subtree: true, attributes: true, characterData: true });
          }, { once: true });
        })`,
      ) as Promise<number>;
      await page.getByRole('searchbox').press('8');
      took.push(await ms);
    }
  }
  return took;
}

/** From a commit to its being shown in a list that is open. */
async function shownMs(page: Page): Promise<number[]> {
  await page.evaluate(`
    globalThis.seen = {};
    new MutationObserver(() => {
      for (const link of document.querySelectorAll('tbody .named a')) {
        if (link.textContent.startsWith('round-')) globalThis.seen[link.textContent] ??= performance.timeOrigin + performance.now();
      }
    }).observe(document.querySelector('main'), { childList: true, subtree: true, characterData: true });`);
  const committed = new Map<string, number>();
  // The first that the list shows.
  const { id, account_id: accountId } = await database
    .selectFrom('instance')
    .select(['id', 'account_id'])
    .orderBy('created_at')
    .orderBy('id')
    .limit(1)
    .executeTakeFirstOrThrow();
  for (let round = 0; round < rounds; round += 1) {
    const name = `round-${round}`;
    await inTransaction(database, async (tx) => {
      await tx.updateTable('instance').set({ name }).where('id', '=', id).execute();
      await insertEvents(tx, [
        {
          ...{ accountId, instanceId: id, hostId: null, kind: 'instance.renamed', message: name, actor: 'bench' },
          createdAt: new Date(),
        },
      ]);
    });
    committed.set(name, performance.timeOrigin + performance.now());
    await new Promise((resolve) => setTimeout(resolve, roundMs));
  }
  await page.waitForTimeout(1_000);
  const seen = (await page.evaluate('globalThis.seen')) as Record<string, number>;
  // What was passed over for something newer that came with it was not seen at all.
  return [...committed].flatMap(([name, at]) => (seen[name] === undefined ? [] : [Math.max(0, seen[name] - at)]));
}

const browser = await startBrowser();
try {
  await insertVms(database, vms);
  await loadMs(browser, '/console/instances', openList);
  const empty = await times(loads, () => loadMs(browser, '/healthz', (page) => page.waitForLoadState('load')));
  const list = await times(loads, () => loadMs(browser, '/console/instances', openList));
  const { page, context } = await openWindow(browser, stack.url, { apiKey: stack.apiKey });
  await page.goto('/console/instances');
  await openList(page);
  const bare = await times(loads, () =>
    page.evaluate(`(async () => {
      const began = performance.now();
      const headers = { authorization: 'Bearer ' + sessionStorage.getItem('berth.api-key') };
      await (await fetch('/berth/v1/instances?limit=200', { headers })).json();
      return performance.now() - began;
    })()`),
  );
  const filtered = await filterMs(page);
  await page.getByRole('searchbox').fill('');
  await page.getByText('so far; more as you scroll').waitFor();
  const shown = await shownMs(page);
  await context.close();
  const figure = {
    ...{ bench: 'web-console', vms },
    ...{ emptyPageMs: sumOf(empty), bareFetchMs: sumOf(bare) },
    ...{ listUsableMs: sumOf(list), filteredMs: sumOf(filtered) },
    committedToShownMs: { rounds, seen: shown.length, ...sumOf(shown) },
    firstLoadGzippedBytes: await firstLoadBytes(browser),
  };
  process.stdout.write(`${JSON.stringify(figure)}\n`);
} finally {
  await browser.close();
  await stack.close();
}
