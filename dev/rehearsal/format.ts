import { Refusal } from './stand-ins.ts'

/** A resource as Google's JSON has it. */
export type Resource = Record<string, unknown>
/** The flags of a command by name; a switch that is given is `true`. */
export type Flags = Readonly<Record<string, string | undefined>>

/**
 * Prints resources as gcloud does by --filter (terms `path=value`, joined by AND), --sort-by, --limit, --flatten and
 * --format (`value(…)`, `csv[no-heading](…)`, `json`; columns are paths, maybe with `.basename()`).
 *
 * @throws {Refusal} for any other of their forms
 * @see https://cloud.google.com/sdk/gcloud/reference/topic/projections
 */
export function render(resources: readonly Resource[], flags: Flags): string {
  let rows = resources.filter(matches(flags.filter))
  const { 'sort-by': sort, limit, flatten, format } = flags
  if (sort) rows = sorted(rows, sort)
  if (limit) rows = rows.slice(0, Number(limit))
  if (flatten) rows = rows.flatMap((row) => flat(row, flatten))
  if (format === undefined) return ''
  if (format === 'json') return `${JSON.stringify(rows, null, 2)}\n`
  const [, form = '', columns = ''] = format.match(/^(value|csv\[no-heading\])\((.*)\)$/) ?? []
  if (!form) throw new Refusal(`--format=${format} is not imitated`)
  const separator = form === 'value' ? '\t' : ','
  return rows.map((row) => `${columns.split(',').map(column(row)).join(separator)}\n`).join('')
}

function get(resource: unknown, path: string): unknown {
  const step = (at: unknown, key: string) => (at && typeof at === 'object' ? Reflect.get(at, key) : undefined)
  return path.split('.').reduce(step, resource)
}

const column = (row: Resource) => (text: string) => {
  const [, path = '', base] = text.trim().match(/^([\w.]+?)(\.basename\(\))?$/) ?? []
  if (!path) throw new Refusal(`The column ${text} is not imitated`)
  const value = String(get(row, path) ?? '')
  return base ? value.slice(value.lastIndexOf('/') + 1) : value
}

function matches(filter = ''): (row: Resource) => boolean {
  const terms = filter.split(' AND ').filter(Boolean)
  return (row) =>
    terms.every((term) => {
      const [, path = '', value] = term.match(/^([\w.]+)=([\w.-]+)$/) ?? []
      if (!path) throw new Refusal(`--filter=${term} is not imitated`)
      return String(get(row, path)) === value
    })
}

function sorted(rows: Resource[], key: string): Resource[] {
  const path = key.replace('~', '')
  const order = key.startsWith('~') ? -1 : 1
  return rows.toSorted((a, b) => order * (String(get(a, path)) < String(get(b, path)) ? -1 : 1))
}

/** A row for each element of the list at `path[]`, which has that element in the list's place. */
function flat(row: Resource, path: string): Resource[] {
  const keys = path.replace(/\[\]$/, '').split('.')
  const list = get(row, keys.join('.'))
  const place = (value: unknown) => keys.reduceRight<unknown>((inner, key) => ({ [key]: inner }), value)
  return (Array.isArray(list) && list.length > 0 ? list : [undefined]).map((item) => place(item) as Resource)
}
