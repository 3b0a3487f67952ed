// Whether a page can be used by everybody, as far as a program can tell: axe over the page as it is shown.

import { readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';

const source = readFileSync(new URL(import.meta.resolve('axe-core/axe.min.js')), 'utf8');

interface Violation {
  id: string;
  help: string;
  nodes: { html: string; failureSummary?: string }[];
}

/** What axe finds wrong in a page, or in what a selector names of it, a line each. */
export async function axeFindings(page: Page, within = 'html'): Promise<string[]> {
  // Run by the debugger, which the page's policy does not hold back.
  await page.evaluate(source);
  const violations = await page.evaluate(async (selector) => {
    const { axe } = globalThis as unknown as { axe: { run(of: string): Promise<{ violations: Violation[] }> } };
    return (await axe.run(selector)).violations;
  }, within);
  return violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ html, failureSummary = '' }) => `${id}: ${help}: ${html} ${failureSummary}`),
  );
}
