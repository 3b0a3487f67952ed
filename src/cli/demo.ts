// `berth demo`: from nothing to words printed by a shell inside a VM, shown as it happens, through the API that every
// customer uses. However it ends - well, by a failure, by Ctrl-C at any moment - it takes away what it made. Where it runs
// and on what stands in compose/demo.ts.

import { BerthApiError, BerthClient, type DefaultImage } from '../../sdk/client.ts';
import { showContainer } from './demo-container.ts';
import { chooseImage, isReachable } from './demo-image.ts';
import { demoHostname, demoRequest, deployLines, enterLines, goOnLines, indented, type Offer } from './demo-text.ts';
import { introduce, showPorts, startWebServer } from './demo-visit.ts';
import { Watch } from './demo-watch.ts';
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
  let client: BerthClient | null = null;
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
    client = new BerthClient({ url, apiKey });
    const bringUpEnd = () => AbortSignal.any([end, AbortSignal.timeout(bringUpTimeoutMs)]);
    if (choice.container) {
      const [here, account] = [ground, client];
      await showContainer({
        ...{ screen, directory: ground.directory, url, apiKey, end },
        async watch() {
          const ids = (await account.listVms()).map(({ id }) => id);
          void watch.follow(account, ids);
        },
        untilRunning: () => watch.until('instance.active', bringUpEnd()),
        rootCertificate: () => here.rootCertificate(),
      });
    } else await show(screen, ground, client, url, choice, watch, end);
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
  if (ground && !(await cleanUp(screen, ground, client, watch))) status ||= 1;
  for (const name of Object.keys(interruptStatus)) process.off(name, onSignal);
  return status;
}

async function show(
  screen: Screen,
  ground: DemoGround,
  client: BerthClient,
  url: string,
  choice: DemoChoice,
  watch: Watch,
  end: AbortSignal,
): Promise<void> {
  const { directory } = ground;
  const images = await client.defaultImages();
  const { image, reason } = await chooseImage(images, choice.image, (address) => {
    screen.activity(`Looking whether ${new URL(address).host} can be reached`);
    return isReachable(address, end);
  });
  screen.activity(null);
  screen.event(`Image ${image.slug}${reason === null ? '' : `: ${reason}`}`, 'done');
  const request = demoRequest(await ground.measure(), image.downloadUrl, await makeKeyPair(directory, end));
  screen.heading('The request, as you would type it');
  for (const line of [...enterLines(directory), '', ...deployLines(url, request)]) screen.line(indented(line));
  screen.line();

  end.throwIfAborted();
  const deployedMs = performance.now();
  const ids = (await client.deploy(request)).map(({ vmId }) => vmId);
  for (const id of ids) screen.event(`201 Created: VM ${id}`, 'done');
  void watch.follow(client, ids);
  screen.activity('Bringing it up');
  await watch.until('instance.active', AbortSignal.any([end, AbortSignal.timeout(bringUpTimeoutMs)]));
  const vms = await readAddresses(client, ids);
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
  await tellHowToGoOn(screen, client, url, directory, image, vms);
}

async function readAddresses(client: BerthClient, ids: readonly string[]): Promise<DemoVm[]> {
  return (await client.vmStatuses(ids)).flatMap(({ id, publicIp }) => (publicIp ? [{ id, address: publicIp }] : []));
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
  client: BerthClient,
  url: string,
  directory: string,
  image: DefaultImage,
  vms: readonly DemoVm[],
): Promise<void> {
  const [vm] = await client.listVms();
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
async function cleanUp(screen: Screen, ground: DemoGround, client: BerthClient | null, watch: Watch): Promise<boolean> {
  let smooth = true;
  const attempt = async (activity: string, step: () => Promise<void>) => {
    screen.activity(activity);
    await step().catch((error: Error) => {
      smooth = false;
      screen.event(error.message, 'failed');
    });
  };
  if (client) await attempt('Stopping and deleting it', () => deleteAll(client, watch));
  watch.close();
  await attempt('Stopping the agent, the server and the database', () => ground.close());
  screen.activity(null);
  if (smooth) screen.event(`Everything is stopped, and ${ground.directory} is removed`, 'done');
  return smooth;
}

async function deleteAll(client: BerthClient, watch: Watch): Promise<void> {
  const deadline = performance.now() + deleteTimeoutMs;
  // One that its user has deleted is not listed any more, and may still be powering off.
  let left = [...new Set([...watch.ids, ...(await client.listVms()).map(({ id }) => id)])];
  while (left.length > 0) {
    const gone = await Promise.all(left.map((id) => isGone(client, id)));
    left = left.filter((_, index) => !gone[index]);
    if (left.length > 0 && performance.now() > deadline) {
      throw new Error(`VM ${left.join(', ')} was not gone after ${deleteTimeoutMs / 1_000} s.`);
    }
    await new Promise((resolve) => setTimeout(resolve, deletePollMs));
  }
  // The feed's last line is on its way; it is not worth waiting for long.
  await watch.until('instance.deleted', AbortSignal.timeout(lastEventsMs)).catch(() => {});
}

/** Orders a VM's deletion. @returns whether there is nothing left to delete */
async function isGone(client: BerthClient, id: string): Promise<boolean> {
  try {
    await client.deleteVms([id]);
    return false;
  } catch (error) {
    // 409 while it is being deleted, 404 when its host has confirmed.
    if (error instanceof BerthApiError && error.status === 409) return false;
    if (error instanceof BerthApiError && error.status === 404) return true;
    throw error;
  }
}
