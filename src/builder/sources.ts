// Where Debian 12's packages come from: on a Debian 12 machine from wherever that machine gets its own (a mirror or a
// proxy included), elsewhere from Debian's public archive. It only reads and writes text; apt.ts uses it.

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Package sources in apt's two notations; either may be empty, not both. */
export interface PackageSources {
  /** One line per source (`deb ...`), as in sources.list. */
  oneLine: string;
  /** Stanzas, as in files that end in .sources. */
  deb822: string;
}

const suites = new Set(['bookworm', 'bookworm-updates', 'bookworm-security']);
const component = 'main';

const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** Debian's public archive, which a machine of another distribution reaches by its public name. */
export const publicSources: PackageSources = {
  oneLine: [
    ['http://deb.debian.org/debian', 'bookworm'],
    ['http://deb.debian.org/debian', 'bookworm-updates'],
    ['http://deb.debian.org/debian-security', 'bookworm-security'],
  ]
    .map(([archive, suite]) => `deb [signed-by=${keyring}] ${archive} ${suite} ${component}\n`)
    .join(''),
  deb822: '',
};

/** The lines of a sources.list that name Debian 12 itself; other vendors' archives on the machine are left out. */
export function debianLines(text: string): string {
  return text
    .split('\n')
    .filter((line) => {
      const fields = line
        .replace(/\[[^\]]*\]/, ' ')
        .trim()
        .split(/\s+/);
      const [type, , suite, ...components] = fields;
      return (
        type === 'deb' &&
        suite !== undefined &&
        suites.has(suite.replace(/\/.*$/, '')) &&
        components.includes(component)
      );
    })
    .map((line) => `${line.trim()}\n`)
    .join('');
}

/** The stanzas of a .sources file that name Debian 12 itself, separated by empty lines. */
export function debianStanzas(text: string): string {
  const fieldOf = (stanza: string, name: string): string[] =>
    (new RegExp(`^${name}:(.*(?:\\n[ \\t].*)*)`, 'im').exec(stanza)?.[1] ?? '').trim().split(/\s+/);
  return text
    .replace(/^#.*\n?/gm, '')
    .split(/\n\s*\n/)
    .map((stanza) => stanza.trim())
    .filter(
      (stanza) =>
        fieldOf(stanza, 'Types').includes('deb') &&
        fieldOf(stanza, 'Enabled')[0]?.toLowerCase() !== 'no' &&
        fieldOf(stanza, 'Components').includes(component) &&
        fieldOf(stanza, 'Suites').some((suite) => suites.has(suite)),
    )
    .map((stanza) => `${stanza}\n`)
    .join('\n');
}

/**
 * The sources to build from on this machine.
 *
 * @param etcDir the machine's configuration directory, `/etc` but in tests.
 */
export async function packageSources(etcDir = '/etc'): Promise<PackageSources> {
  const read = (path: string): Promise<string> => readFile(join(etcDir, path), 'utf8').catch(() => '');
  const release = await read('os-release');
  if (!/^ID="?debian"?$/m.test(release) || !/^VERSION_CODENAME="?bookworm"?$/m.test(release)) return publicSources;

  const names = await readdir(join(etcDir, 'apt/sources.list.d')).catch((): string[] => []);
  const sources: PackageSources = { oneLine: debianLines(await read('apt/sources.list')), deb822: '' };
  for (const name of names.toSorted()) {
    const text = await read(`apt/sources.list.d/${name}`);
    if (name.endsWith('.list')) sources.oneLine += debianLines(text);
    if (name.endsWith('.sources')) sources.deb822 += `${debianStanzas(text)}\n`;
  }
  sources.deb822 = sources.deb822.trim() === '' ? '' : `${sources.deb822.trim()}\n`;
  return sources.oneLine === '' && sources.deb822 === '' ? publicSources : sources;
}
