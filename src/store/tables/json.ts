// How JSON columns are read and written: values come out, text goes in.

import type { ColumnType } from 'kysely';

/** A JSON column. */
export type Json<Value> = ColumnType<Value, string, string>;

/** A JSON column with a default. */
export type GeneratedJson<Value> = ColumnType<Value, string | undefined, string>;
