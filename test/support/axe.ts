// Whether a page can be used by everybody, as far as a program can tell: axe over the page as it is shown.

import { readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { until } from './berth.ts';

const source = readFileSync(new URL(import.meta.resolve('axe-core/axe.min.js')), 'utf8');

interface Violation {
  id: string;
  help: string;
  nodes: { html: string; failureSummary?: string }[];
}

/** What axe finds wrong in a page, a line each. */
export async function axeFindings(page: Page): Promise<string[]> {
  // On a busy machine a page may be shown before its style sheets are there.
  await until('the page has its style sheets', async () =>
    page.evaluate(`[...document.styleSheets].length > 0 &&
    [...document.querySelectorAll('link[rel=stylesheet]')].every((link) => link.sheet !== null)`),
  );
  // Run by the debugger, which the page's policy does not hold back.
  await page.evaluate(source);
  const violations = await page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: { run(): Promise<{ violations: Violation[] }> } };
    return (await axe.run()).violations;
  });
  return violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ html, failureSummary = '' }) => `${id}: ${help}: ${html} ${failureSummary}`),
  );
}
