// A VM whose hypervisor dies again and again is brought back again and again, however soon after its last start it dies.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestBerth, until } from '../support/berth.ts';

const sshKey = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f test';

test('a VM that dies right after each start is brought back each time, and its owner is told', async (t) => {
  const berth = await startTestBerth({
    agent: { behaviour: { deathChance: 1 } },
    addressPool: '127.47.1.0/24',
    up: { patience: { backoffMsMin: 10, backoffMsMax: 20 } },
  });
  t.after(() => berth.close());
  const osImage = 'https://images.example.com/small.qcow2';
  const vmConfiguration = { name: 'unlucky', osImage, sshKeys: [sshKey], openPorts: [] };
  const deployed = await berth.call('POST', '/vms/v3', { vmConfiguration });
  assert.equal(deployed.status, 201);
  // An agent that saw it dead, and dead again, and took that for no change would leave it at the second death.
  await until(
    'it has died five times',
    async () => {
      const { body } = await berth.call<{ items: { kind: string }[] }>('GET', '/berth/v1/events?limit=1000');
      return body.items.filter(({ kind }) => kind === 'vm.died').length >= 5;
    },
    30_000,
  );
});
