// `berth slot`: slices of hosts that are let whole to one container each.

import type { Command } from 'commander';
import { addSlot, listSlotTerms, type SlotFields, setSlotPrices, setSlotState } from '../app/slot-terms.ts';
import { formatUsd } from '../model/money.ts';
import type { SlotState } from '../model/slot.ts';
import { addCommand, type Ground, group, plain } from './command.ts';
import { collect, parseNumber } from './parse.ts';
import { table } from './print.ts';

const fields: SlotFields = {
  name: 'NAME',
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
    .option('--hour <USD>', 'what an hour costs, billed by the second')
    .option('--epoch <USD>', 'what an epoch of 24 hours costs, billed by the second');

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
      ...{ id: slot.id, name: slot.name, host: slot.hostName, state: slot.state, status: slot.status },
      ...{ vcpus: slot.vcpus, memoryGib: slot.memoryMib / 1024, storageGib: slot.diskGib, gpus: slot.gpus },
      prices: slot.prices.map(({ id, unit, amountMicroUsd }) => ({ id, unit, usd: formatUsd(amountMicroUsd) })),
      ...{ account: slot.accountName, instance: slot.instanceId },
    }));
    const rows = slots.map((slot) => [
      ...[`${slot.host}/${slot.name}`, slot.status, slot.state, String(slot.vcpus), String(slot.memoryGib)],
      ...[String(slot.storageGib), String(slot.gpus.length)],
      ...['hour', 'epoch'].map((unit) => slot.prices.find((price) => price.unit === unit)?.usd ?? ''),
      ...[slot.account ?? '', slot.id],
    ]);
    const sizes = ['vcpus', 'memory gib', 'storage gib', 'gpus'];
    const heading = ['slot', 'status', 'state', ...sizes, 'hour', 'epoch', 'account', 'id'];
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
          ...{ host, name, gpus: options.gpu ?? [], prices: { hour: options.hour, epoch: options.epoch } },
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
    'set what a slot (HOST/NAME or id) costs from now on; "none" withdraws a price',
    withPrices,
    async (context, [slot = ''], { hour, epoch }) => {
      await setSlotPrices(context, slot, { hour, epoch }, fields);
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
      await setSlotState(context, slot, state);
      return { value: { slot, state }, text: `Slot ${slot} is ${state}.\n` };
    });
  }
  return command;
}
