import type { Context } from 'hono'

/** A page for a browser: HTML, and the scripts and styles that it loads. */
export interface Page {
  /** The HTML. It writes `{{nonce}}` in each `<script>`, `<style>` and `<link>`, and `{{name}}` for a value. */
  readonly html: URL
  /** The files by name. The page loads them from `PATH/NAME`. */
  readonly files: Readonly<Record<string, PageFile>>
  /** The values for the HTML, for each response. */
  readonly values?: (c: Context) => Readonly<Record<string, string>>
  /** Directives of the content security policy that differ from those of `sendPage`. */
  readonly policy?: Readonly<Record<string, string>>
}

/** A file of a page: where it is, or what reads its text. */
export type PageFile = URL | { readonly read: () => Promise<string> }
