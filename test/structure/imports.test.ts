// Holds the directions in which the parts of Berth may know each other, by reading every import statement. Whoever adds a
// part adds a line here, which is the moment to think about it.

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { test } from 'node:test';

/** For each part what it may know besides itself: parts, or single files. `main.ts` and `compose` know everything. */
const mayKnow: Record<string, readonly string[]> = {
  'src/model': [],
  'src/host': [],
  'src/builder': ['src/host'],
  'src/placement': ['src/model'],
  'src/store': ['src/model', 'src/host'],
  'src/app': ['src/model', 'src/placement', 'src/store'],
  'src/reconcilers': ['src/model', 'src/store', 'src/app'],
  'src/api': ['src/model', 'src/store', 'src/app'],
  'src/console-front': ['src/model', 'src/host', 'src/app', 'src/api/agent/contract'],
  'src/agent': ['src/model', 'src/host', 'src/api/agent/contract'],
  // Turns are a queue that knows nothing of agents.
  'src/sim': [
    'src/model',
    'src/agent/driver.ts',
    'src/agent/vm/driver.ts',
    'src/agent/container/driver.ts',
    'src/agent/container/exec.ts',
  ],
  // An operator has the database itself, and goes through the use cases all the same.
  'src/operator': ['src/model', 'src/app'],
  'src/cli': ['sdk', 'src/builder'],
  sdk: [],
};
/** Within a part, what knows less than the rest of it. */
const narrower: Record<string, readonly string[]> = {
  // Agents take these files along, and nothing of the server's.
  'src/api/agent/contract': ['src/model'],
  // A cluster's driver will stand beside the ones for QEMU and Docker, with nothing of a single machine in its interface.
  'src/agent/driver.ts': [],
  'src/agent/vm/driver.ts': ['src/model', 'src/agent/driver.ts'],
  'src/agent/container/driver.ts': ['src/model', 'src/agent/driver.ts', 'src/agent/container/exec.ts'],
};
const knowEverything = ['src/main.ts', 'src/compose'];
/** Dialects are apart: none knows another, and what they share stands beside them. */
const dialects = ['src/api/fluence', 'src/api/native', 'src/api/agent', 'src/api/hiveon', 'src/api/bytemark'];

interface Import {
  file: string;
  target: string;
}

/** Every import of one's own files, static, dynamic, re-exported or of types, with paths from the root. */
function importsOf(root: string): Import[] {
  const found: Import[] = [];
  for (const top of ['src', 'sdk']) {
    for (const file of filesBelow(join(root, top))) {
      const text = readFileSync(file, 'utf8');
      for (const [, specifier = ''] of text.matchAll(/(?:\bfrom|\bimport|\bimport\()\s*['"]([^'"]+)['"]/g)) {
        if (!specifier.startsWith('.')) continue;
        found.push({
          file: unix(relative(root, file)),
          target: unix(relative(root, resolve(dirname(file), specifier))),
        });
      }
    }
  }
  return found;
}

const unix = (path: string) => path.split(sep).join('/');

function filesBelow(directory: string): string[] {
  let entries: string[] = [];
  try {
    entries = readdirSync(directory, { recursive: true, encoding: 'utf8' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  return entries
    .map((name) => join(directory, name))
    .filter((path) => /\.(m|c)?[jt]sx?$/.test(path) && !path.includes(`${sep}node_modules${sep}`));
}

const within = (path: string, part: string) => path === part || path.startsWith(`${part}/`);

/** Why an import may not be, or null when it may. */
function whyNot({ file, target }: Import): string | null {
  if (knowEverything.some((part) => within(file, part))) return null;
  const narrow = Object.keys(narrower).find((name) => within(file, name));
  if (narrow) {
    const known = narrower[narrow] ?? [];
    return [narrow, ...known].some((part) => within(target, part)) ? null : `${narrow} may know ${list(known)} only`;
  }
  const part = Object.keys(mayKnow).find((name) => within(file, name));
  if (!part) return `${file} belongs to no part that this test knows; say what it may know`;
  const dialect = dialects.find((name) => within(file, name));
  const other = dialects.find((name) => within(target, name));
  if (dialect && other && dialect !== other) {
    return 'a dialect may not know another';
  }
  if (within(target, part)) return null;
  return mayKnow[part]?.some((known) => within(target, known))
    ? null
    : `${part} may know ${list(mayKnow[part] ?? [])} only`;
}

const list = (parts: readonly string[]) => (parts.length === 0 ? 'itself' : parts.join(', '));

function violations(root: string): string[] {
  return importsOf(root).flatMap((one) => {
    const reason = whyNot(one);
    return reason ? [`${one.file} imports ${one.target}: ${reason}`] : [];
  });
}

const root = join(import.meta.dirname, '../..');

test('every import goes in a direction that the architecture allows', () => {
  assert.ok(importsOf(root).length > 200, 'the imports were found at all');
  assert.deepEqual(violations(root), []);
});

test('every file of the tree belongs to a part that has a rule', () => {
  const parts = [...Object.keys(mayKnow), ...knowEverything];
  const files = [...filesBelow(join(root, 'src')), ...filesBelow(join(root, 'sdk'))].map((path) =>
    unix(relative(root, path)),
  );
  assert.deepEqual(
    files.filter((file) => /\.ts$/.test(file) && !parts.some((part) => within(file, part))),
    [],
  );
});

/** A small tree with one file and its text. */
function withTree<Result>(files: Record<string, string>, use: (root: string) => Result): Result {
  const directory = mkdtempSync(join(tmpdir(), 'berth-imports-'));
  try {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(directory, path)), { recursive: true });
      writeFileSync(join(directory, path), text);
    }
    return use(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

const wrong: [file: string, text: string][] = [
  ['src/model/a.ts', "import { b } from '../store/b.ts';"],
  ['src/model/a.ts', "import type { B } from '../app/b.ts';"],
  ['src/placement/a.ts', "import { b } from '../store/b.ts';"],
  ['src/store/a.ts', "import { b } from '../app/b.ts';"],
  ['src/store/embedded/a.ts', "import { b } from '../../agent/b.ts';"],
  ['src/app/a.ts', "import { b } from '../api/b.ts';"],
  ['src/app/a.ts', "export { b } from '../agent/b.ts';"],
  ['src/app/a.ts', "export * from '../reconcilers/b.ts';"],
  ['src/reconcilers/a.ts', "import type { B } from '../api/b.ts';"],
  ['src/api/a.ts', "import { b } from '../reconcilers/b.ts';"],
  ['src/api/fluence/a.ts', "import { b } from '../native/b.ts';"],
  ['src/api/agent/contract/a.ts', "import { b } from '../../../app/b.ts';"],
  ['src/api/agent/contract/a.ts', "import { b } from '../host.ts';"],
  ['src/agent/a.ts', "import { b } from '../api/server.ts';"],
  ['src/agent/vm/a.ts', "import { b } from '../../store/b.ts';"],
  ['src/agent/a.ts', "const b = await import('../app/b.ts');"],
  ['src/agent/a.ts', "import '../compose/b.ts';"],
  ['src/agent/vm/driver.ts', "import { b } from './qemu.ts';"],
  ['src/console-front/a.ts', "import { b } from '../store/b.ts';"],
  ['src/console-front/a.ts', "import { b } from '../agent/ssh/b.ts';"],
  ['src/sim/a.ts', "import { b } from '../agent/vm/qemu.ts';"],
  ['src/sim/a.ts', 'import {\n  b,\n  c,\n} from "../store/b.ts";'],
  ['src/operator/a.ts', "import { b } from '../store/b.ts';"],
  ['src/operator/a.ts', "import { b } from '../compose/b.ts';"],
  ['src/cli/a.ts', "import { b } from '../app/b.ts';"],
  ['src/cli/a.ts', "import { b } from '../model/b.ts';"],
  ['src/builder/a.ts', "import { b } from '../model/b.ts';"],
  ['src/host/a.ts', "import { b } from '../model/b.ts';"],
  ['sdk/a.ts', "import { b } from '../src/model/b.ts';"],
  ['src/new/a.ts', "import { b } from '../model/b.ts';"],
];

test('an import in a wrong direction is found, in whichever form it is written', () => {
  for (const [file, text] of wrong) {
    const found = withTree({ [file]: `// A comment.\n${text}\n` }, violations);
    assert.equal(found.length, 1, `${file}: ${text}`);
    assert.ok(found[0]?.startsWith(`${file} imports `), found[0]);
  }
});

test('imports in the right direction are let pass', () => {
  const right: Record<string, string> = {
    'src/app/a.ts':
      "import { b } from '../store/b.ts';\nimport type { C } from '../model/c.ts';\nimport fs from 'node:fs';",
    'src/api/fluence/a.ts': "import { b } from '../dialect.ts';\nimport { c } from '../../app/c.ts';",
    'src/agent/a.ts': "import { b } from '../api/agent/contract/b.ts';\nimport { c } from '../host/c.ts';",
    'src/api/agent/contract/a.ts': "import { b } from './b.ts';",
    'src/sim/a.ts': "import { b } from '../agent/vm/driver.ts';",
    'src/cli/a.ts': "import { b } from '../../sdk/b.ts';\nimport { c } from '../builder/c.ts';",
    'src/main.ts': "import { b } from './agent/b.ts';",
    'src/compose/a.ts': "import { b } from '../sim/b.ts';",
  };
  assert.deepEqual(withTree(right, violations), []);
});
