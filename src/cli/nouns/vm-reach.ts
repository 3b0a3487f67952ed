// Reaching VMs: a shell by SSH, and what was noted about them.

import type { Image, Instance } from '../../../sdk/generated/types.ts';
import { type Desk, each, option, type Verb } from '../command.ts';
import { attach, isTyped, tellEnd } from '../door.ts';
import { find, vmKind } from '../find.ts';
import { logsVerb } from '../logs.ts';
import { Screen } from '../screen.ts';
import { waitForBanner } from '../shell.ts';
import { runSsh } from '../ssh.ts';
import { metricsVerb } from './instance-metrics.ts';

/** A VM is active once it is switched on; so long after that its system may still be starting, in emulation. */
const bootMsMax = 3 * 60_000;
/** Most answer at once: then nothing is said of waiting. */
const quietMs = 700;

interface SshOptions {
  user?: string;
  identity?: string[];
  port?: string;
}

/** The verbs. */
export const reachVerbs: readonly Verb[] = [
  {
    usage: 'ssh <VM> [COMMAND...]',
    description: 'log in to a VM by SSH, or run a command in it',
    detail:
      'Runs the ssh of this machine (BERTH_SSH names another). Host keys are remembered by the id of the VM, in the directory of ' +
      'the profiles. A VM that was switched on a moment ago is waited for. Exits as ssh does.',
    operation: null,
    examples: ['vm ssh web-1', 'vm ssh web-1 -- uptime', 'vm ssh web-1 --user admin -i ~/.ssh/work'],
    options: [
      option('-l, --user <NAME>', "whom to log in as; the image's own user unless given"),
      option('-p, --port <PORT>', '22 unless given'),
      option('-i, --identity <FILE>', 'a private key', each),
    ],
    async run(desk, [text = '', ...command], { user, identity = [], port = '22' }: SshOptions) {
      const vm = await find(desk, vmKind, text);
      if (vm.address === null) throw new Error(`VM ${vm.name} is ${vm.status} and has no address yet.`);
      const target = { host: vm.address, port: Number(port), id: vm.id, user: user ?? (await userOf(desk, vm)) };
      const options = identity.flatMap((file) => ['-i', file]);
      await untilSsh(desk, vm, target);
      desk.end(await runSsh(desk.env, target, options, command));
      return undefined;
    },
  },
  {
    usage: 'console <VM>',
    description: "open a VM's serial console on this terminal",
    detail: 'Ctrl-] leaves. What is piped in is typed; the console stays open until Ctrl-C or the VM goes.',
    operation: null,
    examples: ['vm console web-1', 'vm console web-1 < commands.txt'],
    async run(desk, [text = '']) {
      const { id, name } = await find(desk, vmKind, text);
      const door = await desk.berth.instances.open(id, 'console', { signal: desk.signal });
      if (isTyped(desk)) desk.err.write(`Console of ${name}; Ctrl-] leaves it. A key may wake it.\r\n`);
      desk.goesOn = `Left the console; ${name} goes on.`;
      const closed = await attach(desk, door, true);
      if (closed === null) desk.err.write('\r\n');
      else tellEnd(desk, closed);
      return undefined;
    },
  },
  {
    usage: 'screen <VM>',
    description: "say where a VM's screen is seen: a page of the web console",
    operation: null,
    examples: ['vm screen web-1', 'vm screen web-1 --json'],
    async run(desk, [text = '']) {
      const { id } = await find(desk, vmKind, text);
      const url = `${desk.berth.url}/console/instances/${id}`;
      return { value: { id, url }, text: () => `${url}\n` };
    },
  },
  metricsVerb('vm', 'metrics <VM>', 'VM', vmKind),
  logsVerb('logs <VM>', 'show what was noted about a VM', vmKind, [
    'vm logs web-1',
    'vm logs web-1 --since 10m --follow',
  ]),
];

/**
 * Waits for the SSH server of a VM whose system is starting: `vm create --wait` is over before that. Where none comes, ssh says so better.
 * Another ssh than the machine's own may take another way.
 */
async function untilSsh(
  { env, err, signal }: Desk,
  { name, status, statusChangedAt }: Instance,
  { host, port }: { host: string; port: number },
): Promise<void> {
  const leftMs = Date.parse(statusChangedAt) + bootMsMax - Date.now();
  if (env.BERTH_SSH || status !== 'active' || leftMs <= 0) return;
  const screen = new Screen(err, { ...env });
  const telling = setTimeout(() => screen.activity(`Waiting for SSH at ${host}: ${name} is starting`), quietMs);
  try {
    await waitForBanner(host, Math.min(leftMs, bootMsMax), signal, port);
  } catch (error) {
    if (signal.aborted) throw error;
  } finally {
    clearTimeout(telling);
    screen.activity(null);
  }
}

/** Whom an image's own system lets in; root where the image is none of the catalog's. */
async function userOf({ berth }: Desk, { image, vm }: Instance): Promise<string> {
  const images = await berth.images.list({ limit: 200 }).all();
  const isIt = ({ url, slug }: Image) => url === image || slug === image || slug === vm?.lastImagedWith;
  return images.find(isIt)?.username ?? 'root';
}
