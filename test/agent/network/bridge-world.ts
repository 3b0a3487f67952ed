// A host for the test of networks: a network namespace with a driver of VMs in it, and beyond it another one that is the
// internet, the operator's network and a cloud at once. All of it is the test's own.

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Order } from './bridge-child.ts';

const run = promisify(execFile);
const childFile = join(import.meta.dirname, 'bridge-child.ts');
const path = { PATH: `${process.env.PATH}:/usr/sbin:/sbin` };

/** Addresses of the wire between the two. */
export const hostAddress = '198.51.100.1';
export const outsideAddress = '198.51.100.2';
export const hostAddress6 = '2001:db8:ffff::1';
export const outsideAddress6 = '2001:db8:ffff::2';
export const innerAddress = '172.30.0.2';
/** What clouds answer at. */
export const metadataAddress = '169.254.169.254';

/** Runs a program and gives what it prints. */
export async function execute(file: string, ...words: string[]): Promise<string> {
  return (await run(file, words, { timeout: 60_000, env: { ...process.env, ...path } })).stdout.trim();
}

/** The two namespaces, and what runs in them. */
export class World {
  readonly host = `bn${process.pid}h`;
  readonly outside = `bn${process.pid}o`;
  /** Behind a bridge of the host's that has nothing to do with VMs, as containers are. */
  readonly inner = `bn${process.pid}i`;
  readonly #directory: string;
  readonly #servers: ChildProcess[] = [];
  #agent: ChildProcess | undefined;
  #last: Promise<unknown> = Promise.resolve();

  /** @param directory of the driver */
  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Makes the namespaces, and routes from outside to what is behind the host. */
  async open(routes: readonly string[]): Promise<void> {
    const ip = (...words: string[]) => execute('ip', ...words);
    await ip('netns', 'add', this.host);
    await ip('netns', 'add', this.outside);
    await ip('netns', 'add', this.inner);
    await ip('-n', this.host, 'link', 'add', 'docker0', 'type', 'bridge');
    await ip('link', 'add', 'in0', 'netns', this.host, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', this.inner);
    await ip('-n', this.host, 'link', 'set', 'in0', 'up', 'master', 'docker0');
    await ip('-n', this.host, 'link', 'set', 'docker0', 'up');
    await ip('-n', this.host, 'addr', 'add', '172.30.0.1/24', 'dev', 'docker0');
    await ip('-n', this.inner, 'link', 'set', 'eth0', 'up');
    await ip('-n', this.inner, 'addr', 'add', `${innerAddress}/24`, 'dev', 'eth0');
    await ip('-n', this.inner, 'route', 'add', 'default', 'via', '172.30.0.1');
    await ip('link', 'add', 'up0', 'netns', this.host, 'type', 'veth', 'peer', 'name', 'up0', 'netns', this.outside);
    const ends = [
      [this.host, hostAddress, hostAddress6],
      [this.outside, outsideAddress, outsideAddress6],
    ] as const;
    for (const [namespace, ipv4, ipv6] of ends) {
      await ip('-n', namespace, 'link', 'set', 'lo', 'up');
      await ip('-n', namespace, 'link', 'set', 'up0', 'up');
      await ip('-n', namespace, 'addr', 'add', `${ipv4}/30`, 'dev', 'up0');
      await ip('-n', namespace, 'addr', 'add', `${ipv6}/64`, 'dev', 'up0', 'nodad');
    }
    await ip('-n', this.host, 'route', 'add', 'default', 'via', outsideAddress);
    await ip('-n', this.host, 'route', 'add', 'default', 'via', outsideAddress6);
    // As Docker leaves a host.
    for (const program of ['iptables', 'ip6tables']) {
      for (const rule of ['-P FORWARD DROP', '-N DOCKER-USER', '-A FORWARD -j DOCKER-USER']) {
        await this.in(this.host, program, ...rule.split(' '));
      }
    }
    await ip('-n', this.outside, 'addr', 'add', `${metadataAddress}/32`, 'dev', 'up0');
    for (const route of routes) {
      const via = route.includes(':') ? hostAddress6 : hostAddress;
      await ip('-n', this.outside, 'route', 'add', route, 'via', via);
    }
  }

  /** Starts a driver; one that was killed is succeeded so. */
  async startAgent(): Promise<void> {
    const inside = [`--net=/run/netns/${this.host}`, '--', process.execPath, childFile, this.#directory];
    this.#agent = spawn('nsenter', inside, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    await this.#answer();
  }

  /** Has the driver do something, after all that it was told before. @throws Error with what went wrong there */
  order(order: Order): Promise<void> {
    const ask = () => {
      this.#agent?.send(order);
      return this.#answer();
    };
    const answered = this.#last.then(ask, ask);
    this.#last = answered.catch(() => {});
    return answered;
  }

  /** Ends the driver at once, in the middle of whatever it does. */
  async killAgent(): Promise<void> {
    this.#agent?.kill('SIGKILL');
    if (this.#agent) await once(this.#agent, 'exit');
    this.#agent = undefined;
  }

  async #answer(): Promise<void> {
    const agent = this.#agent;
    if (!agent) throw new Error('There is no driver.');
    const calledOff = new AbortController();
    const ended = once(agent, 'exit', calledOff).then(() => [{ error: 'the driver ended' }]);
    const answered = once(agent, 'message', calledOff);
    for (const one of [ended, answered]) one.catch(() => {}); // whichever is later
    const [{ error }] = (await Promise.race([answered, ended])) as [{ error: string | null }];
    calledOff.abort();
    if (error !== null) throw new Error(error);
  }

  /** Runs a program in one of the namespaces. */
  in(namespace: string, ...words: string[]): Promise<string> {
    return execute('nsenter', `--net=/run/netns/${namespace}`, '--', ...words);
  }

  /** Serves a word, with the address of who asks for it, on a TCP port of all addresses of a namespace. */
  async serve(namespace: string, word: string, port: number): Promise<void> {
    const code =
      `require('net').createServer((s) => { s.on('error', () => {}); s.end('${word} ' + s.remoteAddress + '\\n'); })` +
      `.listen(${port}, '::', () => console.log('ready'))`;
    const inside = [`--net=/run/netns/${namespace}`, '--', process.execPath, '-e', code];
    const server = spawn('nsenter', inside, { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#servers.push(server);
    await once(server.stdout, 'data');
  }

  /** What is said at once by who listens there; '' when nobody is reached within three seconds. */
  async connect(namespace: string, address: string, port: number): Promise<string> {
    const code =
      `const s = require('net').connect(${port}, '${address}'); s.setTimeout(3000, () => process.exit()); ` +
      `s.on('error', () => process.exit()); s.once('data', (d) => { console.log(String(d).trim()); process.exit(); })`;
    return await this.in(namespace, process.execPath, '-e', code);
  }

  /** Removes everything. What still runs in a namespace keeps it, so guests have to be erased first. */
  async close(): Promise<void> {
    await this.killAgent();
    for (const server of this.#servers) server.kill();
    for (const namespace of [this.host, this.outside, this.inner])
      await execute('ip', 'netns', 'del', namespace).catch(() => {});
  }
}
