// What a guest asks the terminal at its serial port: where the cursor is, what it is, how large. A terminal that is shown the past would
// answer what was asked then, and the answers would be typed at whatever asks for something now, such as for a user's name.

const esc = String.fromCharCode(0x1b);
const enquiry = String.fromCharCode(0x05);
const bell = String.fromCharCode(0x07);
const end = `(?:${bell}|${esc}\\\\)`;

/** Questions as ECMA-48 and xterm have them; C1 controls in one byte are parts of letters in UTF-8. */
const questions = new RegExp(
  [
    // Status and cursor (DSR), attributes (DA), parameters (DECREQTPARM), the window (XTWINOPS).
    `${esc}\\[[0-9;?>=]*[nctx]`,
    // A mode (DECRQM), the version (XTVERSION), the keyboard's protocol.
    `${esc}\\[[0-9;?]*\\$p`,
    `${esc}\\[>[0-9;]*q`,
    `${esc}\\[\\?u`,
    // What it is, as old ones are asked (DECID, ENQ).
    `${esc}Z`,
    enquiry,
    // Colours and the like, settings (DECRQSS) and capabilities (XTGETTCAP).
    `${esc}\\][0-9;]*;\\?${end}`,
    `${esc}P[$+]q[^${esc}]*${esc}\\\\`,
  ].join('|'),
  'g',
);

/** What a guest has said, without what it asked its terminal. */
export const withoutQuestions = (said: Buffer): Buffer =>
  Buffer.from(said.toString('latin1').replace(questions, ''), 'latin1');
