// Requests a second over HTTPS through the ingress, beside those straight to the container: 32 clients, each on one connection
// that is kept. The two take turns.

import { Agent as HttpAgent, get as httpGet } from 'node:http';
import { Agent as HttpsAgent, get as httpsGet } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { nginxRequest, removeContainer, startContainers, untilRunning } from './containers.ts';
import { median } from './stack.ts';

const clients = 32;
const rounds = 5;
const roundMs = 4_000;

/** One request. */
type Ask = () => Promise<void>;

/** Requests a second of so many clients at once. */
async function rate(ask: Ask): Promise<number> {
  let answered = 0;
  const end = performance.now() + roundMs;
  const client = async () => {
    while (performance.now() < end) {
      await ask();
      answered += 1;
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  return (answered / roundMs) * 1_000;
}

const asker = (get: typeof httpGet, options: object): Ask => {
  return () =>
    new Promise((resolve, reject) => {
      get(options, (answer) => {
        if (answer.statusCode !== 200) reject(new Error(`answered ${answer.statusCode}`));
        answer.resume();
        answer.once('end', resolve);
      }).once('error', reject);
    });
};

const ground = await startContainers('127.59.130.0/24');
try {
  const { client, slot } = ground;
  const { id } = await client.instances.create(
    nginxRequest(slot, [
      { port: 80, protocol: 'tcp' },
      { port: 443, protocol: 'https' },
    ]),
  );
  const { address, container } = await untilRunning(client, id);
  const https = container?.publicPorts.find(({ protocol }) => protocol === 'https');
  const { hostname, port } = new URL(https?.url ?? '');
  const kept = { keepAlive: true, maxSockets: clients };
  const direct = asker(httpGet, { host: address, port: 80, agent: new HttpAgent(kept) });
  const ca = await ground.rootCertificate();
  const secure = asker(httpsGet as typeof httpGet, {
    ...{ host: '127.0.0.1', port: port || 443, servername: hostname, ca, headers: { host: hostname } },
    agent: new HttpsAgent(kept),
  });
  // The certificate is made at the first request.
  while (
    await secure().then(
      () => false,
      () => true,
    )
  )
    await sleep(20);
  const figures = { direct: [] as number[], ingress: [] as number[] };
  for (let round = 0; round < rounds; round += 1) {
    figures.direct.push(await rate(direct));
    figures.ingress.push(await rate(secure));
  }
  const ratio = median(figures.ingress) / median(figures.direct);
  process.stdout.write(
    `${JSON.stringify({
      bench: 'ingress',
      ratio: Number(ratio.toFixed(2)),
      ingressPerSecond: Math.round(median(figures.ingress)),
      directPerSecond: Math.round(median(figures.direct)),
    })}\n`,
  );
  await removeContainer(client, id, slot);
} finally {
  await ground.close();
}
