// Makes VMs: what they run, how big, where, who gets in. What it costs follows what is chosen.

import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback, useEffect, useState } from 'react';
import { useDone } from '../../done.ts';
import { mib } from '../../format.ts';
import { AccountField } from '../../layout/choose-account.tsx';
import { deploymentPath, instancePath } from '../../paths.ts';
import { useBerth, useSession } from '../../session.tsx';
import {
  CheckField,
  Form,
  type FormState,
  fieldErrors,
  SelectField,
  TextAreaField,
  TextField,
  useForm,
} from '../../ui/form.tsx';
import { Section } from '../../ui/page.tsx';
import { countryName, useMarket } from '../offers/search-form.tsx';
import { Cost } from './cost.tsx';
import { DisksField } from './disks-field.tsx';
import { useEstimate, useTrial } from './estimate.ts';
import { GroupField } from './group-field.tsx';
import { Hold, useHeld } from './hold.tsx';
import { MachinePart } from './machine-part.tsx';
import { PasswordField } from './password-field.tsx';
import { SameElsewhere } from './same-elsewhere.tsx';
import { SshKeysField } from './ssh-keys-field.tsx';
import { byUrl, marketSearchOf, quoteBodyOf, type VmValues, vmBodyOf, vmValuesOf } from './vm-body.ts';

/** What a part of the form is given. */
export interface PartProps {
  values: VmValues;
  set: FormState<VmValues>['set'];
  field: FormState<VmValues>['field'];
}

/** The form. */
export function VmForm() {
  const { berth, account } = useSession();
  const search: Record<string, unknown> = useSearch({ strict: false });
  const navigate = useNavigate();
  const done = useDone();
  const held = useHeld('vm');
  const quote = held.quote && { quote: held.quote.id };
  const [showsPassword, showPassword] = useState(false);
  const form = useForm(vmValuesOf(search, account?.id ?? ''), async (values) => {
    const { kind, count = 1, ...body } = { ...vmBodyOf(values), ...quote };
    if (count === 1) {
      const { id, name } = await berth.instances.create({ kind, ...body });
      await done(`${name} is on its way`, 'instances', 'deployments', 'balance', 'quotes');
      return navigate({ to: instancePath(id) });
    }
    const { id } = await berth.deployments.create({ ...body, count });
    await done(`${count} VMs are on their way`, 'instances', 'deployments', 'balance', 'quotes');
    return navigate({ to: deploymentPath(id) });
  });
  const { values, set } = form;
  // The account may be chosen at the top of the page meanwhile.
  const accountId = account?.id;
  useEffect(() => {
    if (accountId) set('account', accountId);
  }, [accountId, set]);
  const body = vmBodyOf(values);
  const isAskable = values.account !== '' && values.image !== '';
  // What is held is free for nobody else, so its price is the quote's.
  // And a price needs no password.
  const { rootPassword: _password, ...priced } = body;
  const estimated = useEstimate(isAskable && !held.quote ? priced : null);
  const trial = useTrial(isAskable ? { ...priced, ...quote } : null);
  const wrong = { ...fieldErrors(trial.error, values), ...fieldErrors(estimated.error, values) };
  const isToldElsewhere = Object.keys(wrong).length > 0;
  const field: PartProps['field'] = (name) => {
    const bound = form.field(name);
    return { ...bound, error: bound.error ?? wrong[name] };
  };
  const part = { values, set, field };
  const { estimate } = estimated;
  const isShort = estimate !== undefined && !estimated.error && !estimate.sufficient;
  // Else the server would take the first account that one may use, which nobody has chosen.
  const isNobodys = values.account === '';
  return (
    <Form
      form={form}
      act={Number(values.count) > 1 ? `Create ${values.count} VMs` : `Create ${values.name}`}
      reason={isNobodys ? 'Choose an account first.' : isShort ? 'The account has too little for it.' : null}
    >
      <div className="create-columns">
        <div>
          <AccountField {...field('account')} />
          <Section title="What it runs">
            <ImageField {...part} />
          </Section>
          <SizePart {...part} />
          <PlacePart {...part} />
          <AccessPart {...part} showsPassword={showsPassword} showPassword={showPassword} />
          <NamePart {...part} />
          <MachinePart {...part} />
          <SameElsewhere
            body={{ ...body, ...quote }}
            showsSecrets={showsPassword}
            isWrong={isToldElsewhere}
            isWhole={isAskable}
          />
        </div>
        <Cost
          estimated={estimated}
          held={held.quote}
          refusal={trial.error}
          isToldElsewhere={isToldElsewhere}
          search={marketSearchOf(values)}
          before={`Choose an ${isNobodys ? 'account' : 'image'} to see it.`}
        >
          <Hold
            held={held}
            wanted={quoteBodyOf(values, estimate)}
            isAskable={estimate !== undefined && !estimated.error && !isToldElsewhere}
          />
        </Cost>
      </div>
    </Form>
  );
}

function ImageField({ values, set, field }: PartProps) {
  const berth = useBerth();
  const { data: seen = [] } = useQuery({
    queryKey: ['images', 'choices'],
    queryFn: () => berth.images.list({ limit: 200 }).all(),
  });
  // An operator sees everybody's.
  const images = seen.filter(({ account }) => account === null || account === values.account);
  const bound = field('image');
  // The first one of the catalog is as good as any to see a price for.
  const first = images[0]?.slug;
  const hasImage = values.image !== '';
  useEffect(() => {
    if (first && !hasImage) set('image', first);
  }, [first, hasImage, set]);
  const isByUrl = values.image === byUrl;
  return (
    <>
      <SelectField
        label="Image"
        {...bound}
        error={isByUrl ? undefined : bound.error}
        choices={[
          ...(values.image === '' ? [{ value: '', label: 'Choose an image' }] : []),
          ...images.map(({ slug, name, distribution, account, state }) => ({
            value: slug,
            label: `${account ? `${name} (own)` : `${distribution} ${name}`}${state === 'ready' ? '' : `, ${state}`}`,
            disabled: state === 'failed',
          })),
          { value: byUrl, label: 'Another one, by its URL' },
        ]}
      />
      {isByUrl && (
        <TextField
          label="URL of the image"
          hint="https, and ends in .qcow2, .img or .raw, these with .gz or .xz, too"
          {...field('imageUrl')}
          error={bound.error}
        />
      )}
    </>
  );
}

function SizePart({ values, field }: PartProps) {
  const { configurations = [] } = useMarket() ?? {};
  const isByDisks = values.disks.length > 0;
  const chosen = configurations.find(({ slug }) => slug === values.configuration) ?? configurations[0];
  const sold = (chosen?.diskGib ?? 10) + (Number(values.additionalStorageGib) || 0);
  return (
    <Section title="How big">
      <SelectField
        label="Size"
        {...field('sizing')}
        onChange={(value) => field('sizing').onChange(value === 'own' ? 'own' : 'configuration')}
        choices={[
          { value: 'configuration', label: 'One that is sold' },
          { value: 'own', label: 'A size of its own' },
        ]}
      />
      {values.sizing === 'own' ? (
        <div className="row-fields">
          <TextField label="vCPUs" inputMode="numeric" {...field('vcpus')} />
          <TextField label="Memory, GiB" inputMode="numeric" {...field('memoryMib')} />
          {!isByDisks && <TextField label="Disk, GiB" inputMode="numeric" {...field('diskGib')} />}
        </div>
      ) : (
        <div className="row-fields">
          <SelectField
            label="Configuration"
            {...field('configuration')}
            choices={[
              { value: '', label: 'The smallest that fits' },
              ...configurations.map(({ slug, vcpus, memoryMib, diskGib }) => ({
                value: slug,
                label: `${vcpus} vCPU, ${mib(memoryMib)}, ${diskGib} GiB disk`,
              })),
            ]}
          />
          {!isByDisks && (
            <TextField
              label="Additional storage, GiB"
              inputMode="numeric"
              placeholder="0"
              {...field('additionalStorageGib')}
            />
          )}
        </div>
      )}
      <DisksField {...field('disks')} firstGib={values.sizing === 'own' ? values.diskGib : String(sold)} />
    </Section>
  );
}

const anyOf = (values: readonly string[], chosen: string, label: (value: string) => string = (value) => value) => [
  { value: '', label: 'Any' },
  ...[...new Set([...values, ...(chosen ? [chosen] : [])])].toSorted().map((value) => ({ value, label: label(value) })),
];

function PlacePart({ values, set, field }: PartProps) {
  const { datacenters = [], hardware } = useMarket() ?? {};
  const inCountry = datacenters.filter(({ country }) => values.countries === '' || country === values.countries);
  const inCity = inCountry.filter(({ city }) => values.cities === '' || city === values.cities);
  return (
    <Section title="Where, and on what">
      <div className="row-fields">
        <SelectField
          label="Country"
          {...field('countries')}
          onChange={(country) => {
            set('countries', country);
            set('cities', '');
            set('datacenters', '');
          }}
          choices={anyOf(
            datacenters.map(({ country }) => country),
            values.countries,
            countryName,
          )}
        />
        <SelectField
          label="City"
          {...field('cities')}
          onChange={(city) => {
            set('cities', city);
            set('datacenters', '');
          }}
          choices={anyOf(
            inCountry.map(({ city }) => city),
            values.cities,
          )}
        />
        <SelectField
          label="Datacenter"
          {...field('datacenters')}
          choices={anyOf(
            inCity.map(({ slug }) => slug),
            values.datacenters,
          )}
        />
        <SelectField
          label="CPU maker"
          {...field('cpuManufacturer')}
          choices={anyOf(hardware?.cpu.map(({ manufacturer }) => manufacturer) ?? [], values.cpuManufacturer)}
        />
        <SelectField
          label="CPU architecture"
          {...field('cpuArchitecture')}
          choices={anyOf(hardware?.cpu.map(({ architecture }) => architecture) ?? [], values.cpuArchitecture)}
        />
        <SelectField
          label="Storage"
          {...field('storageType')}
          choices={anyOf(hardware?.storage.map(({ type }) => type) ?? [], values.storageType)}
        />
        <TextField label="At most, $ an epoch" inputMode="decimal" {...field('maxPricePerEpoch')} />
      </div>
    </Section>
  );
}

interface AccessProps extends PartProps {
  showsPassword: boolean;
  showPassword(isShown: boolean): void;
}

function AccessPart({ values, set, field, showsPassword, showPassword }: AccessProps) {
  const setKeys = useCallback((keys: string[]) => set('sshKeys', keys), [set]);
  return (
    <Section title="Who gets in">
      <SshKeysField account={values.account} {...field('sshKeys')} onChange={setKeys} />
      <TextField
        label="Ports open from outside"
        hint="Such as 80, 443, 53/udp. Port 22 is open always."
        {...field('ports')}
      />
      <CheckField
        label="Every port is open"
        hint="Where its host can hold that apart for one VM; its own firewall is all that is left then"
        checked={values.allPortsOpen}
        onChange={(isOpen) => set('allPortsOpen', isOpen)}
      />
      <PasswordField {...field('rootPassword')} isShown={showsPassword} onShow={showPassword} />
    </Section>
  );
}

function NamePart({ values, set, field }: PartProps) {
  return (
    <Section title="What it is called">
      <div className="row-fields">
        <TextField label="Name" hint="Letters, digits and -" {...field('name')} />
        <GroupField account={values.account} {...field('group')} />
        <TextField label="How many" hint="1 to 10 of this name" inputMode="numeric" {...field('count')} />
        <TextField label="Host name" hint="Its name unless given" placeholder={values.name} {...field('hostname')} />
      </div>
      <CheckField label="Leave it switched off" checked={values.isOff} onChange={(isOff) => set('isOff', isOff)} />
      <TextAreaField
        label="Script for its first boot"
        hint="Run once as root; begins with #!"
        spellCheck={false}
        {...field('firstBootScript')}
      />
    </Section>
  );
}
