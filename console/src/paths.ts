// Where pages are that other pages lead to.

/** The page of an instance. */
export const instancePath = (id: string): string => `/console/instances/${id}`;

/** The list of instances in one state. */
export const instancesPath: string = '/console/instances';

/** The market. */
export const offersPath: string = '/console/offers';

/** Where an instance is made. */
export const createPath: string = '/console/create';

/** What an account has and has spent. */
export const statementPath: string = '/console/statement';

/** Everything that happened. */
export const eventsPath: string = '/console/events';

/** Where SSH keys are registered. */
export const sshKeysPath: string = '/console/ssh-keys';

/** The operator's hosts. */
export const hostsPath: string = '/console/hosts';

/** The page of a host. */
export const hostPath = (id: string): string => `${hostsPath}/${id}`;

/** What was made together. */
export const deploymentPath = (id: string): string => `${deploymentsPath}/${id}`;

/** What was made together, all of it. */
export const deploymentsPath: string = '/console/deployments';
