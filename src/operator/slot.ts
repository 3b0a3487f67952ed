// `berth local slot`: slices of hosts that are let whole to one container each.

import type { Command } from 'commander';
import {
  addSlot,
  type GivenPrices,
  listSlotTerms,
  type SlotFields,
  setSlotPrices,
  setSlotState,
} from '../app/slot-terms.ts';
import { formatUsd } from '../model/money.ts';
import { type SlotState, slotPriceUnits } from '../model/slot.ts';
import { addCommand, type Ground, group, plain } from './command.ts';
import { collect, orNone, parseNumber } from './parse.ts';
import { table } from './print.ts';

const fields: SlotFields = {
  name: 'the name',
  vcpus: '--vcpus',
  memoryGib: '--memory-gib',
  diskGib: '--storage-gib',
  gpus: '--gpu',
  hour: '--hour',
  epoch: '--epoch',
};

interface PriceOptions {
  hour?: string;
  epoch?: string;
}

const withPrices = (command: Command) =>
  command
    .option('--hour <USD>', 'an hour, billed by the second')
    .option('--epoch <USD>', 'an epoch of 24 hours, billed by the second');

const pricesOf = ({ hour, epoch }: PriceOptions): GivenPrices => ({
  hour: orNone(hour, (text) => text),
  epoch: orNone(epoch, (text) => text),
});

interface AddOptions extends PriceOptions {
  vcpus: string;
  memoryGib: string;
  storageGib: string;
  gpu?: string[];
}

/** The `slot` command. */
export function slotCommand(ground: Ground): Command {
  const command = group('slot', 'slices of hosts that are let whole to one container each');
  addCommand(command, ground, 'list', 'show all slots and who rents them', plain, async (context) => {
    const slots = (await listSlotTerms(context)).map((slot) => ({
      ...{ id: slot.id, host: slot.hostName, name: slot.name, state: slot.state, status: slot.status },
      ...{ whyInactive: slot.whyInactive, vcpus: slot.vcpus, memoryGib: slot.memoryMib / 1024 },
      ...{ storageGib: slot.diskGib, gpus: slot.gpuIds },
      prices: slot.prices.map(({ id, unit, amountMicroUsd }) => ({ id, unit, usd: formatUsd(amountMicroUsd) })),
      ...{ account: slot.accountName, instance: slot.instanceId },
    }));
    const rows = slots.map((slot) => [
      ...[`${slot.host}/${slot.name}`, slot.status, slot.account ?? slot.whyInactive ?? ''],
      ...[slot.vcpus, slot.memoryGib, slot.storageGib, slot.gpus.length].map(String),
      ...slotPriceUnits.map((unit) => slot.prices.find((price) => price.unit === unit)?.usd ?? ''),
      slot.id,
    ]);
    const sizes = ['vcpus', 'memory gib', 'storage gib', 'gpus'];
    const heading = ['slot', 'status', 'rented by, or why not', ...sizes, 'usd an hour', 'usd an epoch', 'machine id'];
    return { value: { slots }, text: slots.length === 0 ? 'There are none.\n' : table(heading, rows) };
  });
  addCommand<AddOptions>(
    command,
    ground,
    'add <HOST> <NAME>',
    'let a slice of a host',
    (own) =>
      withPrices(own)
        .requiredOption('--vcpus <COUNT>', 'its processors')
        .requiredOption('--memory-gib <COUNT>', 'its memory')
        .requiredOption('--storage-gib <COUNT>', 'its storage')
        .option('--gpu <ID>', "one of the host's GPUs; may be given more than once", collect),
    async (context, [host = '', name = ''], options) => {
      const id = await addSlot(
        context,
        {
          ...{ host, name, gpus: options.gpu ?? [], prices: pricesOf(options) },
          vcpus: parseNumber(options.vcpus, fields.vcpus),
          memoryGib: parseNumber(options.memoryGib, fields.memoryGib),
          diskGib: parseNumber(options.storageGib, fields.diskGib),
        },
        fields,
      );
      return { value: { id }, text: `Slot ${host}/${name} is let as machine ${id}.\n` };
    },
  );
  addCommand<PriceOptions>(
    command,
    ground,
    'price <SLOT>',
    'set what a slot (HOST/NAME or its id) costs from now on; "none" takes a price back',
    withPrices,
    async (context, [slot = ''], options) => {
      await setSlotPrices(context, slot, pricesOf(options), fields);
      return { value: { slot }, text: `The price of slot ${slot} is set.\n` };
    },
  );
  const states: [verb: string, state: SlotState, description: string][] = [
    ['open', 'open', 'let a slot again'],
    ['close', 'closed', 'let a slot no more; who rents it keeps it'],
    ['remove', 'removed', 'remove a slot that nobody rents'],
  ];
  for (const [verb, state, description] of states) {
    addCommand(command, ground, `${verb} <SLOT>`, description, plain, async (context, [slot = '']) => {
      const changed = await setSlotState(context, slot, state);
      return { value: { slot, state, changed }, text: `Slot ${slot} is ${state}${changed ? '' : ' already'}.\n` };
    });
  }
  return command;
}
