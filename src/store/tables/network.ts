// Networks, addresses, and the consoles that are reached at addresses of their own.

import type { Generated, GeneratedAlways } from 'kysely';
import type { ConsoleChannel } from '../../model/console.ts';
import type { Door, ExecOrder } from '../../model/door.ts';
import type { Json } from './json.ts';

interface VlanTable {
  id: GeneratedAlways<bigint>;
  num: number;
  created_at: Date;
}

interface IpRangeTable {
  id: GeneratedAlways<bigint>;
  cidr: string;
  vlan_num: number | null;
  next_offset: Generated<bigint>;
  created_at: Date;
}

interface AddressTable {
  ip: string;
  instance_id: string | null;
  orphan_id: string | null;
  additional: Generated<boolean>;
  reverse_name: Generated<string | null>;
  reason: Generated<string | null>;
}

interface PortRuleTable {
  ip: string;
  protocol: 'tcp' | 'udp';
  port: number;
}

interface ConsoleFrontTable {
  only_one: Generated<boolean>;
  pool: string;
  host_key: Generated<Uint8Array | null>;
}

interface ManagementAddressTable {
  instance_id: string;
  ip: string;
}

interface ConsoleTable {
  id: string;
  host_id: string;
  instance_id: string;
  channel: ConsoleChannel;
  server_url: string;
  ticket: string;
  offered_at: Date | null;
  answered: Generated<boolean>;
  exec: Json<ExecOrder> | null;
  expires_at: Date;
}

interface DoorTicketTable {
  sha256: Uint8Array;
  instance_id: string;
  door: Door;
  session_id: string | null;
  api_key_id: string | null;
  exec: Json<ExecOrder> | null;
  expires_at: Date;
}

/** Networks, addresses, and the consoles that are reached at addresses of their own */
export interface NetworkTables {
  vlan: VlanTable;
  ip_range: IpRangeTable;
  address: AddressTable;
  main_address: { ip: string; instance_id: string };
  port_rule: PortRuleTable;
  console_front: ConsoleFrontTable;
  management_address: ManagementAddressTable;
  console: ConsoleTable;
  door_ticket: DoorTicketTable;
}
