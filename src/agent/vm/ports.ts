// The ports of a VM whose network is QEMU itself: what its monitor forwards, and what the host's packet filter lets through.

import type { Progress } from '../driver.ts';
import { DriverFailure } from '../driver.ts';
import { describeObstacle, parseForwards, reconcileForwards } from '../network/forwards.ts';
import type { Attachment } from './attachment.ts';
import type { Walls } from './confinement.ts';
import type { VmSpec } from './driver.ts';
import type { VmLogger } from './logger.ts';

/**
 * Opens the ports that a VM should have open on its addresses, and closes all others. What stands in the way of an additional
 * address is told and does not hold the VM up.
 * @throws DriverFailure `vm.address-in-use` or `vm.address-unusable` when its main address can't be used
 */
export async function setPorts(
  { monitor }: Pick<Attachment, 'monitor'>,
  { instanceId, address, portRules, network }: VmSpec,
  walls: Walls,
  logger: VmLogger,
  progress: (step: Progress) => void,
): Promise<void> {
  const standIns = walls.confinement.packetFilter;
  // QEMU itself has no second network card to lead them to: what comes for any of them is the guest's.
  const additional = (network?.addresses ?? []).filter(({ isAdditional }) => isAdditional).map(({ ip }) => ip);
  const { forwards, obstacles } = await reconcileForwards(monitor, [address, ...additional], portRules, { standIns });
  await walls.open(instanceId, forwards);
  for (const obstacle of obstacles) {
    const message = describeObstacle(obstacle);
    logger.warn({ instanceId, address: obstacle.address, ...obstacle.rule }, message);
    const isMain = obstacle.address === address;
    if (isMain && obstacle.kind === 'taken') throw new DriverFailure('vm.address-in-use', message, false);
    if (isMain && obstacle.kind === 'no-address') throw new DriverFailure('vm.address-unusable', message, false);
    progress({ kind: 'vm.start', message });
  }
}

/** Lets through again what a VM's QEMU forwards, after the packet filter had lost it. @throws Error when QEMU does not answer */
export async function reopenPorts({ monitor }: Pick<Attachment, 'monitor'>, instanceId: string, walls: Walls) {
  await walls.open(instanceId, parseForwards(await monitor('info usernet')));
}
