// Values for the fields of generated requests, where any value of the type would hardly ever be a right one. Texts such as
// `@d0` stand for ids that are there when the request is sent.

import fc from 'fast-check';
import { partsOf } from '../../src/model/ssh-key.ts';
import type { Hints } from './requests.ts';
import { imageUrl, keys } from './support.ts';

const publicKeys = Object.values(keys);
const fingerprints = publicKeys.map((key) => partsOf(key).fingerprint);
const nobodys = '00000000-0000-4000-8000-000000000000';

const mostly = <Value>(right: fc.Arbitrary<Value>, wrong: fc.Arbitrary<Value>) =>
  fc.oneof({ weight: 9, arbitrary: right }, { weight: 1, arbitrary: wrong });
const id = fc.constantFrom('@0', '@1', '@2', '@7', `0x${'0'.repeat(40)}`, 'x');
const price = mostly(fc.constantFrom('1.5', '9', ''), fc.constantFrom('.30697', '0.30697', '1e9', '-1', 'abc'));
const name = mostly(fc.stringMatching(/^[a-h][0-9]$/), fc.string());
const port = mostly(fc.integer({ min: 1, max: 65_535 }), fc.constantFrom(22, 10_250, 0));

/** Of Fluence's dialect and of Berth's own API. */
export const fluenceHints: Hints = {
  basicConfiguration: mostly(
    fc.constantFrom('cpu-1-ram-1gb-storage-5gb', ''),
    fc.constantFrom('cpu-9', 'cpu-2-ram-4gb-storage-25gb'),
  ),
  type: mostly(fc.constantFrom('NVMe', 'NVMe', ''), fc.constantFrom('SSD', 'HDD', 'DDR')),
  supply: fc.nat(30),
  units: mostly(fc.constant('GiB'), fc.constant('GB')),
  manufacturer: mostly(fc.constant(''), fc.constantFrom('AMD', 'Intel')),
  architecture: mostly(fc.constant(''), fc.constantFrom('Zen', 'ICE LAKE')),
  generation: mostly(fc.constant(''), fc.constantFrom('4', '5')),
  countries: mostly(fc.constant(''), fc.constantFrom('FR', 'pl', 'DE', 'XX')),
  maxTotalPricePerEpochUsd: price,
  instances: mostly(fc.integer({ min: 1, max: 3 }), fc.integer({ min: -1, max: 12 })),
  name,
  vmName: name,
  hostname: name,
  port,
  protocol: mostly(fc.constantFrom('tcp', 'udp'), fc.constant('sctp')),
  osImage: mostly(fc.constant(imageUrl), fc.constant('http://10.0.0.1/x.img')),
  sshKeys: mostly(fc.constantFrom<string>(...publicKeys), fc.constantFrom<string>(...fingerprints, 'a1')),
  publicKey: fc.constantFrom<string>(...publicKeys),
  fingerprint: fc.constantFrom<string>(...fingerprints),
  id,
  vmIds: id,
  ids: fc.constantFrom('@0', '@0,@1', '@0%2C@2', '', ',', 'x'),
  instance: id,
};

const protocol = mostly<unknown>(
  fc.constantFrom('PORT_PROTOCOL_TCP', 'PORT_PROTOCOL_HTTPS', 1, 2),
  fc.constantFrom('PORT_PROTOCOL_UNSPECIFIED', 'PORT_PROTOCOL_UDP', 0, 3, null),
);
/** Few enough that one is used a second time. */
const externalId = mostly(fc.stringMatching(/^e[0-9]{2}$/), fc.constantFrom('', 'x'.repeat(256)));
const machine = mostly(fc.constantFrom('@m0', '@m1'), fc.constantFrom('', 'x', nobodys));

/** Where nobody takes what is delivered. */
export const deafReceiver = '127.0.0.1:9';

/** Of Hiveon's dialect; `{machines}` and the like are parameters of paths, by the part before them. */
export const hiveonHints: Hints = {
  machine_id: machine,
  machine_price_id: mostly(fc.constantFrom('@p0', '@p1'), fc.constantFrom('', 'x', nobodys)),
  external_deployment_id: externalId,
  ssh_pub_keys: mostly(
    fc.constantFrom<string>(...publicKeys, 'ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQC...'),
    fc.constantFrom<string>(...fingerprints, 'a1', ''),
  ),
  image: mostly(
    fc.constantFrom('nginx:latest', 'registry.example.com/team/app:v2', `app@sha256:${'a'.repeat(64)}`),
    fc.constantFrom('', 'No Image', '10.0.0.1:5000/app', 'a'.repeat(600)),
  ),
  docker_auth: mostly<unknown>(
    fc.constant({ server: 'registry.example.com', login: 'ann', password: 'secret' }),
    fc.constantFrom({}, { login: 'ann' }, { server: '10.0.0.1', login: 'ann', password: 'secret' }),
  ),
  ports: mostly<unknown>(
    fc.oneof(fc.record({ host_port: port, protocol }), port),
    fc.constantFrom({}, -1, 1.5, 65_536),
  ),
  startup_script: fc.constantFrom('echo started', '#!/bin/sh\necho started', '', 'x'.repeat(70_000)),
  filter: fc.constantFrom(
    '',
    'cpu_cores:1',
    'memory_size:1GB,machine_status:available',
    'cpu_cores:x',
    'color:red',
    ':',
  ),
  status: fc.constantFrom('STATUS_RUNNING', 'stopped', 'STATUS_UNSPECIFIED', 'x'),
  since: fc.constantFrom('', '10m', '0', '2026-01-31T12:00:00Z', 'x'),
  // What is followed has no end as long as the container runs.
  follow: fc.constant('false'),
  event_type: mostly(
    fc.constantFrom('EVENT_TYPE_DEPLOYMENT_CREATED', 'EVENT_TYPE_DEPLOYMENT_STOPPED', 'EVENT_TYPE_MACHINE_UPDATED'),
    fc.constantFrom('', 'EVENT_TYPE_UNSPECIFIED'),
  ),
  callback_url: mostly(
    fc.constant(`http://${deafReceiver}/hook`),
    fc.constantFrom('', 'http://10.0.0.1/', 'ftp://example.com/', 'https://ann:secret@example.com/'),
  ),
  secret: mostly(fc.constantFrom('secret', null), fc.constantFrom('', 'x'.repeat(300))),
  '{webhooks}': mostly(fc.constantFrom('@w0', '@w1'), fc.constantFrom('x', nobodys, '%00')),
  '{deliveries}': mostly(fc.constantFrom('@e0', '@e1'), fc.constantFrom('x', nobodys, '%00')),
  '{machines}': machine.map((one) => one || '%20'),
  '{deployments}': mostly(fc.constantFrom('@d0', '@d1', '@d2', '@d3'), fc.constantFrom('e01', 'x', '%00', '@m0')),
  '{by-external-id}': mostly(fc.stringMatching(/^e[0-9]{2}$/), fc.constantFrom('@d0', '%00', 'x%2Fy')),
};
