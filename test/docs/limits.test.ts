// Holds docs/limits.md to the constants that it names: each is there, in that file, with that value.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

const root = new URL('../../', import.meta.url);
const page = readFileSync(new URL('docs/limits.md', root), 'utf8');

/** How many of what a constant counts in, by its name, make one of the page's unit. */
const units: Record<string, { named: RegExp; size: number }[]> = {
  s: [
    { named: /Ms/, size: 1_000 },
    { named: /Seconds/, size: 1 },
  ],
  min: [{ named: /Ms/, size: 60_000 }],
  h: [
    { named: /Ms/, size: 3_600_000 },
    { named: /Seconds/, size: 3_600 },
  ],
  days: [
    { named: /Ms/, size: 86_400_000 },
    { named: /Seconds/, size: 86_400 },
  ],
  KiB: [{ named: /[bB]ytes|Length/, size: 1_024 }],
  MiB: [
    { named: /Mib/, size: 1 },
    { named: /[bB]ytes/, size: 1_024 ** 2 },
  ],
  GiB: [
    { named: /Gib/, size: 1 },
    { named: /Mib/, size: 1_024 },
    { named: /[bB]ytes/, size: 1_024 ** 3 },
  ],
  TiB: [{ named: /Mib/, size: 1_024 ** 2 }],
  USD: [{ named: /Max/, size: 1_000_000 }],
  characters: [{ named: /./, size: 1 }],
  '': [{ named: /./, size: 1 }],
};

interface Row {
  what: string;
  amount: number;
  unit: string;
  name: string;
  file: string;
}

const rows: Row[] = [
  ...page.matchAll(/^\| (?!limit )([^|]+) \| ([\d,.]+) ?(\w*) \| `(\w+)` in `([\w./-]+)` \|$/gm),
].map(([, what = '', amount = '', unit = '', name = '', file = '']) => ({
  ...{ what, unit, name, file, amount: Number(amount.replaceAll(',', '')) },
}));

/** The value of a constant or a property that is worked out of numbers and other such constants; null for anything else. */
function numberOf(source: string, name: string): number | null {
  // An interface names the type of a property before an object gives it a value.
  for (const [, text = ''] of source.matchAll(
    new RegExp(`(?:const ${name}(?:: \\w+)? = |^ +${name}: )([\\w .*]+)[;,]?$`, 'gm'),
  )) {
    const factors = text.split('*').map((factor) => {
      const number = Number(factor.trim().replaceAll('_', '').replace(/n$/, ''));
      return Number.isNaN(number) ? numberOf(source, factor.trim()) : number;
    });
    if (!factors.includes(null)) return factors.reduce<number>((product, factor) => product * (factor ?? 0), 1);
  }
  return null;
}

test('every row of the page is read', () => {
  const lines = page.split('\n').filter((line) => line.startsWith('| ') && !line.startsWith('| limit |'));
  assert.equal(rows.length, lines.length);
  assert.ok(rows.length > 100);
});

test('each limit has the value that the page says', () => {
  for (const { what, amount, unit, name, file } of rows) {
    const source = readFileSync(new URL(`src/${file}`, root), 'utf8');
    const where = `${what}: ${name} in src/${file}`;
    const value = numberOf(source, name);
    if (value === null) {
      // One that is part of something larger: the number stands beside the name.
      const lines = source.replace(/(?<=\d)_(?=\d)/g, '').split('\n');
      const line = lines.find((one) => new RegExp(`\\b${name}\\b.*\\b${amount}\\b`).test(one));
      assert.ok(line, `${where} has no ${amount}`);
      continue;
    }
    const size = units[unit]?.find(({ named }) => named.test(name))?.size;
    assert.ok(size, `${where} is not counted in ${unit}`);
    assert.equal(value, amount * size, where);
  }
});
