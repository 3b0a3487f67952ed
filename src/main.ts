// The commands. Each puts the parts together and runs until it is told to stop; what the parts do stands elsewhere.

import { randomInt } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, Option } from 'commander';
import { version } from './api/document.ts';
import { writeOpenApi } from './api/openapi.ts';
import { readSettings } from './app/settings.ts';
import { runDemo } from './cli/demo.ts';
import { quickestImage } from './cli/demo-image.ts';
import { imageCommand } from './cli/image.ts';
import { startAgent } from './compose/agent.ts';
import { DemoHost } from './compose/demo.ts';
import { parseListenAddress } from './compose/listen.ts';
import { makeLogger } from './compose/logger.ts';
import { openForOperator } from './compose/operator.ts';
import {
  allowCallbackHost,
  allowImageHost,
  containersOf,
  engineSocket,
  ingressAddress,
  ingressDomain,
  ingressEmail,
  network,
  networkNat,
  networkOf,
  readSimulation,
  serverUrls,
  simulate,
  storagePool,
} from './compose/options.ts';
import { ensureSecretKey } from './compose/secret-key.ts';
import { startServer } from './compose/server.ts';
import { untilStopped } from './compose/signals.ts';
import { systemEntropy } from './compose/system.ts';
import { defaultTlsListen, tlsCert, tlsKey, tlsListen, tlsOf, toldOfTls } from './compose/tls-options.ts';
import { startUp } from './compose/up.ts';
import { accountCommand } from './operator/account.ts';
import { configurationCommand } from './operator/configuration.ts';
import { datacenterCommand } from './operator/datacenter.ts';
import { hostCommand } from './operator/host.ts';
import { priceCommand } from './operator/price.ts';
import { privilegeCommand } from './operator/privilege.ts';
import { slotCommand } from './operator/slot.ts';

const defaultListen = '127.0.0.1:8080';
const defaultPool = '127.44.0.0/16';
const defaultConsolePool = '127.45.0.0/16';
/** Not in the pool of `up`, and hardly ever another demo's, so that all of them can run on one machine. */
const [demoPool, demoConsolePool] = [48, 49].map((net) => `127.${net}.${randomInt(256)}.0/24`) as [string, string];
const defaultData = process.getuid?.() === 0 ? '/var/lib/berth' : join(process.env.HOME ?? tmpdir(), '.berth');

const withoutRoot =
  "not root, so VMs get no way out of their network, and ports below 1024, SSH's among them, stay closed " +
  'unless net.ipv4.ip_unprivileged_port_start allows them. "sudo ./berth up" has neither limit.';

const program = new Command('berth')
  .description('Self-hosted compute marketplace and control plane')
  .version(version)
  .showHelpAfterError('(berth --help shows what there is)');

program
  .command('up')
  .description('run everything on this machine: server, database, and an agent that runs VMs and containers here')
  .option('--data <DIR>', 'where everything is kept', defaultData)
  .option('--listen <HOST:PORT>', 'where the API listens', defaultListen)
  .addOption(tlsListen(`${defaultTlsListen}, or any free port`))
  .addOption(tlsCert())
  .addOption(tlsKey())
  .option('--address-pool <CIDR>', 'addresses for instances', defaultPool)
  .option('--console-pool <CIDR>', "addresses for VMs' consoles, reached by SSH", defaultConsolePool)
  .option('--database-url <URL>', 'use this PostgreSQL (15 or later) instead of the embedded one')
  .addOption(allowImageHost())
  .addOption(allowCallbackHost())
  .addOption(storagePool())
  .addOption(network())
  .addOption(networkNat())
  .addOption(engineSocket())
  .addOption(ingressDomain())
  .addOption(ingressAddress())
  .addOption(ingressEmail())
  .addOption(simulate())
  .action(async (options) => {
    const logger = makeLogger(process.stderr);
    if (process.getuid?.() !== 0) process.stderr.write(`berth: ${withoutRoot}\n`);
    await untilStopped(logger, async (signal) => {
      const berth = await startUp(
        {
          dataDirectory: options.data,
          listen: options.listen,
          tls: tlsOf(options, defaultTlsListen),
          addressPool: options.addressPool,
          consolePool: options.consolePool,
          allowImageHosts: options.allowImageHost,
          allowCallbackHosts: options.allowCallbackHost,
          databaseUrl: options.databaseUrl,
          logger,
          agent: {
            storagePools: options.storagePool,
            network: networkOf(options, options.addressPool),
            ...containersOf(options),
            ...(options.simulate ? readSimulation(options.simulate) : {}),
          },
        },
        signal,
      );
      process.stdout.write(
        `Berth is up at ${berth.credentials.url}\nThe first account's keys are in ${join(options.data, 'credentials.json')}\n${toldOfTls(berth.tls)}`,
      );
      return () => berth.close();
    });
  });

program
  .command('server')
  .description('run a server alone, on a database that any number of servers share')
  .requiredOption('--database-url <URL>', 'a PostgreSQL, 15 or later')
  .option('--data <DIR>', 'where settings and built images are kept', defaultData)
  .option(
    '--secret-key <FILE>',
    'what secrets are sealed with, the same for all servers (default: secret.key in --data)',
  )
  .option('--listen <HOST:PORT>', 'where the API listens', defaultListen)
  .addOption(tlsListen('none'))
  .addOption(tlsCert())
  .addOption(tlsKey())
  .option(
    '--console-pool <CIDR>',
    "addresses for VMs' consoles from now on; each server serves those that are its machine's (default: as it was)",
  )
  .addOption(allowImageHost())
  .addOption(allowCallbackHost())
  .action(async (options) => {
    const logger = makeLogger(process.stderr);
    const tls = tlsOf(options);
    await untilStopped(logger, async () => {
      const server = await startServer(
        {
          connectionString: options.databaseUrl,
          listen: parseListenAddress(options.listen),
          settings: await readSettings(join(options.data, 'settings.json')),
          ...(tls ? { tls: { ...tls, directory: join(options.data, 'tls') } } : {}),
          imageDirectory: join(options.data, 'images'),
          secretKey: await ensureSecretKey(options.secretKey ?? join(options.data, 'secret.key'), systemEntropy),
          allowedImageHosts: options.allowImageHost,
          allowedCallbackHosts: options.allowCallbackHost,
          consolePool: options.consolePool,
          logger,
        },
        async () => {},
      );
      process.stdout.write(`Berth's server listens at ${server.url}\n${toldOfTls(server.tls)}`);
      return () => server.close();
    });
  });

program
  .command('agent')
  .description('run an agent alone, for a server elsewhere')
  .addOption(
    new Option('--server <URL>', 'the server; given more than once, or with commas, the agent falls back on the others')
      .argParser((value: string, before: string[] = []) => [...before, ...serverUrls(value)])
      .makeOptionMandatory(),
  )
  .option('--token <TOKEN>', 'the one-time token that enrols this host; needed the first time')
  .option('--data <DIR>', 'where instances and images are kept', defaultData)
  .addOption(allowImageHost())
  .addOption(storagePool())
  .addOption(network())
  .addOption(networkNat())
  .addOption(engineSocket())
  .addOption(ingressDomain())
  .addOption(ingressAddress())
  .addOption(ingressEmail())
  .addOption(simulate())
  .action(async (options) => {
    const logger = makeLogger(process.stderr);
    await untilStopped(logger, async (signal) => {
      const agent = await startAgent(
        {
          serverUrls: options.server,
          directory: join(options.data, 'agent'),
          token: async () => {
            if (options.token) return options.token;
            throw new Error('This host is not enrolled; start it with --token.');
          },
          allowedImageHosts: options.allowImageHost,
          storageType: undefined,
          logger,
          storagePools: options.storagePool,
          network: networkOf(options),
          ...containersOf(options),
          ...(options.simulate ? readSimulation(options.simulate) : {}),
        },
        signal,
      );
      process.stdout.write(`Berth's agent works for ${options.server.join(', ')} as host ${agent.hostId}\n`);
      return () => agent.close();
    });
  });

program
  .command('demo')
  .description('deploy a VM or a container on this machine and show it; Ctrl-C takes everything away again')
  .option('--container', 'show a container rather than a VM')
  .option('--image <SLUG>', 'an image of the catalog, such as debian-12', quickestImage)
  .option('--data <DIR>', 'where everything is kept until the end (default: a fresh directory)')
  .option('--listen <HOST:PORT>', 'where the API listens (default: 127.0.0.1:8080, or any free port)')
  .option('--address-pool <CIDR>', 'addresses for instances (default: a part of 127.48.0.0/16)')
  .option('--once', 'end after it was shown')
  .action(async ({ image, container, once, data, listen, addressPool }) => {
    const containers = container === true;
    const prepare = () =>
      DemoHost.prepare({
        data,
        listen,
        addressPool: addressPool ?? demoPool,
        consolePool: demoConsolePool,
        containers,
      });
    process.exitCode = await runDemo({ image, container: containers, once: once === true }, prepare, process.stdout);
  });

program.addCommand(imageCommand());

const operator = {
  open: openForOperator,
  defaultData,
  write: (text: string) => {
    process.stdout.write(text);
  },
};
for (const make of [
  hostCommand,
  slotCommand,
  priceCommand,
  configurationCommand,
  datacenterCommand,
  accountCommand,
  privilegeCommand,
]) {
  program.addCommand(make(operator));
}

program
  .command('openapi')
  .description('write the OpenAPI documents')
  .option('--write <DIR>', 'where to write them', 'openapi')
  .action(async (options) => writeOpenApi(options.write));

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`berth: ${(error as Error).message}\n`);
  process.exitCode = 1;
}
