import { runInNewContext } from 'node:vm'

const words = (text: string) => new Set(text.trim().split(/\s+/))

/** @see https://262.ecma-international.org/#prod-ReservedWord and what strict code and TypeScript add */
export const reservedWords: ReadonlySet<string> = words(`
  arguments as async await break case catch class const continue debugger default delete do else enum eval export extends
  false finally for from function get if implements import in instanceof interface let new null of package private
  protected public return satisfies set static super switch this throw true try type typeof undefined using var void
  while with yield
`)

/** The reserved words of PostgreSQL 18: `select word from pg_get_keywords() where catcode in ('R', 'T')`. */
export const reservedInSql: ReadonlySet<string> = words(`
  all analyse analyze and any array as asc asymmetric authorization binary both case cast check collate collation column
  concurrently constraint create cross current_catalog current_date current_role current_schema current_time
  current_timestamp current_user default deferrable desc distinct do else end except false fetch for foreign freeze from
  full grant group having ilike in initially inner intersect into is isnull join lateral leading left like limit localtime
  localtimestamp natural not notnull null offset on only or order outer overlaps placing primary references returning
  right select session_user similar some symmetric system_user table tablesample then to trailing true union unique user
  using variadic verbose when where window with
`)

/** What JavaScript itself defines in each module: `Map`, `Object`, `Symbol`. */
export const builtIns: ReadonlySet<string> = new Set(
  runInNewContext('Object.getOwnPropertyNames(globalThis)') as string[],
)
