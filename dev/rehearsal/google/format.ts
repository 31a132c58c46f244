import { Refusal } from '../shell/programs.ts'

/** A resource as in Google's JSON. */
export type Resource = Readonly<Record<string, unknown>>
/** The flags of a command by name; a switch that is given is `true`. */
export type Flags = Readonly<Record<string, string | undefined>>

/**
 * Prints resources as gcloud does with --filter (`path=value`), --sort-by, --limit, --flatten and --format (`value(…)`,
 * `csv[no-heading](…)` of paths, maybe with `.basename()`), in gcloud's order.
 *
 * @throws {Refusal} for any other of their forms
 * @see https://cloud.google.com/sdk/gcloud/reference/topic/projections
 */
export function render(resources: readonly Resource[], flags: Flags): string {
  const { filter, 'sort-by': sort = '', limit, flatten, format = 'value()' } = flags
  if (format === 'none') return ''
  if (format === 'json' && resources.length === 1 && !flatten)
    return `${JSON.stringify(resources[0], null, 2)}\n`
  const [, form, columns] = format.match(/^(value|csv\[no-heading\])\((.*)\)$/) ?? []
  if (!form) throw new Refusal(`--format=${format} is not imitated`)
  const [, path, value] = filter?.match(/^([\w.]+)=([\w.-]+)$/) ?? []
  if (filter && !path) throw new Refusal(`--filter=${filter} is not imitated`)
  if (!columns) return ''

  const key = sort.replace('~', '')
  const order = sort.startsWith('~') ? -1 : 1
  const rows = resources
    .flatMap((row) => (flatten ? flat(row, flatten.replace('[]', '').split('.')) : [row]))
    .toSorted((a, b) => (key ? order * read(a, key).localeCompare(read(b, key)) : 0))
    .filter((row) => !path || read(row, path) === value)
    .slice(0, Number(limit ?? Number.POSITIVE_INFINITY))
  const line = (row: Resource) => columns.split(',').map((column) => read(row, column))
  return rows.map((row) => `${line(row).join(form === 'value' ? '\t' : ',')}\n`).join('')
}

function read(row: Resource, column: string): string {
  const [, path, transform] = column.match(/^([\w.]+?)(\.basename\(\)|\.date\(tz=UTC\))?$/) ?? []
  if (!path) throw new Refusal(`The column ${column} is not imitated`)
  const step = (at: unknown, key: string) => (at as Resource | undefined)?.[key]
  const value = String(path.split('.').reduce(step, row) ?? '')
  return transform === '.basename()' ? value.slice(value.lastIndexOf('/') + 1) : value
}

/** A row for each element of a list, with that element in place of the list; one row without it if the list is empty. */
function flat(row: Resource, [key = '', ...path]: readonly string[]): Resource[] {
  const value = row[key]
  const list = Array.isArray(value) && value.length > 0 ? value : [undefined]
  const items = path.length > 0 ? flat((value ?? {}) as Resource, path) : list
  return items.map((item) => ({ ...row, [key]: item }))
}
