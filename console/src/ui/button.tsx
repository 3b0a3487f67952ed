// Things to press.

import { type ComponentProps, type ReactNode, useId } from 'react';

interface ButtonProps extends Omit<ComponentProps<'button'>, 'disabled'> {
  /** `primary` is what the page is for, `danger` what takes something away. */
  variant?: 'plain' | 'primary' | 'danger';
  /** Why it can't be done now, as the server tells it; null or left out where it can. */
  reason?: string | null | undefined;
  /** Whether it is being done. */
  busy?: boolean;
  children: ReactNode;
}

/** A button. One that can't be pressed now can still be reached, and says why. */
export function Button({ variant = 'plain', reason, busy = false, children, onClick, type, ...rest }: ButtonProps) {
  const why = useId();
  const isOff = busy || typeof reason === 'string';
  return (
    <>
      <button
        {...rest}
        type={type ?? 'button'}
        className={`button button-${variant}${rest.className ? ` ${rest.className}` : ''}`}
        aria-disabled={isOff}
        aria-busy={busy}
        {...(reason ? { 'aria-describedby': why, title: reason } : {})}
        onClick={(event) => {
          if (isOff) event.preventDefault();
          else onClick?.(event);
        }}
      >
        {children}
      </button>
      {reason && (
        <span id={why} className="unseen">
          {reason}
        </span>
      )}
    </>
  );
}
