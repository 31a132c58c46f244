import fc from 'fast-check'

/** How many of its statements an action sends before it is held. */
const go = fc.oneof(
  { weight: 3, arbitrary: fc.constant(99) },
  { weight: 2, arbitrary: fc.integer({ min: 0, max: 7 }) },
)
const which = fc.nat(9)
const key = fc.constantFrom('a', 'a', 'a', 'b')
const ends = fc.array(fc.constantFrom('fail' as const, 'fail' as const, 'fatal' as const), { maxLength: 3 })
const mostlyGood = fc.oneof({ weight: 2, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: ends })
const single = fc.constantFrom(
  'plain' as const,
  'one' as const,
  'two' as const,
  'steps' as const,
  'steps' as const,
)
const child = fc.constantFrom('plain' as const, 'one' as const, 'two' as const)

const record = <Name extends string, Model extends object>(
  name: Name,
  model: { [K in keyof Model]: fc.Arbitrary<Model[K]> },
) => fc.record({ do: fc.constant(name), ...model } as never) as fc.Arbitrary<{ do: Name } & Model>

const enqueue = record('enqueue', { kind: single, key, ends: mostlyGood, go })
const batch = record('batch', { kind: child, key, ends: mostlyGood, size: fc.nat(4), go })
const deliver = record('deliver', { which, go })
const burst = record('burst', { count: fc.integer({ min: 2, max: 4 }), go: fc.integer({ min: 1, max: 6 }) })
const again = record('again', { which, go })
const signal = record('signal', { key, go })
const cancel = record('cancel', { which, started: fc.boolean(), go })
const cancelBatch = record('cancelBatch', { which, go })
const redrive = record('redrive', { which, go })
const tick = record('tick', { go })
const clock = record('clock', { seconds: fc.constantFrom(1, 6, 21, 31, 61, 121, 660) })
const proceed = record('proceed', { which, go })
const renew = record('renew', { which })
const kill = record('kill', { which, moment: fc.constantFrom('before' as const, 'after' as const) })
const lose = record('lose', { which })

/** Something that happens to the service. `which` chooses among what is there. */
const action = fc.oneof(
  { weight: 5, arbitrary: enqueue },
  { weight: 2, arbitrary: batch },
  { weight: 12, arbitrary: deliver },
  { weight: 4, arbitrary: burst },
  { weight: 2, arbitrary: again },
  { weight: 4, arbitrary: signal },
  { weight: 1, arbitrary: cancel },
  { weight: 1, arbitrary: cancelBatch },
  { weight: 3, arbitrary: redrive },
  { weight: 1, arbitrary: tick },
  { weight: 3, arbitrary: clock },
  { weight: 8, arbitrary: proceed },
  { weight: 1, arbitrary: renew },
  { weight: 2, arbitrary: kill },
  { weight: 1, arbitrary: lose },
)

export type Action = typeof action extends fc.Arbitrary<infer One> ? One : never

/** What happens, in order: first there is some work. Half of the runs are calm: no process is killed, and no delivery lost. */
export const story = fc.record({
  calm: fc.boolean(),
  work: fc.array(fc.oneof(enqueue, batch), { minLength: 1, maxLength: 3 }),
  actions: fc.array(action, { maxLength: 20, size: 'max' }),
})
