// Grades of storage, as customers choose them for each disk. What a host's disks can serve is its operator's to say.

/** From what most take to what costs least. */
export const storageGrades = ['sata', 'ssd', 'archive'] as const;

/** One of {@link storageGrades}. */
export type StorageGrade = (typeof storageGrades)[number];

/** What a disk is of when nothing is said of it, and what a configuration's storage is. */
export const defaultGrade: StorageGrade = 'sata';

/** Grades that may have a price of their own; the default one's is that of storage as such. */
export const gradesWithRate = storageGrades.filter((grade) => grade !== defaultGrade);
