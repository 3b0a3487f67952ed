// What is chosen for VMs, as the page has it and as the API takes it. Fields are called as the API calls them, so that what it refuses is
// told where it was typed.

import type { Constraints, NewEstimate, NewQuote, Quote } from '../../../../sdk/generated/types.ts';
import { type HardwareProfile, hardwareProfiles } from '../hardware.ts';

type Grade = 'sata' | 'ssd' | 'archive';

/** A disk as it is chosen. */
export interface DiskValues {
  sizeGib: string;
  grade: Grade;
}

/** What is chosen. Figures are texts, as they are typed. */
export interface VmValues {
  account: string;
  /** A slug of the catalog, or {@link byUrl}. */
  image: string;
  imageUrl: string;
  sizing: 'configuration' | 'own';
  configuration: string;
  vcpus: string;
  /** In GiB, as people say it. */
  memoryMib: string;
  diskGib: string;
  additionalStorageGib: string;
  /** In the place of the one disk that the size has; none for that. */
  disks: DiskValues[];
  countries: string;
  cities: string;
  datacenters: string;
  cpuManufacturer: string;
  cpuArchitecture: string;
  storageType: string;
  maxPricePerEpoch: string;
  /** Fingerprints, and the line of a key that was pasted. */
  sshKeys: string[];
  /** As `80, 53/udp`. */
  ports: string;
  allPortsOpen: boolean;
  rootPassword: string;
  name: string;
  /** Its name where it is ''. */
  hostname: string;
  isOff: boolean;
  hardwareProfile: HardwareProfile;
  /** A layout, or '' for the usual one. */
  keymap: string;
  autoreboot: boolean;
  /** Out of its group's own network; chosen for it where they are ''. */
  ipv4: string;
  ipv6: string;
  group: string;
  count: string;
  firstBootScript: string;
}

/** The choice of an image that stands in no catalog. */
export const byUrl = 'url';

const suffixLength = 4;

/** A name that hardly anything else has. */
export const newName = (kind: string): string =>
  `${kind}-${crypto.randomUUID().replaceAll('-', '').slice(0, suffixLength)}`;

/** What the page begins with, out of its address. */
export function vmValuesOf(search: Record<string, unknown>, account: string): VmValues {
  const text = (name: string) => String(search[name] ?? '');
  return {
    account,
    image: text('image'),
    imageUrl: '',
    sizing: text('vcpus') === '' ? 'configuration' : 'own',
    configuration: text('configuration'),
    ...{ vcpus: text('vcpus') || '1', memoryMib: text('memoryGib') || '1', diskGib: text('diskGib') || '10' },
    additionalStorageGib: text('additionalStorageGib'),
    disks: [],
    countries: text('country'),
    cities: text('city'),
    datacenters: text('datacenter'),
    cpuManufacturer: text('cpuManufacturer'),
    cpuArchitecture: text('cpuArchitecture'),
    storageType: text('storageType'),
    maxPricePerEpoch: text('maxPrice'),
    sshKeys: [],
    ports: '',
    allPortsOpen: false,
    rootPassword: '',
    name: newName('vm'),
    hostname: '',
    isOff: false,
    ...{ hardwareProfile: hardwareProfiles[0], keymap: '', autoreboot: false, ipv4: '', ipv6: '' },
    group: text('group'),
    count: text('count') || '1',
    firstBootScript: '',
  };
}

/** Ports as they are typed, separated by commas or spaces. The server says what is wrong with one. */
export function portsOf<Protocol extends string>(text: string): { port: number; protocol: Protocol }[] {
  const entries = text.split(/[\s,]+/).filter(Boolean);
  return entries.map((entry) => {
    const [port = '', protocol = 'tcp'] = entry.split('/');
    return { port: Number(port), protocol: protocol as Protocol };
  });
}

/** What a constraint is left out as. */
const given = (name: string, value: string): Record<string, string> => (value === '' ? {} : { [name]: value });

function constraintsOf(values: VmValues): Constraints {
  const { countries, cities, datacenters } = values;
  return {
    ...(countries === '' ? {} : { countries: countries.split(',') }),
    ...(cities === '' ? {} : { cities: cities.split(',') }),
    ...(datacenters === '' ? {} : { datacenters: datacenters.split(',') }),
    ...given('cpuManufacturer', values.cpuManufacturer),
    ...given('cpuArchitecture', values.cpuArchitecture),
    ...given('storageType', values.storageType),
    ...given('maxPricePerEpoch', values.maxPricePerEpoch),
  };
}

/** The grade that a disk is of when nothing is said of it. */
export const usualGrade = 'sata';

const disksOf = ({ disks }: VmValues) =>
  disks.map(({ sizeGib, grade }) => ({
    sizeMib: Number(sizeGib) * 1024,
    ...(grade === usualGrade ? {} : { grade }),
  }));

/** The size, and the disks where they are not what the size has. */
function sizeOf(values: VmValues): Partial<NewEstimate> {
  const { sizing, configuration, additionalStorageGib, disks } = values;
  const own = { vcpus: Number(values.vcpus), memoryMib: Number(values.memoryMib) * 1024 };
  const size = sizing === 'own' ? own : given('configuration', configuration);
  if (disks.length > 0) return { ...size, disks: disksOf(values) };
  if (sizing === 'own') return { ...size, diskGib: Number(values.diskGib) };
  return { ...size, ...(additionalStorageGib === '' ? {} : { additionalStorageGib: Number(additionalStorageGib) }) };
}

/** The body of the request. What is left to the server is not in it. */
export function vmBodyOf(values: VmValues): NewEstimate {
  const { image, imageUrl, firstBootScript, group, sshKeys } = values;
  const constraints = constraintsOf(values);
  const ports = portsOf<'tcp' | 'udp'>(values.ports);
  const { hardwareProfile } = values;
  const count = Number(values.count);
  // Addresses are chosen for one VM at a time.
  const addresses = count === 1 ? { ...given('ipv4', values.ipv4.trim()), ...given('ipv6', values.ipv6.trim()) } : {};
  return {
    kind: 'vm',
    ...given('account', values.account),
    name: values.name,
    ...given('hostname', values.hostname.trim()),
    ...given('group', group),
    image: image === byUrl ? imageUrl.trim() : image,
    ...sizeOf(values),
    ...(Object.keys(constraints).length > 0 ? { constraints } : {}),
    ...(sshKeys.length > 0 ? { sshKeys } : {}),
    ...(ports.length > 0 ? { ports } : {}),
    ...(values.allPortsOpen ? { allPortsOpen: true } : {}),
    ...given('rootPassword', values.rootPassword),
    ...given('firstBootScript', firstBootScript),
    ...(values.isOff ? { power: 'off' as const } : {}),
    ...(hardwareProfile === hardwareProfiles[0] ? {} : { hardwareProfile }),
    ...given('keymap', values.keymap.trim()),
    ...(values.autoreboot ? { autoreboot: true } : {}),
    ...addresses,
    count,
  };
}

/**
 * What to ask for so that this is held.
 * @returns the body, or why it can't be held
 */
export function quoteBodyOf(
  values: VmValues,
  size: { vcpus: number; memoryMib: number } | undefined,
): NewQuote | string {
  const { account, constraints, configuration, vcpus, memoryMib, diskGib, additionalStorageGib } = vmBodyOf(values);
  const common = { kind: 'vm' as const, account, constraints, count: Number(values.count) };
  if (values.disks.length === 0) {
    return { ...common, configuration, vcpus, memoryMib, diskGib, additionalStorageGib };
  }
  if (values.disks.some(({ grade }) => grade !== usualGrade))
    return `Only storage of the grade ${usualGrade} can be held.`;
  if (!size) return 'Its price is not known yet.';
  const sumGib = values.disks.reduce((sum, { sizeGib }) => sum + Number(sizeGib), 0);
  return { ...common, vcpus: size.vcpus, memoryMib: size.memoryMib, diskGib: Math.ceil(sumGib) };
}

/** Where what a quote holds is made, with what it says filled in. */
export function prefillOf(quote: Quote): Record<string, string> {
  const { id, kind, configuration, vcpus, memoryMib, diskGib, count, placements } = quote;
  if (kind === 'container') return { kind, quote: id, slot: placements[0]?.slot ?? '' };
  if (configuration === null) {
    const size = { vcpus: String(vcpus), memoryGib: String(memoryMib / 1024), diskGib: String(diskGib) };
    return { kind, quote: id, ...size, count: String(count) };
  }
  const [, ownGib = diskGib] = /-storage-(\d+)gb$/.exec(configuration) ?? [];
  const more = diskGib - Number(ownGib);
  return {
    kind,
    quote: id,
    configuration,
    count: String(count),
    ...(more > 0 ? { additionalStorageGib: String(more) } : {}),
  };
}

/** What to ask the market for where there is no place for this. */
export function marketSearchOf(values: VmValues): Record<string, string> {
  return {
    ...(values.sizing === 'own' ? {} : given('configuration', values.configuration)),
    ...given('additionalStorageGib', values.sizing === 'own' ? '' : values.additionalStorageGib),
    ...given('country', values.countries),
    ...given('city', values.cities),
    ...given('datacenter', values.datacenters),
    ...given('cpuManufacturer', values.cpuManufacturer),
    ...given('cpuArchitecture', values.cpuArchitecture),
    ...given('storageType', values.storageType),
    ...given('maxPrice', values.maxPricePerEpoch),
  };
}
