// What has to be done inside of a network namespace for the test of the wall around containers: `COMMAND ARGUMENTS...`.

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { ContainerWalls } from '../../../src/agent/network/container-walls.ts';
import { removeDockerDaemon, startDockerDaemon } from '../../../src/host/docker-daemon.ts';

/** A DNS answer of one address to any question. */
function answerTo(question: Buffer, address: string): Buffer {
  const header = Buffer.from(question.subarray(0, 12));
  header.writeUInt16BE(0x8180, 2);
  const isForAddress = question.readUInt16BE(question.length - 4) === 1;
  header.writeUInt16BE(isForAddress ? 1 : 0, 6);
  header.fill(0, 8);
  const record = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, ...address.split('.').map(Number)]);
  return Buffer.concat([header, question.subarray(12), ...(isForAddress ? [record] : [])]);
}

const [command, ...words] = process.argv.slice(2);
const commands: Record<string, () => Promise<void>> = {
  /** DIRECTORY: starts an Engine. */
  engine: async () => {
    await startDockerDaemon(words[0] ?? '');
  },
  /** DIRECTORY: removes it. */
  remove: () => removeDockerDaemon(words[0] ?? ''),
  /** RESOLVER_FILES...: makes sure of the wall. */
  admit: () => new ContainerWalls(words).admit(),
  mend: async () => {
    console.log(await new ContainerWalls(words).mend());
  },
  dismiss: () => new ContainerWalls().dismiss(),
  /** WORD PORT: serves a word, and the address of who asks for it, on all addresses. */
  serve: async () => {
    const [word, port] = words;
    const server = createServer((request, answer) => answer.end(`${word} ${request.socket.remoteAddress}\n`));
    await once(server.listen(Number(port), '::'), 'listening');
    console.log('ready');
  },
  /** ADDRESS ANSWER: a resolver that gives the same answer to all. */
  resolve: async () => {
    const [address, answer = ''] = words;
    const socket = createSocket('udp4');
    socket.on('message', (question, from) => socket.send(answerTo(question, answer), from.port, from.address));
    socket.bind(53, address);
    await once(socket, 'listening');
    console.log('ready');
  },
  /** URL: fetches it. */
  fetch: async () => {
    const answer = await fetch(words[0] ?? '', { signal: AbortSignal.timeout(3_000) });
    console.log((await answer.text()).trim());
  },
};
await commands[command ?? '']?.();
