// Takes one real VM through everything that its owner can do with it by Bytemark's calls - backed up, made larger, restarted, imaged anew,
// restored, deleted, brought back, purged - and pulls the plug of server, agent and PostgreSQL while each of these is done.
// BERTH_TORTURE_SEED repeats the choices.

import assert from 'node:assert/strict';
import { copyFile, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { SeededEntropy } from '../../src/sim/chance.ts';
import { inGuest, traces, until, untilLogin } from '../agent/vm/support.ts';
import { makeSshKey } from '../support/berth.ts';
import { microImage } from '../support/images.ts';
import { type Market, untilAnswered } from './calls.ts';
import { deploy } from './clients.ts';
import { Ledger } from './ledger.ts';
import { endQemus, lookAtQemus, serveImage } from './qemu-host.ts';
import { leftovers, pullOnce, settle, type Torture } from './rounds.ts';
import { callServer } from './servers.ts';
import { readInstances } from './truth.ts';
import { type Part, parts, World } from './world.ts';

const seed = Number(process.env.BERTH_TORTURE_SEED ?? Date.now() % 2 ** 32);
const marker = '/root/kept';

test(`a real VM comes through every change with its plugs pulled (seed ${seed})`, async (t) => {
  const chance = new SeededEntropy(seed);
  const image = await microImage();
  const { host, server: imageServer } = await serveImage(image);
  const allowed = ['--allow-image-host', host];
  const world = await World.create({
    addressPool: '127.71.0.0/16',
    serverArguments: allowed,
    agentArguments: () => allowed,
  });
  const [first, second] = [await makeSshKey(world.directory), await makeSshKey(world.directory)];
  const constraints = { basicConfiguration: 'cpu-1-ram-1gb-storage-5gb' };
  const template = { constraints, osImage: `http://${host}/micro.qcow2`, sshKeys: [first.publicKey] };
  const ledger = new Ledger();
  const numberOf = (id: string) => world.numberOf(id);
  const market: Market = { url: world.url, apiKey: world.apiKey, ledger, chance, template, numberOf };
  const torture: Torture = { world, market, chance, look: () => lookAtQemus(world.agentDirectory) };
  const killed: Part[] = [];

  /** Does something while plugs are pulled, and waits until everybody agrees on what came of it. */
  async function whilePulling(label: string, work: () => Promise<unknown>): Promise<void> {
    await Promise.all([...parts.map((part) => pullOnce(torture, part, killed)), work()]);
    await settle(torture, `${label}, seed ${seed}`);
  }

  try {
    await mkdir(join(world.directory, 'images'), { recursive: true });
    await copyFile(image, join(world.directory, 'images', 'micro.qcow2'));
    await whilePulling('deployed', () => deploy(market, 'changed', 1));
    const [vm] = ledger.live();
    assert.ok(vm, 'it was accepted');
    const { address } = (await readInstances(world.database)).get(vm.id) ?? {};
    assert.ok(address);
    const number = await world.numberOf(vm.id);
    assert.ok(number);

    /** Asks until there is an answer, which must be a good one. */
    async function ask(method: string, path = '', body: object | null = null): Promise<unknown> {
      const answer = await untilAnswered(market, false, () => callServer(market, method, number as number, path, body));
      assert.ok(answer && answer.status < 300, `${method} ${path}: ${JSON.stringify(answer)}`);
      return answer.body;
    }
    /** The same of what can't be done twice: of one whose answer was lost a second one is refused, as it is under way. */
    async function askMaybeTwice(method: string, path: string, body: object | null = null): Promise<void> {
      let asked = 0;
      const answer = await untilAnswered(market, false, () => {
        asked += 1;
        return callServer(market, method, number as number, path, body);
      });
      const isDone = answer && (answer.status < 300 || (asked > 1 && answer.status === 400));
      assert.ok(isDone, `${method} ${path}, asked ${asked} times: ${JSON.stringify(answer)}`);
    }
    const guest = (key: { privateKeyFile: string }, command: string) => inGuest(key.privateKeyFile, address, command);
    const { discs } = (await ask('GET', '?view=overview')) as { discs: { id: number; size: number }[] };
    const [disc] = discs;
    assert.ok(disc);
    const backupsPath = `/discs/${disc.id}/backups`;

    await untilLogin(first.privateKeyFile, address);
    await guest(first, `echo first >${marker}; sync`);
    const bootId = await guest(first, 'cat /proc/sys/kernel/random/boot_id');
    await whilePulling('backed up', () => askMaybeTwice('POST', backupsPath));
    type Backup = { id: number; storage_grade: string };
    const finished = async () => {
      const backups = (await ask('GET', backupsPath)) as Backup[];
      const isFinished = backups.length > 0 && backups.every(({ storage_grade: grade }) => grade === 'iceberg');
      if (!isFinished) throw new Error(JSON.stringify(backups));
      return backups;
    };
    const [backup] = (await until('its backup is finished', finished, 240_000)) ?? [];
    assert.ok(backup);

    const largerMib = disc.size + 1024;
    await whilePulling('its disc made larger', () => ask('PUT', `/discs/${disc.id}`, { size: largerMib }));
    const sees = async () => Number(await guest(first, 'cat /sys/block/vda/size')) === largerMib * 2048;
    await until('the guest sees its larger disc', sees);
    assert.equal(await guest(first, 'cat /proc/sys/kernel/random/boot_id'), bootId, 'it ran on until here');

    vm.cores = 2;
    await whilePulling('given a core and restarted', async () => {
      await ask('PUT', '', { cores: 2 });
      await ask('PUT', '', { autoreboot_on: true, power_on: false });
    });
    await untilLogin(first.privateKeyFile, address);
    assert.equal(await guest(first, `nproc; cat ${marker}`), '2\nfirst');

    const switchOff = { autoreboot_on: false, power_on: false };
    const reimage = { distribution: 'micro', root_password: 'torture', ssh_public_key: second.publicKey };
    await whilePulling('imaged anew', async () => {
      await ask('PUT', '', switchOff);
      await askMaybeTwice('POST', '/reimage', reimage);
    });
    await untilLogin(second.privateKeyFile, address);
    assert.equal(await guest(second, `ls ${marker} 2>/dev/null; true`), '');

    const restoring = `${backupsPath}/${backup.id}`;
    await ask('PUT', '', switchOff);
    vm.power = 'off';
    await whilePulling('restored', () => askMaybeTwice('PUT', restoring, { restore: true }));
    vm.power = 'on';
    await whilePulling('started again', () => ask('PUT', '', { autoreboot_on: true, power_on: true }));
    // It is the system that was backed up, which has run before: it is told of no other key.
    await untilLogin(first.privateKeyFile, address);
    assert.equal(await guest(first, `cat ${marker}`), 'first');

    [vm.power, vm.hidden] = ['off', true];
    await whilePulling('deleted', () => ask('DELETE'));
    [vm.power, vm.hidden] = ['on', false];
    await whilePulling('brought back', async () => {
      await ask('PUT', '', { deleted: false });
      await ask('PUT', '', { autoreboot_on: true, power_on: true });
    });
    await untilLogin(first.privateKeyFile, address);
    assert.equal(await guest(first, `cat ${marker}`), 'first');

    ledger.orderDeletion([vm.id], 'ordered');
    await whilePulling('purged', () =>
      untilAnswered(market, false, () => callServer(market, 'DELETE', number, '?purge=true')),
    );
    assert.deepEqual(await leftovers(torture), []);
    assert.deepEqual(await traces(world.agentDirectory, vm.id), []);
    const disks = async () => readdir(join(world.agentDirectory, 'disk')).catch(() => []);
    assert.deepEqual(
      (await disks()).filter((name) => /^[0-9a-f]{8}/.test(name)),
      [],
    );
    t.diagnostic(`killed: ${killed.join(', ')}`);
  } finally {
    await world.kill('agent');
    await endQemus(world.agentDirectory);
    await world.close({ keep: process.env.BERTH_TORTURE_KEEP !== undefined });
    imageServer.closeAllConnections();
    imageServer.close();
  }
});
