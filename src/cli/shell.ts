// Reaching a VM as its owner would: a key pair of its own, the wait for the SSH banner, the machine's own `ssh` with a
// script, and a look at ports from outside. Everything has a bound and ends with the signal.

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const connectTimeoutMs = 3_000;
/**
 * How long the other side may take to say something. A connection that was made before the guest had a network is lost,
 * so the first attempts are short; a busy guest needs longer ones.
 */
const silenceMsMin = 700;
const silenceMsMax = 8_000;
const silenceGrowth = 1.15;
const retryMs = 250;
/** `ssh` gives up a silent server after this many seconds. */
const sshConnectTimeoutSeconds = 15;
/** A script in a guest under emulation takes some seconds. */
const scriptTimeoutMs = 60_000;
const outputCharactersMax = 20_000;

/** Someone who can log in. */
export interface Login {
  user: string;
  address: string;
  /** Holds `key` and `known_hosts`. */
  directory: string;
}

/** Makes an ed25519 key pair, `key` and `key.pub`. @returns the public line */
export async function makeKeyPair(directory: string, signal: AbortSignal): Promise<string> {
  const file = join(directory, 'key');
  const options = ['-q', '-t', 'ed25519', '-N', '', '-C', 'berth-demo', '-f', file];
  await promisify(execFile)('ssh-keygen', options, { signal, timeout: scriptTimeoutMs });
  return (await readFile(`${file}.pub`, 'utf8')).trim();
}

/**
 * Waits until the SSH server at an address says its name.
 * @returns the banner, such as `SSH-2.0-dropbear`
 * @throws Error after `timeoutMs`, or the signal's reason
 */
export async function waitForBanner(
  address: string,
  timeoutMs: number,
  signal: AbortSignal,
  port = 22,
): Promise<string> {
  const deadline = performance.now() + timeoutMs;
  for (let silenceMs = silenceMsMin; ; silenceMs = Math.min(silenceMs * silenceGrowth, silenceMsMax)) {
    const { said } = await knock(address, port, '', signal, silenceMs);
    if (said.startsWith('SSH-')) return said.split(/\r?\n/, 1)[0] ?? said;
    if (performance.now() > deadline) {
      throw new Error(`No SSH server has answered at ${address}:${port} within ${Math.round(timeoutMs / 1000)} s.`);
    }
    await sleep(retryMs, undefined, { signal });
  }
}

/** What became of a connection: whether it was taken, and the first that was said. */
export interface Knock {
  open: boolean;
  said: string;
}

/** Connects to a TCP port, sends `hello` where there is one, and reads until the other side has said something or hung up. */
export async function knock(
  address: string,
  port: number,
  hello: string,
  signal: AbortSignal,
  silenceMs = silenceMsMax,
): Promise<Knock> {
  signal.throwIfAborted();
  return new Promise<Knock>((resolve, reject) => {
    const socket = connect({ host: address, port });
    const knock: Knock = { open: false, said: '' };
    const end = () => {
      signal.removeEventListener('abort', abort);
      socket.destroy();
      resolve(knock);
    };
    const abort = () => {
      socket.destroy();
      reject(signal.reason);
    };
    signal.addEventListener('abort', abort, { once: true });
    socket.setTimeout(connectTimeoutMs, end);
    socket.once('connect', () => {
      knock.open = true;
      socket.setTimeout(silenceMs);
      if (hello !== '') socket.write(hello);
    });
    socket.on('data', (chunk) => {
      knock.said += chunk.toString('latin1');
      // A greeting is a line; an answer to a hello is everything until the other side hangs up.
      if ((hello === '' && knock.said.includes('\n')) || knock.said.length > outputCharactersMax) end();
    });
    socket.once('error', end);
    socket.once('close', end);
  });
}

/** The options that make `ssh` use the demo's own files and ask nobody anything. */
export function sshArguments({ user, address, directory }: Login): string[] {
  const options = {
    BatchMode: 'yes',
    ConnectTimeout: sshConnectTimeoutSeconds,
    IdentitiesOnly: 'yes',
    IdentityFile: join(directory, 'key'),
    LogLevel: 'ERROR',
    StrictHostKeyChecking: 'accept-new',
    UserKnownHostsFile: join(directory, 'known_hosts'),
  };
  // `-F none`: what the user has configured for the hosts of this world is not meant for this one.
  return [
    '-F',
    'none',
    ...Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`]),
    `${user}@${address}`,
  ];
}

/** What a program printed, and how it ended. */
export interface ScriptResult {
  status: number | null;
  output: string;
  complaint: string;
}

/** Runs a script in the VM's shell, by `ssh`. */
export async function runInVm(login: Login, script: string, signal: AbortSignal): Promise<ScriptResult> {
  signal.throwIfAborted();
  const child = spawn('ssh', [...sshArguments(login), 'sh -s'], {
    stdio: ['pipe', 'pipe', 'pipe'],
    signal,
    timeout: scriptTimeoutMs,
  });
  const result: ScriptResult = { status: null, output: '', complaint: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    result.output = (result.output + text).slice(0, outputCharactersMax);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    result.complaint = (result.complaint + text).slice(-outputCharactersMax);
  });
  child.stdin.on('error', () => {}); // ssh ended before it had read all; its status tells
  child.stdin.end(script);
  [result.status] = (await once(child, 'close')) as [number | null];
  return result;
}

/**
 * Runs a script in the VM's shell as soon as it lets us in: an image may start its SSH server before it has put the key
 * in its place.
 * @throws Error with what `ssh` said last, after `timeoutMs`
 */
export async function runWhenLetIn(
  login: Login,
  script: string,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<ScriptResult> {
  /** What `ssh` itself ends with when it could not get in. */
  const sshFailed = 255;
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const result = await runInVm(login, script, signal);
    if (result.status === 0) return result;
    if (result.status !== sshFailed) {
      throw new Error(`The shell in the VM ended with status ${result.status}: ${result.complaint.trim()}`);
    }
    if (performance.now() > deadline) {
      const said = result.complaint.trim().split('\n').at(-1) || 'nothing';
      throw new Error(`ssh ${login.user}@${login.address} was not let in; it said: ${said}`);
    }
    await sleep(retryMs * 4, undefined, { signal });
  }
}
