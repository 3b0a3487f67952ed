// Forms: what was typed, what the server refused of it, each refusal at its field.

import { type ComponentProps, type ReactNode, useCallback, useId, useState } from 'react';
import { RefusedError } from '../../../sdk/error.ts';
import { noteError } from '../query.ts';
import { Button } from './button.tsx';
import { Failure } from './state.tsx';

/** A form's state. */
export interface FormState<Values> {
  values: Values;
  /** Changes a field; the same function always. */
  set<Name extends keyof Values>(name: Name, value: Values[Name]): void;
  /** What the input of a field is given. */
  field<Name extends keyof Values & string>(name: Name): Bound<Values[Name]>;
  /** By field, what was wrong with it. */
  errors: Partial<Record<string, string>>;
  /** What was wrong, where it is no field's. */
  failure: Error | undefined;
  busy: boolean;
  submit(): Promise<void>;
  reset(): void;
}

/** An input's part in a form. */
export interface Bound<Value> {
  value: Value;
  error: string | undefined;
  onChange(value: Value): void;
}

/**
 * The state of a form. What the server refuses stands at the field that the problem's pointer names by the first of its parts that is one.
 * @param send does it
 */
export function useForm<Values extends object>(
  initial: Values,
  send: (values: Values) => Promise<unknown>,
): FormState<Values> {
  const [values, setValues] = useState(initial);
  const [errors, setErrors] = useState<Partial<Record<string, string>>>({});
  const [failure, setFailure] = useState<Error>();
  const [busy, setBusy] = useState(false);
  const submit = async () => {
    if (busy) return;
    setBusy(true);
    setErrors({});
    setFailure(undefined);
    try {
      await send(values);
    } catch (caught) {
      noteError(caught);
      const found = fieldErrors(caught, values);
      setErrors(found);
      if (Object.keys(found).length === 0) setFailure(caught as Error);
    } finally {
      setBusy(false);
    }
  };
  const set = useCallback<FormState<Values>['set']>(
    (name, value) => setValues((before) => ({ ...before, [name]: value })),
    [],
  );
  return {
    values,
    errors,
    failure,
    busy,
    submit,
    set,
    field: (name) => ({ value: values[name], error: errors[name], onChange: (value) => set(name, value) }),
    reset: () => {
      setValues(initial);
      setErrors({});
      setFailure(undefined);
    },
  };
}

/** What a refusal says of the fields of a form; nothing where any of it is about no field. */
export function fieldErrors(error: unknown, values: object): Partial<Record<string, string>> {
  if (!(error instanceof RefusedError)) return {};
  const { pointer, detail, errors = [] } = error.problem;
  const faults = errors.length > 0 ? errors : [{ pointer, detail }];
  const found: Partial<Record<string, string>> = {};
  for (const fault of faults) {
    const path = fault.pointer?.split('/').slice(1) ?? [];
    const name = path.find((part) => part in values);
    // What belongs to no field of this form is told above it.
    if (name === undefined) return {};
    found[name] = fault.detail;
  }
  return found;
}

interface FormProps {
  form: Pick<FormState<object>, 'submit' | 'failure' | 'busy'>;
  /** What the button says. */
  act: string;
  reason?: string | null | undefined;
  onCancel?: () => void;
  children: ReactNode;
}

/** A form with its button. */
export const Form = ({ form, act, reason, onCancel, children }: FormProps) => (
  <form
    noValidate
    onSubmit={(event) => {
      event.preventDefault();
      if (!reason) void form.submit();
    }}
  >
    {children}
    {form.failure && <Failure error={form.failure} />}
    <div className="buttons">
      <Button type="submit" variant="primary" busy={form.busy} reason={reason}>
        {act}
      </Button>
      {onCancel && <Button onClick={onCancel}>Cancel</Button>}
    </div>
  </form>
);

interface FieldProps {
  label: string;
  hint?: ReactNode;
  error?: string | undefined;
}

/** What an input is given, so that its label, hint and error are read with it. */
interface Described {
  id: string;
  'aria-invalid': boolean;
  'aria-describedby'?: string;
}

/** What is around an input: its label, its hint, what is wrong with it. */
export function Field({
  label,
  hint,
  error,
  children,
}: FieldProps & { children: (described: Described) => ReactNode }) {
  const id = useId();
  const notes = [hint ? `${id}-hint` : '', error ? `${id}-error` : ''].filter(Boolean).join(' ');
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {children({ id, 'aria-invalid': error !== undefined, ...(notes ? { 'aria-describedby': notes } : {}) })}
      {hint && (
        <p id={`${id}-hint`} className="hint">
          {hint}
        </p>
      )}
      {error && (
        <p id={`${id}-error`} className="error" role="alert">
          {error}
        </p>
      )}
    </div>
  );
}

type Input = Omit<ComponentProps<'input'>, 'onChange' | 'value'>;

/** A line of text. */
export const TextField = ({
  label,
  hint,
  error,
  value,
  onChange,
  ...rest
}: FieldProps & Input & { value: string; onChange(value: string): void }) => (
  <Field label={label} hint={hint} error={error}>
    {(described) => <input {...rest} {...described} value={value} onChange={(event) => onChange(event.target.value)} />}
  </Field>
);

/** Several lines of text. */
export const TextAreaField = ({
  label,
  hint,
  error,
  value,
  onChange,
  ...rest
}: FieldProps &
  Omit<ComponentProps<'textarea'>, 'onChange' | 'value'> & { value: string; onChange(value: string): void }) => (
  <Field label={label} hint={hint} error={error}>
    {(described) => (
      <textarea rows={4} {...rest} {...described} value={value} onChange={(event) => onChange(event.target.value)} />
    )}
  </Field>
);

interface Choice {
  value: string;
  label: string;
  disabled?: boolean;
}

/** One of several. */
export const SelectField = ({
  label,
  hint,
  error,
  value,
  onChange,
  choices,
}: FieldProps & { value: string; onChange(value: string): void; choices: readonly Choice[] }) => (
  <Field label={label} hint={hint} error={error}>
    {(described) => (
      <select {...described} value={value} onChange={(event) => onChange(event.target.value)}>
        {choices.map((choice) => (
          <option key={choice.value} value={choice.value} disabled={choice.disabled}>
            {choice.label}
          </option>
        ))}
      </select>
    )}
  </Field>
);

/** Yes or no. */
export function CheckField({
  label,
  hint,
  checked,
  onChange,
}: Omit<FieldProps, 'error'> & { checked: boolean; onChange(checked: boolean): void }) {
  const id = useId();
  return (
    <div className="field field-check">
      <input
        id={id}
        type="checkbox"
        checked={checked}
        onChange={(event) => onChange(event.target.checked)}
        {...(hint ? { 'aria-describedby': `${id}-hint` } : {})}
      />
      <label htmlFor={id}>{label}</label>
      {hint && (
        <p id={`${id}-hint`} className="hint">
          {hint}
        </p>
      )}
    </div>
  );
}
