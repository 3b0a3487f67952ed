// What is asked for when an instance is made, or what it would cost: the body, and what it means to the use cases.

import Type, { type Static } from 'typebox';
import type { AtGroup } from '../../app/access.ts';
import { reachGroup } from '../../app/access.ts';
import type { Caller } from '../../app/caller.ts';
import type { StartFields, StartRequest } from '../../app/container.ts';
import type { Context } from '../../app/context.ts';
import { defaultGroup } from '../../app/group.ts';
import type { InstancesFields, InstancesRequest } from '../../app/instance-request.ts';
import { containerPortsMax } from '../../model/container.ts';
import { diskSizeMibMax, diskSizeMibMin, disksMax } from '../../model/disk.ts';
import { BerthError, type ErrorCode, shown } from '../../model/errors.ts';
import { hardwareProfiles } from '../../model/machine.ts';
import type { QuoteRef } from '../../model/quote.ts';
import { sshKeysMax } from '../../model/ssh-key.ts';
import { storageGrades } from '../../model/storage-grade.ts';
import { AccountRef, accountOf } from './account.ts';
import { AdditionalStorage, bodyFields, ConfigurationSlug, ConstraintsSchema, readConstraints } from './constraints.ts';
import { Id, parseId, readId } from './id.ts';
import { imageSlug } from './image.ts';
import { instanceKinds } from './instance-shape.ts';
import { base } from './operation.ts';
import { OneOf, Shape, Text, Whole } from './shape.ts';

/** More than any image, host name or label is long; what each may be is the model's to say. */
const textLengthMax = 2_048;
/** Above what is taken of scripts and variables, so that the refusal says what is. */
const longTextLengthMax = 1_000_000;
const whole32Max = 2 ** 31 - 1;

const text = (example: string, description?: string) =>
  Type.Optional(Text(example, description, { maxLength: textLengthMax }));
const flag = (description: string) => Type.Optional(Type.Boolean({ description, examples: [false] }));
const texts = (example: Record<string, string>, description: string) =>
  Type.Optional(
    Type.Record(Type.String(), Type.String({ maxLength: longTextLengthMax }), { description, examples: [example] }),
  );

/** What a VM and a container have in common. */
const common = {
  account: Type.Optional(AccountRef()),
  group: text('web', "Id or name of a group; left out for the account's `default`"),
  name: text('web-1', 'Letters, digits and -; its own in its group. May be left out for a container'),
  image: Text(
    'debian-13-x64',
    "Of a VM the slug or id of an image of the catalog or of an own one, or a URL; of a container its image's name",
    {
      maxLength: textLengthMax,
    },
  ),
  sshKeys: Type.Optional(
    Type.Array(Text('laptop', 'A public key, or the name or fingerprint of a registered one', { maxLength: 20_000 }), {
      maxItems: sshKeysMax,
    }),
  ),
  ports: Type.Optional(
    Type.Array(
      Shape('NewPort', {
        port: Whole(443),
        protocol: OneOf(['tcp', 'udp', 'https'], '`udp` for VMs alone, `https` for containers alone'),
      }),
      { maxItems: containerPortsMax, description: 'What is open from outside; a VM has 22 open always' },
    ),
  ),
};

/** What only a VM is asked with. */
const ofVm = {
  hostname: text('web-1.example.com', 'Its name unless given'),
  configuration: Type.Optional(ConfigurationSlug),
  vcpus: Type.Optional(Whole(2, 'With `memoryMib`, in the place of a configuration', { maximum: whole32Max })),
  memoryMib: Type.Optional(Whole(4096, 'In steps of 1024', { maximum: whole32Max })),
  diskGib: Type.Optional(
    Whole(25, 'With `vcpus` and `memoryMib`: one disk', { minimum: 1, maximum: diskSizeMibMax / 1024 }),
  ),
  disks: Type.Optional(
    Type.Array(
      Shape('NewDiskOfInstance', {
        label: text('root', '`disc-1` and so on unless given'),
        sizeMib: Whole(25_600, `${diskSizeMibMin} to ${diskSizeMibMax}`),
        grade: Type.Optional(OneOf(storageGrades)),
      }),
      { maxItems: disksMax, description: 'In the place of the one that the size has; it starts from the first' },
    ),
  ),
  additionalStorageGib: Type.Optional(AdditionalStorage),
  constraints: Type.Optional(ConstraintsSchema),
  allPortsOpen: flag('Every port is open, where its host can hold that apart for one VM'),
  rootPassword: text('correct horse battery staple', 'Kept until its first boot'),
  firstBootScript: Type.Optional(
    Text('#!/bin/sh\ntouch /etc/hello\n', 'Run as root at its first boot', { maxLength: longTextLengthMax }),
  ),
  power: Type.Optional(OneOf(['on', 'off'], 'Whether it is switched on at once')),
  hardwareProfile: Type.Optional(OneOf(hardwareProfiles)),
  autoreboot: flag('Whether it is switched on again when its system switches it off'),
  keymap: text('en-gb', "Of its console's keyboard"),
};

/** Addresses can be chosen for one VM at a time. */
const ofOneVm = {
  ipv4: text('10.20.0.7', "In a range of its group's own network; chosen for it unless given"),
  ipv6: text('2001:db8::7', "In a range of its group's own network; chosen for it unless given"),
};

/** What only a container is asked with. */
const ofContainer = {
  slot: Type.Optional(Id('slot', 'What it is to run on')),
  slotPrice: Type.Optional(Id('slotPrice', 'May be left out where the slot has one price')),
  environment: texts({ LOG_LEVEL: 'info' }, 'Environment variables'),
  startupScript: Type.Optional(Text('nginx -t', 'Run in it as it starts', { maxLength: longTextLengthMax })),
  registryAuth: Type.Optional(
    Shape(
      'RegistryAuth',
      {
        server: Text('registry.example.com', undefined, { maxLength: textLengthMax }),
        login: Text('robot', undefined, { maxLength: longTextLengthMax }),
        password: Text('s3cret', undefined, { maxLength: longTextLengthMax }),
      },
      'The login of a private registry; forgotten with its container',
    ),
  ),
  externalId: text('job-17', 'Your own id: the same request under the same id is the same container'),
  metadata: texts({ team: 'web' }, 'Kept for you'),
};

const quote = Type.Optional(Id('quote', 'Takes what it holds, at its price; what is not taken of it is let go'));

/** The body that makes several VMs. */
export const NewDeploymentSchema = Shape('NewDeployment', {
  quote,
  ...common,
  ...ofVm,
  count: Type.Optional(Whole(2, 'Instances of one name, 1 to 10; 1 unless given')),
});

const NewInstanceParts = {
  kind: Type.Optional(OneOf(instanceKinds, '`vm` unless given')),
  ...common,
  ...ofVm,
  ...ofOneVm,
  ...ofContainer,
};

/** The body that makes an instance. */
export const NewInstanceSchema = Shape('NewInstance', { quote, ...NewInstanceParts });

/** The body that asks what it would cost. */
export const NewEstimateSchema = Shape('NewEstimate', {
  quote: Type.Optional(Id('quote', 'Out of what it holds, at its price; it is not used up')),
  ...NewInstanceParts,
  count: Type.Optional(Whole(1, 'VMs, 1 to 10; 1 unless given')),
});

/** A body that makes an instance, or asks what it would cost. */
export type NewInstance = Static<typeof NewEstimateSchema>;

/** The quote that a body names. @throws BerthError `invalid_value` */
export const quoteOf = ({ quote: shown }: Pick<NewInstance, 'quote'>): QuoteRef | null =>
  shown === undefined ? null : { id: readId('quote', shown, 'quote'), shown, field: 'quote' };

/** How these bodies call the fields of VMs. */
export const vmFields: InstancesFields = {
  ...bodyFields,
  ...{ instances: 'count', name: 'name', hostname: 'hostname', image: 'image', sshKeys: 'sshKeys', ports: 'ports' },
  ...{ configuration: 'configuration', vcpus: 'vcpus', disks: 'disks', addresses: 'ipv4' },
};

/** How they call the fields of containers. */
export const containerFields: StartFields = {
  ...{ slotId: 'slot', priceId: 'slotPrice', externalId: 'externalId', image: 'image', registryAuth: 'registryAuth' },
  ...{ sshKeys: 'sshKeys', ports: 'ports', port: 'port', protocol: 'protocol', environment: 'environment' },
  ...{ startupScript: 'startupScript', metadata: 'metadata', name: 'name' },
};

/** How the model calls some of them. */
export const renames = {
  ...{ cores: 'vcpus', memory: 'memoryMib', hardware_profile: 'hardwareProfile', discs: 'disks', size: 'sizeMib' },
  ...{ storage_grade: 'grade', root_password: 'rootPassword', firstboot_script: 'firstBootScript', ips: 'ipv4' },
};

/** What finding a place on the market is refused with, with a quote or without. */
export const placeRefusals: readonly ErrorCode[] = [
  'not_found',
  'no_suitable_offer',
  'not_enough_offers',
  'quote_over',
  'quote_too_small',
];

/** What taking the place is refused with beside that. */
export const newVmRefusals: readonly ErrorCode[] = [...placeRefusals, 'insufficient_balance', 'name_taken'];

/**
 * Holds a body to what belongs to its kind.
 * @throws BerthError `unsupported` naming the field that does not
 */
export function requireOwnFields(body: NewInstance): void {
  const { kind = 'vm' } = body;
  const foreign = kind === 'vm' ? ofContainer : { ...ofVm, ...ofOneVm };
  const given = body as Record<string, unknown>;
  const field = Object.keys(foreign).find((name) => given[name] !== undefined);
  if (field === undefined) return;
  const why = kind === 'vm' ? 'is for containers; this is a VM' : 'is for VMs; a container has what its slot has';
  throw new BerthError('unsupported', `${field} ${why}.`, field);
}

/**
 * The group that an instance is to be made in, where the caller may.
 * @throws BerthError `not_found`, `forbidden`, `invalid_value` where it is not plain which account's
 */
export async function groupOf(
  context: Context,
  caller: Caller,
  { account, group = defaultGroup }: { account?: string; group?: string },
): Promise<AtGroup> {
  const id = parseId('group', group);
  if (id !== null && account === undefined) return reachGroup(context, caller, { group: id }, 'group_admin');
  const within = await accountOf(context, caller, { account }, 'see');
  const refs = { account: String(within.account.number), group: id ?? group };
  return reachGroup(context, caller, refs, 'group_admin');
}

/** A field that has to be there. @throws BerthError `invalid_value` */
function required<Value>(value: Value | undefined, field: string, what: string): Value {
  if (value !== undefined) return value;
  throw new BerthError('invalid_value', `${field} is left out; ${what} needs it.`, field);
}

/** What a body asks for of VMs in a group. @throws BerthError `invalid_value` */
export async function toInstancesRequest(
  context: Context,
  { account }: AtGroup,
  body: Omit<NewInstance, 'kind'>,
): Promise<InstancesRequest> {
  const { configuration, additionalStorageGib, constraints = {}, vcpus, memoryMib, diskGib } = body;
  const hasSize = vcpus !== undefined || memoryMib !== undefined || diskGib !== undefined;
  const own = 'a size of its own';
  return {
    count: body.count ?? 1,
    name: required(body.name, 'name', 'a VM'),
    hostname: body.hostname ?? null,
    image: await imageSlug(context, account.id, body.image),
    size: hasSize
      ? {
          vcpus: required(vcpus, 'vcpus', own),
          memoryMib: required(memoryMib, 'memoryMib', own),
          diskGib: diskGib ?? null,
        }
      : null,
    disks: body.disks ?? null,
    constraints: readConstraints(constraints, { configuration, additionalStorageGib }, bodyFields),
    sshKeys: body.sshKeys ?? [],
    ports: body.ports ?? [],
    allPortsOpen: body.allPortsOpen ?? false,
    rootPassword: body.rootPassword ?? null,
    firstBootScript: body.firstBootScript ?? null,
    isOn: body.power !== 'off',
    hardwareProfile: body.hardwareProfile ?? null,
    autoreboot: body.autoreboot ?? false,
    keymap: body.keymap ?? null,
    addresses: { ipv4: body.ipv4 ?? null, ipv6: body.ipv6 ?? null },
    quote: quoteOf(body),
  };
}

/** The slot that a body names, and the price where it names one. @throws BerthError `invalid_value` */
export function slotOf(body: Pick<NewInstance, 'slot' | 'slotPrice'>): { slotId: string; priceId: string | null } {
  const slot = required(body.slot, 'slot', 'a container');
  const { slotPrice } = body;
  return {
    slotId: readId('slot', slot, 'slot'),
    priceId: slotPrice === undefined ? null : readId('slotPrice', slotPrice, 'slotPrice'),
  };
}

/** What a body asks for of a container. @throws BerthError `invalid_value` */
export function toStartRequest(
  body: NewInstance,
  { slotId, priceId, groupId }: { slotId: string; priceId: string; groupId: bigint },
): StartRequest {
  const quote = quoteOf(body);
  return {
    ...{ slotId, priceId, externalId: body.externalId ?? null, image: body.image },
    registryAuth: body.registryAuth ?? null,
    ports: (body.ports ?? []).map(({ port, protocol }, index) => {
      if (protocol !== 'udp') return { hostPort: port, protocol };
      const field = `ports[${index}].protocol`;
      throw new BerthError('invalid_value', `${field} is ${shown(protocol)}; a container's is tcp or https.`, field);
    }),
    startupScript: body.startupScript ?? null,
    environment: body.environment ?? {},
    sshKeys: body.sshKeys ?? [],
    metadata: body.metadata ?? {},
    ...(quote ? { quote } : {}),
    ...(body.name === undefined ? {} : { name: body.name }),
    ...(body.group === undefined ? {} : { groupId: String(groupId) }),
  };
}

const noOfferCodes: ReadonlySet<ErrorCode> = new Set(['no_suitable_offer', 'not_enough_offers']);

/** Does something that may find no place, and then says where the reasons are told. */
export async function withAdvice<Result>(work: Promise<Result>): Promise<Result> {
  try {
    return await work;
  } catch (error) {
    // A network that is full is no matter of offers.
    const isOfMarket = error instanceof BerthError && noOfferCodes.has(error.code) && error.subject === undefined;
    if (!isOfMarket) throw error;
    const message = `${error.message}; GET ${base}/offers/explain with the same constraints tells why, and what would work.`;
    throw new BerthError(error.code, message);
  }
}
