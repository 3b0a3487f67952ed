// The way to the pages.

import { Link } from '@tanstack/react-router';
import { useSession } from '../session.tsx';
import { Icon, type IconName } from '../ui/icon.tsx';

interface Entry {
  to: string;
  label: string;
  icon: IconName;
}

const ofCustomers: Entry[] = [
  { to: '/', label: 'Overview', icon: 'home' },
  { to: '/console/offers', label: 'Market', icon: 'market' },
  { to: '/console/free-slots', label: 'Free slots', icon: 'slot' },
  { to: '/console/instances', label: 'Instances', icon: 'instance' },
  { to: '/console/deployments', label: 'Deployments', icon: 'deployment' },
  { to: '/console/groups', label: 'Groups', icon: 'group' },
  { to: '/console/images', label: 'Images', icon: 'image' },
  { to: '/console/addresses', label: 'Addresses', icon: 'address' },
  { to: '/console/quotes', label: 'Quotes', icon: 'lock' },
  { to: '/console/statement', label: 'Statement', icon: 'money' },
  { to: '/console/events', label: 'Events', icon: 'event' },
  { to: '/console/ssh-keys', label: 'SSH keys', icon: 'key' },
  { to: '/console/api-keys', label: 'API keys', icon: 'key' },
  { to: '/console/users', label: 'Users', icon: 'user' },
  { to: '/console/webhooks', label: 'Webhooks', icon: 'webhook' },
];
const ofOperators: Entry[] = [
  { to: '/console/hosts', label: 'Hosts', icon: 'host' },
  { to: '/console/slots', label: 'Slots', icon: 'slot' },
  { to: '/console/capacity', label: 'Capacity', icon: 'chart' },
  { to: '/console/datacenters', label: 'Datacenters', icon: 'address' },
  { to: '/console/configurations', label: 'Configurations', icon: 'disk' },
  { to: '/console/prices', label: 'Prices', icon: 'money' },
  { to: '/console/accounts', label: 'Accounts', icon: 'account' },
  { to: '/console/ledger', label: 'Ledger', icon: 'money' },
  { to: '/console/revenue', label: 'Revenue', icon: 'chart' },
];

/** Links to the pages that the caller has. */
export function Nav() {
  const { isOperator } = useSession();
  return (
    <nav aria-label="Pages">
      <Entries entries={ofCustomers} />
      {isOperator && ofOperators.length > 0 && (
        <>
          <h2 className="nav-title">Operator</h2>
          <Entries entries={ofOperators} />
        </>
      )}
    </nav>
  );
}

const Entries = ({ entries }: { entries: Entry[] }) => (
  <ul>
    {entries.map(({ to, label, icon }) => (
      <li key={to}>
        <Link to={to} activeOptions={{ exact: to === '/' }}>
          <Icon name={icon} />
          {label}
        </Link>
      </li>
    ))}
  </ul>
);
