// What the demo asks for and what it tells its user to type: the request, the same request as a curl line, and how to go
// on by hand. Everything here is text made from text.

import type { Image, Port } from '../../sdk/generated/types.ts';

/** What the machine has room for. */
export interface Offer {
  configuration: string;
  storageType: 'HDD' | 'SSD' | 'NVMe';
  /** Beyond what the configuration has, in GiB. */
  additionalStorageGib: number;
  instances: number;
}

/** The body of Fluence's `POST /vms/v3`, as far as the demo uses it. */
export interface DeployRequest {
  constraints: object;
  instances: number;
  vmConfiguration: {
    name: string;
    hostname: string;
    openPorts: Port[];
    osImage: string;
    sshKeys: string[];
  };
}

/** What the VM is called inside. */
export const demoHostname = 'my-vm';
/** What the VM opens beside 22. */
export const demoPorts: readonly Port[] = [
  { port: 80, protocol: 'tcp' },
  { port: 443, protocol: 'tcp' },
];

/** The request: two ports, a host name, a price limit, one key. */
export function demoRequest(offer: Offer, osImage: string, publicKey: string): DeployRequest {
  return {
    constraints: {
      basicConfiguration: offer.configuration,
      additionalResources: {
        storage: [{ type: offer.storageType, supply: offer.additionalStorageGib, units: 'GiB' }],
      },
      hardware: null,
      datacenter: null,
      maxTotalPricePerEpochUsd: '1.5',
    },
    instances: offer.instances,
    vmConfiguration: {
      name: 'web-server',
      openPorts: [...demoPorts],
      hostname: demoHostname,
      osImage,
      sshKeys: [publicKey],
    },
  };
}

/** Goes where the demo's files are and takes the API key from there, so that it stands in no shell history. */
export function enterLines(directory: string): string[] {
  return [`cd ${quoted(directory)}`, 'API_KEY=$(cat api-key)'];
}

/** The request as a command; the key is read from its file, which leaves the lines short enough to read. */
export function deployLines(url: string, request: DeployRequest): string[] {
  const placeholder = 'PUBLIC-KEY';
  const { vmConfiguration } = request;
  const shown = { ...request, vmConfiguration: { ...vmConfiguration, sshKeys: [placeholder] } };
  const body = compactJson(shown).replace(placeholder, `'"$(cat key.pub)"'`).split('\n');
  return [
    `curl -X POST ${url}/vms/v3 \\`,
    '  -H "Content-Type: application/json" \\',
    '  -H "Authorization: Bearer $API_KEY" \\',
    `  -d '${body[0]}`,
    ...body.slice(1, -1).map((line) => `  ${line}`),
    `  ${body.at(-1)}'`,
  ];
}

/** How to go on by hand: a comment and a command for each thing. */
export function goOnLines(url: string, image: Image, vms: readonly { id: string; address: string }[]): string[] {
  const [first] = vms;
  return [
    '# log in',
    ...vms.map(({ address }) => `ssh -i key -o UserKnownHostsFile=known_hosts ${image.username}@${address}`),
    '',
    '# the page that the VM serves',
    `curl http://${first?.address}/`,
    '',
    '# list',
    `curl -H "Authorization: Bearer $API_KEY" ${url}/vms/v3`,
    '',
    '# delete',
    `curl -X DELETE ${url}/vms/v3 \\`,
    '  -H "Content-Type: application/json" \\',
    '  -H "Authorization: Bearer $API_KEY" \\',
    `  -d '{"vmIds":[${vms.map(({ id }) => `"${id}"`).join(',\n    ')}]}'`,
    '',
    '# what Berth does, as it does it',
    'tail -f berth.log',
  ];
}

/** A line of text as it stands below a heading. */
export const indented = (line: string) => (line === '' ? '' : `  ${line}`);

/** JSON with two spaces a level, but what holds only plain values on one line where it fits. */
export function compactJson(value: unknown): string {
  const widthMax = 60;
  return JSON.stringify(value, null, 2).replace(/[{[]\n[^{}[\]]*\n\s*[}\]]/g, (text) => {
    const line = text.replace(/\n\s*/g, ' ');
    return line.length > widthMax ? text : line;
  });
}

function quoted(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;
}
