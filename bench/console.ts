// The way of one key press: from OpenSSH's client at a VM's management address through server and agent into the guest, which
// echoes it, and back.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { deploySmall, type RealBerth, removeVm, startReal, untilActive } from './real.ts';
import { median } from './stack.ts';

const presses = 100;
/** Slower than people type, so that each press travels alone. */
const betweenMs = 50;

/** Lets the first account's user log in with the benchmark's key. */
async function authorize(berth: RealBerth, url: string): Promise<string> {
  const { username, password } = JSON.parse(await readFile(join(berth.directory, 'credentials.json'), 'utf8'));
  const json = { 'content-type': 'application/json' };
  const session = await fetch(`${url}/session`, {
    method: 'POST',
    headers: json,
    body: JSON.stringify({ username, password }),
  });
  const answer = await fetch(`${url}/users/${username}`, {
    method: 'PUT',
    headers: { ...json, authorization: `Bearer ${await session.text()}` },
    body: JSON.stringify({ authorized_keys: berth.publicKey }),
  });
  assert.equal(answer.status, 200, await answer.text());
  return username;
}

/** The address of the one VM's consoles. */
async function managementAddress(url: string, apiKey: string): Promise<string> {
  const headers = { authorization: `Bearer apikey.${apiKey}` };
  const machines = await fetch(`${url}/accounts/default/groups/default/virtual_machines`, { headers });
  const [vm] = (await machines.json()) as { management_address: string }[];
  return vm?.management_address ?? '';
}

const berth = await startReal('127.68.8.0/24');
try {
  const { url, apiKey } = JSON.parse(await readFile(join(berth.directory, 'credentials.json'), 'utf8'));
  const username = await authorize(berth, url);
  const { id } = await deploySmall(berth, 'console');
  await untilActive(berth, id);
  const options = [
    'StrictHostKeyChecking=no',
    'UserKnownHostsFile=/dev/null',
    'LogLevel=ERROR',
    'ConnectionAttempts=20',
  ];
  const place = `${username}@${await managementAddress(url, apiKey)}`;
  const key = join(berth.directory, 'bench-key');
  const args = ['-F', 'none', '-tt', '-i', key, ...options.flatMap((option) => ['-o', option]), place];
  const ssh = spawn('ssh', args, { stdio: ['pipe', 'pipe', 'inherit'] });
  let seen = '';
  ssh.stdout.on('data', (chunk: Buffer) => {
    seen += chunk.toString('latin1');
  });
  while (!seen.includes('login: ')) await once(ssh.stdout, 'data');
  // What else starts with a guest would be measured, too.
  await sleep(5_000);
  const took: number[] = [];
  for (let press = 0; press < presses; press += 1) {
    seen = '';
    const pressedMs = performance.now();
    // A letter, and back: a login's line is short.
    ssh.stdin.write(press % 2 === 0 ? 'x' : '\x7f');
    while (seen === '') await once(ssh.stdout, 'data');
    took.push(performance.now() - pressedMs);
    await sleep(betweenMs);
  }
  ssh.kill();
  await removeVm(berth, id);
  const p90 = took.toSorted((one, other) => one - other)[Math.floor(presses * 0.9)] ?? 0;
  const rounded = (ms: number) => Math.round(ms * 10) / 10;
  process.stdout.write(
    `${JSON.stringify({ bench: 'console', presses, medianMs: rounded(median(took)), p90Ms: rounded(p90) })}\n`,
  );
} finally {
  await berth.close();
}
