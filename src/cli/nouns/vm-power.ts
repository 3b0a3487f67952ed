// What switches a VM on and off. Its host takes a while for each; --wait sees it through.

import type { PowerOrder } from '../../../sdk/generated/types.ts';
import type { Verb } from '../command.ts';
import { find, vmKind } from '../find.ts';
import { actVerb } from '../verbs.ts';
import { untilOver, type WaitOptions, waitOptions } from '../wait.ts';

const orders: [verb: string, action: PowerOrder['action'], description: string, done: string, asked: string][] = [
  ['start', 'start', 'switch a VM on', 'is on', 'is being switched on'],
  ['stop', 'stop', 'pull the plug of a VM; "shutdown" is gentler', 'is off', 'is being switched off'],
  [
    'shutdown',
    'shutdown',
    "press a VM's power button, so that its system shuts down",
    'is off',
    'is asked to shut down',
  ],
  ['restart', 'cycle', 'pull the plug of a VM and put it in again', 'was restarted', 'is being restarted'],
  ['reset', 'reset', "press a VM's reset button", 'was reset', 'is being reset'],
];

/** The verbs. */
export const powerVerbs: readonly Verb[] = orders.map(([verb, action, description, done, asked]) =>
  actVerb<WaitOptions>({
    usage: `${verb} <VM>`,
    description,
    operation: 'powerInstance',
    examples: [`vm ${verb} web-1`, `vm ${verb} web-1 --wait`],
    options: waitOptions('it is done'),
    async act(desk, [text = ''], options) {
      const { id, name } = await find(desk, vmKind, text);
      const operation = await desk.berth.instances.power(id, { action });
      if (!options.wait) return { value: operation, done: `VM ${name} ${asked}.` };
      return { value: await untilOver(desk, operation, name, options), done: `VM ${name} ${done}.` };
    },
  }),
);
