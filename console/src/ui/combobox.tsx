// One of many: a field in which one types, and the server is asked for what has that in its name. However many there are, each can be
// chosen. After the WAI-ARIA pattern of a combobox with a list.

import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { type KeyboardEvent, useDeferredValue, useEffect, useId, useRef, useState } from 'react';
import { Field } from './form.tsx';

/** So many are shown at once; who looks for another one types more of its name. */
export const offeredMax = 20;

/** Something that can be chosen. */
export interface Offered {
  value: string;
  label: string;
  /** What tells those of one name apart. */
  hint?: string | undefined;
}

interface ComboboxProps {
  label: string;
  hint?: string | undefined;
  error?: string | undefined;
  value: string;
  onChange(value: string): void;
  /** What is asked, as query.ts has it: the noun first, and whatever narrows it. */
  about: readonly unknown[];
  /** Those that have a text in their names, {@link offeredMax} and one more of them. */
  search(text: string): Promise<Offered[]>;
  /** What is chosen, by its value; undefined where there is no such thing any more. */
  find(value: string): Promise<Offered | undefined>;
  /** What choosing nothing is called; left out where something has to be chosen. */
  none?: string | undefined;
}

/** The field. */
export function Combobox({ label, hint, error, value, onChange, about, search, find, none }: ComboboxProps) {
  const listId = useId();
  const list = useRef<HTMLDivElement>(null);
  /** What is typed; null while nobody types, and what is chosen is shown. */
  const [typed, setTyped] = useState<string | null>(null);
  const [isOpen, setOpen] = useState(false);
  const [active, setActive] = useState(-1);
  const [picked, setPicked] = useState<Offered>();
  const isKnown = value === '' || picked?.value === value;
  const named = useQuery({
    queryKey: [...about, 'named', value],
    queryFn: async () => (await find(value)) ?? null,
    enabled: !isKnown,
  });
  const text = useDeferredValue(typed ?? '');
  const found = useQuery({
    queryKey: [...about, 'search', text],
    queryFn: () => search(text),
    enabled: isOpen,
    placeholderData: keepPreviousData,
  });
  const all = found.data ?? [];
  const offered: Offered[] = [
    ...(none?.toLowerCase().includes(text.toLowerCase()) ? [{ value: '', label: none }] : []),
    ...all.slice(0, offeredMax),
  ];
  const chosenLabel =
    value === ''
      ? (none ?? '')
      : ((picked?.value === value ? picked.label : named.data?.label) ?? (named.isPending ? '' : value));
  const activeId = isOpen && active >= 0 && active < offered.length ? `${listId}-${active}` : undefined;
  useEffect(() => {
    if (activeId) list.current?.querySelector(`[id="${activeId}"]`)?.scrollIntoView({ block: 'nearest' });
  }, [activeId]);

  const close = () => {
    setOpen(false);
    setTyped(null);
    setActive(-1);
  };
  const open = () => {
    setOpen(true);
    setActive(-1);
  };
  const choose = (one: Offered) => {
    setPicked(one);
    onChange(one.value);
    close();
  };
  const onKeyDown = (event: KeyboardEvent<HTMLInputElement>) => {
    const { key } = event;
    if (key === 'ArrowDown' || key === 'ArrowUp') {
      event.preventDefault();
      if (!isOpen) return open();
      const step = key === 'ArrowDown' ? 1 : -1;
      const from = active < 0 && step < 0 ? offered.length : active;
      if (offered.length > 0) setActive((from + step + offered.length) % offered.length);
    } else if (key === 'Enter' && isOpen) {
      // What is being chosen is not sent off yet.
      event.preventDefault();
      const one = offered[active] ?? (text !== '' && offered.length === 1 ? offered[0] : undefined);
      if (one) choose(one);
    } else if (key === 'Escape' && isOpen) {
      // The list closes, and the dialog around it stays.
      event.preventDefault();
      event.stopPropagation();
      close();
    } else if (key === 'Tab' && isOpen && activeId) {
      const one = offered[active];
      if (one) choose(one);
    }
  };
  const more = all.length > offeredMax;
  const words = found.isPending
    ? 'Searching'
    : all.length === 0
      ? 'Nothing has that in its name'
      : more
        ? `The first ${offeredMax}; type more of the name`
        : '';
  return (
    <Field label={label} hint={hint} error={error ?? (named.data === null ? 'That is not there any more.' : undefined)}>
      {(described) => (
        <div className="combobox">
          <input
            {...described}
            role="combobox"
            type="text"
            autoComplete="off"
            spellCheck={false}
            aria-expanded={isOpen}
            aria-controls={listId}
            aria-autocomplete="list"
            {...(activeId ? { 'aria-activedescendant': activeId } : {})}
            placeholder={none === undefined ? 'Type a part of its name' : none}
            value={typed ?? chosenLabel}
            onChange={(event) => {
              setTyped(event.target.value);
              open();
            }}
            onFocus={(event) => event.target.select()}
            onClick={() => (isOpen ? undefined : open())}
            onBlur={close}
            onKeyDown={onKeyDown}
          />
          <div className="combobox-list" hidden={!isOpen}>
            <div
              id={listId}
              ref={list}
              role="listbox"
              tabIndex={-1}
              aria-label="Found"
              // The input keeps the focus.
              onMouseDown={(event) => event.preventDefault()}
            >
              {isOpen &&
                offered.map((one, index) => (
                  // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are the input's, which has the focus
                  <div
                    key={one.value}
                    id={`${listId}-${index}`}
                    role="option"
                    tabIndex={-1}
                    aria-selected={one.value === value}
                    className={index === active ? 'active' : undefined}
                    onClick={() => choose(one)}
                  >
                    {one.label}
                    {one.hint && <span className="fine"> {one.hint}</span>}
                  </div>
                ))}
            </div>
            {isOpen && found.error && <p className="error">{found.error.message}</p>}
            <p className="fine" role="status">
              {isOpen && !found.error ? words : ''}
            </p>
          </div>
        </div>
      )}
    </Field>
  );
}
