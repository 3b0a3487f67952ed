// What is chosen for VMs, as the page has it and as the API takes it. Fields are called as the API calls them, so that what it refuses is
// told where it was typed.

import type { Constraints, NewEstimate } from '../../../../sdk/generated/types.ts';

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
  countries: string;
  datacenters: string;
  cpuManufacturer: string;
  cpuArchitecture: string;
  storageType: string;
  maxPricePerEpoch: string;
  /** Fingerprints, and the line of a key that was pasted. */
  sshKeys: string[];
  rootPassword: string;
  /** As `80, 53/udp`. */
  ports: string;
  name: string;
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
    sizing: 'configuration',
    configuration: text('configuration'),
    ...{ vcpus: '1', memoryMib: '1', diskGib: '10' },
    additionalStorageGib: text('additionalStorageGib'),
    countries: text('country'),
    datacenters: text('datacenter'),
    cpuManufacturer: text('cpuManufacturer'),
    cpuArchitecture: text('cpuArchitecture'),
    storageType: text('storageType'),
    maxPricePerEpoch: text('maxPrice'),
    ...{ sshKeys: [], rootPassword: '', ports: '' },
    name: newName('vm'),
    group: text('group'),
    count: '1',
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
  const { countries, datacenters } = values;
  return {
    ...(countries === '' ? {} : { countries: countries.split(',') }),
    ...(datacenters === '' ? {} : { datacenters: datacenters.split(',') }),
    ...given('cpuManufacturer', values.cpuManufacturer),
    ...given('cpuArchitecture', values.cpuArchitecture),
    ...given('storageType', values.storageType),
    ...given('maxPricePerEpoch', values.maxPricePerEpoch),
  };
}

/** The body of the request. */
export function vmBodyOf(values: VmValues): NewEstimate {
  const { image, imageUrl, sizing, configuration, additionalStorageGib, ports, firstBootScript, group } = values;
  const size =
    sizing === 'own'
      ? {
          vcpus: Number(values.vcpus),
          memoryMib: Number(values.memoryMib) * 1024,
          diskGib: Number(values.diskGib),
        }
      : {
          ...given('configuration', configuration),
          ...(additionalStorageGib === '' ? {} : { additionalStorageGib: Number(additionalStorageGib) }),
        };
  return {
    kind: 'vm',
    ...given('account', values.account),
    image: image === byUrl ? imageUrl.trim() : image,
    ...size,
    constraints: constraintsOf(values),
    sshKeys: values.sshKeys,
    ...given('rootPassword', values.rootPassword),
    ports: portsOf(ports),
    name: values.name,
    ...given('group', group),
    ...given('firstBootScript', firstBootScript),
    count: Number(values.count),
  };
}

/** What to ask the market for where there is no place for this. */
export function marketSearchOf(values: VmValues): Record<string, string> {
  return {
    ...(values.sizing === 'own' ? {} : given('configuration', values.configuration)),
    ...given('additionalStorageGib', values.sizing === 'own' ? '' : values.additionalStorageGib),
    ...given('country', values.countries),
    ...given('datacenter', values.datacenters),
    ...given('cpuManufacturer', values.cpuManufacturer),
    ...given('cpuArchitecture', values.cpuArchitecture),
    ...given('storageType', values.storageType),
    ...given('maxPrice', values.maxPricePerEpoch),
  };
}
