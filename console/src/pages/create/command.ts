// What is chosen, as it is typed at the command line or sent to the API: the same thing by other ways. A test runs what is written here.

import type { NewEstimate, NewPort } from '../../../../sdk/generated/types.ts';

/** What has to be known besides the body. */
export interface Names {
  /** By fingerprint: how a key is named. */
  keys: ReadonlyMap<string, { name: string; publicKey: string }>;
  /** Where the server is. */
  origin: string;
  /** Whether passwords are written out. */
  showsSecrets: boolean;
}

/** What secrets are written as while they are hidden. */
const hidden = '********';
const plain = /^[\w@%+=:,./-]+$/;
const indent = '  ';

/** An argument as a POSIX shell takes it. */
export const quoted = (text: string): string => (plain.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

/** Words on several lines where they are many: what belongs together stays together. */
function lineOf(head: string, options: readonly (readonly string[])[]): string {
  return [head, ...options.map((words) => words.map(quoted).join(' '))].join(` \\\n${indent}`);
}

/** A file that a command reads, made by the shell before it. */
function fileOf(name: string, text: string): string {
  // A word that no line of it is.
  let end = 'EOF';
  while (text.split('\n').includes(end)) end += '_';
  return `cat > ${name} <<'${end}'\n${text.replace(/\n?$/, '\n')}${end}\n`;
}

function size(mib: number): string {
  return mib % 1024 === 0 ? `${mib / 1024}GiB` : `${mib}MiB`;
}

const portsText = (ports: readonly NewPort[]) => ports.map(({ port, protocol }) => `${port}/${protocol}`).join(',');

/** Options of which each has its value, without those that are not given. */
function given(options: readonly (readonly [flag: string, value: string | number | undefined])[]): string[][] {
  return options.flatMap(([flag, value]) => (value === undefined ? [] : [[flag, String(value)]]));
}

/** A key by its name; where that would be taken for a file, the key itself, and so one that was pasted. */
function keyOptions(fingerprints: readonly string[] = [], { keys }: Names): string[][] {
  return fingerprints.map((fingerprint) => {
    const { name = fingerprint, publicKey = fingerprint } = keys.get(fingerprint) ?? {};
    return ['--ssh-key', /[/\\\s]|\.pub$|^-/.test(name) ? publicKey : name];
  });
}

/** `berth vm create ...`, with what it reads before it. */
export function vmCommand(body: NewEstimate & { quote?: string | undefined }, names: Names): string {
  const { constraints = {}, disks = [], rootPassword, firstBootScript, count = 1 } = body;
  const { countries, cities, datacenters } = constraints;
  const all = disks.length > 0 ? disks : body.diskGib === undefined ? [] : [{ sizeMib: body.diskGib * 1024 }];
  const options = [
    ...given([
      ['--image', body.image],
      ['--size', body.configuration],
      ['--vcpus', body.vcpus],
      ['--memory', body.memoryMib === undefined ? undefined : size(body.memoryMib)],
    ]),
    ...all.map((disk) => ['--disk', `${size(disk.sizeMib)}${'grade' in disk && disk.grade ? `:${disk.grade}` : ''}`]),
    ...given([
      ['--extra-storage', body.additionalStorageGib ? `${body.additionalStorageGib}GiB` : undefined],
      ['--country', countries?.join(',')],
      ['--city', cities?.join(',')],
      ['--datacenter', datacenters?.join(',')],
      ['--cpu', constraints.cpuManufacturer],
      ['--cpu-architecture', constraints.cpuArchitecture],
      ['--storage-type', constraints.storageType],
      ['--max-price', constraints.maxPricePerEpoch],
      ['--quote', body.quote],
    ]),
    ...keyOptions(body.sshKeys, names),
    ...(body.ports ? [['--open', portsText(body.ports)]] : []),
    ...(body.allPortsOpen ? [['--all-ports']] : []),
    ...given([
      ['--root-password-file', rootPassword && 'root-password.txt'],
      ['--first-boot-script', firstBootScript && 'first-boot.sh'],
      ['--hostname', body.hostname],
      ['--group', body.group],
      ['--account', body.account],
      ['--count', count > 1 ? count : undefined],
    ]),
    ...(body.power === 'off' ? [['--off']] : []),
    ...given([
      ['--hardware', body.hardwareProfile],
      ['--keymap', body.keymap],
    ]),
    ...(body.autoreboot ? [['--autoreboot']] : []),
    ...given([
      ['--ipv4', body.ipv4],
      ['--ipv6', body.ipv6],
    ]),
  ];
  const password = names.showsSecrets ? rootPassword : hidden;
  return [
    rootPassword ? fileOf('root-password.txt', password ?? '') : '',
    firstBootScript ? fileOf('first-boot.sh', firstBootScript) : '',
    lineOf(`berth vm create ${quoted(body.name ?? '')}`, options),
  ].join('');
}

/** `berth ct create ...`, with what it reads before it. */
export function containerCommand(body: NewEstimate & { quote?: string | undefined }, names: Names): string {
  const { startupScript, registryAuth, environment = {} } = body;
  const options = [
    ...given([
      ['--image', body.image],
      ['--slot', body.slot],
      ['--slot-price', body.slotPrice],
      ['--quote', body.quote],
    ]),
    ...Object.entries(environment).map(([name, value]) => ['--env', `${name}=${value}`]),
    ...keyOptions(body.sshKeys, names),
    ...(body.ports ? [['--open', portsText(body.ports)]] : []),
    ...given([
      ['--startup-script', startupScript && 'startup.sh'],
      ['--registry-login', registryAuth && `${registryAuth.login}@${registryAuth.server}`],
      ['--registry-password-file', registryAuth && 'registry-password.txt'],
      ['--group', body.group],
      ['--account', body.account],
    ]),
  ];
  const password = names.showsSecrets ? registryAuth?.password : hidden;
  return [
    registryAuth ? fileOf('registry-password.txt', password ?? '') : '',
    startupScript ? fileOf('startup.sh', startupScript) : '',
    lineOf(`berth ct create ${quoted(body.name ?? '')}`, options),
  ].join('');
}

/** The call of the API, by curl. */
export function apiCall(body: NewEstimate & { quote?: string | undefined }, { origin, showsSecrets }: Names): string {
  const { count = 1, kind, ...rest } = body;
  const isDeployment = count > 1;
  const { rootPassword, registryAuth } = rest;
  const secrets = {
    ...(rootPassword ? { rootPassword: hidden } : {}),
    ...(registryAuth ? { registryAuth: { ...registryAuth, password: hidden } } : {}),
  };
  const sent = {
    ...(isDeployment ? {} : { kind }),
    ...rest,
    ...(showsSecrets ? {} : secrets),
    ...(isDeployment ? { count } : {}),
  };
  const json = JSON.stringify(sent, null, 2).replaceAll("'", "'\\''");
  return [
    `curl ${origin}/berth/v1/${isDeployment ? 'deployments' : 'instances'}`,
    `-H "Authorization: Bearer $BERTH_API_KEY"`,
    "-H 'Content-Type: application/json'",
    `-d '${json}'`,
  ].join(` \\\n${indent}`);
}
