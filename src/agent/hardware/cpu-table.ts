// Which processor a family and model number means. From the Linux kernel's own tables (arch/x86/include/asm/intel-family.h,
// arch/x86/kernel/cpu/amd.c and arch/arm64/include/asm/cputype.h, 6.18). What is in none of them is unknown, not guessed.

/** A line of processors. `generation` is what its maker counts it as, where it counts. */
export interface CpuKind {
  architecture: string;
  generation: string | null;
}

/** First and last model of a range, and the generation of Zen that it is. */
type ZenRange = readonly [first: number, last: number, generation: string];

const zen: Readonly<Record<number, readonly ZenRange[]>> = {
  23: [
    [0x00, 0x2f, '1'],
    [0x30, 0x4f, '2'],
    [0x50, 0x5f, '1'],
    [0x60, 0x7f, '2'],
    [0x90, 0x91, '2'],
    [0xa0, 0xaf, '2'],
  ],
  25: [
    [0x00, 0x0f, '3'],
    [0x10, 0x1f, '4'],
    [0x20, 0x5f, '3'],
    [0x60, 0xaf, '4'],
  ],
  26: [
    [0x00, 0x2f, '5'],
    [0x40, 0x4f, '5'],
    [0x50, 0x5f, '6'],
    [0x60, 0x7f, '5'],
    [0x80, 0xaf, '6'],
    [0xc0, 0xcf, '6'],
  ],
};

/** AMD's processors since Zen. */
export function amdKind(family: number, model: number): CpuKind | null {
  const range = zen[family]?.find(([first, last]) => model >= first && model <= last);
  return range ? { architecture: 'Zen', generation: range[2] } : null;
}

/** Intel's family 6, by architecture; server parts from Ice Lake on and the small cores go by their platform's name. */
const intelModels: Readonly<Record<string, readonly number[]>> = {
  'Sandy Bridge': [0x2a, 0x2d],
  'Ivy Bridge': [0x3a, 0x3e],
  Haswell: [0x3c, 0x3f, 0x45, 0x46],
  Broadwell: [0x3d, 0x47, 0x4f, 0x56],
  Skylake: [0x4e, 0x5e],
  'Cannon Lake': [0x66],
  'Comet Lake': [0xa5, 0xa6],
  'Ice Lake': [0x6a, 0x6c, 0x7d, 0x7e, 0x9d],
  'Rocket Lake': [0xa7],
  'Tiger Lake': [0x8c, 0x8d],
  'Sapphire Rapids': [0x8f],
  'Emerald Rapids': [0xcf],
  'Granite Rapids': [0xad, 0xae],
  'Alder Lake': [0x97, 0x9a],
  'Raptor Lake': [0xb7, 0xba, 0xbf],
  'Meteor Lake': [0xaa, 0xac],
  'Arrow Lake': [0xb5, 0xc5, 0xc6],
  'Lunar Lake': [0xbd],
  'Panther Lake': [0xcc],
  Silvermont: [0x37, 0x4a, 0x4d, 0x5a],
  Airmont: [0x4c, 0x75],
  Goldmont: [0x5c, 0x5f],
  'Goldmont Plus': [0x7a],
  Tremont: [0x86, 0x96, 0x9c],
  Gracemont: [0xbe],
  'Sierra Forest': [0xaf],
  'Grand Ridge': [0xb6],
  'Clearwater Forest': [0xdd],
};

const intelByModel = new Map(
  Object.entries(intelModels).flatMap(([architecture, models]) => models.map((model) => [model, architecture])),
);

/** Models that only their stepping tells apart: the last stepping of each. */
const intelBySteppings: Readonly<Record<number, readonly (readonly [last: number, architecture: string])[]>> = {
  85: [
    [4, 'Skylake'],
    [7, 'Cascade Lake'],
    [11, 'Cooper Lake'],
  ],
  142: [
    [9, 'Kaby Lake'],
    [10, 'Coffee Lake'],
    [12, 'Whiskey Lake'],
  ],
  158: [
    [9, 'Kaby Lake'],
    [13, 'Coffee Lake'],
  ],
};

/** How Intel counts the Xeons that it calls scalable, and Xeon 6. */
const xeonGenerations: Readonly<Record<number, (architecture: string) => string | null>> = {
  85: (architecture) => ({ Skylake: '1', 'Cascade Lake': '2', 'Cooper Lake': '3' })[architecture] ?? null,
  106: () => '3',
  143: () => '4',
  207: () => '5',
  173: () => '6',
  174: () => '6',
  175: () => '6',
};

/** Intel's processors since Sandy Bridge. */
export function intelKind(family: number, model: number, stepping: number, isXeon: boolean): CpuKind | null {
  if (family === 19 && model === 0x01) return { architecture: 'Diamond Rapids', generation: null };
  if (family !== 6) return null;
  const bySteppings = intelBySteppings[model]?.find(([last]) => stepping <= last)?.[1];
  const architecture = intelByModel.get(model) ?? bySteppings;
  if (architecture === undefined) return null;
  return { architecture, generation: (isXeon && xeonGenerations[model]?.(architecture)) || null };
}

/** ARM's makers by implementer number. */
const armMakers: Readonly<Record<number, string>> = {
  65: 'ARM',
  66: 'Broadcom',
  67: 'Cavium',
  70: 'Fujitsu',
  72: 'HiSilicon',
  78: 'NVIDIA',
  80: 'APM',
  81: 'Qualcomm',
  97: 'Apple',
  109: 'Microsoft',
  192: 'Ampere',
};

/** Server cores, and those of boards that are used as servers, by implementer and part. */
const armParts: Readonly<Record<string, readonly [architecture: string, generation: string | null]>> = {
  '41 d03': ['Cortex', 'A53'],
  '41 d05': ['Cortex', 'A55'],
  '41 d07': ['Cortex', 'A57'],
  '41 d08': ['Cortex', 'A72'],
  '41 d09': ['Cortex', 'A73'],
  '41 d0a': ['Cortex', 'A75'],
  '41 d0b': ['Cortex', 'A76'],
  '41 d0c': ['Neoverse', 'N1'],
  '41 d40': ['Neoverse', 'V1'],
  '41 d49': ['Neoverse', 'N2'],
  '41 d4f': ['Neoverse', 'V2'],
  '41 d83': ['Neoverse', 'V3AE'],
  '41 d84': ['Neoverse', 'V3'],
  '41 d8e': ['Neoverse', 'N3'],
  '42 516': ['Vulcan', null],
  '43 0a1': ['ThunderX', '1'],
  '43 0af': ['ThunderX', '2'],
  '46 001': ['A64FX', null],
  '48 d01': ['TaiShan', 'V110'],
  '4e 010': ['Olympus', null],
  '6d d49': ['Neoverse', 'N2'],
  'c0 ac3': ['AmpereOne', '1'],
  'c0 ac4': ['AmpereOne', '1A'],
};

/** Who made an ARM core, and what it is. */
export function armKind(implementer: number, part: number): { manufacturer: string | null; kind: CpuKind | null } {
  const key = `${implementer.toString(16)} ${part.toString(16).padStart(3, '0')}`;
  const found = Object.hasOwn(armParts, key) ? armParts[key] : undefined;
  return {
    manufacturer: armMakers[implementer] ?? null,
    kind: found ? { architecture: found[0], generation: found[1] } : null,
  };
}
