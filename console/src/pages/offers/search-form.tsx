// What is asked of the market, to be changed.

import { useQuery } from '@tanstack/react-query';
import { InvalidError } from '../../../../sdk/error.ts';
import type { Datacenter } from '../../../../sdk/generated/types.ts';
import { mib } from '../../format.ts';
import { useBerth } from '../../session.tsx';
import { Button } from '../../ui/button.tsx';
import { SelectField, TextField } from '../../ui/form.tsx';
import { type Asked, type AskedName, askedNames, nothingAsked } from './asked.ts';

const vcpuSteps = [1, 2, 4, 8, 16, 32, 64];
const memoryGibSteps = [1, 2, 4, 8, 16, 32, 64, 128, 256];

/** What can be chosen from; a server's market changes seldom in this. */
export function useMarket() {
  const berth = useBerth();
  return useQuery({
    queryKey: ['offers', 'choices'],
    queryFn: async () => {
      const [datacenters, hardware, configurations] = await Promise.all([
        berth.datacenters.list({ limit: 200 }).all(),
        berth.offers.getHardware(),
        berth.configurations.list({ limit: 200 }).all(),
      ]);
      return { datacenters, hardware, configurations };
    },
  }).data;
}

const unique = (values: string[]) => [...new Set(values)].toSorted();

/** Choices with "any" before them; what the address names is among them, whatever it is. */
function choicesOf(values: readonly string[], chosen: string, label: (value: string) => string = (value) => value) {
  const known = chosen === '' || values.includes(chosen) ? values : [...values, chosen];
  return [{ value: '', label: 'Any' }, ...known.map((value) => ({ value, label: label(value) }))];
}

const countryNames = new Intl.DisplayNames(['en'], { type: 'region', fallback: 'code' });

/** A country's name. */
export function countryName(code: string): string {
  try {
    return countryNames.of(code) ?? code;
  } catch {
    // Several, or none that there is.
    return code;
  }
}

interface SearchFormProps {
  asked: Asked;
  ask(change: Partial<Asked>): void;
  /** What the server said of what was asked. */
  error: Error | null;
}

/** The fields. */
export function SearchForm({ asked, ask, error }: SearchFormProps) {
  const market = useMarket();
  const { datacenters = [], hardware, configurations = [] } = market ?? {};
  const wrong = error instanceof InvalidError ? error.problem : undefined;
  const field = (name: AskedName) => ({
    value: asked[name],
    onChange: (value: string) => ask({ [name]: value }),
    error: wrong?.parameter?.replace(/\[\d+\]$/, '') === name ? wrong.detail : undefined,
  });
  const inCountry = datacenters.filter(({ country }) => asked.country === '' || country === asked.country);
  const inCity = inCountry.filter(({ city }) => asked.city === '' || city === asked.city);
  const slugs = configurations.map(({ slug }) => slug);
  const sizeOf = (slug: string) => {
    const found = configurations.find((one) => one.slug === slug);
    return found ? `${found.vcpus} vCPU, ${mib(found.memoryMib)}, ${found.diskGib} GiB disk` : slug;
  };
  return (
    <search className="filters" aria-label="Offers">
      <SelectField
        label="Country"
        {...field('country')}
        onChange={(country) => ask({ country, city: '', datacenter: '' })}
        choices={choicesOf(unique(datacenters.map(({ country }) => country)), asked.country, countryName)}
      />
      <SelectField
        label="City"
        {...field('city')}
        onChange={(city) => ask({ city, datacenter: '' })}
        choices={choicesOf(unique(inCountry.map(({ city }) => city)), asked.city)}
      />
      <SelectField label="Datacenter" {...field('datacenter')} choices={choicesOf(slugsOf(inCity), asked.datacenter)} />
      <SelectField label="Size" {...field('configuration')} choices={choicesOf(slugs, asked.configuration, sizeOf)} />
      <SelectField
        label="vCPUs at least"
        {...field('vcpusMin')}
        choices={choicesOf(vcpuSteps.map(String), asked.vcpusMin)}
      />
      <SelectField
        label="Memory at least"
        {...field('memoryMibMin')}
        choices={choicesOf(
          memoryGibSteps.map((gib) => String(gib * 1024)),
          asked.memoryMibMin,
          (value) => mib(Number(value)),
        )}
      />
      <SelectField
        label="CPU maker"
        {...field('cpuManufacturer')}
        onChange={(cpuManufacturer) => ask({ cpuManufacturer, cpuArchitecture: '' })}
        choices={choicesOf(unique(hardware?.cpu.map(({ manufacturer }) => manufacturer) ?? []), asked.cpuManufacturer)}
      />
      <SelectField
        label="CPU architecture"
        {...field('cpuArchitecture')}
        choices={choicesOf(
          unique(
            hardware?.cpu.flatMap(({ manufacturer, architecture }) =>
              asked.cpuManufacturer === '' || manufacturer === asked.cpuManufacturer ? [architecture] : [],
            ) ?? [],
          ),
          asked.cpuArchitecture,
        )}
      />
      <MemoryKind asked={asked} ask={ask} memory={hardware?.memory ?? []} />
      <SelectField
        label="Storage"
        {...field('storageType')}
        choices={choicesOf(unique(hardware?.storage.map(({ type }) => type) ?? []), asked.storageType)}
      />
      <TextField
        label="Additional storage, GiB"
        inputMode="numeric"
        placeholder="0"
        {...field('additionalStorageGib')}
      />
      <TextField label="Price at most, $ an epoch" inputMode="decimal" placeholder="Any" {...field('maxPrice')} />
      {askedNames.some((name) => asked[name] !== '') && (
        <Button onClick={() => ask(nothingAsked)}>Clear all filters</Button>
      )}
    </search>
  );
}

const slugsOf = (datacenters: readonly Datacenter[]) => unique(datacenters.map(({ slug }) => slug));

/** Type and generation are one choice for people: DDR4. */
function MemoryKind({
  asked: { memoryType, memoryGeneration },
  ask,
  memory,
}: Pick<SearchFormProps, 'asked' | 'ask'> & { memory: readonly { type: string; generation: string }[] }) {
  const chosen = memoryType === '' && memoryGeneration === '' ? '' : `${memoryType} ${memoryGeneration}`;
  return (
    <SelectField
      label="Memory kind"
      value={chosen}
      onChange={(value) => {
        const [type = '', generation = ''] = value.split(' ');
        ask({ memoryType: type, memoryGeneration: generation });
      }}
      choices={choicesOf(unique(memory.map(({ type, generation }) => `${type} ${generation}`)), chosen, (value) =>
        value.replace(' ', ''),
      )}
    />
  );
}
