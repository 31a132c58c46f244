import type { SectionResult } from './result.ts'
import { summarize } from './stats.ts'
import { format } from './table.ts'

/** What the chart shows: a work with a metric. */
const panels = [
  { title: 'Start, ms (less is better)', section: 'start', work: 'start', metric: 'time' },
  { title: 'GET, requests/s', section: 'get', work: 'get', metric: 'rate' },
  { title: 'POST and hand-over, requests/s', section: 'post', work: 'post', metric: 'rate' },
  { title: 'List of 20, requests/s', section: 'list', work: 'list', metric: 'rate' },
  { title: 'Refused: no token, requests/s', section: 'rejected', work: 'noToken', metric: 'rate' },
  { title: 'Refused: bad body, requests/s', section: 'rejected', work: 'badBody', metric: 'rate' },
]

const colours = {
  light: { ink: '#1f2328', quiet: '#59636e', bar: '#afb8c1', ours: '#0969da' },
  dark: { ink: '#f0f6fc', quiet: '#9198a1', bar: '#484f58', ours: '#4493f8' },
}
const [panelWidth, barHeight, gap, labelWidth, valueWidth] = [440, 14, 6, 130, 70]

/**
 * Draws the medians as bars, a panel for each work that was measured. The thin line on a bar is the spread: from quartile to
 * quartile.
 *
 * @returns an SVG without a background
 */
export function renderChart(results: readonly SectionResult[], scheme: keyof typeof colours): string {
  const { ink } = colours[scheme]
  const drawn = panels.flatMap(({ title, section, work, metric }) => {
    const bars = (results.find((result) => result.section === section)?.rows ?? [])
      .filter((row) => row.work === work)
      .flatMap(({ contestant, metrics }) => {
        const values = metrics.find(({ name }) => name === metric)?.values ?? []
        return values.length > 0 ? [{ contestant, ...summarize(values) }] : []
      })
    return bars.length > 0 ? [{ title, bars }] : []
  })
  let [y, rowHeight] = [0, 0]
  const parts = drawn.map(({ title, bars }, index) => {
    const x = (index % 2) * panelWidth
    if (index % 2 === 0) {
      y += rowHeight
      rowHeight = 0
    }
    rowHeight = Math.max(rowHeight, 36 + bars.length * (barHeight + gap))
    return `<g transform="translate(${x} ${y})"><text x="0" y="16" font-weight="600" fill="${ink}">${escapeXml(title)}</text>${barsOf(bars, scheme)}</g>`
  })
  const height = y + rowHeight
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${panelWidth * 2} ${height}" font-family="system-ui, sans-serif" font-size="12" role="img"><title>What the service costs, beside others</title>${parts.join('')}</svg>\n`
}

function barsOf(
  bars: readonly { contestant: string; median: number; low: number; high: number }[],
  scheme: keyof typeof colours,
): string {
  const { ink, quiet, bar, ours } = colours[scheme]
  const longest = Math.max(...bars.map(({ high }) => high))
  const width = (value: number) => ((panelWidth - labelWidth - valueWidth) * value) / longest
  return bars
    .map(({ contestant, median, low, high }, index) => {
      const y = 26 + index * (barHeight + gap)
      const middle = y + barHeight / 2
      const own = contestant === 'service'
      return [
        `<text x="0" y="${y + 11}" fill="${own ? ink : quiet}">${escapeXml(contestant)}</text>`,
        `<rect x="${labelWidth}" y="${y}" width="${width(median).toFixed(1)}" height="${barHeight}" rx="2" fill="${own ? ours : bar}"/>`,
        `<path d="M${(labelWidth + width(low)).toFixed(1)} ${middle}H${(labelWidth + width(high)).toFixed(1)}" stroke="${ink}"/>`,
        `<text x="${(labelWidth + width(high) + 6).toFixed(1)}" y="${y + 11}" fill="${quiet}">${format(median)}</text>`,
      ].join('')
    })
    .join('')
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}
