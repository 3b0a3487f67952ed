// How what belongs to an instance is called on the Engine. Everything of Berth's bears its labels; nothing else is touched.

/** The instance that something belongs to. */
export const instanceLabel = 'berth.instance';
/** The agent that it belongs to: several may share one Engine. */
export const ownerLabel = 'berth.host';

const bare = (instanceId: string) => instanceId.replace(/^0x/, '');

/** The container's name, and its network's. */
export const nameOf = (instanceId: string) => `berth-${bare(instanceId)}`;

/**
 * What its network's interface on the host is called; Linux takes 15 characters.
 * @param attempt gives another name, 0 to 28, where the Engine takes the ones before for taken
 */
export const bridgeOf = (instanceId: string, attempt = 0) => `bc-${bare(instanceId).slice(attempt, attempt + 12)}`;

/** How names of images begin that are one instance's alone. */
export const privateImages = 'berth-private/';

/** What its image is called when nobody else may use it. */
export const privateImageOf = (instanceId: string) => `${privateImages}${bare(instanceId)}:image`;
