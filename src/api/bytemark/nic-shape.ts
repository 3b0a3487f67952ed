// A network interface as this dialect shows it; every VM has one, which has the VM's number. (Bytemark API: NICs.)

import Type, { type Static } from 'typebox';
import { macAddressOf } from '../../model/mac-address.ts';
import type { VmRow } from '../../store/overview.ts';
import { IdSchema, mediaType, Nullable } from './shape.ts';

export const NicSchema = Type.Object({
  extra_ips: Type.Record(Type.String(), Type.String(), {
    description: 'Each additional address, and the one it leads to',
  }),
  id: IdSchema,
  ips: Type.Array(Type.String(), { description: 'The main addresses: IPv4, then IPv6' }),
  label: Nullable(Type.String()),
  mac: Type.String(),
  type: Type.String(),
  virtual_machine_id: IdSchema,
  vlan_num: Type.Integer(),
});
export type Nic = Static<typeof NicSchema>;

/** The network interface of a VM. */
export function toNic({ id, number, addresses, vlanNumber }: VmRow): Nic {
  const main = addresses.filter(({ isAdditional }) => !isAdditional);
  const additional = addresses.filter(({ isAdditional }) => isAdditional);
  const mainOf = (family: 4 | 6) => main.find((address) => address.family === family)?.ip ?? '';
  return {
    extra_ips: Object.fromEntries(additional.map(({ ip, family }) => [ip, mainOf(family)])),
    id: Number(number),
    ips: main.map(({ ip }) => ip),
    label: null,
    mac: macAddressOf(id),
    type: mediaType('network-interface'),
    virtual_machine_id: Number(number),
    vlan_num: vlanNumber,
  };
}
