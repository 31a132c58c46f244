import { describe, expect, test } from 'vitest'
import { renderChart } from '../../bench/harness/chart.ts'
import { type Goal, judge, nameOf } from '../../bench/harness/goals.ts'
import { merge } from '../../bench/harness/saved.ts'
import { ratio, summarize } from '../../bench/harness/stats.ts'
import { format, renderTable } from '../../bench/harness/table.ts'
import { sections } from '../../bench/sections/sections.ts'

describe('the benchmark', () => {
  test('takes the median and the quartiles of its rounds', () => {
    expect(summarize([5, 1, 3])).toEqual({ median: 3, low: 2, high: 4, count: 3 })
    expect(summarize([4, 1, 2, 3])).toEqual({ median: 2.5, low: 1.75, high: 3.25, count: 4 })
    expect(() => summarize([])).toThrow('There are no values')
  })

  test('compares two contestants round by round', () => {
    expect(ratio([10, 100, 1000], [5, 50, 2000])).toEqual({ median: 2, low: 1.25, high: 2, count: 3 })
    expect(() => ratio([1], [1, 2])).toThrow('1 rounds cannot be compared with 2')
  })

  test('writes numbers with the digits that count, and tables whose columns stand below each other', () => {
    expect([8166.4, 91.44, 0.716, Number.NaN].map(format)).toEqual(['8,166', '91.4', '0.72', 'not measured'])
    expect(renderTable({ head: ['a', 'rate'], rows: [['service', '8,166/s']] })).toBe(
      ['| a       |    rate |', '|---------|--------:|', '| service | 8,166/s |'].join('\n'),
    )
  })
})

test('a section that is measured again takes the place of its old result, in the order of the sections', () => {
  const about = {
    date: '2026-11-28T10:00',
    commit: 'abc',
    command: 'npm run bench',
    loadBefore: 0,
    minutes: 1,
  }
  const of = (section: string, ...notes: string[]) => ({ ...about, section, notes, rows: [] })
  const merged = merge([of('get'), of('tasks', 'old')], [of('tasks', 'new'), of('start')], sections)
  expect(merged.map(({ section, notes }) => [section, ...(notes ?? [])])).toEqual([
    ['start'],
    ['get'],
    ['tasks', 'new'],
  ])
})

const row = (contestant: string, ...values: number[]) => ({
  ...{ work: 'get', contestant },
  metrics: [{ name: 'rate', unit: '/s', better: 'higher' as const, values }],
})
const results = [{ section: 'get', rows: [row('service', 110, 120, 130), row('fastify', 100, 100, 100)] }]
const goal: Goal = {
  ...{ section: 'get', work: 'get', metric: 'rate', against: 'fastify', bound: 'at least', value: 1.15 },
}

describe('a goal', () => {
  test('is met, or missed by a share of its bound', () => {
    const verdicts = [1.15, 1.2, 1.5].map((value) => judge(results, [{ ...goal, value }])[0]?.verdict)
    expect(verdicts).toEqual(['met', 'met', 'missed by 20 %'])
    const most = judge(results, [{ ...goal, bound: 'at most', value: 1 }])
    expect(most[0]).toMatchObject({
      verdict: 'missed by 20 %',
      reached: { median: 1.2, low: 1.15, high: 1.25 },
    })
  })

  test('may be for the service alone, and is left out where nothing was measured', () => {
    const { against: _, ...alone } = goal
    expect(judge(results, [{ ...alone, value: 100 }])[0]).toMatchObject({ reached: { median: 120 } })
    expect(judge(results, [{ ...goal, against: 'nobody' }])).toEqual([])
    expect(judge([], [goal])).toEqual([])
    expect(nameOf(goal)).toBe('get rate against fastify')
  })
})

test('the chart has a bar for each contestant, as long as its median, in both colour schemes', () => {
  const light = renderChart(results, 'light')
  const widths = Array.from(light.matchAll(/<rect [^>]*width="([\d.]+)"/g), ([, width]) => Number(width))
  expect(widths).toHaveLength(2)
  expect((widths[0] as number) / (widths[1] as number)).toBeCloseTo(1.2, 2)
  expect(light).toMatch(/^<svg [\s\S]*<\/svg>\n$/)
  expect(light).toContain('>120</text>')
  expect(renderChart(results, 'dark')).not.toBe(light)
})
