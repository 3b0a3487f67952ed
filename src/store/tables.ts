// The tables as Kysely sees them; `schema/*.sql` is where they are defined and explained. `int8` arrives as bigint,
// `numeric` and `xid8` as text, `inet` as the bare address.

import type { ContainerTables } from './tables/container.ts';
import type { HostTables } from './tables/host.ts';
import type { InstanceTables } from './tables/instance.ts';
import type { MoneyTables } from './tables/money.ts';
import type { NetworkTables } from './tables/network.ts';
import type { PeopleTables } from './tables/people.ts';
import type { QuoteTables } from './tables/quote.ts';
import type { SampleTables } from './tables/sample.ts';
import type { VmTables } from './tables/vm.ts';
import type { WebhookTables } from './tables/webhook.ts';

/** Every table of the database. */
export interface Tables
  extends PeopleTables,
    HostTables,
    InstanceTables,
    VmTables,
    ContainerTables,
    NetworkTables,
    MoneyTables,
    QuoteTables,
    SampleTables,
    WebhookTables {}
