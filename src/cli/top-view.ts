// What `berth top` shows of what it knows, and what its keys do: which rows, in which order, from which on. Pure, so that it is the same
// wherever it is shown.

import type { Instance } from '../../sdk/generated/types.ts';

/** What rows are in order of; the first is used unless another is asked for. */
export const sorts = ['urgency', 'name', 'status', 'age', 'price', 'size'] as const;
/** One of them. */
export type Sort = (typeof sorts)[number];

/** How the person wants to see it. */
export interface View {
  sort: Sort;
  reversed: boolean;
  /** Only rows with this in their name, status or address. */
  filter: string;
  /** Whether the filter is being typed. */
  typing: boolean;
  /** The first row that is shown. */
  from: number;
}

/** What a key brings about, beside another view. */
export type Act = 'quit' | 'refresh' | null;

/** What the keys are, for the last line; what is left out first where that is short comes last. */
export const keyTexts = ['q quit', 's sort', 'r reverse', '/ filter', 'arrows scroll', 'space refresh'] as const;

/** What goes wrong comes first, then what changed last. */
const urgency: Readonly<Partial<Record<Instance['status'], number>>> = {
  failed: 0,
  terminated: 0,
  launching: 1,
  deleting: 1,
};

const orders: Readonly<Record<Sort, (one: Instance, other: Instance) => number>> = {
  urgency: (one, other) =>
    (urgency[one.status] ?? 2) - (urgency[other.status] ?? 2) ||
    other.statusChangedAt.localeCompare(one.statusChangedAt),
  name: (one, other) => one.name.localeCompare(other.name),
  status: (one, other) => one.status.localeCompare(other.status) || one.name.localeCompare(other.name),
  age: (one, other) => other.createdAt.localeCompare(one.createdAt),
  price: (one, other) => Number(other.pricePerEpoch) - Number(one.pricePerEpoch),
  size: (one, other) => other.vcpus - one.vcpus || other.memoryMib - one.memoryMib || other.diskGib - one.diskGib,
};

/** The rows that are wanted, in their order. */
export function rowsOf(instances: readonly Instance[], { sort, reversed, filter }: View): Instance[] {
  const word = filter.toLowerCase();
  const has = ({ name, status, address }: Instance) =>
    [name, status, address ?? ''].some((text) => text.toLowerCase().includes(word));
  const rows = instances.filter(has).sort(orders[sort]);
  return reversed ? rows.reverse() : rows;
}

/** Backspace, as terminals send it, and Ctrl-U. */
const erasing: Readonly<Record<string, (text: string) => string>> = {
  '\x7f': (text) => text.slice(0, -1),
  '\b': (text) => text.slice(0, -1),
  '\x15': () => '',
};

const pageRows = 10;
const steps: Readonly<Record<string, number>> = {
  ...{ '\x1b[A': -1, '\x1b[B': 1, k: -1, j: 1 },
  ...{ '\x1b[5~': -pageRows, '\x1b[6~': pageRows, '\x1b[H': Number.NEGATIVE_INFINITY, g: Number.NEGATIVE_INFINITY },
};

/** What a key does. @param key what the terminal sends for it */
export function pressed(view: View, key: string): { view: View; act: Act } {
  // Ctrl-C comes as a letter where letters come one by one.
  if (key === '\x03' || key === '\x04') return { view, act: 'quit' };
  if (view.typing) return { view: typed(view, key), act: null };
  const step = steps[key];
  if (step !== undefined) return { view: { ...view, from: Math.max(0, view.from + step) }, act: null };
  const next = sorts[(sorts.indexOf(view.sort) + 1) % sorts.length] ?? view.sort;
  switch (key) {
    case 'q':
      return { view, act: 'quit' };
    case ' ':
      return { view, act: 'refresh' };
    case 's':
      return { view: { ...view, sort: next, from: 0 }, act: null };
    case 'r':
      return { view: { ...view, reversed: !view.reversed, from: 0 }, act: null };
    case '/':
      return { view: { ...view, typing: true, from: 0 }, act: null };
    case '\x1b':
      return { view: { ...view, filter: '' }, act: null };
    default:
      return { view, act: null };
  }
}

function typed(view: View, key: string): View {
  if (key === '\r' || key === '\n') return { ...view, typing: false };
  if (key === '\x1b') return { ...view, typing: false, filter: '' };
  const erase = erasing[key];
  if (erase) return { ...view, filter: erase(view.filter) };
  return /^[^\p{Cc}]+$/u.test(key) ? { ...view, filter: view.filter + key } : view;
}

/** The keys in what a terminal has sent at once; what an arrow sends is one. */
export const keysOf = (sent: string): string[] => sent.match(/\p{Cc}\[[0-9;]*[A-Za-z~]|[\s\S]/gu) ?? [];
