// What of an instance is changed at once: its name, its group, its machine, its open ports.

import Type from 'typebox';
import { reachInstance } from '../../app/access.ts';
import type { Caller } from '../../app/caller.ts';
import type { Context } from '../../app/context.ts';
import { updateInstances } from '../../app/instance.ts';
import { changeInstance } from '../../app/instance-act.ts';
import { readInstanceById } from '../../app/instance-list.ts';
import { cdromFaults, requireNone } from '../../app/vm-request.ts';
import type { Api } from '../types.ts';
import { Id, readId } from './id.ts';
import { currentInstance } from './instance.ts';
import { readInstance } from './instance-ref.ts';
import { InstanceSchema, PortSchema, toInstance } from './instance-shape.ts';
import { change } from './operation.ts';
import { Nullable, Shape, Text, Whole } from './shape.ts';

/** How fields are called here that use cases know by other names. */
const renames = {
  cores: 'vcpus',
  memory: 'memoryMib',
  hardware_profile: 'hardwareProfile',
  cdrom_url: 'cdromUrl',
  group_id: 'group',
  groupId: 'group',
};

const InstanceChange = Shape('InstanceChange', {
  name: Type.Optional(Text('web-2', 'Of a VM part of its host name', { maxLength: 200 })),
  group: Type.Optional(
    Id('group', "Another group; of a VM also one of another account, with its network and its account's money"),
  ),
  vcpus: Type.Optional(Whole(4, 'From its next start on')),
  memoryMib: Type.Optional(Whole(8192, 'From its next start on; in steps of 1024')),
  hardwareProfile: Type.Optional(Text('compatibility2013', 'From its next start on', { maxLength: 100 })),
  hardwareProfileLocked: Type.Optional(Type.Boolean({ examples: [false] })),
  autoreboot: Type.Optional(Type.Boolean({ description: 'Comes back on when it was switched off', examples: [true] })),
  cdromUrl: Type.Optional(Nullable(Text('https://images.example.com/rescue.iso', 'Null takes the CD out'))),
  keymap: Type.Optional(Nullable(Text('en-gb', 'Of its consoles', { maxLength: 100 }))),
});

/** The instance that a path names, for who may change it. */
export const reachForChange = (context: Context, caller: Caller, { instance }: { instance: string }) =>
  reachInstance(context, caller, readInstance(instance), 'vm_admin', instance);

/** Adds the routes. */
export function instanceChangeRoutes(api: Api): void {
  change(
    api,
    {
      id: 'updateInstance',
      tag: 'instances',
      summary: "Change an instance's name and group, or a VM's size and machine",
      description:
        'Of a container only the name and the group change. What a VM is made of counts from its next start on.',
      method: 'PATCH',
      path: '/instances/{instance}',
      body: InstanceChange,
      result: InstanceSchema,
      refusals: ['unsupported', 'no_suitable_offer', 'insufficient_balance', 'name_taken', 'wrong_state'],
      renames,
      example: { body: { name: 'web-2', vcpus: 4, memoryMib: 8192, autoreboot: true } },
      current: currentInstance,
      before: async ({ context, caller, params, body }) => {
        if (body.cdromUrl == null) return;
        await reachForChange(context, caller, params);
        requireNone(await cdromFaults(context, body.cdromUrl));
      },
    },
    async ({ context, caller, params, body }) => {
      const { group, ...rest } = body;
      const at = await reachForChange(context, caller, params);
      const groupId = group === undefined ? undefined : Number(readId('group', group, 'group'));
      // The CD's image was looked at before; here nothing waits for its server.
      const { readIso: _slow, ...quick } = context;
      await changeInstance(quick, caller, at, { ...rest, groupId });
      return toInstance(await readInstanceById(context, at.instance.id));
    },
  );

  change(
    api,
    {
      id: 'setInstancePorts',
      tag: 'instances',
      summary: "Say which of a VM's ports are open from outside, all others closed",
      method: 'PUT',
      path: '/instances/{instance}/ports',
      body: Shape('InstancePorts', { ports: Type.Array(PortSchema, { maxItems: 1_000 }) }),
      result: InstanceSchema,
      refusals: ['unsupported', 'wrong_state'],
      current: currentInstance,
    },
    async ({ context, caller, params, body }) => {
      const { principal, instance } = await reachForChange(context, caller, params);
      const fields = { list: '', name: 'name', portRules: 'ports' };
      await updateInstances(context, principal, [{ id: instance.id, portRules: body.ports }], fields);
      return toInstance(await readInstanceById(context, instance.id));
    },
  );
}
