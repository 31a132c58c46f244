import { z } from '#runtime'
import { type Json, listOf, objectOf } from './document.ts'
import { keyOf, literal, oneLine } from './words.ts'

/** How the code of a schema refers to named ones. */
export interface Names {
  /** The constant of a named schema. */
  constOf(name: string): string
  /** Whether the constant is defined further down, or here. */
  isLater(name: string): boolean
}

/** The code of a schema: how zod writes it, and what the document says that it does not check. */
export interface Printed {
  readonly code: string
  readonly comments: readonly string[]
}

/**
 * Writes a prepared schema as code. zod's own `fromJSONSchema` says what it is in zod; this writes that down.
 *
 * @param prepared what `prepare` returned
 */
export function printSchema(prepared: Json, names: Names): Printed {
  const marks: Marks = z.registry<Json>()
  const schema = z.fromJSONSchema(prepared, { registry: marks })
  const comments: string[] = []
  const code = print(schema, objectOf(marks.get(schema)), { names, marks, comments })
  return { code, comments }
}

type Marks = ReturnType<typeof z.registry<Json>>

interface Printer {
  readonly names: Names
  readonly marks: Marks
  /** Gets what is not checked, up to the next object inside. */
  readonly comments: string[]
}

type Def = z.core.$ZodTypes['_zod']['def']

function print(schema: z.core.$ZodType, mark: Json, printer: Printer): string {
  const { def } = (schema as z.core.$ZodTypes)._zod
  if (def.type === 'default')
    return `${print(def.innerType, mark, printer)}.default(${literal(def.defaultValue)})`
  printer.comments.push(...listOf(mark['x-comments']).map((comment) => oneLine(String(comment))))
  const after = listOf(mark['x-after']).join('')
  const shown = objectOf(mark['x-openapi'])
  const openapi = Object.keys(shown).length > 0 ? `.openapi(${literal(shown)})` : ''
  return `${printBare(def, mark, printer)}${after}${openapi}`
}

function printBare(def: Def, mark: Json, printer: Printer): string {
  const inner = (part: z.core.$ZodType, more: Printer = printer) =>
    print(part, objectOf(printer.marks.get(part as z.ZodType)), more)
  if (mark['x-ref'] !== undefined) return printReference(String(mark['x-ref']), printer.names)
  if (mark['x-file']) return 'file()'
  switch (def.type) {
    case 'string':
      return printText(def.checks ?? [])
    case 'number':
      return `${mark['x-int32'] ? 'z.int32()' : ''}${printNumber(def.checks ?? [], mark['x-int32'] === true)}`
    case 'literal':
      return def.values.length === 1 && def.values[0] === null
        ? 'z.null()'
        : `z.literal(${literal(def.values[0])})`
    case 'enum':
      return `z.enum(${literal(Object.values(def.entries))})`
    case 'object':
      return printObject(def, mark, printer, inner)
    case 'array':
      return `z.array(${inner(def.element)})${printLengths(def.checks ?? [])}`
    case 'tuple':
      return `z.tuple([${def.items.map((item) => inner(item)).join(', ')}]${def.rest ? `, ${inner(def.rest)}` : ''})`
    case 'optional':
      return def.innerType._zod.def.type === 'default'
        ? inner(def.innerType)
        : `${inner(def.innerType)}.optional()`
    case 'union':
      return printUnion(def, inner)
    case 'intersection':
      return `z.intersection(${inner(def.left)}, ${inner(def.right)})`
    case 'boolean':
    case 'null':
    case 'never':
      return `z.${def.type}()`
    case 'any':
      return 'z.unknown()'
    default:
      throw new Error(
        `zod made a schema of the kind ${def.type}, which ${import.meta.filename} does not write`,
      )
  }
}

function printReference(name: string, { constOf, isLater }: Names): string {
  return isLater(name) ? `z.lazy((): z.ZodType => ${constOf(name)})` : constOf(name)
}

function printUnion(
  { options, inclusive }: z.core.$ZodUnionDef & { inclusive?: boolean },
  inner: (part: z.core.$ZodType) => string,
): string {
  const all = options.map((option) => inner(option))
  const rest = all.filter((code) => code !== 'z.null()')
  const [only = 'z.null()'] = rest
  const union = rest.length > 1 ? `${inclusive === false ? 'z.xor' : 'z.union'}([${rest.join(', ')}])` : only
  return rest.length > 0 && rest.length < all.length ? `${union}.nullable()` : union
}

function printObject(
  def: z.core.$ZodObjectDef,
  mark: Json,
  printer: Printer,
  inner: (part: z.core.$ZodType, printer?: Printer) => string,
): string {
  const { shape, catchall } = def
  const others = catchall?._zod.def.type === 'never' ? undefined : catchall
  const isAny = others?._zod.def.type === 'any' || others?._zod.def.type === 'unknown'
  if (mark['x-map']) return `z.record(z.string(), ${others && !isAny ? inner(others) : 'z.unknown()'})`
  const members = Object.entries(shape).map(([key, part]) => {
    const own: Printer = { ...printer, comments: [] }
    const code = inner(part, own)
    const lines = own.comments.map((comment) => `\n// ${comment}\n`).join('')
    // a getter: the constant is defined further down
    const isLazy = /^(z\.array\()?z\.lazy\(/.test(code)
    const plain = code.replace(/z\.lazy\(\(\): z\.ZodType => (\w+)\)/, '$1')
    return isLazy && !/z\.lazy/.test(plain)
      ? `${lines}get ${keyOf(key)}() { return ${plain} }`
      : `${lines}${keyOf(key)}: ${code}`
  })
  const text = `{ ${members.join(', ')} }`
  if (others && !isAny) return `z.object(${text}).catchall(${inner(others)})`
  return `z.${others ? (mark['x-plain'] ? 'object' : 'looseObject') : 'strictObject'}(${text})`
}

type Check = z.core.$ZodCheck<never>

/** What the checks of zod say, as far as `fromJSONSchema` writes them. */
interface CheckDef {
  readonly check: string
  readonly format?: string
  readonly pattern?: RegExp
  readonly minimum?: number
  readonly maximum?: number
  readonly value?: number
  readonly inclusive?: boolean
}

const defsOf = (checks: readonly Check[]) => checks.map(({ _zod }) => _zod.def as unknown as CheckDef)

const textFormats: Readonly<Record<string, string>> = {
  ...{ email: 'z.email()', url: 'z.url()', uuid: 'z.uuid()', datetime: 'z.iso.datetime({ offset: true })' },
  ...{
    date: 'z.iso.date()',
    duration: 'z.iso.duration()',
    hostname: 'z.hostname()',
    ipv4: 'z.ipv4()',
    ipv6: 'z.ipv6()',
  },
  ...{ base64: 'z.base64()' },
}

function printText(checks: readonly Check[]): string {
  const defs = defsOf(checks)
  const format = defs.find((def) => def.check === 'string_format' && textFormats[def.format ?? ''])?.format
  const rest = defs.filter((def) => def.check === 'string_format' && def.format !== format)
  const patterns = rest.map(({ pattern }) => `.regex(${printPattern(pattern?.source ?? '')})`)
  return `${textFormats[format ?? ''] ?? 'z.string()'}${printLengths(checks)}${patterns.join('')}`
}

/** A regular expression with the flag u, as those of a contract have. */
function printPattern(source: string): string {
  return new RegExp(source, 'u').toString()
}

function printLengths(checks: readonly Check[]): string {
  return defsOf(checks)
    .map(({ check, minimum, maximum }) => {
      if (check === 'min_length') return `.min(${minimum})`
      return check === 'max_length' ? `.max(${maximum})` : ''
    })
    .join('')
}

function printNumber(checks: readonly Check[], isInt32: boolean): string {
  const defs = defsOf(checks)
  const isWhole = defs.some(({ check }) => check === 'number_format')
  const start = isInt32 ? '' : isWhole ? 'z.int()' : 'z.number()'
  const limits = defs.map(({ check, value, inclusive }) => {
    if (check === 'greater_than') return `.${inclusive ? 'min' : 'gt'}(${value})`
    if (check === 'less_than') return `.${inclusive ? 'max' : 'lt'}(${value})`
    return check === 'multiple_of' ? `.multipleOf(${value})` : ''
  })
  return start + limits.join('')
}

/** A documentation comment of one or more lines. */
export function docComment(lines: readonly string[]): string {
  const shown = lines.map(oneLine).filter((line) => line !== '')
  if (shown.length <= 1) return `/** ${shown.join('')} */`
  return `/**\n${shown.map((line) => ` * ${line}`).join('\n')}\n */`
}
