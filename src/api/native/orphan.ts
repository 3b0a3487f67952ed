// Orphans: what hosts have and nobody owns. An operator looks at them, and has them removed.

import Type, { type Static } from 'typebox';
import { requireCluster } from '../../app/access.ts';
import { showHost } from '../../app/host-terms.ts';
import { findOrphan, listOrphans, removeOrphan, type SeenOrphan } from '../../app/orphan.ts';
import type { Api } from '../types.ts';
import { Id, readId, sampleOrphan, toId } from './id.ts';
import { readInstance } from './instance-ref.ts';
import { change, read } from './operation.ts';
import { PageOf, pageQuery, readWindow, toPage } from './page.ts';
import { Nullable, Shape, Text, Time, toTime, Whole } from './shape.ts';

const OrphanSchema = Shape('Orphan', {
  instance: Id('instance', 'The id that it was made with'),
  host: Id('host'),
  state: Text('running'),
  address: Nullable(Text('203.0.113.7', 'Kept from others')),
  vcpus: Whole(2, '0 where its host can not tell'),
  memoryMib: Whole(4_096, '0 where its host can not tell'),
  diskGib: Whole(25, '0 where its host can not tell'),
  seenAt: Time(),
  removing: Type.Boolean({ description: 'Whether its host was told to remove it', examples: [false] }),
});

const toOrphan = (row: SeenOrphan): Static<typeof OrphanSchema> => ({
  instance: toId('instance', row.instanceId),
  host: toId('host', row.hostId),
  ...{ state: row.state, address: row.address },
  ...{ vcpus: row.vcpus, memoryMib: row.memoryMib, diskGib: row.diskGib },
  ...{ seenAt: toTime(row.seenAt), removing: row.removing },
});

/** Adds the routes. */
export function orphanRoutes(api: Api): void {
  const forOperators = { tag: 'orphans', isForOperators: true } as const;
  const path = '/orphans/{orphan}';

  read(
    api,
    {
      ...{ ...forOperators, id: 'listOrphans', path: '/orphans' },
      summary: 'What hosts have and nobody owns; it is shown, and its addresses kept from others',
      query: { ...pageQuery, host: Type.Optional(Id('host', 'Only what this host has')) },
      result: PageOf('OrphanPage', OrphanSchema),
      refusals: ['not_found'],
    },
    async ({ context, caller, query }) => {
      requireCluster(caller);
      const { host } = query;
      const hostId = host === undefined ? undefined : (await showHost(context, readId('host', host, 'host'))).id;
      const { limit, after } = readWindow(query, 1);
      const rows = await listOrphans(context, { hostId, limit: limit + 1, after: after?.[0] });
      return toPage(rows, limit, ({ instanceId }) => [instanceId], toOrphan);
    },
  );

  const example = { params: { orphan: sampleOrphan } };
  read(
    api,
    { ...{ ...forOperators, id: 'getOrphan', path, example }, summary: 'An orphan', result: OrphanSchema },
    async ({ context, caller, params }) => {
      requireCluster(caller);
      return toOrphan(await findOrphan(context, readInstance(params.orphan)));
    },
  );

  change(
    api,
    {
      ...{ ...forOperators, id: 'deleteOrphan', method: 'DELETE', path, example, status: 202 },
      summary: 'Have an orphan switched off and erased, for good',
      description: [
        'Its host is told, and says when nothing of it is left; then it is no longer listed. Of a VM that the host has no record of',
        'any more, which disks were its own is not known: they stay, and are among what the host finds that belongs to nothing.',
      ].join(' '),
      result: OrphanSchema,
      current: async ({ context, caller, params }) => {
        requireCluster(caller);
        return toOrphan(await findOrphan(context, readInstance(params.orphan)));
      },
    },
    async ({ context, caller, params }) => {
      requireCluster(caller);
      const id = readInstance(params.orphan);
      await removeOrphan(context, id, caller.actor);
      return toOrphan(await findOrphan(context, id));
    },
  );
}
