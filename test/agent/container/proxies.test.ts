// The agent's own way to a container's TCP ports, for when the Engine takes them to be taken.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import type { ContainerSpec } from '../../../src/agent/container/driver.ts';
import { ensureProxies, killProxies } from '../../../src/agent/container/proxies.ts';
import { DriverFailure } from '../../../src/agent/driver.ts';
import { processIds, processProgram } from '../../../src/host/process.ts';

const [address, ip] = ['127.44.201.1', '127.44.201.2'];
const port = 8070;
const container = createServer((_request, response) => response.end('here'));
const spec = {
  address,
  ports: [
    { hostPort: port, protocol: 'tcp' },
    { hostPort: port + 1, protocol: 'https' },
  ],
} as unknown as ContainerSpec;

before(async () => {
  container.listen(port, ip);
  await once(container, 'listening');
});
after(async () => {
  await killProxies(ip);
  container.close();
});

const proxies = () => processIds().filter((pid) => processProgram(pid) === 'docker-proxy');
const page = () => fetch(`http://${address}:${port}/`).then((answer) => answer.text());

test('leads to each TCP port once, however often it is made sure of, and is gone when it is ended', async () => {
  const before = proxies();
  await ensureProxies(spec, ip);
  assert.equal(await page(), 'here');
  const own = proxies().filter((pid) => !before.includes(pid));
  assert.equal(own.length, 1, 'the HTTPS port is the ingress’s');
  await ensureProxies(spec, ip);
  assert.deepEqual(
    proxies().filter((pid) => !before.includes(pid)),
    own,
  );
  await killProxies('127.44.201.3');
  assert.equal(await page(), 'here', 'somebody else’s end is not its own');
  await killProxies(ip, address);
  await assert.rejects(page);
});

test('says that a port is taken by another program', async () => {
  const other = createServer().listen(port, address);
  await once(other, 'listening');
  await assert.rejects(ensureProxies(spec, ip), (error) => {
    return error instanceof DriverFailure && error.code === 'PORT_CONFLICT' && !error.permanent;
  });
  other.close();
});
