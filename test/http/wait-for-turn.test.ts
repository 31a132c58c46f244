import { setImmediate } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { waitForTurn } from '#src/runtime/http/wait-for-turn.ts'

test('the loop turns between any two that wait', async () => {
  const order: string[] = []
  const large = Array.from({ length: 5 }, () => waitForTurn().then(() => order.push('large')))
  let isOver = false
  void Promise.all(large).then(() => {
    isOver = true
  })
  while (!isOver) {
    await setImmediate()
    order.push('loop')
  }
  expect(order.filter((what) => what === 'large')).toHaveLength(5)
  expect(order.join(' ')).not.toContain('large large')
})
