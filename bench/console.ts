// The way of one key press: from OpenSSH's client at a VM's management address, or from a WebSocket, through server and agent into
// the guest, which echoes it, and back.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Berth } from '../sdk/berth.ts';
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

/** A terminal: what it shows since it was wiped, and where something is typed. */
interface Terminal {
  seen: string;
  type(text: string): void;
  /** Resolves when more is shown. */
  more(): Promise<unknown>;
}

/** How long key presses take, and says so. */
async function measure(by: string, terminal: Terminal): Promise<void> {
  while (!terminal.seen.includes('login: ')) await terminal.more();
  // What else starts with a guest would be measured, too.
  await sleep(5_000);
  const took: number[] = [];
  for (let press = 0; press < presses; press += 1) {
    terminal.seen = '';
    const pressedMs = performance.now();
    // A letter, and back: a login's line is short.
    terminal.type(press % 2 === 0 ? 'x' : '\x7f');
    while (terminal.seen === '') await terminal.more();
    took.push(performance.now() - pressedMs);
    await sleep(betweenMs);
  }
  const p90 = took.toSorted((one, other) => one - other)[Math.floor(presses * 0.9)] ?? 0;
  const rounded = (ms: number) => Math.round(ms * 10) / 10;
  const line = { bench: 'console', by, presses, medianMs: rounded(median(took)), p90Ms: rounded(p90) };
  process.stdout.write(`${JSON.stringify(line)}\n`);
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
  const bySsh: Terminal = {
    seen: '',
    type: (text) => ssh.stdin.write(text),
    more: () => once(ssh.stdout, 'data'),
  };
  ssh.stdout.on('data', (chunk: Buffer) => {
    bySsh.seen += chunk.toString('latin1');
  });
  await measure('ssh', bySsh);
  ssh.kill();
  const door = await new Berth({ url, apiKey }).instances.open(id, 'console');
  const byWeb: Terminal = {
    seen: '',
    type: (text) => door.write(text),
    more: () => once(door.socket, 'message'),
  };
  door.onData((bytes) => {
    byWeb.seen += Buffer.from(bytes).toString('latin1');
  });
  await measure('WebSocket', byWeb);
  door.close();
  await removeVm(berth, id);
} finally {
  await berth.close();
}
