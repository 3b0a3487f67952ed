// Processors as /proc/cpuinfo shows them on machines that exist, cut down to the lines that count.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseCpuinfo } from '../../../src/agent/hardware/cpu.ts';

interface X86 {
  vendor: string;
  family: number;
  model: number;
  stepping?: number;
  name: string;
}

/** The text of /proc/cpuinfo of a machine with two threads on each of `cores` cores. */
function cpuinfo({ vendor, family, model, stepping = 0, name }: X86, cores = 2): string {
  const block = (thread: number) =>
    [
      `processor\t: ${thread}`,
      `vendor_id\t: ${vendor}`,
      `cpu family\t: ${family}`,
      `model\t\t: ${model}`,
      `model name\t: ${name}`,
      `stepping\t: ${stepping}`,
      'physical id\t: 0',
      `core id\t\t: ${thread % cores}`,
      'flags\t\t: fpu vme de',
    ].join('\n');
  return `${Array.from({ length: cores * 2 }, (_, thread) => block(thread)).join('\n\n')}\n\n`;
}

/** Vendor, family, model, stepping and name as the machine says; maker, brand, architecture and generation as told. */
const named: readonly (readonly [string, number, number, number, string, ...(string | null)[]])[] = [
  ['AuthenticAMD', 23, 1, 2, 'AMD EPYC 7601 32-Core Processor', 'AMD', 'EPYC', 'Zen', '1'],
  ['AuthenticAMD', 23, 49, 0, 'AMD EPYC 7702P 64-Core Processor', 'AMD', 'EPYC', 'Zen', '2'],
  ['AuthenticAMD', 25, 1, 1, 'AMD EPYC 7763 64-Core Processor', 'AMD', 'EPYC', 'Zen', '3'],
  ['AuthenticAMD', 25, 17, 1, 'AMD EPYC 9654 96-Core Processor', 'AMD', 'EPYC', 'Zen', '4'],
  ['AuthenticAMD', 26, 2, 1, 'AMD EPYC 9755 128-Core Processor', 'AMD', 'EPYC', 'Zen', '5'],
  ['AuthenticAMD', 25, 97, 2, 'AMD Ryzen 9 7950X 16-Core Processor', 'AMD', 'Ryzen', 'Zen', '4'],
  [
    'AuthenticAMD',
    23,
    49,
    0,
    'AMD Ryzen Threadripper 3970X 32-Core Processor',
    'AMD',
    'Ryzen Threadripper',
    'Zen',
    '2',
  ],
  ['AuthenticAMD', 21, 2, 0, 'AMD FX(tm)-8350 Eight-Core Processor', 'AMD', null, null, null],
  ['GenuineIntel', 6, 79, 1, 'Intel(R) Xeon(R) CPU E5-2690 v4 @ 2.60GHz', 'Intel', 'Xeon', 'Broadwell', '4'],
  ['GenuineIntel', 6, 85, 4, 'Intel(R) Xeon(R) Gold 6130 CPU @ 2.10GHz', 'Intel', 'Xeon', 'Skylake', '1'],
  ['GenuineIntel', 6, 85, 7, 'Intel(R) Xeon(R) Gold 6230 CPU @ 2.10GHz', 'Intel', 'Xeon', 'Cascade Lake', '2'],
  ['GenuineIntel', 6, 106, 6, 'Intel(R) Xeon(R) Gold 6338 CPU @ 2.00GHz', 'Intel', 'Xeon', 'Ice Lake', '3'],
  ['GenuineIntel', 6, 143, 8, 'Intel(R) Xeon(R) Platinum 8480+', 'Intel', 'Xeon', 'Sapphire Rapids', '4'],
  ['GenuineIntel', 6, 158, 10, 'Intel(R) Core(TM) i7-8700 CPU @ 3.20GHz', 'Intel', 'Core', 'Coffee Lake', null],
];

test('processors of AMD and Intel are named as their makers name them', () => {
  for (const [vendor, family, model, stepping, name, ...told] of named) {
    const cpu = parseCpuinfo(cpuinfo({ vendor, family, model, stepping, name }, 4));
    const [manufacturer, brand, architecture, generation] = told;
    assert.deepEqual(cpu, { manufacturer, brand, architecture, generation, model: name, cores: 4, threads: 8 });
  }
});

test("ARM's servers are told by implementer and part", () => {
  const arm = (implementer: string, part: string) =>
    parseCpuinfo(`processor\t: 0\nBogoMIPS\t: 50.00\nCPU implementer\t: ${implementer}\nCPU part\t: ${part}\n\n`);
  const unnamed = { brand: null, model: null, cores: null, threads: 1 };
  assert.deepEqual(arm('0x41', '0xd0c'), {
    manufacturer: 'ARM',
    architecture: 'Neoverse',
    generation: 'N1',
    ...unnamed,
  });
  assert.deepEqual(arm('0x41', '0xd4f'), {
    manufacturer: 'ARM',
    architecture: 'Neoverse',
    generation: 'V2',
    ...unnamed,
  });
  const one = { manufacturer: 'Ampere', architecture: 'AmpereOne', generation: '1' };
  assert.deepEqual(arm('0xc0', '0xac3'), { ...one, ...unnamed });
  assert.deepEqual(arm('0x99', '0x001'), { manufacturer: null, architecture: null, generation: null, ...unnamed });
});

test('a processor that a hypervisor made up, or that no table knows, has no architecture', () => {
  const emulated = { vendor: 'AuthenticAMD', family: 15, model: 107, name: 'QEMU Virtual CPU version 2.5+' };
  const unknown = { manufacturer: null, brand: null, architecture: null, generation: null };
  assert.deepEqual(parseCpuinfo(cpuinfo(emulated)), { ...unknown, model: emulated.name, cores: 2, threads: 4 });
  const tomorrow = { vendor: 'AuthenticAMD', family: 31, model: 1, name: 'AMD EPYC 11111 512-Core Processor' };
  const cpu = parseCpuinfo(cpuinfo(tomorrow));
  assert.deepEqual([cpu.manufacturer, cpu.brand, cpu.architecture, cpu.generation], ['AMD', 'EPYC', null, null]);
});

test('no text makes reading fail, and names stay short', () => {
  const line = fc.oneof(
    fc.string(),
    fc.constantFrom('', 'processor: 0', 'vendor_id: GenuineIntel', 'CPU implementer: x', 'model name: __proto__'),
    fc
      .tuple(
        fc.constantFrom('vendor_id', 'cpu family', 'model', 'stepping', 'model name', 'CPU part'),
        fc.string({ maxLength: 300 }),
      )
      .map((pair) => pair.join(': ')),
  );
  fc.assert(
    fc.property(fc.array(line, { maxLength: 40 }), (lines) => {
      const cpu = parseCpuinfo(lines.join('\n'));
      for (const value of Object.values(cpu)) assert.ok(value === null || String(value).length <= 100);
    }),
  );
});
