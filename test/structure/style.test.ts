// The console has one style sheet, made of its files: what two of them say of one class, they say of each other's pages, too.

import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const source = join(import.meta.dirname, '..', '..', 'console', 'src');

/** The classes that a style sheet gives a look of their own, wherever they stand. */
function ownClassesOf(sheet: string): Set<string> {
  const text = sheet.replaceAll(/\/\*[\s\S]*?\*\//g, '');
  const selectors = [...text.matchAll(/([^{};]+)\{/g)].flatMap(([, list = '']) => list.split(','));
  return new Set(selectors.flatMap((selector) => /^\s*\.([\w-]+)\s*$/.exec(selector)?.[1] ?? []));
}

test('a class has its look from one file of the console', () => {
  // Forced colours are told for all of them in one place.
  const files = globSync('**/*.css', { cwd: source }).filter((file) => !file.endsWith('forced.css'));
  assert.ok(files.length > 0);
  const filesOf = new Map<string, string[]>();
  for (const file of files) {
    for (const name of ownClassesOf(readFileSync(join(source, file), 'utf8'))) {
      filesOf.set(name, [...(filesOf.get(name) ?? []), file]);
    }
  }
  assert.deepEqual(
    [...filesOf].filter(([, of]) => of.length > 1),
    [],
  );
});
