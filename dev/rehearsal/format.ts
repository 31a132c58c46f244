import { Refusal } from './stand-ins.ts'

/** A resource as Google's JSON has it. */
export type Resource = Readonly<Record<string, unknown>>
/** The flags of a command by name; a switch that is given is `true`. */
export type Flags = Readonly<Record<string, string | undefined>>

/**
 * Prints resources as gcloud does by --filter (`path=value`), --sort-by, --limit, --flatten and --format (`value(…)`,
 * `csv[no-heading](…)` of paths, maybe with `.basename()`), in gcloud's order.
 *
 * @throws {Refusal} for any other of their forms
 * @see https://cloud.google.com/sdk/gcloud/reference/topic/projections
 */
export function render(resources: readonly Resource[], flags: Flags): string {
  const { filter, 'sort-by': sort = '', limit, flatten, format = 'value()' } = flags
  const [, form, columns = ''] = format.match(/^(value|csv\[no-heading\])\((.*)\)$/) ?? []
  if (!form) throw new Refusal(`--format=${format} is not imitated`)
  const key = sort.replace('~', '')
  const order = sort.startsWith('~') ? -1 : 1
  const rows = resources
    .flatMap((row) => (flatten ? flat(row, flatten.replace('[]', '')) : [row]))
    .toSorted((a, b) => (key ? order * read(a, key).localeCompare(read(b, key)) : 0))
    .filter(matches(filter))
    .slice(0, Number(limit ?? Number.POSITIVE_INFINITY))
  if (!columns) return ''
  const line = (row: Resource) => columns.split(',').map((path) => read(row, path))
  return rows.map((row) => `${line(row).join(form === 'value' ? '\t' : ',')}\n`).join('')
}

function get(resource: unknown, path: string): unknown {
  const step = (at: unknown, key: string) => (at && typeof at === 'object' ? Reflect.get(at, key) : undefined)
  return path.split('.').reduce(step, resource)
}

function read(row: Resource, column: string): string {
  const [, path, transform] = column.match(/^([\w.]+?)(\.basename\(\)|\.date\(tz=UTC\))?$/) ?? []
  if (!path) throw new Refusal(`The column ${column} is not imitated`)
  const value = String(get(row, path) ?? '')
  return transform === '.basename()' ? value.slice(value.lastIndexOf('/') + 1) : value
}

function matches(filter = ''): (row: Resource) => boolean {
  const [, path, value] = filter.match(/^([\w.]+)=([\w.-]+)$/) ?? []
  if (filter && !path) throw new Refusal(`--filter=${filter} is not imitated`)
  return (row) => !path || read(row, path) === value
}

/** A row for each element of a list, with that element in the list's place; one without any if the list is empty. */
function flat(row: Resource, path: string): Resource[] {
  const list = get(row, path)
  return (Array.isArray(list) && list.length > 0 ? list : [undefined]).map((item) =>
    put(row, path.split('.'), item),
  )
}

function put(row: unknown, [key = '', ...rest]: readonly string[], item: unknown): Resource {
  return { ...(row as Resource), [key]: rest.length > 0 ? put(get(row, key), rest, item) : item }
}
