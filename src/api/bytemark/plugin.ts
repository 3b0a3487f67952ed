// The Bytemark dialect: its routes and its errors. Who calls is found by the routes, because some are for everybody.

import { defineDialect } from '../dialect.ts';
import { openApiDocument } from '../document.ts';
import { accountRoutes } from './account.ts';
import { adminGroupRoutes } from './admin-group.ts';
import { adminHostRoutes } from './admin-host.ts';
import { adminVlanRoutes } from './admin-vlan.ts';
import { adminVmRoutes } from './admin-vm.ts';
import { apiKeyRoutes } from './api-key.ts';
import { backupRoutes } from './backup.ts';
import { billingRoutes } from './billing.ts';
import { readRequests } from './body.ts';
import { readDefaultAccount } from './default-account.ts';
import { definitionRoutes } from './definition.ts';
import { discRoutes } from './disc.ts';
import { discReadRoutes } from './disc-read.ts';
import { bytemarkError, ErrorSchema } from './error.ts';
import { groupRoutes } from './group.ts';
import { ipRoutes } from './ip.ts';
import { nicReadRoutes } from './nic-read.ts';
import { nowhereRoutes } from './nowhere.ts';
import { privilegeRoutes } from './privilege.ts';
import { sessionRoutes } from './session.ts';
import { signalRoutes } from './signal.ts';
import { userRoutes } from './user.ts';
import { virtualMachineRoutes } from './virtual-machine.ts';
import { virtualMachineReadRoutes } from './virtual-machine-read.ts';
import { vmCreateRoutes } from './vm-create.ts';
import { vmDefaultRoutes } from './vm-default.ts';

/** The Bytemark dialect as a Fastify plugin. */
export const bytemarkDialect = defineDialect({
  name: 'bytemark',
  document: openApiDocument('Berth: Bytemark dialect', "VMs through the calls of Bytemark's cloud servers.", {
    Bearer: { type: 'http', scheme: 'bearer' },
  }),
  errorSchema: ErrorSchema,
  toError: bytemarkError,
  readKey: null,
  routes: [
    readRequests,
    readDefaultAccount,
    sessionRoutes,
    userRoutes,
    privilegeRoutes,
    apiKeyRoutes,
    accountRoutes,
    groupRoutes,
    virtualMachineReadRoutes,
    vmCreateRoutes,
    virtualMachineRoutes,
    vmDefaultRoutes,
    discReadRoutes,
    discRoutes,
    backupRoutes,
    nicReadRoutes,
    definitionRoutes,
    billingRoutes,
    ipRoutes,
    adminVlanRoutes,
    adminHostRoutes,
    adminVmRoutes,
    adminGroupRoutes,
    signalRoutes,
    nowhereRoutes,
  ],
});
