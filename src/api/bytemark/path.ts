// The paths of this dialect's things. Each thing has a long one, below what it is in, and most have a short one by number.

import Type from 'typebox';

const account = Type.String({ description: 'Number or name' });
const group = Type.String({ description: 'Number or name' });
const vm = Type.String({ description: 'Number or name' });
const disc = Type.String({ description: 'Number or label' });
const nic = Type.String({ description: 'Number' });

/** Paths of an account, a group, a VM, and a VM's disc and network interface, each below what it is in. */
export const accountPath = '/accounts/:account';
export const groupPath = `${accountPath}/groups/:group` as const;
export const vmPath = `${groupPath}/virtual_machines/:vm` as const;

export const discPath = `${vmPath}/discs/:disc` as const;
export const nicPath = `${vmPath}/nics/:nic` as const;

/** What these paths name. */
export const AccountParams = Type.Object({ account });
export const GroupParams = Type.Object({ account, group });
export const VmParams = Type.Object({ account, group, vm });
export const DiscParams = Type.Object({ account, group, vm, disc });
export const NicParams = Type.Object({ account, group, vm, nic });

/** What the short paths name. */
export const OneGroupParams = Type.Object({ group });
export const OneVmParams = Type.Object({ vm });
export const OneDiscParams = Type.Object({ disc });
export const OneNicParams = Type.Object({ nic });
