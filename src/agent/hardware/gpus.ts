// The GPUs of the machine. NVIDIA's own tool knows all that a container needs: the id that Docker asks for, the memory, and
// the newest CUDA that the driver runs. Where it is missing, the PCI bus still tells which cards there are.

import { execFile } from 'node:child_process';
import type { HostHardware } from '../../api/agent/contract/inventory.ts';
import { cleanName } from './files.ts';

type Gpu = NonNullable<HostHardware['gpus']>[number];

/** A driver that was not loaded yet takes a few seconds; one that is broken may never answer. */
const toolTimeoutMs = 15_000;
/** As the agents' API bounds it. */
const gpusMax = 64;
const cudaVersionLengthMax = 20;
/** As PostgreSQL's `int` holds it. */
const memoryMibMax = 2 ** 31 - 1;

/** Runs a program. @returns what it printed; '' when it is missing or has failed, null when it doesn't answer */
export type RunProgram = (program: string, args: readonly string[]) => Promise<string | null>;

/** Reads the GPUs, time and again. A tool that doesn't answer changes nothing of what was known. */
export class GpuReader {
  readonly #run: RunProgram;
  #known: Gpu[] = [];

  /** @param run for tests */
  constructor(run: RunProgram = programRunner(toolTimeoutMs)) {
    this.#run = run;
  }

  /** The GPUs of the machine. */
  async read(): Promise<Gpu[]> {
    const query = ['--query-gpu=index,uuid,name,memory.total', '--format=csv,noheader,nounits'];
    const list = await this.#run('nvidia-smi', query);
    if (list === null) return this.#known;
    // The version stands in the heading of the overview only.
    const overview = list === '' ? '' : await this.#run('nvidia-smi', []);
    const found = parseNvidiaSmi(list, overview ?? '');
    if (found.length > 0) this.#known = found;
    else {
      const cards = await this.#run('lspci', ['-mm', '-nn']);
      if (cards !== null) this.#known = parseLspci(cards);
    }
    return this.#known;
  }
}

/** Runs programs, each for a bounded time, and none again that does not even end when it is killed. */
export function programRunner(timeoutMs: number): RunProgram {
  const stuck = new Set<string>();
  return (program, args) => {
    if (stuck.has(program)) return Promise.resolve(null);
    return new Promise((resolve) => {
      const env = { PATH: process.env.PATH ?? '/usr/bin:/bin', LC_ALL: 'C' };
      const child = execFile(program, args, { env, maxBuffer: 1024 * 1024 }, (error, stdout) => {
        clearTimeout(timer);
        stuck.delete(program);
        resolve(error ? '' : stdout);
      });
      const timer = setTimeout(() => {
        // A process that waits for a broken driver takes no signal.
        stuck.add(program);
        child.kill('SIGKILL');
        resolve(null);
      }, timeoutMs);
    });
  };
}

/**
 * Reads what nvidia-smi prints.
 * @param list lines of index, id, name and memory in MiB, in the order that is sold
 * @param overview what it prints without arguments
 */
export function parseNvidiaSmi(list: string, overview: string): Gpu[] {
  const version = /CUDA (?:UMD )?Version:\s*(\d[\d.]*)/.exec(overview)?.[1] ?? null;
  const cudaVersion = version?.slice(0, cudaVersionLengthMax) ?? null;
  return list
    .split('\n')
    .flatMap((line): Gpu[] => {
      const match = /^\s*\d+, (GPU-[0-9A-Za-z-]{1,96}), (.+), ([^,]*)$/.exec(line.trimEnd());
      const [, id = null, text = '', memory = ''] = match ?? [];
      const name = cleanName(text);
      return id === null || name === null ? [] : [{ id, name, memoryMib: memoryOf(memory), cudaVersion }];
    })
    .slice(0, gpusMax);
}

/** Cards that share the machine's memory say `[N/A]`. */
function memoryOf(text: string): number | null {
  const mib = /^\d+$/.test(text) ? Number(text) : 0;
  return mib > 0 && mib <= memoryMibMax ? mib : null;
}

/** Who makes cards that are rented for what they compute, by PCI vendor; boards' own consoles and virtual displays are others'. */
const makers: Readonly<Record<string, string>> = { '10de': 'NVIDIA', '1002': 'AMD', '8086': 'Intel' };

/** Reads what `lspci -mm -nn` prints. No id: without a driver's tool no container can be given the card. */
export function parseLspci(text: string): Gpu[] {
  return text
    .split('\n')
    .flatMap((line): Gpu[] => {
      const [kind = '', vendor = '', device = ''] = [...line.matchAll(/"([^"]*)"/g)].map(([, field = '']) => field);
      // Display controllers of all kinds, and processing accelerators.
      if (!/\[(03..|1200)\]$/.test(kind)) return [];
      const maker = makers[/\[([0-9a-f]{4})\]$/.exec(vendor)?.[1] ?? ''];
      const name = maker && cleanName(`${maker} ${modelOf(device)}`);
      return name ? [{ id: null, name, memoryMib: null, cudaVersion: null }] : [];
    })
    .slice(0, gpusMax);
}

/** `GA102 [GeForce RTX 3090] [2204]` is sold as a GeForce RTX 3090; one that the list of ids lacks is named by its number. */
function modelOf(device: string): string {
  const [, chip = '', id = ''] = /^(.*?)\s*\[([0-9a-f]{4})\]$/.exec(device) ?? [];
  if (chip === 'Device') return `device ${id}`;
  return /\[([^\]]+)\]$/.exec(chip)?.[1] ?? chip;
}
