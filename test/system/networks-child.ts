// The whole of Berth inside of a network namespace of a test's, with a host that connects VMs in networks: `DIRECTORY`. It makes
// a VM at addresses that were chosen, uses it, purges it, and prints what it saw as one line of JSON.

import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { addIpRange } from '../../src/app/ip-range.ts';
import { asOperator } from '../api/bytemark/identity.ts';
import { call, createBody, created, machines, overview } from '../api/bytemark/vms.ts';
import { makeSshKey, startTestBerth, until } from '../support/berth.ts';

/** What was seen. */
export interface Seen {
  ips: string[];
  vlan: number;
  /** As the guest has it. */
  ipv6: string;
  /** The guest's name, by way of an additional address. */
  additional: string;
  /** What the host has left of it in the end. */
  links: string;
}

const [directory = ''] = process.argv.slice(2);
const [ipv4, ipv6] = ['10.5.0.50', '2001:db8:5::50'];
const name = 'networked';
const run = promisify(execFile);

const berth = await startTestBerth({
  agent: 'real',
  directory,
  addressPool: '10.77.0.0/24',
  up: { network: { mode: 'bridge', translates: true } },
});
const key = await makeSshKey(directory);

/** What a command prints in the guest. */
async function inGuest(address: string, command: string): Promise<string> {
  const options = ['BatchMode=yes', 'StrictHostKeyChecking=no', 'UserKnownHostsFile=/dev/null', 'ConnectTimeout=20'];
  const words = ['-i', key.privateKeyFile, ...options.flatMap((option) => ['-o', option])];
  return (await run('ssh', [...words, `root@${address}`, command], { timeout: 60_000 })).stdout.trim();
}

/** What is said at once by who listens there; '' when nobody does. */
function said(address: string, port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, address).setTimeout(10_000);
    const end = (text: string) => {
      socket.destroy();
      resolve(text);
    };
    socket.once('data', (data) => end(String(data).trim()));
    socket.once('error', () => end(''));
    socket.once('timeout', () => end(''));
  });
}

async function look(): Promise<Omit<Seen, 'links'>> {
  const vlan = await asOperator(berth, async (context) => {
    const group = await context.database.selectFrom('group').select('vlan_num').executeTakeFirstOrThrow();
    for (const range of ['10.5.0.0/24', '2001:db8:5::/64']) {
      await addIpRange(context, { range, vlanNum: group.vlan_num });
    }
    return group.vlan_num;
  });
  const body = createBody({ name }, { ips: { ipv4, ipv6 } });
  await created(berth, { ...body, reimage: { ...body.reimage, ssh_public_key: key.publicKey } });
  const isIn = () =>
    inGuest(ipv4, 'true').then(
      () => true,
      () => false,
    );
  await until('the guest lets us in', isIn, 240_000);
  const nic = (await overview(berth, name)).network_interfaces?.[0];
  const own = await inGuest(ipv4, `ip -6 addr | grep -o '${ipv6}/64'`);
  await inGuest(ipv4, '(while true; do echo here | nc -l -p 8080; done) >/dev/null 2>&1 &');
  await until('port 8080 answers', async () => (await said(ipv4, 8080)) === 'here', 60_000);
  const added = await call<{ ips: string[] }>(berth, 'POST', `${machines}/${name}/nics/${nic?.id}/ip_create`, {});
  const [additional = ''] = added.body.ips;
  await inGuest(ipv4, `ip addr add ${additional}/32 dev lo`);
  const leads = async () => (await said(additional, 8080)) === 'here';
  await until('the additional address leads there', leads, 60_000);
  return { vlan, ips: nic?.ips ?? [], ipv6: own, additional: await inGuest(additional, 'hostname') };
}

/** Purges the VM, and waits until its host has nothing of it any more, or of its network. */
async function leave(): Promise<string> {
  await call(berth, 'DELETE', `${machines}/${name}?purge=true`);
  await until('nothing is left', async () => (await readdir(join(directory, 'agent', 'vm'))).length === 0);
  let links = '';
  const isGone = async () => {
    links = (await run('ip', ['-br', 'link'], { env: { PATH: `${process.env.PATH}:/usr/sbin:/sbin` } })).stdout;
    return !/^[bt]v/m.test(links);
  };
  await until('its network is gone', isGone, 30_000);
  return links;
}

try {
  const [seen] = await Promise.allSettled([look()]);
  const links = await leave();
  if (seen.status === 'rejected') throw seen.reason;
  console.log(JSON.stringify({ ...seen.value, links }));
} finally {
  await berth.close();
}
