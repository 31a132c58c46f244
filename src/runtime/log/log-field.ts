import { requestValue } from '../kernel/context.ts'

/** A field of the service's own on the lines of a request in the log. */
export interface LogField<Value extends string | number | boolean> {
  readonly name: string
  /**
   * Notes the value for this request: all further lines carry it, the request's own line as well. Outside a request
   * nothing happens.
   *
   * @param value its first 256 characters are kept
   */
  set(value: Value): void
}

/** What the runtime says itself. */
const ofRuntime: readonly string[] = ['request_id', 'subject', 'task', 'task_id', 'task_attempt']
const maxLength = 256

const values = requestValue<Readonly<Record<string, string>>>('log fields')

/** The fields that were set for this request, by name. */
export function ownFields(): Readonly<Record<string, string>> | undefined {
  return values.get()
}

/**
 * Defines a field that each line of a request carries once it is set, such as the tenant: a label, which the Logs
 * Explorer finds by `labels.tenant="acme"`. A task has its own request: set the field in its `run` as well, from its
 * payload.
 *
 * @param name small letters, digits and `_`, 63 at most
 * @throws {TypeError} for another name, and one of the runtime's own
 * @example
 * export const tenantField = defineLogField('tenant')
 * // in a middleware, a handler or a task
 * tenantField.set('acme')
 */
export function defineLogField<Value extends string | number | boolean = string>(
  name: string,
): LogField<Value> {
  if (!/^[a-z][a-z0-9_]{0,62}$/.test(name))
    throw new TypeError(`The log field "${name}": its name is small letters, digits and _, such as tenant.`)
  if (ofRuntime.includes(name))
    throw new TypeError(`The log field "${name}" is the runtime's own: give yours another name.`)
  return {
    name,
    set(value) {
      values.set({ ...values.get(), [name]: String(value).slice(0, maxLength).toWellFormed() })
    },
  }
}
