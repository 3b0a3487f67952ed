// Which package sources a build uses on which machine.

import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { packageSources, publicSources } from '../../src/builder/sources.ts';

const debian12 = 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nVERSION_CODENAME=bookworm\nID=debian\n';
const ubuntu = 'NAME="Ubuntu"\nVERSION_CODENAME=noble\nID=ubuntu\nID_LIKE=debian\n';

let directory: string;
before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'berth-sources-'));
});
after(() => rm(directory, { recursive: true, force: true }));

/** A configuration directory with these files in it. */
async function machine(name: string, files: Record<string, string>): Promise<string> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(directory, name, path)), { recursive: true });
    await writeFile(join(directory, name, path), text);
  }
  return join(directory, name);
}

test("a Debian 12 machine's own mirror is used, in both notations, and other vendors' archives are not", async () => {
  const mirrorStanza = [
    'Types: deb deb-src',
    'URIs: http://mirror.example/debian',
    'Suites: bookworm',
    ' bookworm-updates',
    'Components: main contrib',
    'Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg',
  ].join('\n');
  const etc = await machine('mirror', {
    'os-release': debian12,
    'apt/sources.list':
      '# deb http://off.example/debian bookworm main\ndeb [arch=amd64 signed-by=/k.gpg] http://proxy.example/security bookworm-security main\ndeb-src http://proxy.example/d bookworm main\n',
    'apt/sources.list.d/debian.sources': `# how it came\n${mirrorStanza}\n\nTypes: deb\nURIs: http://off.example\nSuites: bookworm\nComponents: main\nEnabled: no\n`,
    'apt/sources.list.d/node.sources': 'Types: deb\nURIs: https://node.example\nSuites: nodistro\nComponents: main\n',
    'apt/sources.list.d/docker.list': 'deb https://docker.example/linux/debian bookworm stable\n',
    'apt/sources.list.d/notes.txt': 'deb http://notes.example/debian bookworm main\n',
  });
  assert.deepEqual(await packageSources(etc), {
    oneLine: 'deb [arch=amd64 signed-by=/k.gpg] http://proxy.example/security bookworm-security main\n',
    deb822: `${mirrorStanza}\n`,
  });
});

test('a machine of another distribution, or a Debian 12 without sources, uses the public archive', async () => {
  const list = { 'apt/sources.list': 'deb http://mirror.example/ubuntu noble main\n' };
  assert.equal(await packageSources(await machine('ubuntu', { 'os-release': ubuntu, ...list })), publicSources);
  assert.equal(await packageSources(await machine('bare', { 'os-release': debian12 })), publicSources);
  assert.match(publicSources.oneLine, /^deb \[signed-by=\S+debian-archive-keyring\.gpg\] \S+ bookworm main$/m);
});
