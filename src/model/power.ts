// Power as its owner asks for it: what becomes of "on" and "off" in each state of a VM, and when it is so. Pure.

import type { Desired } from './assignment.ts';
import type { InstanceStatus } from './instance.ts';

/** How a VM stands between what was ordered and what its host says. */
export interface PowerState {
  status: InstanceStatus;
  desired: Desired;
  generation: number;
  bootNumber: number;
  observedGeneration: number;
  /** Null as long as its host has said nothing. */
  observedState: string | null;
  /** Null while nothing runs, and where the host does not tell. */
  observedBootNumber: number | null;
}

/** Whether it is off and stays so: nothing of it runs, and nobody has ordered it to. */
export function isOff(state: PowerState): boolean {
  if (state.desired === 'running') return state.status === 'stopped';
  return state.desired === 'off' && hasGoneOff(state);
}

/** Whether it is ordered to be off and its host has not come to that yet. */
export function isGoingOff(state: PowerState): boolean {
  return state.desired === 'off' && !hasGoneOff(state);
}

/** Whether its host has switched it off by the newest order, or has never switched it on. */
const hasGoneOff = ({ observedState, observedGeneration, generation }: PowerState) =>
  observedState === null || (observedGeneration >= generation && observedState !== 'running');

/** What is ordered: switched on, off, or off and on again. */
export type PowerOrder = 'start' | 'stop' | 'cycle';

/**
 * What follows when it is asked to be on or off.
 * @param autoreboot whether what goes off comes back: then "off" is a restart of what is on
 * @returns null where it is so already, or on its way
 */
export function powerOrderFor(state: PowerState, on: boolean, autoreboot: boolean): PowerOrder | null {
  const isUp = state.desired === 'running' && !isOff(state);
  if (on) return isUp ? null : 'start';
  if (!isUp) return null;
  return autoreboot ? 'cycle' : 'stop';
}

/** What is waited for. */
export interface PowerGoal {
  on: boolean;
  generation: number;
  bootNumber: number;
}

/** Whether a VM's host has brought it to where it was ordered, or it can't come there any more. */
export function hasReached(state: PowerState, { on, generation, bootNumber }: PowerGoal): boolean {
  const isOverruled = state.desired !== (on ? 'running' : 'off') || state.bootNumber !== bootNumber;
  if (isOverruled || state.status === 'failed') return true;
  if (!on) return hasGoneOff(state);
  const isThatStart = state.observedBootNumber === null || state.observedBootNumber >= bootNumber;
  return state.observedGeneration >= generation && state.status === 'active' && isThatStart;
}
