// `berth local price`: what hosts cost an epoch.

import type { Command } from 'commander';
import { listHosts } from '../app/host-terms.ts';
import { type GivenRates, type RateFields, setPrices } from '../app/price.ts';
import { formatUsd } from '../model/money.ts';
import { type RateCard, rateOfGrade } from '../model/price.ts';
import { gradesWithRate } from '../model/storage-grade.ts';
import { addCommand, type Ground, group, plain } from './command.ts';
import { collect, parsePair } from './parse.ts';
import { table } from './print.ts';

/** What the rates are called on the command line. */
export const rateFields: RateFields = {
  vcpuMicroUsd: '--vcpu',
  memoryGibMicroUsd: '--memory-gib',
  storageGibMicroUsd: '--storage-gib',
  gradeGibMicroUsd: '--grade',
  publicIpMicroUsd: '--public-ip',
};

/** The options of {@link withRates}. */
export interface RateOptions {
  vcpu?: string;
  memoryGib?: string;
  storageGib?: string;
  grade?: string[];
  publicIp?: string;
}

/** Adds an option for each rate. */
export const withRates = (command: Command) =>
  command
    .option('--vcpu <USD>', 'an epoch of one vCPU')
    .option('--memory-gib <USD>', 'an epoch of one GiB of memory')
    .option('--storage-gib <USD>', 'an epoch of one GiB of storage')
    .option(
      '--grade <GRADE=USD>',
      'the same for a grade of storage, such as ssd=0.002; may be given more than once',
      collect,
    )
    .option('--public-ip <USD>', 'an epoch of a public address');

/** The rates that were given. */
export const ratesOf = ({ vcpu, memoryGib, storageGib, grade, publicIp }: RateOptions): GivenRates => ({
  vcpuMicroUsd: vcpu,
  memoryGibMicroUsd: memoryGib,
  storageGibMicroUsd: storageGib,
  gradeGibMicroUsd: grade && Object.fromEntries(grade.map((text) => parsePair(text, rateFields.gradeGibMicroUsd))),
  publicIpMicroUsd: publicIp,
});

/** Rates as decimal strings of US dollars. */
export const shownRates = (rates: RateCard) => ({
  vcpu: formatUsd(rates.vcpuMicroUsd),
  memoryGib: formatUsd(rates.memoryGibMicroUsd),
  storageGib: formatUsd(rates.storageGibMicroUsd),
  gradeGib: Object.fromEntries(gradesWithRate.map((grade) => [grade, formatUsd(rateOfGrade(rates, grade))])),
  publicIp: formatUsd(rates.publicIpMicroUsd),
});

/** The `price` command. */
export function priceCommand(ground: Ground): Command {
  const command = group('price', 'what hosts cost, in US dollars an epoch');
  addCommand(command, ground, 'list', 'show what each host costs now', plain, async (context) => {
    const prices = (await listHosts(context)).map(({ name, rates }) => ({ host: name, ...shownRates(rates) }));
    const rows = prices.map(({ host, vcpu, memoryGib, storageGib, gradeGib, publicIp }) => [
      ...[host, vcpu, memoryGib, storageGib, ...Object.values(gradeGib), publicIp],
    ]);
    const heading = ['host', 'vcpu', 'memory gib', 'storage gib', ...gradesWithRate.map((grade) => `${grade} gib`)];
    return { value: { prices }, text: table([...heading, 'public ip'], rows) };
  });
  addCommand<RateOptions & { host: string[] }>(
    command,
    ground,
    'set',
    'set what hosts cost from now on; rates that are left out stay, and so do those of what runs',
    (own) => withRates(own.requiredOption('--host <NAME...>', 'one host or several')),
    async (context, _, options) => {
      await setPrices(context, options.host, ratesOf(options), rateFields);
      const hosts = [...new Set(options.host)];
      return { value: { hosts }, text: `The price is set for ${hosts.join(', ')}.\n` };
    },
  );
  return command;
}
