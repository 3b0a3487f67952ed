// What an instance is, how one gets at it, what it costs, and what has happened to it.

import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import type { Instance } from '../../../../sdk/generated/types.ts';
import { at, gib, many, mib, usd } from '../../format.ts';
import { useSession } from '../../session.tsx';
import { Facts, Section } from '../../ui/page.tsx';
import { Badge, Copyable, When } from '../../ui/words.tsx';
import { Operations } from './operations.tsx';
import { Ports } from './ports.tsx';
import { Timeline } from './timeline.tsx';

/** The first part of an instance's page. */
export const Overview = ({ instance }: { instance: Instance }) => (
  <>
    <Notes instance={instance} />
    <div className="columns">
      <div>
        <Section title="Access">
          <Facts facts={accessOf(instance)} />
          <SshCommand instance={instance} />
        </Section>
        <Section title="Machine">
          <Facts facts={machineOf(instance)} />
        </Section>
        <Section title="Price">
          <Facts facts={priceOf(instance)} />
        </Section>
        <Ports instance={instance} />
      </div>
      <div>
        <Operations instance={instance} />
        <Timeline instance={instance} />
      </div>
    </div>
  </>
);

const dayMs = 86_400_000;

/** What whoever looks ought to know first. */
function Notes({ instance }: { instance: Instance }) {
  const { status, statusReason, statusChangedAt, funds, vm } = instance;
  const isBad = status === 'failed' || status === 'terminated';
  return (
    <>
      {status === 'launching' && (
        <div className="note" role="status">
          <p>
            <strong>It is coming up.</strong>{' '}
            {statusReason ?? 'Its host fetches its image and boots it; below is how far it is.'}
          </p>
          <progress aria-label="It is coming up" />
        </div>
      )}
      {status !== 'launching' && statusReason && (
        <div className={isBad ? 'note note-bad' : 'note'} role={isBad ? 'alert' : 'status'}>
          <p>{statusReason}</p>
        </div>
      )}
      {status === 'soft-deleted' && vm && (
        <div className="note" role="status">
          <p>
            It is deleted, and can be brought back in its settings until{' '}
            {at(new Date(Date.parse(statusChangedAt) + vm.restorableDays * dayMs).toISOString())}.
          </p>
        </div>
      )}
      {funds !== 'enough' && !isBad && (
        <div className={funds === 'none' ? 'note note-bad' : 'note note-busy'} role="alert">
          <p>
            {funds === 'none'
              ? 'There is no money left for its next period: it is ended unless the account is filled up.'
              : 'The account has little left: soon its next period can not be paid, and it is ended then.'}
          </p>
        </div>
      )}
    </>
  );
}

type Fact = readonly [name: string, value: ReactNode];

function accessOf({ addresses, hostname, container }: Instance): Fact[] {
  const urls = (container?.publicPorts ?? []).map(
    ({ port, url }): Fact => [
      `Port ${port}`,
      url ? (
        <a key={url} href={url} rel="noreferrer">
          {url}
        </a>
      ) : (
        'TCP'
      ),
    ],
  );
  return [
    ...addresses.map(
      ({ ip, family, additional }): Fact => [
        `${additional ? 'Additional' : 'Main'} IPv${family} address`,
        <Copyable key={ip} text={ip} label={ip} />,
      ],
    ),
    ['Host name', hostname],
    ...urls,
  ];
}

function machineOf({ vcpus, memoryMib, diskGib, image, datacenter, vm, createdAt, container }: Instance): Fact[] {
  const place = datacenter && `${datacenter.slug} (${datacenter.country}, ${datacenter.city})`;
  return [
    ['Size', `${many(vcpus, 'vCPU')}, ${mib(memoryMib)}${diskGib > 0 ? `, ${gib(diskGib)} of disks` : ''}`],
    ['Place', place],
    ['Image', vm?.lastImagedWith ?? image],
    ...(vm
      ? ([
          ['Hardware', vm.hardwareProfile],
          ['When it switches off', vm.autoreboot ? 'comes back on' : 'stays off'],
          ['CD', vm.cdromUrl],
        ] satisfies Fact[])
      : []),
    ...(container ? ([['Your id', container.externalId]] satisfies Fact[]) : []),
    ['Created', <When key="created" time={createdAt} />],
  ];
}

const fundsWords = { enough: 'good', small: 'busy', none: 'bad' } as const;

const priceOf = ({ pricePerEpoch, held, spent, paidUntil, nextBillingAt, funds }: Instance): Fact[] => [
  ['Per epoch', usd(pricePerEpoch)],
  ['Spent so far', usd(spent)],
  ['Deposit', usd(held)],
  ['Paid until', paidUntil && <When key="paid" time={paidUntil} />],
  ['Next charge', nextBillingAt && <When key="next" time={nextBillingAt} />],
  [
    'Money for it',
    <Badge key="funds" tone={fundsWords[funds]}>
      {funds}
    </Badge>,
  ],
];

/** As whom an image lets in, unless the catalog knows better. */
const usualUser = 'root';
/** What systems take for the name of a user; anything else in a line to copy could be more than a name to a shell. */
const userName = /^[a-z_][a-z0-9_-]*$/;

function SshCommand({ instance }: { instance: Instance }) {
  const { address, container, vm, image } = instance;
  const { berth, me } = useSession();
  const images = useQuery({
    queryKey: ['images', 'catalog'],
    queryFn: () => berth.images.list({ limit: 200 }).page(),
    enabled: vm !== null,
  });
  const found = images.data?.items.find(({ url, slug }) =>
    vm?.lastImagedWith ? slug === vm.lastImagedWith : url === image,
  );
  const ssh = container?.ssh;
  const user = ssh ? ssh.user : (found?.username ?? usualUser);
  const isPlain = userName.test(user);
  // Users of Berth get in there, not those of the guest; a key alone is nobody's name.
  const self = me.user && userName.test(me.user.username) ? `${me.user.username}@` : '';
  const command = ssh ? `ssh -p ${ssh.port} ${user}@${ssh.host}` : vm && address ? `ssh ${user}@${address}` : undefined;
  return (
    <>
      {command && isPlain && (
        <p className="command">
          <span className="fine">By SSH</span> <Copyable text={command} label="SSH command" />
        </p>
      )}
      {command && !isPlain && (
        <p className="fine">Its image says that it lets in “{user}”, which is no name that can be typed as it is.</p>
      )}
      {vm?.managementAddress && (
        <p className="command">
          <span className="fine">Its serial console by SSH</span>{' '}
          <Copyable text={`ssh ${self}${vm.managementAddress}`} label="console command" />
        </p>
      )}
    </>
  );
}
