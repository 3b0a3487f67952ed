// `berth ct`: containers, each on a slot that is rented whole.

import type { NewInstance, NewPort } from '../../../sdk/generated/types.ts';
import { confirm } from '../ask.ts';
import { each, type Noun, option } from '../command.ts';
import { attach, isTyped, tellEnd } from '../door.ts';
import { containerKind, find } from '../find.ts';
import { instanceColumns, instanceSheet } from '../instance.ts';
import { logsVerb } from '../logs.ts';
import { runSsh } from '../ssh.ts';
import { pairs, ports, readText, sshKey } from '../units.ts';
import { actVerb, listVerb, showVerb, yesOption } from '../verbs.ts';
import { untilOver, untilStatus, type WaitOptions, waitOptions } from '../wait.ts';
import { metricsVerb } from './instance-metrics.ts';

interface CreateOptions extends WaitOptions {
  image: string;
  slot?: string;
  slotPrice?: string;
  open?: NewPort[];
  env?: Record<string, string>;
  sshKey?: string[];
  startupScript?: string;
  group?: string;
  account?: string;
  registryLogin?: string;
  registryPasswordFile?: string;
  quote?: string;
  externalId?: string;
  metadata?: Record<string, string>;
}

async function bodyOf(options: CreateOptions): Promise<NewInstance> {
  const { image, slot, slotPrice, open, env, startupScript, group, account, externalId, metadata, quote } = options;
  const { registryLogin, registryPasswordFile } = options;
  const keys = await Promise.all((options.sshKey ?? []).map(sshKey));
  const login = /^(.+)@([^@]+)$/.exec(registryLogin ?? '');
  const password = registryPasswordFile && (await readText(registryPasswordFile, '--registry-password-file')).trim();
  return {
    ...{ kind: 'container', image, slot, slotPrice, ports: open, environment: env },
    ...{ quote, group, account, externalId, metadata, sshKeys: keys.length > 0 ? keys : undefined },
    startupScript: startupScript && (await readText(startupScript, '--startup-script')),
    registryAuth: login ? { login: login[1] ?? '', server: login[2] ?? '', password: password ?? '' } : undefined,
  };
}

/** The `ct` commands. */
export const noun: Noun = {
  verbs: [
    listVerb({
      description: 'list your containers',
      operation: 'listInstances',
      examples: ['ct list', 'ct list --status active'],
      options: [
        option('--account <ACCOUNT>', 'only of this account'),
        option('--group <GROUP>', 'only in this group'),
        option('--status <STATUS>', 'only in one of these states, such as active,failed'),
      ],
      columns: instanceColumns,
      name: ({ name }) => name,
      none: 'There is no container. "berth slot list" shows what one can run on.',
      pages: ({ berth }, limit, query: object) => berth.instances.list({ ...pick(query), kind: 'container', limit }),
    }),
    showVerb({
      usage: 'show <CONTAINER>',
      description: 'show all of one container',
      operation: 'getInstance',
      examples: ['ct show web-1', 'ct show web-1 --json'],
      find: (desk, text) => find(desk, containerKind, text),
      sheet: instanceSheet,
    }),
    {
      usage: 'create [NAME]',
      description: 'start a container on a slot',
      operation: 'createInstance',
      examples: [
        'ct create web-1 --image nginx:latest --open 80/tcp,443/https \\\n    --slot slt_5f0c6d0e9b7a4c1d8e2f3a4b5c6d7e8f --wait',
        'ct create --image registry.example.com/shop:7 --env STAGE=live \\\n    --slot slt_5f0c6d0e9b7a4c1d8e2f3a4b5c6d7e8f \\\n    --registry-login ann@registry.example.com --registry-password-file pass.txt',
      ],
      options: [
        option('--image <IMAGE>', "the container image's name").makeOptionMandatory(),
        option('--slot <ID>', 'what it runs on; "berth slot list" shows them'),
        option('--quote <QUOTE>', 'on the slot that this quote holds, at its price'),
        option('--slot-price <ID>', 'which of its prices, where it has two'),
        option('--open <PORTS>', 'what is open from outside, such as 80/tcp,443/https', ports),
        option('--env <NAME=VALUE>', 'an environment variable', pairs),
        option('--ssh-key <KEY>', 'a file with a public key, or the name of a registered one', each),
        option('--startup-script <FILE>', 'run in it as it starts'),
        option('--registry-login <NAME@SERVER>', 'of a private registry'),
        option('--registry-password-file <FILE>', 'its password'),
        option('--external-id <ID>', 'your own id: the same request under it is the same container'),
        option('--metadata <NAME=VALUE>', 'kept for you', pairs),
        option('--group <GROUP>', "what it belongs to; the account's default unless given"),
        option('--account <ACCOUNT>', 'who pays, where you see several'),
        ...waitOptions('it runs'),
      ],
      async run(desk, [name], options: CreateOptions) {
        const started = await desk.berth.instances.create(await bodyOf(options));
        // A container is named after it was made.
        const made = name === undefined ? started : await desk.berth.instances.update(started.id, { name });
        if (!options.wait) {
          return {
            value: made,
            text: `Container ${made.name} is accepted; "berth ct show ${made.name}" shows how far it is.`,
          };
        }
        const [value] = await untilStatus(desk, [made.id], made.name, 'active', options);
        const places = value?.container?.publicPorts.flatMap(({ url }) => url ?? []).join(' ');
        return { value, text: `Container ${made.name} runs at ${[value?.address, places].filter(Boolean).join(' ')}.` };
      },
    },
    logsVerb('logs <CONTAINER>', 'show what a container says', containerKind, [
      'ct logs web-1',
      'ct logs -f web-1 --tail 20',
    ]),
    metricsVerb('ct', 'metrics <CONTAINER>', 'container', containerKind),
    {
      usage: 'exec <CONTAINER> [COMMAND...]',
      description: 'run a command in a container, a shell unless given',
      detail: 'Gets a terminal where this is one; ends as the command ends.',
      operation: null,
      examples: ['ct exec web-1', 'ct exec web-1 -- ls -l /', 'ct exec web-1 -- sh -c "cat > /tmp/x" < x'],
      async run(desk, [text = '', ...command]) {
        const { id, name } = await find(desk, containerKind, text);
        const tty = isTyped(desk);
        const { columns, rows } = desk.out;
        const door = await desk.berth.instances.open(id, 'exec', {
          ...{ signal: desk.signal, tty, command: command.length > 0 ? command : undefined },
          ...(tty && columns && rows ? { columns, rows } : {}),
        });
        desk.goesOn = `Left; ${name} goes on.`;
        const closed = await attach(desk, door, false);
        const code = await door.exitCode;
        if (code !== null) desk.end(code);
        else if (closed !== null) tellEnd(desk, closed);
        return undefined;
      },
    },
    {
      usage: 'ssh <CONTAINER> [COMMAND...]',
      description: 'open a shell in a container by SSH, or run a command in it',
      operation: null,
      examples: ['ct ssh web-1', 'ct ssh web-1 -- ps'],
      options: [option('-i, --identity <FILE>', 'a private key', each)],
      async run(desk, [text = '', ...command], { identity = [] }: { identity?: string[] }) {
        const { id, name, container, status } = await find(desk, containerKind, text);
        if (!container?.ssh) throw new Error(`Container ${name} has no way in by SSH (it is ${status}).`);
        const options = identity.flatMap((file) => ['-i', file]);
        desk.end(await runSsh(desk.env, { ...container.ssh, id }, options, command));
        return undefined;
      },
    },
    actVerb({
      usage: 'rename <CONTAINER> <NAME>',
      description: 'give a container another name',
      operation: 'updateInstance',
      examples: ['ct rename web-1 web-old', 'ct rename ins_3b1c5f0a9d8e7c6b5a4f3e2d1c0b9a8f7e6d5c4b web-2'],
      async act(desk, [text = '', name = '']) {
        const { id, name: before } = await find(desk, containerKind, text);
        return { value: await desk.berth.instances.update(id, { name }), done: `Container ${before} is ${name} now.` };
      },
    }),
    actVerb<WaitOptions & { yes?: boolean }>({
      usage: 'delete <CONTAINER>',
      description: 'end a container for good',
      operation: 'deleteInstance',
      examples: ['ct delete web-1', 'ct delete web-1 --yes --wait'],
      options: [yesOption(), ...waitOptions('it is gone')],
      async act(desk, [text = ''], { yes = false, ...wait }) {
        const { id, name } = await find(desk, containerKind, text);
        await confirm(desk, yes, `End container ${name}? What it has written is lost for good.`);
        const operation = await desk.berth.instances.delete(id);
        const value = wait.wait ? await untilOver(desk, operation, name, wait) : operation;
        return { value, done: `Container ${name} is ${wait.wait ? 'gone' : 'ending'}.` };
      },
    }),
  ],
};

/** The filters of a list among its options. */
function pick({ account, group, status }: { account?: string; group?: string; status?: string }) {
  return { account, group, status };
}
