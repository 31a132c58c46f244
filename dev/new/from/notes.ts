/** What a document says and the code does not. */
export interface Notes {
  /**
   * @param place a JSON pointer into the document
   * @param what what is left out or differs, and what to do
   */
  add(place: string, what: string): void
  /** All notes as lines, those of the same text together. */
  lines(): string[]
}

const placesShown = 4

/** Collects notes. */
export function createNotes(): Notes {
  const places = new Map<string, Set<string>>()
  return {
    add(place, what) {
      places.set(what, (places.get(what) ?? new Set()).add(place))
    },
    lines: () =>
      [...places].flatMap(([what, all]) => {
        const shown = [...all].slice(0, placesShown).map((place) => `           ${place}`)
        const rest = all.size - shown.length
        return [`note     ${what}:`, ...shown, ...(rest > 0 ? [`           and ${rest} more`] : [])]
      }),
  }
}
