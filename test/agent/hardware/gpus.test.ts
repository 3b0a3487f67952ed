// What nvidia-smi and lspci print, as real ones do, and tools that are missing, fail or never answer.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  GpuReader,
  parseLspci,
  parseNvidiaSmi,
  programRunner,
  type RunProgram,
} from '../../../src/agent/hardware/gpus.ts';

const list = `0, GPU-9d1c4ff8-65b0-7d7b-1f0e-6d4bd5a2c6d1, NVIDIA GeForce RTX 3090, 24576
1, GPU-78aaaccb-3af1-11b3-b1f8-3828c251d9f2, NVIDIA H200-141C, 144384
`;
const overview = `Sun Mar  2 09:20:22 2025
+-----------------------------------------------------------------------------------------+
| NVIDIA-SMI 560.35.03              Driver Version: 560.35.03      CUDA Version: 12.6     |
|-----------------------------------------+------------------------+----------------------+
`;
/** lspci 3.9.0 with the ids of April 2023. */
const cards = `00:00.0 "Host bridge [0600]" "Intel Corporation [8086]" "12th Gen Core Processor Host Bridge/DRAM Registers [4660]" -p00 "" ""
00:02.0 "VGA compatible controller [0300]" "Intel Corporation [8086]" "AlderLake-S GT1 [4680]" -r0c -p00 "ASUSTeK Computer Inc. [1043]" "Device [8694]"
01:00.0 "VGA compatible controller [0300]" "NVIDIA Corporation [10de]" "GA102 [GeForce RTX 3090] [2204]" -ra1 -p00 "ASUSTeK Computer Inc. [1043]" "Device [87b5]"
01:00.1 "Audio device [0403]" "NVIDIA Corporation [10de]" "GA102 High Definition Audio Controller [1aef]" -p00 "" ""
02:00.0 "3D controller [0302]" "NVIDIA Corporation [10de]" "GA100 [A100 SXM4 80GB] [20b2]" -ra1 -p00 "NVIDIA Corporation [10de]" "Device [1463]"
03:00.0 "VGA compatible controller [0300]" "Advanced Micro Devices, Inc. [AMD/ATI] [1002]" "Navi 31 [Radeon RX 7900 XT/7900 XTX] [744c]" -rc8 -p00 "XFX Limited [1eae]" "RX-79XMERCB9 [SPEEDSTER MERC 310 RX 7900 XTX] [7901]"
04:00.0 "VGA compatible controller [0300]" "ASPEED Technology, Inc. [1a03]" "ASPEED Graphics Family [2000]" -r41 -p00 "ASPEED Technology, Inc. [1a03]" "ASPEED Graphics Family [2000]"
05:00.0 "VGA compatible controller [0300]" "Vendor [1234]" "Device [1111]" -r02 -p00 "Red Hat, Inc. [1af4]" "Device [1100]"
06:00.0 "3D controller [0302]" "NVIDIA Corporation [10de]" "Device [2bb5]" -ra1 -p00 "NVIDIA Corporation [10de]" "Device [204e]"
08:00.0 "Processing accelerators [1200]" "Advanced Micro Devices, Inc. [AMD/ATI] [1002]" "Device [74a1]" -p00 "Advanced Micro Devices, Inc. [AMD/ATI] [1002]" "Device [74a1]"
`;

/** Tools that print this; one that is not named is missing. */
const printing =
  (texts: Record<string, string | null>): RunProgram =>
  async (program, args) => {
    const text = texts[[program, ...args].join(' ')] ?? texts[program];
    return text === undefined ? '' : text;
  };

test('NVIDIA’s tool tells ids, names, memory, and the newest CUDA that the driver runs', () => {
  assert.deepEqual(parseNvidiaSmi(list, overview), [
    {
      id: 'GPU-9d1c4ff8-65b0-7d7b-1f0e-6d4bd5a2c6d1',
      name: 'NVIDIA GeForce RTX 3090',
      memoryMib: 24_576,
      cudaVersion: '12.6',
    },
    {
      id: 'GPU-78aaaccb-3af1-11b3-b1f8-3828c251d9f2',
      name: 'NVIDIA H200-141C',
      memoryMib: 144_384,
      cudaVersion: '12.6',
    },
  ]);
  const newer = '| NVIDIA-SMI 615.71.09   KMD Version: 615.71.09   CUDA UMD Version: 13.4 |';
  assert.equal(parseNvidiaSmi(list, newer)[0]?.cudaVersion, '13.4');
  assert.equal(parseNvidiaSmi(list, '| CUDA Version: N/A |')[0]?.cudaVersion, null);
});

test('what the tool does not know is unknown, and what is no card is none', () => {
  const shared = parseNvidiaSmi('0, GPU-aaaaaaaa-0000-0000-0000-000000000000, NVIDIA GB10, [N/A]\n', '');
  assert.deepEqual(shared, [
    { id: 'GPU-aaaaaaaa-0000-0000-0000-000000000000', name: 'NVIDIA GB10', memoryMib: null, cudaVersion: null },
  ]);
  const silent = [
    'No devices were found\n',
    "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.\n",
  ];
  for (const text of silent) assert.deepEqual(parseNvidiaSmi(text, ''), []);
});

test('the bus tells cards by the names they are sold under, without consoles and virtual displays', () => {
  const found = parseLspci(cards);
  assert.deepEqual(
    found.map(({ name }) => name),
    [
      'Intel AlderLake-S GT1',
      'NVIDIA GeForce RTX 3090',
      'NVIDIA A100 SXM4 80GB',
      'AMD Radeon RX 7900 XT/7900 XTX',
      'NVIDIA device 2bb5',
      'AMD device 74a1',
    ],
  );
  assert.ok(found.every(({ id, memoryMib, cudaVersion }) => id === null && memoryMib === null && cudaVersion === null));
});

test('nothing that tools may print makes more of it than the agents’ API takes', () => {
  const noise = fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.constantFrom(list, cards, overview));
  fc.assert(
    fc.property(fc.array(noise), (parts) => {
      const text = parts.join('\n');
      for (const gpu of [...parseNvidiaSmi(text, text), ...parseLspci(text)]) {
        assert.ok(gpu.name.length > 0 && gpu.name.length <= 100 && (gpu.id ?? '').length <= 100);
      }
    }),
  );
  assert.equal(parseNvidiaSmi(list.repeat(100), overview).length, 64);
  assert.equal(parseLspci(cards.repeat(100)).length, 64);
});

test('the bus is asked only where NVIDIA’s tool has nothing to tell', async () => {
  const tools = { 'nvidia-smi': list, 'nvidia-smi ': overview, lspci: cards };
  assert.equal((await new GpuReader(printing(tools)).read()).length, 2);
  assert.equal((await new GpuReader(printing({ lspci: cards })).read()).length, 6);
  assert.deepEqual(await new GpuReader(printing({})).read(), []);
});

test('a tool that stops answering changes nothing of what was known', async () => {
  const tools: Record<string, string | null> = { 'nvidia-smi': list };
  const reader = new GpuReader(printing(tools));
  const before = await reader.read();
  assert.equal(before.length, 2);
  tools['nvidia-smi'] = null;
  assert.deepEqual(await reader.read(), before);
  tools['nvidia-smi'] = '';
  assert.deepEqual(await reader.read(), [], 'but one that says that there is none does');
});

test('programs run for a bounded time; one that is missing or fails prints nothing', async () => {
  const run = programRunner(300);
  assert.equal(await run('echo', ['a', 'b']), 'a b\n');
  assert.equal(await run('/nowhere/nvidia-smi', []), '');
  assert.equal(await run('false', []), '');
  const began = performance.now();
  assert.equal(await run('sleep', ['60']), null);
  assert.ok(performance.now() - began < 30_000);
});
