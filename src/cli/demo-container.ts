// The demo of containers: the call that Hiveon's documentation shows, on a machine that this Berth lets, and the page that the
// container then serves, over TCP and over HTTPS.

import { get } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Berth } from '../../sdk/berth.ts';
import type { Instance, Slot } from '../../sdk/generated/types.ts';
import { compactJson, enterLines, indented } from './demo-text.ts';
import { callDialect } from './dialect-call.ts';
import type { Screen } from './screen.ts';
import { makeKeyPair, runInVm } from './shell.ts';

const pollMs = 200;
/** The engine may just be starting, and the host tells of it with its next report. */
const machineTimeoutMs = 60_000;
const pageTimeoutMs = 30_000;

/** What the demo of containers is given. */
export interface ContainerDemo {
  screen: Screen;
  directory: string;
  url: string;
  apiKey: string;
  berth: Berth;
  /** Tells who is watched from now on. */
  watch(id: string): void;
  /** Resolves when the container runs. */
  untilRunning(): Promise<void>;
  /** The certificate of the authority that has signed for the HTTPS ports, as PEM. */
  rootCertificate(): Promise<string>;
  end: AbortSignal;
}

/** Shows a container from the call to its pages. */
export async function showContainer(demo: ContainerDemo): Promise<void> {
  const { screen, directory, url, apiKey, berth, end } = demo;
  screen.activity('Waiting for a machine to rent');
  const slot = await availableSlot(berth, end);
  screen.activity(null);
  screen.event(`Machine ${hiveonId(slot.id)}: ${sizeOf(slot)}, ${priceOf(slot)}`, 'done');
  const publicKey = await makeKeyPair(directory, end);
  const request = requestFor(slot, publicKey);
  screen.heading('The request, as you would type it');
  for (const line of [...enterLines(directory), '', ...startLines(url, request)]) screen.line(indented(line));
  screen.line();
  const startedMs = performance.now();
  const headers = { 'x-api-key': apiKey };
  const { deployment_id: id } = await callDialect<{ deployment_id: string }>(url, {
    ...{ path: '/vendors/v1/machines/deployments/start', headers, body: request },
  });
  screen.event(`200 OK: deployment ${id}`, 'done');
  const { instances } = await berth.deployments.get(`dep_${id.replaceAll('-', '')}`);
  const instanceId = instances[0]?.id ?? '';
  demo.watch(instanceId);
  screen.activity('Bringing it up');
  await demo.untilRunning();
  const instance = await berth.instances.get(instanceId);
  const { tcp, https } = placesOf(instance);
  screen.activity('Fetching its page');
  const plain = await untilPage(() => fetchPage(tcp.url, end), end);
  const secure = await untilPage(async () => securePage(https.url, await demo.rootCertificate()), end);
  screen.activity(null);
  screen.event(
    `Both pages are there ${((performance.now() - startedMs) / 1_000).toFixed(1)} s after the request`,
    'done',
  );
  screen.heading('What it serves');
  screen.line(`  ${tcp.url}  ${plain}`, 4);
  screen.line(`  ${https.url}  ${secure}  (its certificate checked)`, 4);
  await showShell(screen, instance, directory, end);
  screen.heading('Go on by hand, in another terminal:');
  for (const line of [...enterLines(directory), '', ...goOnLines(url, id, instance, { tcp, https })]) {
    screen.line(line.startsWith('#') ? screen.style('dim', indented(line)) : indented(line));
  }
  screen.line();
}

async function availableSlot(berth: Berth, end: AbortSignal): Promise<Slot> {
  const deadline = performance.now() + machineTimeoutMs;
  for (;;) {
    const [slot] = await berth.slots.list({ available: true }).all();
    if (slot) return slot;
    if (performance.now() > deadline) throw new Error('No machine is available: the container engine did not come up.');
    await sleep(pollMs, undefined, { signal: end });
  }
}

/** An id of Berth's own API as Hiveon's calls write it. */
const hiveonId = (id: string) => id.replace(/^[a-z]+_(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');

const sizeOf = ({ vcpus, memoryGib, diskGib }: Slot) =>
  `${vcpus} cores, ${memoryGib} GiB of memory, ${diskGib} GiB of storage`;

function hourly({ id, prices }: Slot): Slot['prices'][number] {
  const price = prices.find(({ unit }) => unit === 'hour') ?? prices[0];
  if (!price) throw new Error(`The slot ${id} has no price.`);
  return price;
}

function priceOf(slot: Slot): string {
  const { amount, unit } = hourly(slot);
  return `${amount} USD an ${unit}`;
}

/** The body of Hiveon's `POST /vendors/v1/machines/deployments/start`, as far as the demo uses it. */
interface DeploymentRequest {
  machine_id: string;
  machine_price_id: string;
  external_deployment_id: string;
  ssh_pub_keys: string[];
  container_config: {
    image: string;
    ports: { host_port: number; protocol: 'PORT_PROTOCOL_TCP' | 'PORT_PROTOCOL_HTTPS' }[];
    startup_script: string;
    environment_variables: Record<string, string>;
  };
  metadata: Record<string, string>;
}

/** The call of the documentation, on a machine that is there, with a key that is the demo's. */
function requestFor(slot: Slot, publicKey: string): DeploymentRequest {
  return {
    machine_id: hiveonId(slot.id),
    machine_price_id: hiveonId(hourly(slot).id),
    external_deployment_id: 'e8ee1cb1-cad1-4d90-a69d-79097a9572c8',
    ssh_pub_keys: [publicKey],
    container_config: {
      image: 'nginx:latest',
      ports: [
        { host_port: 80, protocol: 'PORT_PROTOCOL_TCP' },
        { host_port: 443, protocol: 'PORT_PROTOCOL_HTTPS' },
      ],
      startup_script: 'echo "Hello, World!" > /var/www/html/index.html',
      environment_variables: { ENV_VAR1: 'value1', ENV_VAR2: 'value2' },
    },
    metadata: { additional_key: 'additional_value' },
  };
}

function startLines(url: string, request: DeploymentRequest): string[] {
  const placeholder = 'PUBLIC-KEY';
  const text = compactJson({ ...request, ssh_pub_keys: [placeholder] }).replace(placeholder, `'"$(cat key.pub)"'`);
  const body = text.split('\n');
  return [
    `curl -X POST ${url}/vendors/v1/machines/deployments/start \\`,
    '  -H "Content-Type: application/json" \\',
    '  -H "X-API-Key: $API_KEY" \\',
    `  -d '${body[0]}`,
    ...body.slice(1, -1).map((line) => `  ${line}`),
    `  ${body.at(-1)}'`,
  ];
}

interface Places {
  tcp: { url: string };
  https: { url: string };
}

function placesOf({ address, container }: Instance): Places {
  const https = container?.publicPorts.find(({ protocol }) => protocol === 'https');
  if (!address || !https?.url) throw new Error('The container does not tell where its ports are.');
  return { tcp: { url: `http://${address}:80/` }, https: { url: https.url } };
}

/** The first line of a page; a server that has just been started takes a moment. */
async function untilPage(fetchIt: () => Promise<string>, end: AbortSignal): Promise<string> {
  const deadline = performance.now() + pageTimeoutMs;
  for (;;) {
    try {
      return (await fetchIt()).trim().split('\n', 1)[0] ?? '';
    } catch (error) {
      if (performance.now() > deadline || end.aborted) throw error;
    }
    await sleep(pollMs, undefined, { signal: end });
  }
}

async function fetchPage(url: string, end: AbortSignal): Promise<string> {
  const answer = await fetch(url, { signal: end });
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}.`);
  return answer.text();
}

/** A page over HTTPS from this machine's own ingress, whose names all lead to loopback. */
function securePage(url: string, ca: string): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const headers = { host: hostname };
    get(
      { host: '127.0.0.1', port: port || 443, servername: hostname, path: '/', headers, ca, agent: false },
      (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (part: string) => {
          text += part;
        });
        answer.once('end', () => (answer.statusCode === 200 ? resolve(text) : reject(new Error(text))));
      },
    ).once('error', reject);
  });
}

async function showShell(screen: Screen, { container }: Instance, directory: string, end: AbortSignal): Promise<void> {
  const ssh = container?.ssh;
  if (!ssh) return;
  const login = { user: ssh.user, address: ssh.host, directory };
  const { output } = await runInVm(login, 'hostname; cat /proc/1/comm; echo $ENV_VAR1', end);
  const [hostname = '', program = '', variable = ''] = output.trim().split('\n');
  screen.heading(`A shell in it (ssh ${ssh.user}@${ssh.host}), though its image has no SSH server`);
  screen.line(`  hostname ${hostname}, first process ${program}, ENV_VAR1=${variable}`, 4);
}

function goOnLines(url: string, id: string, { container }: Instance, { tcp, https }: Places): string[] {
  const ssh = container?.ssh;
  return [
    '# its pages',
    `curl ${tcp.url}`,
    `curl --cacert ca.crt ${https.url}`,
    ...(ssh ? ['', '# log in', `ssh -i key -o UserKnownHostsFile=known_hosts ${ssh.user}@${ssh.host}`] : []),
    '',
    '# what it says',
    `curl -H "X-API-Key: $API_KEY" ${url}/vendors/v1/machines/deployments/${id}/logs`,
    '',
    '# stop',
    `curl -X POST -H "X-API-Key: $API_KEY" ${url}/vendors/v1/machines/deployments/${id}/stop`,
    '',
    '# what Berth does, as it does it',
    'tail -f berth.log',
  ];
}
