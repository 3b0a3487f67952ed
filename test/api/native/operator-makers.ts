// What tests make of what operators run: hosts and what belongs to them, prices, slots, credits.

import { parseId, toId } from '../../../src/api/native/id.ts';
import type { Database } from '../../../src/store/database.ts';

/** Sends a body and answers what came back; fails the test when it is refused. */
type Post = (path: string, body: object) => Promise<Record<string, string>>;

/** Makes one of each kind. @param next gives a number that no other has */
export function operatorMakers(database: Database, post: Post, next: () => number) {
  // Whose parts are made next: an example that names a part names its host first.
  let lastHost = '';
  const idOf = async (path: string, body: object) => (await post(path, body)).id ?? '';
  const oldestHost = () =>
    database.selectFrom('host').orderBy('created_at').select('id').limit(1).executeTakeFirstOrThrow();
  return {
    addressPool: () => idOf(`/hosts/${lastHost}/address-pools`, { cidr: `198.18.${next()}.0/24` }),
    host: async () => {
      const { host = '' } = await post('/hosts/enrolment-tokens', { name: `made-${next()}` });
      lastHost = host;
      await tell(database, host);
      return host;
    },
    price: () => idOf('/prices', { vcpu: `0.${next()}`, memoryGib: '0.1', storageGib: '0.01', publicIp: '0.05' }),
    slot: async () => {
      const size = { vcpus: 1, memoryGib: 1, diskGib: 1, prices: { hour: '0.1' } };
      return idOf('/slots', { host: toId('host', (await oldestHost()).id), name: `made-${next()}`, ...size });
    },
    transaction: () => idOf('/accounts/default/credits', { amount: '1', reason: 'a test' }),
  };
}

/** What a host's agent would tell of its machine. */
async function tell(database: Database, host: string): Promise<void> {
  const id = parseId('host', host) ?? '';
  const gpus = [{ id: 'GPU-1', name: 'NVIDIA GeForce RTX 3090', memoryMib: 24_576, cudaVersion: '12.6' }];
  const cpu = { manufacturer: 'AMD', brand: 'EPYC', architecture: 'Zen', generation: '3', model: 'AMD EPYC 7763' };
  const hardware = { cpu, memory: { type: 'DDR', generation: '4' }, gpus };
  const size = { cores: 64, memoryMib: 65_536, diskGib: 1_000 };
  const inventory = { ...size, cpuModel: cpu.model, storageType: 'SSD', hardware };
  await database
    .insertInto('host_health')
    .values({ host_id: id, last_seen_at: new Date(), inventory: JSON.stringify(inventory), strays: '[]' })
    .execute();
  await database
    .updateTable('host')
    .set({ vcpus_limit: 64, memory_mib_limit: 65_536, disk_gib_limit: 1_000, gpu_ids: ['GPU-1'] })
    .where('id', '=', id)
    .execute();
}
