// The devices of a guest's machine, by its hardware profile: what its drives and its network card are, and where they are
// plugged in. Which files stand behind the drives is the command line's matter.

import type { HardwareProfile } from '../../model/machine.ts';

/** A drive that a guest gets, on a block node of QEMU's. */
export interface Drive {
  id: string;
  node: string;
  /** Its serial number, by which a guest can tell it from others. */
  serial: string;
}

/** The drives of one machine. */
export interface Drives {
  /** In the order in which the guest sees them. */
  disks: readonly Drive[];
  /** What is in the CD drive; without a CD there is no drive. */
  cdrom: Drive | null;
  seed: Drive;
}

/** A device of QEMU's: its kind and its properties, as `device_add` takes them. */
export interface Device {
  driver: string;
  [property: string]: string | number;
}

/** A guest stands still while the host's disk is full, and hears of all other failures. */
const onError = { werror: 'enospc', rerror: 'report' };

/** Where the CD drive is, since there were CD drives. */
const cdromPlace = { bus: 'ide.1', unit: 0 };
/** What every PC has for IDE drives. */
const idePlaces = [{ bus: 'ide.0', unit: 0 }, { bus: 'ide.0', unit: 1 }, { bus: 'ide.1', unit: 1 }, cdromPlace];
/** What finds no place there goes to a SATA controller: with both, eight disks, a CD and the seed have a place. */
const sataPortCount = 6;
const sataPlaces = Array.from({ length: sataPortCount }, (_, port) => ({ bus: `sata.${port}`, unit: 0 }));

/** The devices for a machine's drives, and the controllers that these need. */
export function driveDevices(profile: HardwareProfile, { disks, cdrom, seed }: Drives): Device[] {
  // A CD is booted from first, if it can be; a disk with nothing on it then has a chance to get something.
  const cdroms = cdrom ? [{ ...cdDevice(cdrom), ...cdromPlace, bootindex: 0 }] : [];
  const bootOrder = (index: number) => (index === 0 ? { bootindex: 1 } : {});
  if (profile === 'virtio2013') {
    return [
      ...disks.map((disk, index) => ({ ...virtioDisk(disk), ...bootOrder(index) })),
      ...cdroms,
      { driver: 'virtio-blk-pci', ...named(seed) },
    ];
  }
  const places = [...idePlaces.filter((place) => !cdrom || place !== cdromPlace), ...sataPlaces];
  const used = places.slice(0, disks.length + 1);
  return [
    ...(used.some(({ bus }) => bus.startsWith('sata')) ? [{ driver: 'ahci', id: 'sata' }] : []),
    ...disks.map((disk, index) => {
      return { driver: 'ide-hd', ...named(disk), ...places[index], ...onError, ...bootOrder(index) };
    }),
    ...cdroms,
    { ...cdDevice(seed), ...places[disks.length] },
  ];
}

/** A paravirtual disk, which can be added to a machine that runs. */
export function virtioDisk(disk: Drive): Device {
  return { driver: 'virtio-blk-pci', ...named(disk), ...onError };
}

/**
 * The network card. It has no boot program of its own: nobody boots from the network here, and loading one takes time.
 * @param netdev what it is connected to
 */
export function networkCard(profile: HardwareProfile, netdev: string, mac: string): Device {
  return { driver: profile === 'virtio2013' ? 'virtio-net-pci' : 'e1000', netdev, mac, romfile: '' };
}

/** What else there is to a machine, beside drives, network card and what every PC has. */
export function otherDevices(profile: HardwareProfile): Device[] {
  if (profile === 'compatibility2013') return [];
  return [
    { driver: 'virtio-rng-pci', rng: 'entropy' },
    { driver: 'virtio-balloon-pci', 'deflate-on-oom': 'on', 'free-page-reporting': 'on' },
  ];
}

/** A device as an argument of QEMU's `-device`. */
export function deviceArgument({ driver, ...properties }: Device): string {
  return [driver, ...Object.entries(properties).map(([name, value]) => `${name}=${value}`)].join(',');
}

const named = ({ id, node, serial }: Drive) => ({ id, drive: node, serial });

const cdDevice = (disc: Drive): Device => ({ driver: 'ide-cd', ...named(disc) });
