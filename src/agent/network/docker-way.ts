// The way past Docker. Where an Engine runs, its own rules drop whatever the host routes that is not a container's; there is one
// chain in which it lets others say what they want to have through. What networks of VMs may not let through, their own table
// drops all the same.

import { runTool } from '../disk/tool.ts';

const chain = 'DOCKER-USER';
const programs = ['iptables', 'ip6tables'];

/** Lets everything through that comes from or goes to these bridges, where Docker is in the way. @param bridges such as `bv12ab-*` */
export async function openWay(bridges: string): Promise<void> {
  for (const program of programs) {
    if (!(await hasChain(program))) continue;
    for (const rule of rulesFor(bridges)) {
      if (!(await succeeds(program, ['-C', chain, ...rule]))) await succeeds(program, ['-I', chain, ...rule]);
    }
  }
}

/** Takes that back. */
export async function closeWay(bridges: string): Promise<void> {
  for (const program of programs) {
    if (!(await hasChain(program))) continue;
    for (const rule of rulesFor(bridges)) await succeeds(program, ['-D', chain, ...rule]);
  }
}

/** Whether nothing of Docker's is in the way. */
export async function isWayOpen(bridges: string): Promise<boolean> {
  for (const program of programs) {
    if (!(await hasChain(program))) continue;
    for (const rule of rulesFor(bridges)) if (!(await succeeds(program, ['-C', chain, ...rule]))) return false;
  }
  return true;
}

const hasChain = (program: string) => succeeds(program, ['-S', chain]);

const rulesFor = (bridges: string) => ['-i', '-o'].map((side) => [side, `${bridges.slice(0, -1)}+`, '-j', 'ACCEPT']);

/** Whether a command succeeds; it doesn't where there is no such program, and then no such rules either. */
async function succeeds(program: string, args: readonly string[]): Promise<boolean> {
  return await runTool(program, ['-w', '5', ...args]).then(
    ({ code }) => code === 0,
    () => false,
  );
}
