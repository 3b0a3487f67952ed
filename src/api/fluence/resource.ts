// How Fluence writes hardware and places: resources with metadata, and datacenters. What is not known is left out.

import Type, { type Static } from 'typebox';
import type { Datacenter } from '../../model/datacenter.ts';
import type { Hardware } from '../../model/hardware.ts';

/** Free-form facts; clients show what they know. */
export const FactsSchema = Type.Record(Type.String(), Type.Unknown());

export const ResourceTypeSchema = Type.Enum(['VCPU', 'RAM', 'STORAGE', 'PUBLIC_IP']);

const datacenterFields = {
  countryCode: Type.String(),
  cityCode: Type.String(),
  tier: Type.Integer(),
  certifications: Type.Array(Type.String()),
};

/** Null is a host that stands in no datacenter. */
export const DatacenterSchema = Type.Unsafe<ReturnType<typeof toDatacenter>>({
  ...Type.Object({ ...datacenterFields, cityIndex: Type.Integer() }),
  type: ['object', 'null'],
});

export const ListedDatacenterSchema = Type.Object({
  id: Type.String(),
  slug: Type.String(),
  ...datacenterFields,
  index: Type.Integer(),
});

/** A datacenter as offers and VMs show it. */
export function toDatacenter(datacenter: Datacenter | null) {
  if (!datacenter) return null;
  const { countryCode, cityCode, cityIndex, tier, certifications } = datacenter;
  return { countryCode, cityCode, cityIndex, tier, certifications: [...certifications] };
}

/** A datacenter as the list of datacenters shows it. */
export function toListedDatacenter(datacenter: Datacenter): Static<typeof ListedDatacenterSchema> {
  const { id, slug, countryCode, cityCode, cityIndex, tier, certifications } = datacenter;
  return { id, slug, countryCode, cityCode, index: cityIndex, tier, certifications: [...certifications] };
}

const known = (facts: Record<string, string | null | undefined>) =>
  Object.fromEntries(Object.entries(facts).filter(([, fact]) => fact != null && fact !== ''));

/** The metadata of each resource of a machine. Parts that a host has never reported are missing. */
export function metadataOf({ cpu, memory, storage }: Partial<Hardware>) {
  const { manufacturer, brand, architecture, generation } = cpu ?? {};
  return {
    vcpu: known({ manufacturer, brand, architecture, generation }),
    memory: known({ type: memory?.type, generation: memory?.generation }),
    storage: known({ type: storage?.type }),
    publicIp: { version: '4' },
  };
}
