// A root password: typed or made up, and hidden unless one wants to see it.

import { Button } from '../../ui/button.tsx';
import { type Bound, TextField } from '../../ui/form.tsx';

const randomBytes = 18;

/** One that nobody guesses. */
const newPassword = (): string =>
  btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(randomBytes))))
    .replaceAll('+', '-')
    .replaceAll('/', '_');

interface PasswordFieldProps extends Bound<string> {
  isShown: boolean;
  onShow(isShown: boolean): void;
}

/** The field. What was made up is shown, so that it can be kept. */
export const PasswordField = ({ isShown, onShow, ...bound }: PasswordFieldProps) => (
  <div className="password">
    <TextField
      label="Root password"
      hint="To log in at its console, where keys don't help. Forgotten after its first boot, so keep it"
      type={isShown ? 'text' : 'password'}
      autoComplete="new-password"
      spellCheck={false}
      {...bound}
    />
    <div className="buttons">
      <Button
        onClick={() => {
          bound.onChange(newPassword());
          onShow(true);
        }}
      >
        Make one up
      </Button>
      <Button aria-pressed={isShown} onClick={() => onShow(!isShown)}>
        {isShown ? 'Hide the password' : 'Show the password'}
      </Button>
    </div>
  </div>
);
