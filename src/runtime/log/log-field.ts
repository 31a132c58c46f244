import { requestValue } from '../kernel/context.ts'

/** A field that a service adds to the log entries of a request. */
export interface LogField<Value extends string | number | boolean> {
  readonly name: string
  /**
   * Sets the value for this request. All later log entries of the request have it, the access log's entry too. Does nothing
   * outside a request.
   *
   * @param value cut after 256 characters
   */
  set(value: Value): void
}

/** The labels that the runtime sets itself. */
const runtimeLabels: readonly string[] = [
  ...['request_id', 'subject'],
  ...['task', 'task_id', 'task_attempt', 'task_trace', 'task_outcome'],
]
const maxLength = 256

const values = requestValue<Readonly<Record<string, string>>>('log fields')

/** The fields that are set for this request, by name. */
export function ownFields(): Readonly<Record<string, string>> | undefined {
  return values.get()
}

/**
 * Defines a field of your own, such as the tenant. After it is set, each log entry of the request has it as a label. The
 * Logs Explorer finds it by `labels.tenant="acme"`. A task runs in another request: set the field in its `run` too.
 *
 * @param name lower-case letters, digits and `_`, 63 at most
 * @throws {TypeError} for a wrong name, and for a name that the runtime uses
 * @example
 * export const tenantField = defineLogField('tenant')
 * // in a middleware, a handler or a task
 * tenantField.set('acme')
 */
export function defineLogField<Value extends string | number | boolean = string>(
  name: string,
): LogField<Value> {
  if (!/^[a-z][a-z0-9_]{0,62}$/.test(name))
    throw new TypeError(
      `The log field "${name}": its name must be lower-case letters, digits and _, such as tenant.`,
    )
  if (runtimeLabels.includes(name))
    throw new TypeError(`The log field "${name}" is set by the runtime: give yours another name.`)
  return {
    name,
    set(value) {
      values.set({ ...values.get(), [name]: String(value).slice(0, maxLength).toWellFormed() })
    },
  }
}
