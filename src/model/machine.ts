// What may be chosen of a VM's machine beside its size: the hardware that its guest sees, the keyboard of its console, and
// the keys that can be pressed on it. The names are those that Bytemark's tools know (Bytemark API: definitions).

/** The kinds of hardware, the one that is meant first. */
export const hardwareProfiles = ['virtio2013', 'compatibility2013'] as const;

/** One of {@link hardwareProfiles}: paravirtual devices, or those of an old PC for guests without drivers for such. */
export type HardwareProfile = (typeof hardwareProfiles)[number];

/** Layouts of keyboards that QEMU can take a console's keys in. */
export const keymaps: readonly string[] = [
  ...['ar', 'bepo', 'cz', 'da', 'de', 'de-ch', 'en-gb', 'en-us', 'es', 'et', 'fi', 'fo', 'fr', 'fr-be', 'fr-ca'],
  ...['fr-ch', 'hr', 'hu', 'is', 'it', 'ja', 'lt', 'lv', 'mk', 'nl', 'no', 'pl', 'pt', 'pt-br', 'ru', 'sl', 'sv'],
  ...['th', 'tr'],
];

/** The keys that can be sent to a guest, as QEMU names them but for `altgr` and `altgr_r`. */
export const sendkeys: readonly string[] = [
  ...['shift', 'shift_r', 'alt', 'alt_r', 'altgr', 'altgr_r', 'ctrl', 'ctrl_r', 'meta_l', 'meta_r', 'menu', 'esc'],
  ...['1', '2', '3', '4', '5', '6', '7', '8', '9', '0', 'minus', 'equal', 'backspace', 'tab', 'q', 'w', 'e', 'r', 't'],
  ...['y', 'u', 'i', 'o', 'p', 'bracket_left', 'bracket_right', 'ret', 'a', 's', 'd', 'f', 'g', 'h', 'j', 'k', 'l'],
  ...['semicolon', 'apostrophe', 'grave_accent', 'backslash', 'z', 'x', 'c', 'v', 'b', 'n', 'm', 'comma', 'dot'],
  ...['slash', 'asterisk', 'spc', 'less', 'caps_lock', 'f1', 'f2', 'f3', 'f4', 'f5', 'f6', 'f7', 'f8', 'f9', 'f10'],
  ...['f11', 'f12', 'num_lock', 'scroll_lock', 'pause', 'kp_divide', 'kp_multiply', 'kp_subtract', 'kp_add'],
  ...['kp_enter', 'kp_decimal', 'sysrq', 'kp_0', 'kp_1', 'kp_2', 'kp_3', 'kp_4', 'kp_5', 'kp_6', 'kp_7', 'kp_8'],
  ...['kp_9', 'print', 'home', 'pgup', 'pgdn', 'end', 'left', 'up', 'down', 'right', 'insert', 'delete'],
];

/** More keys than a hand has fingers are pressed by nobody. */
export const chordKeysMax = 10;
const knownKeys: ReadonlySet<string> = new Set(sendkeys);

/**
 * The keys of a chord that is written with dashes between them, such as `ctrl-alt-delete`.
 * @returns undefined where a name is none of {@link sendkeys}
 */
export function parseChord(text: string): string[] | undefined {
  const keys = text.split('-');
  return keys.length <= chordKeysMax && keys.every((key) => knownKeys.has(key)) ? keys : undefined;
}
