// `berth vm create`: a VM where the market has room for it, with what it is to be said in the words of its owner.

import { randomBytes } from 'node:crypto';
import type { Estimate, Instance, NewDeployment, NewPort } from '../../../sdk/generated/types.ts';
import { imageOf, sizeOf } from '../choose.ts';
import { type Answer, type Desk, each, option, type Verb } from '../command.ts';
import { UsageError } from '../exit.ts';
import { constraintsOf, type PlaceOptions, placeOptions } from '../place.ts';
import { type Cell, sheetOf, size } from '../table.ts';
import { ports, readText, sizeGib, sizeMib, sshKey, wholeNumber } from '../units.ts';
import { untilStatus, type WaitOptions, waitOptions } from '../wait.ts';

interface Options extends WaitOptions, PlaceOptions {
  account?: string;
  image: string;
  size?: string;
  vcpus?: number;
  memory?: number;
  disk?: string[];
  sshKey?: string[];
  open?: NewPort[];
  allPorts?: boolean;
  group?: string;
  hostname?: string;
  extraStorage?: number;
  rootPasswordFile?: string;
  firstBootScript?: string;
  off?: boolean;
  hardware?: string;
  keymap?: string;
  autoreboot?: boolean;
  ipv4?: string;
  ipv6?: string;
  count?: number;
  quote?: string;
  dryRun?: boolean;
}

/** The verb. */
export const createVerb: Verb<Options> = {
  usage: 'create [NAME]',
  description: 'make a VM on the cheapest host that fits',
  detail:
    'Without a NAME it gets one that is made up. Port 22 is open always. An image is named by the slug of one of the catalog, as "berth image list" shows them, or by the URL of ' +
    'one; own:NAME is one of your own; debian-12 means debian-12-x64. A size is one of "berth size list", or what it begins with.',
  operation: 'createInstance',
  examples: [
    'vm create web-1 --image debian-12 --size cpu-2-ram-4gb \\\n    --ssh-key ~/.ssh/id_ed25519.pub --open 80/tcp,443/tcp --wait',
    'vm create db --image debian-12 --vcpus 4 --memory 8GiB \\\n    --disk 20GiB:ssd --disk 200GiB:archive --ssh-key laptop',
    'vm create web-2 --image micro \\\n    --quote quo_5f0c6d0e9b7a4c1d8e2f3a4b5c6d7e8f',
    'vm create --image micro --country PL --max-price 1.5 --dry-run',
  ],
  options: [
    option('--image <IMAGE>', 'what it starts from').makeOptionMandatory(),
    option('--size <SIZE>', 'a size that is sold; any that fits unless given'),
    option('--vcpus <N>', 'in the place of a size, with --memory', wholeNumber),
    option('--memory <SIZE>', 'such as 4GiB', sizeMib),
    option('--disk <SIZE[:GRADE]>', 'its disks, the first of which it starts from', each),
    option('--extra-storage <SIZE>', "beyond the size's own, such as 20GiB", sizeGib),
    option('--ssh-key <KEY>', 'a file with a public key, or the name of a registered one', each),
    option('--open <PORTS>', 'what is open from outside, such as 80/tcp,53/udp', ports),
    option('--all-ports', 'every port is open'),
    option('--group <GROUP>', "what it belongs to; the account's default unless given"),
    option('--hostname <NAME>', 'its name unless given'),
    option('--account <ACCOUNT>', 'who pays, where you see several'),
    ...placeOptions(),
    option('--quote <QUOTE>', 'on what this quote holds, at its price'),
    option('--root-password-file <FILE>', 'a password for root, in place of a key'),
    option('--first-boot-script <FILE>', 'run as root at its first boot'),
    option('--off', 'leave it switched off'),
    option('--hardware <PROFILE>', 'its hardware profile, such as virtio2013'),
    option('--keymap <KEYMAP>', "its console's keyboard"),
    option('--autoreboot', 'let it come back on when it was switched off'),
    option('--ipv4 <ADDRESS>', "out of its group's own network"),
    option('--ipv6 <ADDRESS>', "out of its group's own network"),
    option('--count <N>', 'so many of one name, all or none', wholeNumber),
    option('--dry-run', 'say what it would cost, and do nothing'),
    ...waitOptions('it runs'),
  ],
  async run(desk, [name], options) {
    const { berth } = desk;
    const { count, ...common } = await bodyOf(desk, name, options);
    const { ipv4, ipv6 } = options;
    if (count !== undefined && (ipv4 ?? ipv6) !== undefined) {
      throw new UsageError('--ipv4 and --ipv6 are for one VM at a time; leave out --count.');
    }
    const body = { ...common, ...(ipv4 ? { ipv4 } : {}), ...(ipv6 ? { ipv6 } : {}) };
    if (options.dryRun) return estimateAnswer(await berth.instances.estimate({ ...body, ...(count ? { count } : {}) }));
    if (count === undefined) {
      const made = await berth.instances.create(body);
      return options.wait ? waited(desk, [made.id], made.name, options) : accepted(made);
    }
    const deployment = await berth.deployments.create({ ...body, count });
    const ids = deployment.instances.map(({ id }) => id);
    const names = `${deployment.instances.length} x ${body.name}`;
    if (options.wait) await waited(desk, ids, names, options);
    const value = options.wait ? await berth.deployments.get(deployment.id) : deployment;
    return { value, text: `${names} ${options.wait ? 'run' : 'are accepted'}, as deployment ${deployment.id}.` };
  },
};

async function bodyOf({ berth }: Desk, name: string | undefined, options: Options): Promise<NewDeployment> {
  const { account, group, hostname, vcpus, memory, open, disk, extraStorage, count, quote } = options;
  const { rootPasswordFile, firstBootScript } = options;
  const keys = await Promise.all((options.sshKey ?? []).map(sshKey));
  const image = await imageOf(berth, options.image);
  return {
    ...{ image, name: name ?? freshName(options.image), account, group, hostname, vcpus, count, quote },
    memoryMib: memory,
    configuration: options.size === undefined ? undefined : await sizeOf(berth, options.size),
    additionalStorageGib: extraStorage,
    disks: disk?.map(diskOf),
    sshKeys: keys.length > 0 ? keys : undefined,
    ports: open,
    allPortsOpen: options.allPorts,
    rootPassword: rootPasswordFile && (await readText(rootPasswordFile, '--root-password-file')).trimEnd(),
    firstBootScript: firstBootScript && (await readText(firstBootScript, '--first-boot-script')),
    power: options.off ? 'off' : undefined,
    // Which hardware and keyboards there are is the server's to say.
    hardwareProfile: options.hardware as NewDeployment['hardwareProfile'],
    ...{ keymap: options.keymap, autoreboot: options.autoreboot },
    constraints: constraintsOf(options),
  };
}

/** A name for who does not care: `debian-12-3f9a`. */
function freshName(image: string): string {
  const base = image.includes('://') ? 'vm' : image.replace(/[^a-z0-9-]/gi, '-');
  return `${base.slice(0, 40)}-${randomBytes(2).toString('hex')}`;
}

function diskOf(text: string): { sizeMib: number; grade?: 'sata' | 'ssd' | 'archive' } {
  const [amount = '', grade] = text.split(':');
  // Which grades there are is the server's to say.
  return { sizeMib: sizeMib(amount), ...(grade ? { grade: grade as 'ssd' } : {}) };
}

function accepted(made: Instance): Answer {
  const text = `VM ${made.name} is accepted for ${made.pricePerEpoch} USD an epoch; "berth vm show ${made.name}" shows how far it is.`;
  return { value: made, text };
}

async function waited(desk: Desk, ids: readonly string[], names: string, options: Options): Promise<Answer> {
  const [first] = await untilStatus(desk, ids, names, options.off ? 'stopped' : 'active', options);
  const { name = '', address, status } = first ?? {};
  const text =
    status === 'active' ? `VM ${name} runs at ${address}. "berth vm ssh ${name}" logs in.` : `VM ${name} is made.`;
  return { value: first, text };
}

function estimateAnswer(value: Estimate): Answer {
  const sheet: [string, Cell][] = [
    ['instances', value.count],
    ['size', `${value.configuration ?? ''} ${value.vcpus} vCPU, ${size(value.memoryMib)}, ${value.diskGib} GiB`.trim()],
    [`one, an ${value.unit}`, `${value.price} USD`],
    [`all, an ${value.unit}`, `${value.total} USD`],
    ['charged at once', `${value.firstCharge} USD`],
    ['held as deposit', `${value.deposit} USD`],
    ['you have', { text: `${value.available} USD`, tone: value.sufficient ? 'good' : 'bad' }],
    ['is that enough', value.sufficient ? 'yes' : 'no'],
  ];
  return { value, text: (look) => sheetOf(sheet, look) };
}
