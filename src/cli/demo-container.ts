// The demo of containers: the call that Hiveon's documentation shows, on a machine that this Berth lets, and the page that the
// container then serves, over TCP and over HTTPS.

import { get } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Deployment, type DeploymentRequest, type Machine, VendorClient } from '../../sdk/vendor.ts';
import { compactJson, enterLines, indented } from './demo-text.ts';
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
  /** Tells who is watched from now on, by the ids that the event feed has. */
  watch(): Promise<void>;
  /** Resolves when the container runs. */
  untilRunning(): Promise<void>;
  /** The certificate of the authority that has signed for the HTTPS ports, as PEM. */
  rootCertificate(): Promise<string>;
  end: AbortSignal;
}

/** Shows a container from the call to its pages. */
export async function showContainer(demo: ContainerDemo): Promise<void> {
  const { screen, directory, url, apiKey, end } = demo;
  const client = new VendorClient({ url, apiKey });
  screen.activity('Waiting for a machine to rent');
  const machine = await availableMachine(client, end);
  screen.activity(null);
  screen.event(`Machine ${machine.machine_id}: ${sizeOf(machine)}, ${priceOf(machine)}`, 'done');
  const publicKey = await makeKeyPair(directory, end);
  const request = requestFor(machine, publicKey);
  screen.heading('The request, as you would type it');
  for (const line of [...enterLines(directory), '', ...startLines(url, request)]) screen.line(indented(line));
  screen.line();
  const startedMs = performance.now();
  const id = await client.start(request);
  screen.event(`200 OK: deployment ${id}`, 'done');
  await demo.watch();
  screen.activity('Bringing it up');
  await demo.untilRunning();
  const deployment = await client.deployment(id);
  const { tcp, https } = placesOf(deployment);
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
  await showShell(screen, deployment, directory, end);
  screen.heading('Go on by hand, in another terminal:');
  for (const line of [...enterLines(directory), '', ...goOnLines(url, id, deployment, { tcp, https })]) {
    screen.line(line.startsWith('#') ? screen.style('dim', indented(line)) : indented(line));
  }
  screen.line();
}

async function availableMachine(client: VendorClient, end: AbortSignal): Promise<Machine> {
  const deadline = performance.now() + machineTimeoutMs;
  for (;;) {
    const [machine] = await client.machines('machine_status:available');
    if (machine) return machine;
    if (performance.now() > deadline) throw new Error('No machine is available: the container engine did not come up.');
    await sleep(pollMs, undefined, { signal: end });
  }
}

const sizeOf = ({ hardware_specs: { cpu, memory_gb: memory, storage_gb: storage } }: Machine) =>
  `${cpu.cores} cores, ${memory} GB of memory, ${storage} GB of storage`;

function hourly(machine: Machine): Machine['machine_prices'][number] {
  const [first] = machine.machine_prices;
  const price = machine.machine_prices.find(({ unit }) => unit === 'HOUR') ?? first;
  if (!price) throw new Error(`The machine ${machine.machine_id} has no price.`);
  return price;
}

function priceOf(machine: Machine): string {
  const { amount, currency, unit } = hourly(machine);
  return `${amount} ${currency} an ${unit.toLowerCase()}`;
}

/** The call of the documentation, on a machine that is there, with a key that is the demo's. */
function requestFor(machine: Machine, publicKey: string): DeploymentRequest {
  return {
    machine_id: machine.machine_id,
    machine_price_id: hourly(machine).id,
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

function placesOf({ ports }: Deployment): Places {
  const tcp = ports.find(({ protocol }) => protocol === 'PORT_PROTOCOL_TCP');
  const https = ports.find(({ protocol }) => protocol === 'PORT_PROTOCOL_HTTPS');
  if (!tcp?.public_host || !https?.url) throw new Error('The deployment does not tell where its ports are.');
  return { tcp: { url: `http://${tcp.public_host}:${tcp.public_port}/` }, https: { url: https.url } };
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

async function showShell(screen: Screen, { ssh }: Deployment, directory: string, end: AbortSignal): Promise<void> {
  if (!ssh) return;
  const login = { user: ssh.user, address: ssh.host, directory };
  const { output } = await runInVm(login, 'hostname; cat /proc/1/comm; echo $ENV_VAR1', end);
  const [hostname = '', program = '', variable = ''] = output.trim().split('\n');
  screen.heading(`A shell in it (ssh ${ssh.user}@${ssh.host}), though its image has no SSH server`);
  screen.line(`  hostname ${hostname}, first process ${program}, ENV_VAR1=${variable}`, 4);
}

function goOnLines(url: string, id: string, { ssh }: Deployment, { tcp, https }: Places): string[] {
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
