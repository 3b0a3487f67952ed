// The micro image, built from packages and booted in a real QEMU: what a customer of such a VM relies on.

import assert from 'node:assert/strict';
import { mkdtemp, open, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import { type BuildStep, buildImage } from '../../src/builder/image.ts';
import { makeKey, makeOverlay, makeSeed, RawQemu, run } from './raw-qemu.ts';

/** Two kernels, their drivers, and little else. */
const imageBytesMax = 35_000_000;
/** The guest needs about three seconds; a loaded machine needs more, and a guest that ignores the button never ends. */
const powerOffTimeoutMs = 60_000;

const rootPassword = 'it\'s "odd" \\ $HOME %s ü';
const firstBootScript =
  '#!/bin/sh\necho ran >>/root/runs\nwget -q -O /dev/null http://10.0.2.2:1/ 2>/dev/null\nip -4 addr show >/root/addresses\n';

let directory: string;
let image: string;
let key: Awaited<ReturnType<typeof makeKey>>;
const steps: BuildStep[] = [];

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'berth-micro-'));
  image = join(directory, 'micro.qcow2');
  key = await makeKey(directory, 'someone@example.org "quoted", {braced}: \\ and # more');
  const built = await buildImage('micro', image, {
    scratchDir: join(directory, 'scratch'),
    onStep: (step) => steps.push(step),
  });
  assert.equal(built.file, image);
  assert.equal((await run('sha256sum', [image])).split(' ')[0], built.sha256);
});
after(() => rm(directory, { recursive: true, force: true }));

/** A document as the seed writer makes it, with keys that mean nothing to this image among the others. */
function userData(more: object): object {
  return {
    hostname: 'web-1',
    fqdn: 'web-1',
    preserve_hostname: false,
    package_update: true,
    users: ['default'],
    ssh_authorized_keys: ['ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ other', `${key.publicKey} c:"d" \\ #`],
    disable_root: false,
    ...more,
    growpart: { mode: 'auto', devices: ['/'] },
    resize_rootfs: true,
  };
}

/** Documents to try the guest's reader with; the same ones in each run. */
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 6 }),
  fc.string({ unit: 'grapheme-ascii', maxLength: 12 }),
);
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    ...[text, fc.boolean(), fc.integer(), fc.constant(null)],
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(text, tie('value'), { maxKeys: 4 }),
  ),
}));
const documents = fc.sample(fc.dictionary(text, value, { maxKeys: 5 }), { numRuns: 150, seed: 12 });

/** One document a line, in base64; in the layouts that JSON.stringify can give them. */
const documentLines = documents.map((document, index) => {
  const source = `#cloud-config\n${JSON.stringify(document, null, [undefined, 1, 2][index % 3])}\n`;
  return `${Buffer.from(source).toString('base64')}\n`;
});

/** What the guest's reader makes of a JSON value: one line for each text, number or word in it. */
function flattened(path: string | undefined, value: unknown): string[] {
  if (typeof value === 'object' && value !== null) {
    return Object.entries(value).flatMap(([key, inner]) =>
      flattened(path === undefined ? escaped(key) : `${path}.${escaped(key)}`, inner),
    );
  }
  return [`${path}\t${escaped(String(value))}`];
}

/** Four characters as `printf %b` writes them; a file of text has none of the other control characters. */
function escaped(text: string): string {
  const names: Record<string, string> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these characters are the point
  return text.replace(/[\\\n\r\t]/g, (found) => names[found] ?? found).replace(/[\u0000-\u001f]/g, '');
}

test('the image is small, starts through a BIOS, and its making was told step by step', async () => {
  assert.ok((await stat(image)).size <= imageBytesMax);
  const raw = join(directory, 'micro.raw');
  await run('qemu-img', ['convert', '-f', 'qcow2', '-O', 'raw', image, raw]);
  const file = await open(raw);
  const sector = Buffer.alloc(512);
  await file.read(sector, 0, 512, 0);
  await file.close();
  await rm(raw);
  assert.equal(sector.readUInt16LE(510), 0xaa55);
  assert.deepEqual(
    steps.map((step) => step.done),
    steps.map((_, index) => index),
  );
  assert.equal(steps.at(-1)?.done, steps.at(-1)?.total);
});

describe('a VM with a seed on virtio disks', () => {
  let qemu: RawQemu;
  const hardware = () => ({
    ...{ directory, disk: join(directory, 'disk.qcow2'), seed: join(directory, 'seed.iso') },
    ...({ machine: 'q35', bus: 'virtio', cores: 2, memoryMib: 512 } as const),
  });
  const asRoot = (command: string): Promise<string> => qemu.ssh('root', key.file, command);
  const rootKib = async (): Promise<number> => Number((await asRoot("df -k / | awk 'END { print $2 }'")) || 0);

  before(async () => {
    const seed = userData({
      ssh_pwauth: true,
      chpasswd: { expire: false, users: [{ name: 'root', password: rootPassword, type: 'text' }] },
      write_files: [
        {
          ...{ path: '/var/lib/berth/first-boot.sh', permissions: '0700', encoding: 'b64' },
          content: Buffer.from(firstBootScript).toString('base64'),
        },
        { path: '/var/lib/documents', content: documentLines.join('') },
        { path: '/etc/plain file', content: 'one\n\ttwo \\n "three"\n' },
      ],
      runcmd: [['/var/lib/berth/first-boot.sh'], 'echo "a string\'s command" >/root/string'],
    });
    await makeSeed(hardware().seed, 'iid-one', 'not-this-name', seed);
    await makeOverlay(image, hardware().disk, 5);
    qemu = new RawQemu(hardware());
    await qemu.waitForLogin('root', key.file);
  });
  after(() => qemu.stop());

  test('lets the key in as berth, with a shell and a home, and as root', async () => {
    assert.equal(
      await qemu.ssh('berth', key.file, 'id -un; pwd; touch here && echo $SHELL'),
      'berth\n/home/berth\n/bin/sh',
    );
    assert.equal(await asRoot('id -u; pwd'), '0\n/root');
  });

  test('refuses a key that is not in the seed', async () => {
    const stranger = await makeKey(await mkdtemp(join(directory, 'stranger-')), 'stranger');
    await assert.rejects(qemu.ssh('root', stranger.file, 'true'), /Permission denied/);
    await assert.rejects(qemu.ssh('berth', stranger.file, 'true'), /Permission denied/);
  });

  test('has the host name of the seed', async () => {
    assert.equal(await asRoot('hostname; cat /proc/sys/kernel/hostname'), 'web-1\nweb-1');
  });

  test('takes the root password of the seed over SSH, character by character', async () => {
    const askpass = join(directory, 'askpass');
    assert.equal(await qemu.sshWithPassword('root', rootPassword, askpass, 'id -un'), 'root');
    await assert.rejects(qemu.sshWithPassword('root', `${rootPassword}x`, askpass, 'true'), /Permission denied/);
    await assert.rejects(qemu.sshWithPassword('berth', '', askpass, 'true'), /Permission denied/);
  });

  test('fills a disk of 5 GiB', async () => {
    await qemu.waitForLogin(
      'root',
      key.file,
      "df -k / | awk 'END { print $2 }'",
      (kib) => Number(kib) > 4.7 * 1024 ** 2,
    );
  });

  test('has an address, a route and name servers by DHCP', async () => {
    assert.match(await asRoot('ip -4 addr show eth0'), /inet 10\.0\.2\.15\/24/);
    assert.match(
      await asRoot('ip route; cat /etc/resolv.conf'),
      /default via 10\.0\.2\.2[\s\S]*nameserver 10\.0\.2\.3/,
    );
  });

  test('writes the files of the seed and runs its commands with the network up, output on the console', async () => {
    await qemu.waitForLogin('root', key.file, 'cat /var/log/first-boot.log', (log) => /ended with status 0/.test(log));
    assert.equal(await asRoot('cat /root/runs; cat /root/string'), "ran\na string's command");
    assert.match(await asRoot('cat /root/addresses'), /10\.0\.2\.15/);
    assert.equal(await asRoot('cat "/etc/plain file"'), 'one\n\ttwo \\n "three"');
    assert.equal(await asRoot('stat -c %a /var/lib/berth/first-boot.sh "/etc/plain file"'), '700\n644');
    assert.match(qemu.serial, /first boot: ended with status 0/);
  });

  test('reads whatever JSON a seed may hold', async () => {
    const read =
      'while read -r one; do echo "$one" | base64 -d | awk -f /usr/lib/berth/flatten-json.awk || echo FAILED; done';
    const expected = documents.flatMap((document) => flattened(undefined, document));
    const lines = (await asRoot(`${read} </var/lib/documents`)).split('\n');
    assert.deepEqual(lines, expected.join('\n').trim().split('\n'));
  });

  test('shows the kernel and a login line on the serial console', () => {
    assert.match(qemu.serial, /Linux version .*debian/);
    assert.match(qemu.serial, /web-1 login:/);
  });

  test('keeps files, host key and changes over a reboot, and does not run the first boot again', async () => {
    await asRoot('echo kept >/root/kept; sed -i "/other$/d" /root/.ssh/authorized_keys');
    const hostKey = await asRoot('sha256sum /etc/dropbear/dropbear_ed25519_host_key');
    const bootId = await asRoot('cat /proc/sys/kernel/random/boot_id');
    await asRoot('reboot');
    await qemu.waitForLogin(
      'root',
      key.file,
      'cat /proc/sys/kernel/random/boot_id',
      (id) => id !== '' && id !== bootId,
    );
    await qemu.waitForLogin('root', key.file, 'pidof sh || echo idle', (running) => running !== '');
    assert.equal(await asRoot('cat /root/kept /root/runs; hostname'), 'kept\nran\nweb-1');
    assert.equal(await asRoot('sha256sum /etc/dropbear/dropbear_ed25519_host_key'), hostKey);
    assert.equal(await asRoot('grep -c other /root/.ssh/authorized_keys || true'), '0');
    assert.equal(await asRoot('grep -c "first boot: starting" /var/log/first-boot.log'), '1');
  });

  test('powers off by the power button, grows when its disk has grown, and treats a new instance-id as a first boot', async () => {
    await qemu.qmp('system_powerdown');
    assert.equal(await qemu.waitForEnd(powerOffTimeoutMs), 0);
    await run('qemu-img', ['resize', '-q', hardware().disk, '8G']);
    const runcmd = [['sh', '-c', 'echo "$1" >>/root/runs', 'sh', 'two  words']];
    await makeSeed(hardware().seed, 'iid-two', 'web-2', userData({ hostname: 'web-2', ssh_pwauth: false, runcmd }));

    qemu = new RawQemu(hardware());
    await qemu.waitForLogin('root', key.file, 'cat /root/runs', (runs) => runs === 'ran\ntwo  words');
    assert.equal(await asRoot('hostname; cat /root/kept'), 'web-2\nkept');
    await qemu.waitForLogin(
      'root',
      key.file,
      "df -k / | awk 'END { print $2 }'",
      (kib) => Number(kib) > 7.6 * 1024 ** 2,
    );
    assert.ok((await rootKib()) > 7.6 * 1024 ** 2);
  });

  test('survives having its plug pulled', async () => {
    await asRoot('echo synced >/root/synced && sync');
    await qemu.stop();
    qemu = new RawQemu(hardware());
    await qemu.waitForLogin('root', key.file);
    assert.equal(await asRoot('cat /root/synced /root/runs'), 'synced\nran\ntwo  words');
  });

  test('powers off by its own poweroff command', async () => {
    await asRoot('poweroff');
    assert.equal(await qemu.waitForEnd(powerOffTimeoutMs), 0);
  });
});

test('boots from IDE with the seed in a CD-ROM drive, on one core, and takes no password when the seed has none', async () => {
  const hardware = {
    ...{ directory, disk: join(directory, 'ide.qcow2'), seed: join(directory, 'ide.iso') },
    ...({ machine: 'pc', bus: 'ide', cores: 1, memoryMib: 512 } as const),
  };
  await makeSeed(hardware.seed, 'iid-ide', 'old-iron', { ssh_authorized_keys: [key.publicKey] });
  await makeOverlay(image, hardware.disk, 1);
  const qemu = new RawQemu(hardware);
  try {
    assert.equal(await qemu.waitForLogin('berth', key.file, 'hostname'), 'old-iron');
    assert.equal(await qemu.ssh('root', key.file, 'cut -d: -f1,2 /etc/shadow'), 'root:*\nberth:*');
    // The methods that the server still offers stand in the refusal.
    await assert.rejects(
      qemu.sshWithPassword('root', 'x', join(directory, 'askpass'), 'true'),
      /Permission denied \(publickey\)/,
    );
  } finally {
    await qemu.stop();
  }
});
