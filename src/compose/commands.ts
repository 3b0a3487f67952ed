// The commands of the installation itself. Each puts the parts together and runs until it is told to stop; what the parts do stands
// elsewhere. What a command needs is loaded when it is run: reading all of Berth takes longer than most commands do.

import { randomInt } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Command, Option } from 'commander';
import { quickestImage } from '../cli/demo-image.ts';
import type { Ground } from '../operator/command.ts';
import { parseListenAddress } from './listen.ts';
import { makeLogger } from './logger.ts';
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
  reachedAt,
  serverUrls,
  storagePool,
} from './options.ts';
import { ensureSecretKey } from './secret-key.ts';
import { untilStopped } from './signals.ts';
import { simulate } from './simulation.ts';
import { systemEntropy } from './system.ts';
import { defaultTlsListen, tlsCert, tlsKey, tlsListen, tlsOf, toldOfTls } from './tls-options.ts';

const defaultListen = '127.0.0.1:8080';
const defaultPool = '127.44.0.0/16';
const defaultConsolePool = '127.45.0.0/16';
/** Not in the pool of `up`, and hardly ever another demo's, so that all of them can run on one machine. */
const [demoPool, demoConsolePool] = [48, 49].map((net) => `127.${net}.${randomInt(256)}.0/24`) as [string, string];
const defaultData = process.getuid?.() === 0 ? '/var/lib/berth' : join(process.env.HOME ?? tmpdir(), '.berth');

const withoutRoot =
  "not root, so VMs get no way out of their network, and ports below 1024, SSH's among them, stay closed " +
  'unless net.ipv4.ip_unprivileged_port_start allows them. "sudo ./berth up" has neither limit.';

const heading = 'This installation:';

/**
 * Adds the commands.
 * @param asked the words of the command line; of the operator's nouns the one that is asked for is loaded, or all
 */
export async function addInstallationCommands(program: Command, asked: readonly string[]): Promise<void> {
  program.commandsGroup(heading);
  addRunning(program);
  await addLocal(program, asked);
}

function addRunning(program: Command): void {
  program
    .command('up')
    .description('run everything on this machine: server, database, and an agent that runs VMs and containers here')
    .option('--data <DIR>', 'where everything is kept', defaultData)
    .option('--listen <HOST:PORT>', 'where the API listens', defaultListen)
    .addOption(reachedAt())
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
      const { startUp } = await import('./up.ts');
      await untilStopped(logger, async (signal) => {
        const berth = await startUp(
          {
            dataDirectory: options.data,
            listen: options.listen,
            reachedAt: options.reachedAt,
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
              ...options.simulate,
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
    .addOption(reachedAt())
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
      const { startServer } = await import('./server.ts');
      const { readSettings } = await import('../app/settings.ts');
      await untilStopped(logger, async () => {
        const server = await startServer(
          {
            connectionString: options.databaseUrl,
            listen: parseListenAddress(options.listen),
            reachedAt: options.reachedAt,
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
      new Option(
        '--server <URL>',
        'the server; given more than once, or with commas, the agent falls back on the others',
      )
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
      const { startAgent } = await import('./agent.ts');
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
            ...options.simulate,
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
      const { DemoHost } = await import('./demo.ts');
      const { runDemo } = await import('../cli/demo.ts');
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

  program
    .command('openapi')
    .description('write the OpenAPI documents')
    .option('--write <DIR>', 'where to write them', 'openapi')
    .action(async (options) => (await import('../api/openapi.ts')).writeOpenApi(options.write));
}

const operatorNouns: Record<string, () => Promise<(ground: Ground) => Command>> = {
  host: async () => (await import('../operator/host.ts')).hostCommand,
  slot: async () => (await import('../operator/slot.ts')).slotCommand,
  price: async () => (await import('../operator/price.ts')).priceCommand,
  configuration: async () => (await import('../operator/configuration.ts')).configurationCommand,
  datacenter: async () => (await import('../operator/datacenter.ts')).datacenterCommand,
  account: async () => (await import('../operator/account.ts')).accountCommand,
  privilege: async () => (await import('../operator/privilege.ts')).privilegeCommand,
};

/** The operator's commands on the database itself, for who has it and no key yet. */
async function addLocal(program: Command, [door, noun = '']: readonly string[]): Promise<void> {
  const local = program
    .command('local')
    .description('act on the database of an installation itself, without a key')
    .addHelpText(
      'after',
      '\nFor who has the machine and no key yet, or none that works. Everything else is\ndone over the API.\n\nExamples:\n  berth local account key create acme --name ci',
    );
  if (door !== 'local') return;
  const operator: Ground = {
    open: async (where) => (await import('./operator.ts')).openForOperator(where),
    defaultData,
    write: (text: string) => {
      process.stdout.write(text);
    },
  };
  for (const [name, load] of Object.entries(operatorNouns)) {
    if (noun === name || !(noun in operatorNouns)) local.addCommand((await load())(operator));
  }
}
