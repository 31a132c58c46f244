import type { Json } from './document.ts'
import type { Notes } from './notes.ts'

/** Where a schema is used. What is true of one use only, such as `readOnly`, depends on it. */
export interface Use {
  readonly request: boolean
  readonly response: boolean
}

/** What a schema is prepared with. */
export interface Scope {
  readonly document: Json
  readonly notes: Notes
  readonly use: Use
  /** Whether a file may be here: in a form of type multipart/form-data. */
  readonly files: boolean
  /** Whether objects refuse unknown keys: not inside what every value fits, beside other things. */
  readonly strict: boolean
  readonly inside: readonly string[]
}

/** Marks an object of parameters that leaves the other ones unread: headers, cookies, a path. No document can hold a symbol. */
export const plainMark = Symbol('plain')

/** Marks a text that holds a list. */
export const listMark = Symbol('list')

/** How a text that holds a list is read. */
export interface ListInText {
  readonly [listMark]: { readonly pattern?: string; readonly transform: string; readonly comment?: string }
}

/** How a text that holds a list is read; `undefined` for other schemas. */
export function listInText(schema: object): ListInText[typeof listMark] | undefined {
  return listMark in schema ? (schema as ListInText)[listMark] : undefined
}
