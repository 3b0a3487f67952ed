// A visit to the VM: what its own shell says of it, a page that it serves from then on, and what can be seen of its ports
// from outside.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Screen } from './screen.ts';
import { knock, type Login, runInVm, runWhenLetIn } from './shell.ts';

/** A guest under emulation takes a while from its SSH server to the end of its first boot. */
const letInTimeoutMs = 180_000;
const webServerTimeoutMs = 30_000;
const webServerRetryMs = 500;
/** A port that nobody asked for. */
const closedPort = 8080;

/** A line that begins with this is a command; the lines after it are its answer. */
const commandMark = '@@ ';
const markedCommands = `
say() { printf '${commandMark}%s\\n' "$1"; sh -c "$1" 2>&1; }
`;

const introduction = `${markedCommands}
say 'uname -a'
say hostname
say 'grep PRETTY_NAME /etc/os-release'
say 'nproc'
say 'grep MemTotal /proc/meminfo'
say 'df -h /'
say uptime
`;

/** Not every image has ss, and not every one has netstat. */
const listeners = `${markedCommands}
if command -v ss >/dev/null; then say 'ss -ltn'
elif command -v netstat >/dev/null; then say 'netstat -ltn'
else say 'cat /proc/net/tcp'; fi
`;

/** Busybox serves files where it is, python3 where an image has cloud-init. Ports below 1024 are for root. */
const webServer = `
serve='d=/tmp/berth-demo; mkdir -p $d
{ echo "Hello from $(hostname), a virtual machine that Berth runs."; uname -a; } >$d/index.html
if busybox httpd -p 80 -h $d 2>/dev/null; then :
elif command -v python3 >/dev/null; then
  nohup python3 -m http.server 80 --directory $d >/dev/null 2>&1 </dev/null &
else exit 3; fi'
if [ "$(id -u)" = 0 ]; then sh -c "$serve"; else sudo -n sh -c "$serve"; fi
`;

/** Logs in and shows what the shell says. */
export async function introduce(screen: Screen, login: Login, signal: AbortSignal): Promise<void> {
  screen.activity(`Logging in: ssh ${login.user}@${login.address}`);
  const { output } = await runWhenLetIn(login, introduction, letInTimeoutMs, signal);
  screen.activity(null);
  screen.event(`Logged in by SSH as ${login.user}`, 'done');
  screen.heading(`What the VM says of itself (ssh ${login.user}@${login.address})`);
  showAnswers(screen, output);
}

/** Starts a web server in the VM. @returns whether there is one to be had */
export async function startWebServer(screen: Screen, login: Login, signal: AbortSignal): Promise<boolean> {
  screen.activity('Starting a web server in the VM');
  // The micro image has no sudo; there the key opens root's door as well.
  for (const user of [login.user, 'root']) {
    const { status } = await runInVm({ ...login, user }, webServer, signal);
    if (status === 0) return true;
  }
  return false;
}

/** Shows the ports as the VM sees them, and as the world does. */
export async function showPorts(
  screen: Screen,
  login: Login,
  ports: readonly number[],
  served: boolean,
  signal: AbortSignal,
): Promise<void> {
  screen.activity('Looking at the ports');
  const page = served ? await fetchPage(login.address, signal) : null;
  const inside = await runInVm(login, listeners, signal);
  const outside = new Map<number, string>();
  for (const port of ports)
    outside.set(port, await describePort(login.address, port, port === 80 ? page : null, signal));
  outside.set(closedPort, await describePort(login.address, closedPort, null, signal));
  screen.activity(null);
  showAnswers(screen, inside.output);
  screen.heading(`Its ports from outside, at ${login.address}`);
  for (const [port, what] of outside) screen.line(`  ${`${port}/tcp`.padStart(8)}  ${what}`, 22);
}

function showAnswers(screen: Screen, output: string): void {
  for (const line of output.trimEnd().split('\n')) {
    if (line.startsWith(commandMark)) screen.line(screen.style('cyan', `  $ ${line.slice(commandMark.length)}`));
    else screen.line(`  ${line.trimEnd()}`, 4);
  }
}

/** The page that the VM serves; its server may take a moment to start. Null when it does not come. */
async function fetchPage(address: string, signal: AbortSignal): Promise<string | null> {
  const deadline = performance.now() + webServerTimeoutMs;
  while (performance.now() < deadline) {
    const { said } = await knock(address, 80, `GET / HTTP/1.0\r\nHost: ${address}\r\n\r\n`, signal);
    if (/^HTTP\/1\.\d 200/.test(said)) return said.slice(said.indexOf('\r\n\r\n') + 4);
    await sleep(webServerRetryMs, undefined, { signal });
  }
  return null;
}

async function describePort(address: string, port: number, page: string | null, signal: AbortSignal): Promise<string> {
  if (page !== null) return `open    "${page.trim().split('\n', 1)[0]}"`;
  const { open, said } = await knock(address, port, '', signal);
  if (!open) return 'closed  not among the openPorts of the request';
  const greeting = said.split(/\r?\n/, 1)[0] ?? '';
  return greeting === '' ? 'open    nothing in the VM listens there yet' : `open    ${greeting}`;
}
