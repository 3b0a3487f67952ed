// What changes a VM that is there: its name, its size, its machine, and what is open.

import type { InstanceChange, Port } from '../../../sdk/generated/types.ts';
import { option, type Verb } from '../command.ts';
import { UsageError } from '../exit.ts';
import { find, vmKind } from '../find.ts';
import { sizeMib, vmPorts, wholeNumber } from '../units.ts';
import { actVerb } from '../verbs.ts';

interface SetOptions {
  vcpus?: number;
  memory?: number;
  hardware?: string;
  lockHardware?: boolean;
  autoreboot?: boolean;
  cd?: string;
  keymap?: string;
  group?: string;
}

const same = (one: Port) => (other: Port) => one.port === other.port && one.protocol === other.protocol;
const list = (ports: readonly Port[]) => ports.map(({ port, protocol }) => `${port}/${protocol}`).join(' ') || 'none';

/** A verb that sets which ports are open, given those that are and those that are named. */
function portsVerb(verb: string, description: string, merge: (now: Port[], named: Port[]) => Port[]): Verb {
  return actVerb({
    usage: `ports ${verb} <VM> <PORT...>`,
    description,
    operation: 'setInstancePorts',
    examples: [`vm ports ${verb} web-1 80/tcp 443/tcp`, `vm ports ${verb} web-1 53/udp`],
    async act(desk, [text = '', ...named]) {
      const vm = await find(desk, vmKind, text);
      const ports = merge(vm.ports, vmPorts(named));
      // Whoever else changes them in between is not undone.
      const value = await desk.berth.instances.setPorts(vm.id, { ports }, { ifMatch: desk.berth.etagOf(vm) });
      return { value, done: `Open at ${value.name}: ${list(value.ports)}.` };
    },
  });
}

/** The verbs. */
export const changeVerbs: readonly Verb[] = [
  actVerb({
    usage: 'rename <VM> <NAME>',
    description: 'give a VM another name',
    operation: 'updateInstance',
    examples: ['vm rename web-1 web-old', 'vm rename ins_3b1c5f0a9d8e7c6b5a4f3e2d1c0b9a8f7e6d5c4b web-2'],
    async act(desk, [text = '', name = '']) {
      const vm = await find(desk, vmKind, text);
      return { value: await desk.berth.instances.update(vm.id, { name }), done: `VM ${vm.name} is ${name} now.` };
    },
  }),
  actVerb<SetOptions>({
    usage: 'set <VM>',
    description: 'change the size or the machine of a VM, from its next start on',
    operation: 'updateInstance',
    examples: ['vm set web-1 --vcpus 4 --memory 8GiB', 'vm set web-1 --autoreboot', 'vm set web-1 --cd none'],
    options: [
      option('--vcpus <N>', 'how many', wholeNumber),
      option('--memory <SIZE>', 'such as 8GiB', sizeMib),
      option('--hardware <PROFILE>', 'its hardware profile, such as virtio2013'),
      option('--lock-hardware', 'keep its hardware profile as it is'),
      option('--no-lock-hardware', 'let it follow what is usual'),
      option('--autoreboot', 'let it come back on when it was switched off'),
      option('--no-autoreboot', 'let it stay off'),
      option('--cd <URL>', 'put a CD in; "none" takes it out'),
      option('--keymap <KEYMAP>', 'its console\'s keyboard; "none" is the usual one'),
      option('--group <GROUP>', 'put it into another group'),
    ],
    async act(desk, [text = ''], options) {
      const change: InstanceChange = {
        ...{ vcpus: options.vcpus, memoryMib: options.memory, hardwareProfile: options.hardware },
        ...{ hardwareProfileLocked: options.lockHardware, autoreboot: options.autoreboot, group: options.group },
        ...{ cdromUrl: orNone(options.cd), keymap: orNone(options.keymap) },
      };
      if (Object.values(change).every((value) => value === undefined)) {
        throw new UsageError('Nothing is to be changed; "berth vm set --help" shows what can be.');
      }
      const vm = await find(desk, vmKind, text);
      const value = await desk.berth.instances.update(vm.id, change);
      return { value, done: `VM ${value.name} is changed; what it is made of counts from its next start on.` };
    },
  }),
  {
    usage: 'ports list <VM>',
    description: "show which of a VM's ports are open",
    operation: 'getInstance',
    examples: ['vm ports list web-1', 'vm ports list web-1 --json'],
    async run(desk, [text = '']) {
      const value = await find(desk, vmKind, text);
      return { value, text: value.allPortsOpen ? 'all' : list(value.ports) };
    },
  },
  portsVerb('open', 'open ports of a VM', (now, named) => [...now, ...named.filter((one) => !now.some(same(one)))]),
  portsVerb('close', 'close ports of a VM', (now, named) => now.filter((one) => !named.some(same(one)))),
  portsVerb('set', 'open these ports of a VM and close all others', (_, named) => named),
  actVerb({
    usage: 'keys <VM> <KEY...>',
    description: "press keys of a VM's keyboard, all of them together",
    operation: 'sendKeys',
    examples: ['vm keys web-1 ctrl alt delete', 'vm keys web-1 enter'],
    async act(desk, [text = '', ...keys]) {
      const { id, name } = await find(desk, vmKind, text);
      // Which keys there are is the server's to say.
      return { value: await desk.berth.instances.sendKeys(id, { keys: keys as never }), done: `VM ${name} gets them.` };
    },
  }),
];

/** `none` takes a word back. */
const orNone = (text: string | undefined): string | null | undefined => (text === 'none' ? null : text);
