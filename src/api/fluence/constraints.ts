// What a customer asks of a machine, as Fluence writes it: the body of a search, and a part of an estimate's and a
// deployment's. What is unset may be left out, null, or empty: the public Go client sends empty strings and lists.

import Type, { type Static } from 'typebox';
import type { ConstraintFields, Constraints } from '../../model/constraints.ts';
import { BerthError, shown } from '../../model/errors.ts';
import { parseUsd } from '../../model/money.ts';
import { Optional } from './shape.ts';

/** Far more than anybody lists; there are some 250 countries. */
const entriesMax = 300;

const List = <Entry extends Type.TSchema>(entry: Entry) => Optional(Type.Array(entry, { maxItems: entriesMax }));

const Storage = Type.Object({
  type: Type.String({ description: 'HDD, SSD or NVMe' }),
  supply: Type.Integer({ description: 'GiB beyond the configuration’s own' }),
  units: Optional(Type.String({ description: 'Only GiB' })),
});

export const ConstraintsSchema = Type.Object({
  basicConfiguration: Optional(Type.String({ description: 'Such as cpu-2-ram-4gb-storage-25gb' })),
  additionalResources: Optional(Type.Object({ storage: List(Storage) })),
  hardware: Optional(
    Type.Object({
      cpu: List(Type.Object({ manufacturer: Optional(Type.String()), architecture: Optional(Type.String()) })),
      memory: List(Type.Object({ type: Optional(Type.String()), generation: Optional(Type.String()) })),
      storage: List(Type.Object({ type: Optional(Type.String()) })),
    }),
  ),
  datacenter: Optional(Type.Object({ countries: List(Type.String()) })),
  maxTotalPricePerEpochUsd: Optional(Type.String({ description: 'US dollars for one VM and epoch, such as 1.5' })),
});
type ConstraintsBody = Static<typeof ConstraintsSchema>;

/** How this dialect calls the constraints. @param prefix where they stand in the body, such as `constraints.` */
export const constraintFields = (prefix: string) =>
  ({
    additionalResources: `${prefix}additionalResources`,
    additionalStorage: `${prefix}additionalResources.storage`,
    storage: `${prefix}hardware.storage`,
    countries: `${prefix}datacenter.countries`,
    maxPrice: `${prefix}maxTotalPricePerEpochUsd`,
  }) satisfies ConstraintFields & Record<string, string>;

/** Fields of constraints that stand in a body under `constraints`. */
export const nestedConstraintFields = constraintFields('constraints.');

type Fields = ReturnType<typeof constraintFields>;

/** Reads constraints under the installation's settings for this dialect. */
export type ReadConstraints = (given: ConstraintsBody | null | undefined, fields: Fields) => Constraints;

/**
 * Makes the reader of constraints.
 * @param settings with `strictAdditionalResources`, additional storage is refused unless `hardware.storage` is asked for
 */
export function constraintsReader(settings: () => { strictAdditionalResources: boolean }): ReadConstraints {
  return (given, fields) => {
    const constraints = toConstraints(given ?? {}, fields);
    const isUntyped = constraints.additionalStorage.length > 0 && constraints.storage.length === 0;
    if (isUntyped && settings().strictAdditionalResources) {
      const message = `${fields.additionalResources} can be used only along with ${fields.storage}; name the type there, too.`;
      throw new BerthError('invalid_value', message, fields.additionalResources);
    }
    return constraints;
  };
}

function toConstraints(
  { basicConfiguration, additionalResources, hardware, datacenter, maxTotalPricePerEpochUsd }: ConstraintsBody,
  fields: Fields,
): Constraints {
  return {
    configuration: basicConfiguration || null,
    additionalStorage: (additionalResources?.storage ?? []).map(({ type, supply, units }, index) => {
      const field = `${fields.additionalStorage}[${index}].units`;
      if (units && units !== 'GiB') {
        throw new BerthError('invalid_value', `${field} is ${shown(units)}; only "GiB" is known.`, field);
      }
      return { type, gib: supply };
    }),
    cpu: (hardware?.cpu ?? [])
      .map(({ manufacturer, architecture }) => {
        return { manufacturer: manufacturer || null, architecture: architecture || null };
      })
      .filter(({ manufacturer, architecture }) => manufacturer !== null || architecture !== null),
    memory: (hardware?.memory ?? [])
      .map(({ type, generation }) => ({ type: type || null, generation: generation || null }))
      .filter(({ type, generation }) => type !== null || generation !== null),
    storage: (hardware?.storage ?? []).flatMap(({ type }) => (type ? { type } : [])),
    countries: (datacenter?.countries ?? []).filter((country) => country !== ''),
    maxPricePerEpoch: maxTotalPricePerEpochUsd ? readPrice(maxTotalPricePerEpochUsd, fields.maxPrice) : null,
  };
}

function readPrice(text: string, field: string): bigint {
  const price = parseUsd(text);
  if (price !== null) return price;
  const message = `${field} is ${shown(text)}; it must be a decimal number of US dollars, such as "1.5".`;
  throw new BerthError('invalid_value', message, field);
}
