// What an operator sets, from `DIR/settings.json`; every field may be left out. Read once at start.

import { readFile } from 'node:fs/promises';
import Type, { type Static } from 'typebox';
import { Compile } from 'typebox/compile';
import { type BillingPeriod, billingPeriods } from '../model/billing-period.ts';
import { parseConfiguration } from '../model/configuration.ts';
import { type MicroUsd, parseUsd } from '../model/money.ts';
import type { RateCard } from '../model/price.ts';
import { openQuotesMax, quotedInstancesMax } from '../model/quote.ts';

const Usd = (example: string) =>
  Type.Optional(Type.String({ description: `US dollars an epoch, such as "${example}"` }));
const Ratio = Type.Optional(Type.Number({ minimum: 0.1, maximum: 64 }));

const SettingsFile = Type.Object(
  {
    configurations: Type.Optional(Type.Array(Type.String(), { minItems: 1, maxItems: 200 })),
    rates: Type.Optional(
      Type.Object(
        {
          ...{ vcpu: Usd('0.1'), memoryGib: Usd('0.02'), storageGib: Usd('0.001'), publicIp: Usd('0.05') },
          gradeGib: Type.Optional(
            Type.Object({ ssd: Usd('0.002'), archive: Usd('0.0005') }, { additionalProperties: false }),
          ),
        },
        { additionalProperties: false },
      ),
    ),
    overcommit: Type.Optional(Type.Object({ cpu: Ratio, memory: Ratio, disk: Ratio }, { additionalProperties: false })),
    storageType: Type.Optional(Type.Enum(['HDD', 'SSD', 'NVMe'])),
    fluence: Type.Optional(
      Type.Object({ strictAdditionalResources: Type.Optional(Type.Boolean()) }, { additionalProperties: false }),
    ),
    api: Type.Optional(
      Type.Object(
        {
          requestsPerMinute: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000_000 })),
          allowedOrigins: Type.Optional(
            Type.Array(Type.String({ maxLength: 300, pattern: '^(\\*|https?://[^/\\s]+)$' }), { maxItems: 100 }),
          ),
        },
        { additionalProperties: false },
      ),
    ),
    quotes: Type.Optional(
      Type.Object(
        {
          openMax: Type.Optional(Type.Integer({ minimum: 0, maximum: 100_000 })),
          instancesMax: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000_000 })),
        },
        { additionalProperties: false },
      ),
    ),
    bytemark: Type.Optional(
      Type.Object(
        {
          domain: Type.Optional(Type.String({ minLength: 1, maxLength: 253, pattern: '^[a-z0-9.-]+$' })),
          openPorts: Type.Optional(Type.Array(Type.Integer({ minimum: 1, maximum: 65_535 }), { maxItems: 100 })),
          purgeAfterDays: Type.Optional(Type.Number({ minimum: 0, maximum: 3650 })),
        },
        { additionalProperties: false },
      ),
    ),
    billing: Type.Optional(
      Type.Object(
        {
          period: Type.Optional(Type.Enum([...billingPeriods])),
          graceHours: Type.Optional(Type.Number({ minimum: 0, maximum: 24 * 365 })),
          openingCredit: Usd('10000'),
        },
        { additionalProperties: false },
      ),
    ),
  },
  { additionalProperties: false },
);
const settingsFile = Compile(SettingsFile);

/** The settings, complete. */
export interface Settings {
  /** Slugs of the sizes that are sold. */
  configurations: readonly string[];
  rates: RateCard;
  overcommit: { cpu: number; memory: number; disk: number };
  /** What this machine's storage counts as; undefined leaves it to the agent to find out. */
  storageType: 'HDD' | 'SSD' | 'NVMe' | undefined;
  /** Of the Fluence dialect. */
  fluence: {
    /** Refuses additional storage unless `hardware.storage` is asked for, as the API's documentation says it does. */
    strictAdditionalResources: boolean;
  };
  /** Of Berth's own API. */
  api: {
    /** What one caller may ask of one server, in all. */
    requestsPerMinute: number;
    /** Sites whose pages may call it from browsers, such as `https://shop.example.com`; `*` is all. */
    allowedOrigins: readonly string[];
  };
  /** What the open quotes of one account may be, in all. */
  quotes: {
    openMax: number;
    /** Instances that they hold room for. */
    instancesMax: number;
  };
  /** Of the Bytemark dialect. */
  bytemark: {
    /** What host names end in: `{name}.{group}.{account}.{domain}`. */
    domain: string;
    /** TCP ports that are open on a VM made there beside 22, where not all are. */
    openPorts: readonly number[];
    /** How long a deleted VM can be brought back. */
    purgeAfterDays: number;
  };
  billing: {
    period: BillingPeriod;
    /** How long an instance runs on that nothing pays for any more. */
    graceHours: number;
    /** What the first account begins with. */
    openingCredit: MicroUsd;
  };
}

const defaultConfigurations = [
  'cpu-1-ram-1gb-storage-5gb',
  'cpu-1-ram-2gb-storage-10gb',
  'cpu-1-ram-2gb-storage-25gb',
  'cpu-2-ram-4gb-storage-25gb',
  'cpu-4-ram-8gb-storage-25gb',
  'cpu-8-ram-16gb-storage-25gb',
  'cpu-16-ram-32gb-storage-25gb',
];

/** 200 a second: more than a console and a busy program ask for, and less than keeps a server from answering others. */
const defaultRequestsPerMinute = 12_000;

/**
 * Reads the settings file; without one everything has its default.
 * @param file path of a JSON file that need not exist
 * @throws Error that names the field at fault
 */
export async function readSettings(file: string): Promise<Settings> {
  let given: Static<typeof SettingsFile> = {};
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (text !== null) {
    const value: unknown = JSON.parse(text);
    if (!settingsFile.Check(value)) {
      const [first] = settingsFile.Errors(value);
      throw new Error(`${file}: ${first?.instancePath || 'it'} ${first?.message ?? 'is not a settings file'}.`);
    }
    given = value;
  }
  const configurations = given.configurations ?? defaultConfigurations;
  for (const slug of configurations) {
    if (!parseConfiguration(slug)) throw new Error(`${file}: ${slug} is not of the form cpu-2-ram-4gb-storage-25gb.`);
  }
  const usd = (field: string, text: string | undefined, fallback: string) => {
    const amount = parseUsd(text ?? fallback);
    if (amount === null)
      throw new Error(`${file}: ${field} must be a decimal string of US dollars, such as "${fallback}".`);
    return amount;
  };
  const { gradeGib, ...resourceRates } = given.rates ?? {};
  const rate = (name: keyof typeof resourceRates, fallback: string) =>
    usd(`rates.${name}`, resourceRates[name], fallback);
  return {
    configurations,
    rates: {
      vcpuMicroUsd: rate('vcpu', '0.1'),
      memoryGibMicroUsd: rate('memoryGib', '0.02'),
      storageGibMicroUsd: rate('storageGib', '0.001'),
      gradeGibMicroUsd: {
        ssd: usd('rates.gradeGib.ssd', gradeGib?.ssd, '0.002'),
        archive: usd('rates.gradeGib.archive', gradeGib?.archive, '0.0005'),
      },
      publicIpMicroUsd: rate('publicIp', '0.01'),
    },
    overcommit: {
      cpu: given.overcommit?.cpu ?? 4,
      memory: given.overcommit?.memory ?? 1,
      disk: given.overcommit?.disk ?? 1,
    },
    storageType: given.storageType,
    fluence: { strictAdditionalResources: given.fluence?.strictAdditionalResources ?? false },
    api: {
      requestsPerMinute: given.api?.requestsPerMinute ?? defaultRequestsPerMinute,
      allowedOrigins: given.api?.allowedOrigins ?? [],
    },
    quotes: {
      openMax: given.quotes?.openMax ?? openQuotesMax,
      instancesMax: given.quotes?.instancesMax ?? quotedInstancesMax,
    },
    bytemark: {
      domain: given.bytemark?.domain ?? 'berth.local',
      openPorts: given.bytemark?.openPorts ?? [80, 443],
      purgeAfterDays: given.bytemark?.purgeAfterDays ?? 21,
    },
    billing: {
      period: given.billing?.period ?? 'global-daily',
      graceHours: given.billing?.graceHours ?? 24,
      openingCredit: usd('billing.openingCredit', given.billing?.openingCredit, '10000'),
    },
  };
}
