// `berth demo`: from nothing to words printed by a shell inside a VM, shown as it happens, through the API that every
// customer uses. However it ends - well, by a failure, by Ctrl-C at any moment - it takes away what it made. Where it runs
// and on what stands in compose/demo.ts.

import { Berth } from '../../sdk/berth.ts';
import { ConflictError, NotFoundError } from '../../sdk/error.ts';
import type { Image } from '../../sdk/generated/types.ts';
import { showContainer } from './demo-container.ts';
import { chooseImage, isReachable } from './demo-image.ts';
import { demoHostname, demoRequest, deployLines, enterLines, goOnLines, indented, type Offer } from './demo-text.ts';
import { introduce, showPorts, startWebServer } from './demo-visit.ts';
import { Watch } from './demo-watch.ts';
import { callDialect, nativeIdOf, vmIdOf } from './dialect-call.ts';
import { type Output, Screen } from './screen.ts';
import { makeKeyPair, waitForBanner } from './shell.ts';

/** A large image over a slow line, or one built from packages under emulation; past this nothing comes any more. */
const bringUpTimeoutMs = 3 * 60 * 60_000;
/** A full distribution takes up to 95 s from power-on to SSH under emulation, and several times that on a busy machine. */
const bannerTimeoutMs = 15 * 60_000;
/** A guest gets 20 s to power off before its plug is pulled. */
const deleteTimeoutMs = 60_000;
const deletePollMs = 200;
const lastEventsMs = 2_000;
const consoleEveryMs = 500;
const consoleLinesShown = 15;
const interruptStatus: Record<string, number> = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 };

/** What the demo stands on. */
export interface DemoGround {
  readonly directory: string;
  start(signal: AbortSignal): Promise<{ url: string; apiKey: string }>;
  measure(): Promise<Offer>;
  consoleLines(instanceId: string, count: number): Promise<string[]>;
  rootCertificate(): Promise<string>;
  troubles(): Promise<string[]>;
  close(): Promise<void>;
  destroy(): void;
}

/** What its user chooses. */
export interface DemoChoice {
  /** A slug of the catalog, or a short name such as `debian-12`. */
  image: string;
  /** Shows a container instead of a VM. */
  container: boolean;
  /** Ends after it was shown instead of waiting for Ctrl-C. */
  once: boolean;
}

interface DemoVm {
  id: string;
  address: string;
}

/** Runs the demo. @returns the process's exit status */
export async function runDemo(
  choice: DemoChoice,
  prepare: () => Promise<DemoGround>,
  output: Output & NodeJS.EventEmitter,
): Promise<number> {
  const screen = new Screen(output, process.env);
  const stop = new AbortController();
  let ground: DemoGround | null = null;
  let status = 0;
  const onSignal = (name: NodeJS.Signals) => {
    const known = interruptStatus[name] ?? 1;
    if (stop.signal.aborted) {
      screen.activity(null);
      screen.line('Ended at once.');
      ground?.destroy();
      process.exit(known);
    }
    status = known;
    stop.abort(new Error(`interrupted by ${name}`));
  };
  // Whoever read this has gone, and what was made must still be taken away.
  output.on('error', () => stop.abort());
  for (const name of Object.keys(interruptStatus)) process.on(name, onSignal);
  const watch = new Watch(screen, choice.container ? 'container' : 'virtual machine');
  let berth: Berth | null = null;
  try {
    ground = await prepare();
    const what = choice.container
      ? 'a container through POST /vendors/v1/machines/deployments/start'
      : 'a virtual machine through POST /vms/v3';
    screen.line(screen.style('bold', `Berth demo: ${what}, on this machine`));
    screen.line();
    const end = AbortSignal.any([stop.signal, watch.failed]);
    screen.activity(
      `Starting the database, the server and an agent${choice.container ? ' with a container engine' : ''}`,
    );
    const { url, apiKey } = await ground.start(end);
    screen.activity(null);
    screen.event(`Berth is up at ${url}`, 'done');
    berth = new Berth({ url, apiKey });
    const bringUpEnd = () => AbortSignal.any([end, AbortSignal.timeout(bringUpTimeoutMs)]);
    if (choice.container) {
      const [here, client] = [ground, berth];
      await showContainer({
        ...{ screen, directory: ground.directory, url, apiKey, end },
        berth: client,
        watch: (id) => void watch.follow(client, [id]),
        untilRunning: () => watch.until('instance.active', bringUpEnd()),
        rootCertificate: () => here.rootCertificate(),
      });
    } else await show({ screen, ground, berth, url, apiKey, choice, watch, end });
    if (!choice.once) {
      screen.line(screen.style('bold', 'Ctrl-C deletes it, stops everything and removes the directory.'));
      screen.line();
      await untilAborted(end);
      if (!stop.signal.aborted) throw end.reason;
      status = 0; // what it was asked to do is done
    }
  } catch (error) {
    screen.activity(null);
    if (stop.signal.aborted) screen.event('Interrupted; cleaning up', 'warning');
    else {
      status = 1;
      await explain(screen, watch.failed.aborted ? watch.failed.reason : error, watch, ground);
    }
  }
  if (ground && !(await cleanUp(screen, ground, berth, watch))) status ||= 1;
  for (const name of Object.keys(interruptStatus)) process.off(name, onSignal);
  return status;
}

interface VmDemo {
  screen: Screen;
  ground: DemoGround;
  berth: Berth;
  url: string;
  apiKey: string;
  choice: DemoChoice;
  watch: Watch;
  end: AbortSignal;
}

async function show({ screen, ground, berth, url, apiKey, choice, watch, end }: VmDemo): Promise<void> {
  const { directory } = ground;
  const images = await berth.images.list().all();
  const { image, reason } = await chooseImage(images, choice.image, (address) => {
    screen.activity(`Looking whether ${new URL(address).host} can be reached`);
    return isReachable(address, end);
  });
  screen.activity(null);
  screen.event(`Image ${image.slug}${reason === null ? '' : `: ${reason}`}`, 'done');
  const request = demoRequest(await ground.measure(), image.url, await makeKeyPair(directory, end));
  screen.heading('The request, as you would type it');
  for (const line of [...enterLines(directory), '', ...deployLines(url, request)]) screen.line(indented(line));
  screen.line();

  end.throwIfAborted();
  const deployedMs = performance.now();
  const headers = { authorization: `Bearer ${apiKey}` };
  const deployed = await callDialect<{ vmId: string }[]>(url, { path: '/vms/v3', headers, body: request });
  for (const { vmId } of deployed) screen.event(`201 Created: VM ${vmId}`, 'done');
  const ids = deployed.map(({ vmId }) => nativeIdOf(vmId));
  void watch.follow(berth, ids);
  screen.activity('Bringing it up');
  await watch.until('instance.active', AbortSignal.any([end, AbortSignal.timeout(bringUpTimeoutMs)]));
  const vms = await readAddresses(berth, ids);
  const startedMs = performance.now();
  for (const vm of vms) await waitForSsh(screen, ground, vm, vms.length > 1, end);
  const seconds = (sinceMs: number) => ((performance.now() - sinceMs) / 1_000).toFixed(1);
  screen.event(`Ready ${seconds(startedMs)} s after its start, ${seconds(deployedMs)} s after the request`, 'done');
  for (const { address } of vms) {
    const login = { user: image.username, address, directory };
    await introduce(screen, login, end);
    const served = await startWebServer(screen, login, end);
    await showPorts(screen, login, [22, ...request.vmConfiguration.openPorts.map(({ port }) => port)], served, end);
  }
  await tellHowToGoOn(screen, berth, url, directory, image, vms);
}

async function readAddresses(berth: Berth, ids: readonly string[]): Promise<DemoVm[]> {
  const instances = await Promise.all(ids.map((id) => berth.instances.get(id)));
  return instances.flatMap(({ id, address }) => (address ? [{ id: vmIdOf(id), address }] : []));
}

/** Waits for SSH, with the VM's last console line as the sign that it lives. */
async function waitForSsh(
  screen: Screen,
  ground: DemoGround,
  { id, address }: DemoVm,
  named: boolean,
  signal: AbortSignal,
): Promise<void> {
  let said = '';
  const listening = setInterval(() => {
    void ground.consoleLines(id, 1).then(([line = '']) => {
      said = line;
    });
  }, consoleEveryMs);
  try {
    screen.activity(() => `Waiting for SSH at ${address}${said === '' ? '' : screen.style('dim', ` ${said}`)}`);
    const banner = await waitForBanner(address, bannerTimeoutMs, signal);
    screen.activity(null);
    screen.event(`${named ? `${address}: ` : ''}SSH answers at ${address}: ${banner}`, 'done');
  } finally {
    clearInterval(listening);
  }
}

async function tellHowToGoOn(
  screen: Screen,
  berth: Berth,
  url: string,
  directory: string,
  image: Image,
  vms: readonly DemoVm[],
): Promise<void> {
  const [vm] = (await berth.instances.list().page()).items;
  screen.heading(
    `${demoHostname} runs${vm ? ` for ${vm.pricePerEpoch} US dollars a day` : ''}. Go on by hand, in another terminal:`,
  );
  for (const line of [...enterLines(directory), '', ...goOnLines(url, image, vms)]) {
    screen.line(line.startsWith('#') ? screen.style('dim', indented(line)) : indented(line));
  }
  screen.line();
}

async function untilAborted(signal: AbortSignal): Promise<void> {
  // A timer keeps the process alive; the API's listener alone would, but this file does not know of it.
  const alive = setInterval(() => {}, 60_000);
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
  clearInterval(alive);
}

/** Says what went wrong, and what came before it. */
async function explain(screen: Screen, error: unknown, watch: Watch, ground: DemoGround | null): Promise<void> {
  screen.event(error instanceof Error ? error.message : String(error), 'failed');
  const parts: Record<string, readonly string[]> = {
    'The last events': watch.last,
    'The last warnings in the log': (await ground?.troubles()) ?? [],
  };
  for (const id of watch.ids) {
    parts[`The end of the console of VM ${id}`] = (await ground?.consoleLines(id, consoleLinesShown)) ?? [];
  }
  for (const [title, lines] of Object.entries(parts)) {
    if (lines.length === 0) continue;
    screen.heading(title);
    for (const line of lines) screen.line(`  ${line}`, 4);
  }
  screen.line();
}

/** Takes everything away. @returns whether that went well */
async function cleanUp(screen: Screen, ground: DemoGround, berth: Berth | null, watch: Watch): Promise<boolean> {
  let smooth = true;
  const attempt = async (activity: string, step: () => Promise<void>) => {
    screen.activity(activity);
    await step().catch((error: Error) => {
      smooth = false;
      screen.event(error.message, 'failed');
    });
  };
  if (berth) await attempt('Stopping and deleting it', () => deleteAll(berth, watch));
  watch.close();
  await attempt('Stopping the agent, the server and the database', () => ground.close());
  screen.activity(null);
  if (smooth) screen.event(`Everything is stopped, and ${ground.directory} is removed`, 'done');
  return smooth;
}

async function deleteAll(berth: Berth, watch: Watch): Promise<void> {
  const deadline = performance.now() + deleteTimeoutMs;
  // One that its user has deleted is not listed any more, and may still be powering off.
  let left = [...new Set([...watch.ids, ...(await berth.instances.list({ deleted: true }).all()).map(({ id }) => id)])];
  while (left.length > 0) {
    const gone = await Promise.all(left.map((id) => isGone(berth, id)));
    left = left.filter((_, index) => !gone[index]);
    if (left.length > 0 && performance.now() > deadline) {
      throw new Error(`VM ${left.join(', ')} was not gone after ${deleteTimeoutMs / 1_000} s.`);
    }
    await new Promise((resolve) => setTimeout(resolve, deletePollMs));
  }
  // The feed's last line is on its way; it is not worth waiting for long.
  await watch.until('instance.deleted', AbortSignal.timeout(lastEventsMs)).catch(() => {});
}

/** Orders an instance's end for good. @returns whether there is nothing left of it */
async function isGone(berth: Berth, id: string): Promise<boolean> {
  try {
    const { status } = await berth.instances.get(id);
    if (status !== 'deleting') await berth.instances.delete(id, { purge: true });
    return false;
  } catch (error) {
    // Gone when its host has confirmed; refused where it has just begun to go.
    if (error instanceof NotFoundError) return true;
    if (error instanceof ConflictError) return false;
    throw error;
  }
}
